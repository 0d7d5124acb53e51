"""Cards of an issuer's whim: personalised with strange data, which is then signed as it should be.

What `taps` changes on its way is found out by authentication; what an issuer has signed is not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from simulators.cards import profile
from simulators.cards.card import SimulatedCard
from tests.fuzz.choices import Choices
from tests.fuzz.taps import Honest, tap

BASES = (
    *("mastercard-approve", "amex-approve", "jcb-approve", "discover-approve", "jcb-dda", "jcb-sda"),
    *("mastercard-relay-resistance", "mastercard-wallet", "mastercard-balance", "amex-wallet"),
    *("visa-offline", "unionpay-approve", "visa-online-signed", "visa-offline-spending", "visa-wallet"),
    *("mastercard-recoverable", "mastercard-magstripe"),
)
"""Profiles by number; new ones go to the end."""

_EMV_BYTES = (
    *("cvm_list", "usage_control", "version", "denial", "online", "default", "profile", "cdol1", "pdol"),
    *("cdol2", "ddol"),
)
_EMV_CHOICES = {
    "gives": ("approve", "online", "decline"),
    "expiry": ("3112", "2001", "4999", "5001"),
    "effective": ("200101", "491231", "260509", "260510"),
    "currency": ("0978", "0756", "0000"),
    "country": ("0276", "0840", "0000"),
    "sequence_number": ("01", "99", "00"),
    "cryptogram_version": (0x10, 0x01, 0x05, 0x11),
    "forged": (False, True),
}
_MASTERCARD_CHOICES = {
    "drdol": ("9F5103", "9F3704", "", "9F37"),
    "relay": (
        {"shortest": 20, "longest": 50, "transmission": 24},
        {"shortest": 0xFFFF, "longest": 0, "transmission": 0},
    ),
    "magstripe": (True, False),
}
_VISA_BYTES = ("pdol", "qualifiers", "form_factor", "usage_control", "program_id", "kernel_id")
_VISA_CHOICES = {
    "offline": (True, False),
    "records": (True, False),
    "online_format": (0x95, 0x05),
    "declines": (False, True),
    "signs_qualifiers": (True, False),
    "cvm": (["device"], ["signature"], ["online-pin"], ["none"], []),
    "cryptogram_version": (10, 17, 18, 34),
    "available_spending": (None, 0, 10**12 - 1),
    "transit": (False, True),
    **{name: _EMV_CHOICES[name] for name in ("expiry", "effective", "country", "forged")},
}
_AUTHENTICATION = {
    "ca_index": (0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xEE),
    "issuer": ("large", "small"),
    "icc": ("short", "long", "wide", "weak"),
    "issuer_expiry": ("1239", "0120", "1349"),
    "icc_expiry": ("1239", "0120", "0000"),
    "static": (False, True),
    "flaw": ("none", "signature hash", "icc hash"),
}


def run(data: bytes) -> None:
    """Personalise a card, and tap it; its answers may change on the way besides."""
    choices = Choices(data)
    base = choices.pick(BASES)
    tables = _personalised(base, choices)
    tap(Honest(f"{base} {tables!r}", lambda: _made(tables)), choices)


def _personalised(base: str, choices: Choices) -> dict[str, Any]:
    """Return the tables of a profile with some fields of the fuzzer's."""
    text = (files("simulators.cards") / "profiles" / f"{base}.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    card = tables["card"]
    quick = card.get("kind", "visa") in ("visa", "unionpay", "discover")
    for _ in range(choices.byte() & 0x07):
        kind = choices.byte() & 0x03
        if kind == 0:
            card[choices.pick(_VISA_BYTES if quick else _EMV_BYTES)] = choices.value().hex()
        elif kind == 1:
            fields: Mapping[str, tuple[Any, ...]] = _VISA_CHOICES if quick else _EMV_CHOICES
            if card.get("kind") == "mastercard" and choices.byte() & 1:
                fields = _MASTERCARD_CHOICES
            name = choices.pick(tuple(fields))
            value = choices.pick(fields[name])
            if value is not None:
                card[name] = value
        elif kind == 2:
            name = choices.pick(tuple(_AUTHENTICATION))
            tables.setdefault("authentication", {})[name] = choices.pick(_AUTHENTICATION[name])
        elif not quick:
            where = choices.pick(("signed_records", "records", "response", "discretionary"))
            card.setdefault(where, {})[f"{choices.tag():02X}"] = choices.value().hex()
    return tables


def _made(tables: dict[str, Any]) -> SimulatedCard:
    """Return the card, or one that knows nothing where an issuer could not have made it."""
    try:
        return profile.make(tables)
    except (ValueError, TypeError, KeyError):
        return profile.load("malicious-garbage")
