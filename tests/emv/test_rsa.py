"""RSA with message recovery, and the fingerprint of weak keys."""

from __future__ import annotations

import math

import pytest

from emv.errors import AuthenticationError
from emv.roca import is_roca
from emv.rsa import PublicKey
from simulators.scheme import keys

PRIMES = [n for n in range(2, 702) if all(n % m for m in range(2, n))]


@pytest.mark.parametrize("index", [0xE1, 0xE2, 0xE3, 0xE4])
def test_what_was_signed_comes_back(index: int) -> None:
    private = keys.ca_key("visa", index)
    public = PublicKey(private.modulus, private.exponent)
    block = b"\x6a" + bytes(range(private.length - 2)) + b"\xbc"
    signed = private.sign(block)
    assert public.recover(signed) == block
    for other in (signed[:-1], signed + b"\0", b"\0" + signed, b""):
        with pytest.raises(AuthenticationError, match="length"):
            public.recover(other)


def test_signature_is_below_the_modulus() -> None:
    private = keys.ca_key("visa", 0xE3)
    public = PublicKey(private.modulus, private.exponent)
    number = int.from_bytes(private.modulus, "big")
    for value in (number, number + 1, 2 ** (8 * private.length) - 1):
        with pytest.raises(
            AuthenticationError, match="not below the key's modulus, so another key signed it"
        ):
            public.recover(value.to_bytes(private.length, "big"))
    with pytest.raises(AuthenticationError, match="trailer"):
        public.recover((number - 1).to_bytes(private.length, "big"))


@pytest.mark.parametrize(
    ("modulus", "exponent", "message"),
    [
        (b"", 3, "modulus"),
        (b"\xff" * 63, 3, "modulus"),
        (b"\xff" * 249, 3, "modulus"),
        (b"\x00" + b"\xff" * 100, 3, "modulus"),
        (b"\xff" * 100 + b"\xfe", 3, "modulus"),
        *((b"\xff" * 100, exponent, "exponent") for exponent in (0, 1, 2, 17, 65539)),
    ],
)
def test_keys_that_emv_does_not_have_are_refused(modulus: bytes, exponent: int, message: str) -> None:
    with pytest.raises(AuthenticationError, match=message):
        PublicKey(modulus, exponent)


def test_keys_compare_by_value() -> None:
    modulus = keys.ca_key("visa", 0xE2).modulus
    assert PublicKey(modulus, 3) == PublicKey(modulus, 3)
    assert PublicKey(modulus, 3) != PublicKey(modulus, 65537)
    assert PublicKey(modulus, 3) != modulus
    assert len({PublicKey(modulus, 3), PublicKey(modulus, 3)}) == 1
    assert repr(PublicKey(modulus, 3)) == "PublicKey(1408 bits, exponent 3)"


@pytest.mark.parametrize(("bits", "primes"), [(512, 39), (1024, 71), (1984, 126)])
def test_moduli_of_the_faulty_generator_have_the_fingerprint(bits: int, primes: int) -> None:
    # The shape that the generator gave both factors; that they are no primes here changes nothing.
    product = math.prod(PRIMES[:primes])

    room = 2 ** (bits // 2) // product
    for power in range(1, 20):
        first, second = (
            room // (power + more) * product + pow(65537, 1000 * power + more, product) for more in (1, 2)
        )
        assert is_roca(first * second)
        assert not is_roca(first * second + 2)


def test_other_moduli_do_not_have_it() -> None:
    for index in (0xE1, 0xE2, 0xE3, 0xE4, 0xE5):
        assert not is_roca(int.from_bytes(keys.ca_key("visa", index).modulus, "big"))
    assert is_roca(int.from_bytes(keys.icc_key("weak").modulus, "big"))
    assert not any(is_roca(number**7 + 2) for number in range(10**40, 10**40 + 500))
    assert not is_roca(0)
