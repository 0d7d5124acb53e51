"""Application identifiers: which scheme and which product a name belongs to, and its kernel.

A name begins with the five bytes of the registered provider (RID); the rest is the provider's own (PIX).
The longest prefix that is listed decides of the product, the RID alone of the kernel.

Spec: EMV 4.4 Book 1, 12.2.1; EMV Contactless Book B, 3.3.2.5 (default kernels).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AidInfo:
    """What is known of an application's name.

    Args:
        scheme: Whose it is.
        product: Which of the scheme's, or empty where only the scheme is known.
    """

    scheme: str
    product: str = ""

    def __str__(self) -> str:
        same = self.product.upper().startswith(self.scheme.upper())
        return self.product if same else f"{self.scheme} {self.product}".rstrip()


VISA, MASTERCARD, UNIONPAY = "Visa", "Mastercard", "UnionPay"

_PREFIXES = {
    "A000000003": AidInfo(VISA),
    "A0000000031010": AidInfo(VISA, "Credit/Debit"),
    "A0000000032010": AidInfo(VISA, "Electron"),
    "A0000000032020": AidInfo(VISA, "V Pay"),
    "A0000000038010": AidInfo(VISA, "Plus"),
    "A000000098": AidInfo(VISA, "USA Debit"),
    "A000000004": AidInfo(MASTERCARD),
    "A0000000041010": AidInfo(MASTERCARD, "Credit/Debit"),
    "A0000000042203": AidInfo(MASTERCARD, "USA Debit"),
    "A0000000043060": AidInfo(MASTERCARD, "Maestro"),
    "A0000000046000": AidInfo(MASTERCARD, "Cirrus"),
    "A000000005": AidInfo(MASTERCARD, "Maestro UK"),
    "B012345678": AidInfo(MASTERCARD, "Test"),
    "A000000025": AidInfo("American Express", "Credit/Debit"),
    "A000000790": AidInfo("American Express", "China Credit/Debit"),
    "A000000152": AidInfo("Discover"),
    "A0000001523010": AidInfo("Discover", "Card"),
    "A0000001524010": AidInfo("Discover", "USA Debit"),
    "A000000324": AidInfo("Discover", "ZIP"),
    "A000000065": AidInfo("JCB"),
    "A0000000651010": AidInfo("JCB", "Credit/Debit"),
    "A000000333": AidInfo(UNIONPAY),
    "A000000333010101": AidInfo(UNIONPAY, "Debit"),
    "A000000333010102": AidInfo(UNIONPAY, "Credit"),
    "A000000333010103": AidInfo(UNIONPAY, "Quasi Credit"),
    "A000000333010106": AidInfo(UNIONPAY, "Electronic Cash"),
    "A000000333010108": AidInfo(UNIONPAY, "USA Debit"),
    "A000000042": AidInfo("CB"),
    "A0000000421010": AidInfo("CB", "Credit/Debit"),
    "A0000000422010": AidInfo("CB", "Debit"),
    "A000000121": AidInfo("Dankort"),
    "A0000001214711": AidInfo("Dankort", "Visa/Dankort"),
    "A0000001214712": AidInfo("Dankort", "J/Speedy"),
    "A000000337": AidInfo("GIM-UEMOA"),
    "A000000337101000": AidInfo("GIM-UEMOA", "Standard"),
    "A000000337101001": AidInfo("GIM-UEMOA", "Prepaid Online"),
    "A000000337102000": AidInfo("GIM-UEMOA", "Classic"),
    "A000000337102001": AidInfo("GIM-UEMOA", "Prepaid Offline"),
    "A000000337301000": AidInfo("GIM-UEMOA", "Retrait"),
    "A000000337601001": AidInfo("GIM-UEMOA", "Electronic Wallet"),
    "A0000003591010028001": AidInfo("DK", "girocard"),
    "A000000371": AidInfo("Verve"),
    "A000000384": AidInfo("eftpos"),
    "A00000038410": AidInfo("eftpos", "Savings"),
    "A00000038420": AidInfo("eftpos", "Cheque"),
    "A000000524": AidInfo("RuPay"),
    "A000000658": AidInfo("Mir"),
    "A0000006581010": AidInfo("Mir", "Credit"),
    "A0000006582010": AidInfo("Mir", "Debit"),
    "A000000732": AidInfo("Meeza"),
    "A000000277": AidInfo("Interac"),
    "A0000002771010": AidInfo("Interac", "Debit"),
    "A000000141": AidInfo("Bancomat"),
    "A0000001410001": AidInfo("Bancomat", "PagoBANCOMAT"),
}


_KERNELS = {
    "A000000004": 2,
    "A000000003": 3,
    "A000000025": 4,
    "A000000065": 5,
    "A000000152": 6,
    "A000000324": 6,
    "A000000333": 7,
}
"""The kernel meant where the card names none, by RID: Book B, table 3-6."""


def default_kernel(aid: bytes) -> int:
    """Return the kernel that is used where the card names none, or 0."""
    return _KERNELS.get(aid[:5].hex().upper(), 0)


def look_up(aid: bytes) -> AidInfo | None:
    """Return what is known of a name, which may be cut short, or None."""
    name = aid.hex().upper()
    for length in range(len(name), 0, -2):
        if info := _PREFIXES.get(name[:length]):
            return info
    return None
