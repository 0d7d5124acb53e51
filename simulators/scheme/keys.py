"""The test scheme's RSA keys, read from `keys.json`, and its CA public keys as a terminal loads them.

All keys are made up. The indexes E1 to E5 are ones that no scheme is known to use with these
application providers, so a test key can't be taken for a scheme's:

=====  ====  ========  =============================================
index  bits  exponent  remarks
=====  ====  ========  =============================================
E1     1984  3         the usual one; one issuer certificate revoked
E2     1408  3
E3     1152  3
E4     1408  65537
E5     1408  3         expired at the end of 2020
=====  ====  ========  =============================================
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from simulators.scheme.rsa_key import RsaKey

REVOKED_SERIAL = bytes.fromhex("0BAD01")
"""Serial number of the issuer certificates under E1 that the schemes have revoked."""
UNKNOWN_INDEX = 0xEE
"""A CA key index that no terminal has a key for."""


@cache
def _file() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((files(__package__) / "keys.json").read_text("utf-8"))
    return found


@cache
def _key(name: str) -> RsaKey:
    entry = _file()[name]
    return RsaKey(int(entry["p"], 16), int(entry["q"], 16), entry["exponent"])


def ca_key(scheme: str, index: int) -> RsaKey:
    """Return a certification authority's key: "visa", 0xE1. KeyError if there is none."""
    return _key(f"ca {scheme} {index:02X}")


def issuer_key(scheme: str, size: str) -> RsaKey:
    """Return an issuer's key: "large" has 1408 bits and exponent 3, "small" 1152 and 65537."""
    return _key(f"issuer {scheme} {size}")


def icc_key(name: str) -> RsaKey:
    """Return a card's key: "long" (1152 bits), "short", "wide" (1024, exponent 65537), "weak" (ROCA)."""
    return _key(f"icc {name}")


def ca_keys_json() -> str:
    """Return the CA public keys and revoked issuer certificates as the terminal's key file has them.

    A check sum is SHA-1 over RID, index, modulus and exponent. Spec: EMV 4.4 Book 2, 5.1.
    """
    keys, revoked = [], []
    for name, entry in _file().items():
        if not name.startswith("ca "):
            continue
        key, rid, index = _key(name), entry["rid"], entry["index"]
        summed = bytes.fromhex(rid + index) + key.modulus + key.exponent_bytes
        keys.append(
            {
                "rid": rid,
                "index": index,
                "modulus": key.modulus.hex().upper(),
                "exponent": key.exponent_bytes.hex().upper(),
                "checksum": hashlib.sha1(summed, usedforsecurity=False).hexdigest().upper(),
                "expiry": entry["expiry"],
            }
        )
        if index == "E1":
            revoked.append({"rid": rid, "index": index, "serial": REVOKED_SERIAL.hex().upper()})
    return json.dumps({"keys": keys, "revoked": revoked}, indent=1) + "\n"
