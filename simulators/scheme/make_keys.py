"""Makes `keys.json`, the made-up RSA keys of the test scheme: ``python -m simulators.scheme.make_keys``.

Every run makes other keys, and with them other certificates, so it is run again only to add a key.
Keys that are in the file already are kept.
"""

from __future__ import annotations

import json
import secrets
from math import prod
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

FILE = Path(__file__).with_name("keys.json")

RIDS = {
    "visa": "A000000003",
    "mastercard": "A000000004",
    "amex": "A000000025",
    "jcb": "A000000065",
    "discover": "A000000152",
    "unionpay": "A000000333",
}
CA_KEYS = {
    "E1": (1984, 3, "2039-12-31"),
    "E2": (1408, 3, "2039-12-31"),
    "E3": (1152, 3, "2039-12-31"),
    "E4": (1408, 65537, "2039-12-31"),
    "E5": (1408, 3, "2020-12-31"),
}
"""Index: bits, exponent, last day of validity."""
ISSUER_KEYS = {"large": (1408, 3), "small": (1152, 65537)}
ICC_KEYS = {"long": (1152, 3), "short": (1024, 3), "wide": (1024, 65537)}


def main() -> None:
    """Add what is missing to the file."""
    keys: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    for scheme, rid in RIDS.items():
        for index, (bits, exponent, expiry) in CA_KEYS.items():
            name = f"ca {scheme} {index}"
            about = {"rid": rid, "index": index, "expiry": expiry}
            keys[name] = keys.get(name) or about | _pair(bits, exponent)
        for size, (bits, exponent) in ISSUER_KEYS.items():
            name = f"issuer {scheme} {size}"
            keys[name] = keys.get(name) or _pair(bits, exponent)
    for size, (bits, exponent) in ICC_KEYS.items():
        keys[f"icc {size}"] = keys.get(f"icc {size}") or _pair(bits, exponent)
    keys["icc weak"] = keys.get("icc weak") or _weak_pair(1152)
    FILE.write_text(json.dumps(keys, indent=1) + "\n", "utf-8")


def _pair(bits: int, exponent: int) -> dict[str, Any]:
    numbers = rsa.generate_private_key(exponent, bits).private_numbers()
    return {"p": f"{numbers.p:X}", "q": f"{numbers.q:X}", "exponent": exponent}


def _weak_pair(bits: int) -> dict[str, Any]:
    """Return a key with the flaw of CVE-2017-15361 (ROCA).

    Its primes are k * M + (65537 ** a mod M), where M is the product of the first primes: 71 of them for
    keys of 992 to 1952 bits.
    """
    m = prod(_first_primes(71))

    def weak_prime() -> int:
        while True:
            number = secrets.randbelow(1 << (bits // 2 - m.bit_length())) * m + pow(
                65537, secrets.randbelow(m), m
            )
            if number.bit_length() == bits // 2 and number >> (bits // 2 - 2) == 3 and _is_prime(number):
                return number

    return {"p": f"{weak_prime():X}", "q": f"{weak_prime():X}", "exponent": 65537}


def _first_primes(count: int) -> list[int]:
    primes: list[int] = []
    number = 2
    while len(primes) < count:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return primes


def _is_prime(number: int) -> bool:
    """Try 40 random bases (Miller and Rabin)."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos) for _ in range(40))


def _passes(number: int, odd: int, twos: int) -> bool:
    x = pow(secrets.randbelow(number - 3) + 2, odd, number)
    if x in (1, number - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % number
        if x == number - 1:
            return True
    return False


if __name__ == "__main__":
    main()
