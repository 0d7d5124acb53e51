"""The test scheme: made-up keys of certification authorities, issuers and cards, and what they sign.

Theory of operation: one issuer master key makes every card's key from its number, and the card's key makes
the cryptogram of a transaction (`session_keys`, `cryptograms`). The host does the same again from what
the terminal delivered and compares (`issuer`). Beside it stands a public key infrastructure for offline
data authentication (`keys`, `certificates`). Nothing here is a secret: all keys are made up, and all card
numbers are the industry's published test numbers.
"""

from simulators.scheme.application_data import CryptogramKind, card_verification_results
from simulators.scheme.application_data import visa as issuer_application_data
from simulators.scheme.cryptograms import ISSUER_MASTER_KEY, cryptogram
from simulators.scheme.issuer import DECLINED_BY_ISSUER, TEST_PANS, Verdict, verify_arqc
from simulators.scheme.keys import ca_keys_json

__all__ = [
    "DECLINED_BY_ISSUER",
    "ISSUER_MASTER_KEY",
    "TEST_PANS",
    "CryptogramKind",
    "Verdict",
    "ca_keys_json",
    "card_verification_results",
    "cryptogram",
    "issuer_application_data",
    "verify_arqc",
]
