"""Cards with certificates under the test scheme, for scripts: what they answer when they sign."""

from dataclasses import dataclass, field
from functools import cache

from emv.capk import CaKey, CaKeys, Revoked
from emv.formats import encode_n
from emv.kernel import Transaction
from emv.rsa import PublicKey
from simulators.scheme import certificates, keys
from tests.emv.visa_card import NUMBER, one

RIDS = {"visa": "A000000003", "unionpay": "A000000333"}
CA_INDEX = 0xE1


@cache
def ca_keys(scheme: str = "visa", *, revoked: bool = False) -> CaKeys:
    """Return the scheme's key E1 as a terminal holds it."""
    rid, key = bytes.fromhex(RIDS[scheme]), keys.ca_key(scheme, CA_INDEX)
    public = PublicKey(key.modulus, int.from_bytes(key.exponent_bytes, "big"))
    stopped = [Revoked(rid, CA_INDEX, _SERIAL)] if revoked else []
    return CaKeys([CaKey(rid, CA_INDEX, public)], stopped)


_SERIAL = bytes.fromhex("010203")


@dataclass(frozen=True)
class GenuineCard:
    """What a card with fast DDA answers.

    Args:
        scheme: Whose certificates it has.
        number: Its card number.
        expiry: Tag 5F24, YYMMDD; None leaves it out.
        ctq: Tag 9F6C.
        signed_ctq: The copy of it in 9F69; None makes it the same.
        version: The version of fast DDA, byte 1 of 9F69; None leaves 9F69 out.
        signed_format: The signed data format, 05 or 95.
        aip: Tag 82.
        cid: Tag 9F27.
        iad: Tag 9F10.
        more: Further data objects of the first record, which is signed.
    """

    scheme: str = "visa"
    number: str = NUMBER
    expiry: str | None = "271231"
    ctq: str = "0000"
    signed_ctq: str | None = None
    version: int | None = 1
    signed_format: int = 0x05
    aip: str = "2000"
    cid: str = "40"
    iad: str = "06011203900000"
    more: tuple[str, ...] = field(default=())

    @property
    def related(self) -> bytes:
        """Tag 9F69: version, the card's unpredictable number, the CTQ and a byte that is reserved."""
        if self.version is None:
            return b""
        copy = self.ctq if self.signed_ctq is None else self.signed_ctq
        return bytes((self.version,)) + bytes.fromhex("AABBCCDD" + copy + "00")

    def signature(self, payment: Transaction) -> str:
        """Tag 9F4B for a payment, in hex."""
        hashed = payment.unpredictable_number
        if self.version:
            hashed += encode_n(payment.amount_minor, 6) + encode_n(int(payment.currency), 2) + self.related
        icc = keys.icc_key("wide")
        number = bytes.fromhex("0812345678ABCDEF01")
        signed = certificates.sign_dynamic_data(icc, number, hashed, format_byte=self.signed_format)
        return signed.hex().upper()

    @property
    def static_signature(self) -> str:
        """Tag 93, for a card with static data authentication, in hex."""
        static_data = bytes.fromhex(self._signed_record + self.aip)
        return certificates.sign_static_data(keys.issuer_key(self.scheme, "large"), static_data).hex()

    def options(self, payment: Transaction, **changed: str | None) -> str:
        """Return the answer to GET PROCESSING OPTIONS, changed tag by tag (t9F4B="...")."""
        values: dict[str, str | None] = {
            "82": self.aip,
            "94": "0801010110010200",
            "57": f"{self.number}D2712201{'1234567F'}",
            "5F34": "01",
            "9F10": self.iad,
            "9F26": "1122334455667788",
            "9F27": self.cid,
            "9F36": "004F",
            "9F6C": self.ctq,
            "9F4B": self.signature(payment),
            "9F69": self.related.hex() or None,
        }
        values |= {tag[1:]: value for tag, value in changed.items()}
        return one("77", *(one(tag, value) for tag, value in values.items() if value is not None)) + "9000"

    @property
    def records(self) -> list[tuple[str, str]]:
        """The lines of READ RECORD: the signed record, the issuer's certificate, the card's."""
        signed = self._signed_record
        issuer, card = _certificates(self.scheme, self.number, signed + self.aip)
        first = one("70", signed) + "9000"
        second = one("70", one("8F", f"{CA_INDEX:02X}"), *_objects(issuer, "90", "92", "9F32"))
        third = one("70", *_objects(card, "9F46", "9F48", "9F47"))
        return [
            ("00B2010C00", first),
            ("00B2011400", second + "9000"),
            ("00B2021400", third + "9000"),
        ]

    @property
    def _signed_record(self) -> str:
        expiry = [] if self.expiry is None else [one("5F24", self.expiry)]
        return "".join([one("5A", self.number), *expiry, one("9F4A", "82"), *self.more])


def _objects(found: certificates.Certificate, *tags: str) -> list[str]:
    values = (found.certificate, found.remainder, found.exponent)
    return [one(tag, value.hex()) for tag, value in zip(tags, values, strict=True) if value]


@cache
def _certificates(
    scheme: str, number: str, static_data: str
) -> tuple[certificates.Certificate, certificates.Certificate]:
    ca, issuer, icc = keys.ca_key(scheme, CA_INDEX), keys.issuer_key(scheme, "large"), keys.icc_key("wide")
    return (
        certificates.certify_issuer(ca, issuer, bin_digits=number[:6], expiry="1230", serial=_SERIAL),
        certificates.certify_icc(
            issuer,
            icc,
            pan=number,
            expiry="1228",
            serial=bytes.fromhex("0A0B0C"),
            static_data=bytes.fromhex(static_data),
        ),
    )
