"""The test scheme: right cryptograms verify, everything else does not, and nothing raises."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from simulators import scheme
from simulators.cards import ber
from simulators.scheme import CryptogramKind, application_data
from simulators.scheme.application_data import Verified
from simulators.scheme.cryptograms import issuer_authentication_data, issuer_response
from simulators.scheme.pyemv_ciphers import ac
from simulators.scheme.session_keys import SessionKey, card_key, session_key

VALUES = {
    "9F02": "000000001250",
    "9F03": "000000000000",
    "9F1A": "0276",
    "95": "0000000000",
    "5F2A": "0978",
    "9A": "260131",
    "9C": "00",
    "9F37": "0BADCAFE",
    "82": "0000",
    "9F36": "0001",
}


def record(
    version: int = 10, pan: str = "4761739001010119", kind: CryptogramKind = CryptogramKind.ARQC
) -> dict[str, bytes]:
    values = {tag: bytes.fromhex(value) for tag, value in VALUES.items()}
    values["9F10"] = scheme.issuer_application_data(version, kind)
    values["9F26"] = scheme.cryptogram(pan, "01", values)
    values["9F27"] = bytes([kind.value])
    values["57"] = bytes.fromhex(f"{pan}D31122010000000000F"[:36].ljust(36, "F"))
    values["5F34"] = b"\x01"
    return values


def encoded(values: dict[str, bytes]) -> bytes:
    return b"".join(ber.tlv(tag, value) for tag, value in values.items())


def luhn(pan: str) -> bool:
    digits = [int(digit) for digit in reversed(pan)]
    return not (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10


@pytest.mark.parametrize("version", [10, 17, 18])
def test_a_right_cryptogram_is_genuine(version: int) -> None:
    verdict = scheme.verify_arqc(encoded(record(version)))
    assert verdict
    assert (verdict.approved, verdict.counter) == (True, 1)


def test_the_record_may_be_in_a_template() -> None:
    assert scheme.verify_arqc(ber.tlv("70", encoded(record())))


@pytest.mark.parametrize("version", [10, 18])
@pytest.mark.parametrize("tag", [*VALUES, "9F10", "9F26", "57", "5F34"])
def test_any_change_is_found(version: int, tag: str) -> None:
    values = record(version)
    # Version 10 covers the CVR at the end of 9F10. The first digits of a number are in no card's key.
    at = {"9F10": 6, "57": 3}.get(tag, 0)
    value = bytearray(values[tag])
    value[at] ^= 0x01
    values[tag] = bytes(value)
    assert not scheme.verify_arqc(encoded(values)).genuine


@pytest.mark.parametrize("tag", [*VALUES, "9F10", "9F26", "57"])
def test_a_missing_value_is_found(tag: str) -> None:
    values = record()
    del values[tag]
    assert not scheme.verify_arqc(encoded(values)).genuine


def test_the_issuer_declines_its_number() -> None:
    verdict = scheme.verify_arqc(encoded(record(pan="4000000000000002")))
    assert (verdict.genuine, verdict.approved) == (True, False)


def test_a_declining_cryptogram_approves_nothing() -> None:
    verdict = scheme.verify_arqc(encoded(record(kind=CryptogramKind.AAC)))
    assert (verdict.genuine, verdict.approved, verdict.reason) == (False, False, "the card declined")


def test_a_declining_cryptogram_can_not_pass_as_a_request() -> None:
    values = record(kind=CryptogramKind.AAC) | {"9F27": b"\x80"}
    verdict = scheme.verify_arqc(encoded(values))
    assert (verdict.genuine, verdict.approved) == (False, False)


@given(st.binary(max_size=200))
def test_noise_is_not_genuine(data: bytes) -> None:
    assert not scheme.verify_arqc(data)


@given(st.data())
def test_a_spoilt_record_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(encoded(record(data.draw(st.sampled_from([10, 17, 18])))))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    scheme.verify_arqc(bytes(whole))
    scheme.verify_arqc(bytes(whole[:at]))


def test_all_numbers_pass_the_luhn_check() -> None:
    assert all(luhn(pan) for pan in scheme.TEST_PANS)
    assert set(scheme.TEST_PANS) >= scheme.DECLINED_BY_ISSUER


def test_no_verdict_holds_a_card_number() -> None:
    for verdict in (
        scheme.verify_arqc(encoded(record())),
        scheme.verify_arqc(encoded(record(pan="4000000000000002"))),
    ):
        assert "4761739001010119" not in repr(verdict)
        assert "4000000000000002" not in repr(verdict)


class TestApplicationData:
    """What 9F10 looks like, written out."""

    @pytest.mark.parametrize(
        ("scheme_name", "version", "verified", "iad"),
        [
            ("visa", 0x0A, Verified.NOBODY, "06010A03A00000"),
            ("visa", 0x12, Verified.DEVICE, "06011203A40000"),
            ("visa", 0x22, Verified.NOBODY, "1F220100A0000000" + "00" * 24),
            ("visa", 0x22, Verified.DEVICE, "1F220182A4000002" + "00" * 24),
            ("mastercard", 0x10, Verified.NOBODY, "0110A00003200000" + "00" * 9 + "FF"),
            ("mastercard", 0x10, Verified.DEVICE, "0110A50003000000" + "00" * 9 + "FF"),
            ("unionpay", 0x01, Verified.NOBODY, "07010103A0000001"),
            ("amex", 0x01, Verified.NOBODY, "06010103A00000"),
        ],
    )
    def test_of_a_request(self, scheme_name: str, version: int, verified: Verified, iad: str) -> None:
        made = application_data.write(scheme_name, version, CryptogramKind.ARQC, verified)
        assert made.hex().upper() == iad
        told = application_data.read(made)
        assert (told.version, told.kind) == (version, CryptogramKind.ARQC)

    @pytest.mark.parametrize("iad", ["", "06010A", "1F22", "0801010000000000"])
    def test_of_no_known_format(self, iad: str) -> None:
        with pytest.raises(ValueError, match="unknown"):
            application_data.read(bytes.fromhex(iad))


class TestIssuersAnswer:
    KEY = card_key(scheme.ISSUER_MASTER_KEY, "5413330089020011", "01")

    def values(self, scheme_name: str, version: int) -> dict[str, bytes]:
        values = {tag: bytes.fromhex(value) for tag, value in VALUES.items()}
        values["9F10"] = application_data.write(scheme_name, version, CryptogramKind.ARQC)
        return values | {"9F26": bytes(range(8))}

    def test_mastercards_older_versions_answer_with_the_cards_key(self) -> None:
        values = self.values("mastercard", 0x10)
        told = issuer_authentication_data("5413330089020011", "01", values, b"00")
        assert told == ac.generate_arpc_1(self.KEY, values["9F26"], b"00") + b"00"

    def test_the_newer_ones_with_the_session_key(self) -> None:
        values = self.values("mastercard", 0x14)
        told = issuer_authentication_data("5413330089020011", "01", values, b"00")
        key = session_key(self.KEY, SessionKey.COMMON, counter=values["9F36"], unpredictable_number=b"")
        assert told == ac.generate_arpc_1(key, values["9F26"], b"00") + b"00"

    @pytest.mark.parametrize(("approved", "status"), [(True, "00800000"), (False, "00000000")])
    def test_visas_newer_versions_with_a_card_status_update(self, approved: bool, status: str) -> None:
        values = self.values("visa", 0x22)
        response = issuer_response("4761739001010119", values, code="00", approved=approved)
        assert response.hex() == status
        assert len(issuer_authentication_data("4761739001010119", "01", values, response)) == 8

    def test_a_session_key_of_unionpay(self) -> None:
        counter = bytes.fromhex("0123")
        key = session_key(self.KEY, SessionKey.PBOC, counter=counter, unpredictable_number=b"")
        cipher = Cipher(TripleDES(self.KEY + self.KEY[:8]), modes.ECB()).encryptor()  # noqa: S305
        assert key == cipher.update(bytes.fromhex("0000000000000123 000000000000FEDC"))


def test_another_schemes_number_is_not_genuine() -> None:
    values = record() | {"84": bytes.fromhex("A0000000041010")}
    values["9F10"] = application_data.write("mastercard", 0x10, CryptogramKind.ARQC)
    values["9F26"] = scheme.cryptogram("4761739001010119", "01", values, "mastercard")
    verdict = scheme.verify_arqc(encoded(values))
    assert (verdict.genuine, verdict.reason[:30]) == (False, "the application is of another ")
