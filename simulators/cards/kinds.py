"""Which kinds of cards there are, by the word that a profile uses, with what is usual for each.

Cards of kernel 5 speak the classic flow that EMV Book 3 describes; of what its book adds to it, only the
verification that a JCB card chooses is public enough to be simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.cards.chip import Application
from simulators.cards.discover import DiscoverApplication, DiscoverPersonality
from simulators.cards.emv_mode import EmvApplication, EmvPersonality
from simulators.cards.jcb import JcbApplication, JcbPersonality
from simulators.cards.mastercard import MastercardApplication, MastercardPersonality
from simulators.cards.visa import Personality, VisaApplication


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: what describes a card, what makes it work, and what is usual."""

    personality: type[Personality | EmvPersonality]
    application: Callable[[Any], Application]
    usual: Mapping[str, Any]


KINDS: Mapping[str, Kind] = {
    "visa": Kind(Personality, VisaApplication, {}),
    "unionpay": Kind(
        Personality,
        VisaApplication,
        {
            "scheme": "unionpay",
            "aid": "A000000333010102",
            "label": "UnionPay Credit",
            "cryptogram_version": 1,
            "country": "0156",
            "form_factor": "",
        },
    ),
    "mastercard": Kind(
        MastercardPersonality,
        MastercardApplication,
        {"scheme": "mastercard", "aid": "A0000000041010", "label": "Mastercard", "cryptogram_version": 0x10},
    ),
    "amex": Kind(
        EmvPersonality,
        EmvApplication,
        {
            "scheme": "amex",
            "aid": "A000000025010403",
            "label": "AMERICAN EXPRESS",
            "cryptogram_version": 0x01,
            "pdol": "9F3501",
            "version": "0001",
        },
    ),
    "jcb": Kind(
        JcbPersonality,
        JcbApplication,
        {
            "scheme": "jcb",
            "aid": "A0000000651010",
            "label": "JCB CREDIT",
            "cryptogram_version": 0x01,
            "pdol": "9F52019F5303",
            "version": "0200",
        },
    ),
    "discover": Kind(
        DiscoverPersonality,
        DiscoverApplication,
        {
            "scheme": "discover",
            "aid": "A0000001523010",
            "label": "DISCOVER",
            "cryptogram_version": 0x05,
            "form_factor": "",
        },
    ),
}
