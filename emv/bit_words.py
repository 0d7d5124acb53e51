"""What the bits of fields mean, in words: one table a field.

A table has a row a byte; a row has a text a bit, 8 to 1, as the books count them. Several bits that are read
together are a `Group`: its mask, and a text for each of its values. Set bits without a text are shown as
reserved, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Bits of one byte that are read together.

    Args:
        mask: Which bits.
        texts: What each value means; a value without a text is shown as reserved. An empty text says nothing.
    """

    mask: int
    texts: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Counter:
    """Bits of one byte that are a number; `text` has a {} for it. A zero is told only if `always`."""

    mask: int
    text: str
    always: bool = False


Byte = tuple[Mapping[int, str], tuple[Group | Counter, ...]]


@dataclass(frozen=True, slots=True)
class BitTable:
    """The bytes of a field, the first one first."""

    rows: tuple[Byte, ...]

    def words(self, value: bytes) -> tuple[str, ...]:
        """Return a line for every bit that is set and every group, the highest bit first."""
        lines: list[str] = []
        for place, octet in enumerate(value, 1):
            bits, groups = self.rows[place - 1] if place <= len(self.rows) else ({}, ())
            lines.extend(_of_byte(place, octet, bits, groups))
        return tuple(lines)


def _of_byte(
    place: int, octet: int, bits: Mapping[int, str], groups: tuple[Group | Counter, ...]
) -> Iterator[str]:
    starts = {group.mask.bit_length(): group for group in groups}
    covered = 0
    for bit in range(8, 0, -1):
        if group := starts.get(bit):
            covered |= group.mask
            text = _of_group(place, octet & group.mask, group)
            if text:
                yield text
        elif not covered >> (bit - 1) & 1 and octet >> (bit - 1) & 1:
            yield bits.get(bit, f"byte {place} bit {bit} (reserved)")


def _of_group(place: int, value: int, group: Group | Counter) -> str:
    low = (group.mask & -group.mask).bit_length() - 1
    if isinstance(group, Counter):
        return group.text.format(value >> low) if value or group.always else ""
    return group.texts.get(
        value, f"byte {place} bits {group.mask.bit_length()}-{low + 1}: {value >> low} (reserved)"
    )


def _byte(*groups: Group | Counter, **bits: str) -> Byte:
    return {int(name[1:]): text for name, text in bits.items()}, groups


def _table(*rows: Byte) -> BitTable:
    return BitTable(rows)


NOTHING = _byte()

# EMV 4.4 Book 3, Annex C1; byte 2: Books C-2 and C-3
AIP = _table(
    _byte(
        b8="XDA supported",
        b7="Static Data Authentication (SDA) supported",
        b6="Dynamic Data Authentication (DDA) supported",
        b5="Cardholder verification supported",
        b4="Terminal risk management is to be performed",
        b3="Issuer authentication supported",
        b2="On-device cardholder verification supported",
        b1="Combined DDA/Application Cryptogram Generation (CDA) supported",
    ),
    _byte(
        b8="EMV mode (contactless) supported",
        b7="Mobile phone",
        b6="Contactless transaction",
        b1="Relay Resistance Protocol (RRP) supported",
    ),
)

# EMV 4.4 Book 3, Annex C2
AUC = _table(
    _byte(
        b8="Valid for domestic cash transactions",
        b7="Valid for international cash transactions",
        b6="Valid for domestic goods",
        b5="Valid for international goods",
        b4="Valid for domestic services",
        b3="Valid for international services",
        b2="Valid at ATMs",
        b1="Valid at terminals other than ATMs",
    ),
    _byte(b8="Domestic cashback allowed", b7="International cashback allowed"),
)

# EMV 4.4 Book 3, Annex C5; byte 5 bits 4 and 1: contactless (Book C-2)
TVR = _table(
    _byte(
        b8="Offline data authentication was not performed",
        b7="Static Data Authentication (SDA) failed",
        b6="ICC data missing",
        b5="Card appears on terminal exception file",
        b4="Dynamic Data Authentication (DDA) failed",
        b3="Combined DDA/Application Cryptogram Generation (CDA) failed",
        b2="Static Data Authentication (SDA) selected",
        b1="XDA selected",
    ),
    _byte(
        b8="ICC and terminal have different application versions",
        b7="Expired application",
        b6="Application not yet effective",
        b5="Requested service not allowed for card product",
        b4="New card",
        b2="Biometric performed and successful",
        b1="Biometric template format not supported",
    ),
    _byte(
        b8="Cardholder verification was not successful",
        b7="Unrecognised CVM",
        b6="PIN Try Limit exceeded",
        b5="PIN entry required and PIN pad not present or not working",
        b4="PIN entry required, PIN pad present, but PIN was not entered",
        b3="Online CVM captured (online PIN entered)",
        b2="Biometric required but capture device not working",
        b1="Biometric required, capture device present, but entry was bypassed",
    ),
    _byte(
        b8="Transaction exceeds floor limit",
        b7="Lower consecutive offline limit exceeded",
        b6="Upper consecutive offline limit exceeded",
        b5="Transaction selected randomly for online processing",
        b4="Merchant forced transaction online",
        b3="Biometric Try Limit exceeded",
        b2="A selected Biometric Type not supported",
        b1="XDA signature verification failed",
    ),
    _byte(
        Group(
            0x03,
            {
                0: "",
                1: "Relay resistance protocol not performed",
                2: "Relay resistance protocol performed (contact: ECC key recovery failed)",
            },
        ),
        b8="Default TDOL used",
        b7="Issuer authentication failed",
        b6="Script processing failed before final GENERATE AC",
        b5="Script processing failed after final GENERATE AC",
        b4="Relay resistance threshold exceeded",
        b3="Relay resistance time limits exceeded (contact: CA ECC key missing)",
    ),
)

# EMV 4.4 Book 3, Annex C6
TSI = _table(
    _byte(
        b8="Offline data authentication was performed",
        b7="Cardholder verification was performed",
        b6="Card risk management was performed",
        b5="Issuer authentication was performed",
        b4="Terminal risk management was performed",
        b3="Script processing was performed",
    ),
)

# EMV 4.4 Book 4, Annex A2
TERMINAL_CAPABILITIES = _table(
    _byte(b8="Manual key entry", b7="Magnetic stripe", b6="IC with contacts"),
    _byte(
        b8="Plaintext PIN for ICC verification",
        b7="Enciphered PIN for online verification",
        b6="Signature (paper)",
        b5="Enciphered PIN for offline verification",
        b4="No CVM required",
        b3="Online biometric",
        b2="Offline biometric",
    ),
    _byte(
        b8="Static Data Authentication (SDA)",
        b7="Dynamic Data Authentication (DDA)",
        b6="Card capture",
        b4="Combined DDA/Application Cryptogram Generation (CDA)",
        b3="XDA",
    ),
)

# EMV 4.4 Book 4, Annex A3
ADDITIONAL_CAPABILITIES = _table(
    _byte(
        b8="Cash",
        b7="Goods",
        b6="Services",
        b5="Cashback",
        b4="Inquiry",
        b3="Transfer",
        b2="Payment",
        b1="Administrative",
    ),
    _byte(b8="Cash deposit"),
    _byte(
        b8="Numeric keys",
        b7="Alphabetic and special character keys",
        b6="Command keys",
        b5="Function keys",
    ),
    _byte(
        b8="Print, attendant",
        b7="Print, cardholder",
        b6="Display, attendant",
        b5="Display, cardholder",
        b2="Code table 10",
        b1="Code table 9",
    ),
    _byte(**{f"b{bit}": f"Code table {bit}" for bit in range(8, 0, -1)}),
)

# Book C-2, Annex A.1 (also C-8)
TERMINAL_RISK_DATA = _table(
    _byte(
        b8="Restart supported",
        b7="Enciphered PIN verified online (contactless)",
        b6="Signature (paper) (contactless)",
        b5="Enciphered PIN verification performed by ICC (contactless)",
        b4="No CVM required (contactless)",
        b3="CDCVM (contactless)",
        b2="Plaintext PIN verification performed by ICC (contactless)",
        b1="Present and hold supported",
    ),
    _byte(
        b8="CVM limit exceeded",
        b7="Enciphered PIN verified online (contact)",
        b6="Signature (paper) (contact)",
        b5="Enciphered PIN verification performed by ICC (contact)",
        b4="No CVM required (contact)",
        b3="CDCVM (contact)",
        b2="Plaintext PIN verification performed by ICC (contact)",
    ),
    _byte(
        b8="Mag-stripe mode contactless transactions not supported",
        b7="EMV mode contactless transactions not supported",
        b6="CDCVM without CDA supported",
    ),
    _byte(b8="CDCVM bypass requested", b7="SCA exempt"),
)

# EMV Contactless Book A, 5.7; byte 2 bits 5, 4 and byte 3 bits 6, 4: Book C-6; byte 4: Book C-7
TTQ = _table(
    _byte(
        b8="Mag-stripe mode supported",
        b6="EMV mode supported",
        b5="EMV contact chip supported",
        b4="Offline-only reader",
        b3="Online PIN supported",
        b2="Signature supported",
        b1="Offline Data Authentication for Online Authorizations supported",
    ),
    _byte(
        b8="Online cryptogram required",
        b7="CVM required",
        b6="(Contact Chip) Offline PIN supported",
        b5="Fast Mode supported (kernel 6)",
        b4="Transit terminal (kernel 6)",
    ),
    _byte(
        b8="Issuer Update Processing supported",
        b7="Consumer Device CVM supported",
        b6="Consumer Device CVM for transit MCC supported (kernel 6)",
        b4="Consumer Device CVM required (kernel 6)",
    ),
    _byte(b8="fDDA v1.0 supported"),
)

# Book C-3, Annex A.2; Book C-7, Annex A
CTQ = _table(
    _byte(
        b8="Online PIN required",
        b7="Signature required",
        b6="Go online if offline data authentication fails and reader is online capable",
        b5="Switch interface if offline data authentication fails and reader supports contact chip",
        b4="Go online if application expired",
        b3="Switch interface for cash transactions",
        b2="Switch interface for cashback transactions",
        b1="Not valid for contactless ATM transactions",
    ),
    _byte(b8="Consumer Device CVM performed", b7="Card supports Issuer Update Processing at the POS"),
)

# Public terminals for Discover
CARD_PROCESSING_REQUIREMENTS = _table(
    _byte(
        b8="Online PIN required",
        b7="Signature required",
        b6="Limit of a programme (PID) reached, loyalty transaction approved",
        b5="Consumer Device CVM performed",
    ),
    _byte(
        b8="Switch interface if unable to go online",
        b7="Go online if CDA fails",
        b6="Decline or switch interface if CDA fails",
        b5="Issuer Update Processing supported",
        b4="Go online if application expired",
        b3="Decline if application expired",
        b2="Signature may stand in for another CVM",
        b1="No CVM may stand in for another CVM",
    ),
)

# Book C-7, Annex A; public Visa terminals
CARD_ADDITIONAL_PROCESSES = _table(
    _byte(
        b8="Low value check supported",
        b7="Low value and CTTA check supported",
        b6="Count of qVSDC online transactions in the counter",
        b5="Streamlined qVSDC supported",
        b4="PIN tries exceeded check supported",
        b3="Offline international transactions allowed",
        b2="Card prefers contact chip offline",
        b1="Return available offline spending amount",
    ),
    _byte(
        b8="Include country code in AOSA check",
        b7="International mag-stripe transactions not allowed",
        b6="Disable offline amount check for currency mismatch",
        b5="Issuer update at the POS supported",
    ),
    _byte(
        b8="Online PIN supported for domestic transactions",
        b7="Online PIN supported for international transactions",
        b6="Signature supported for domestic transactions",
        b5="Signature supported for international transactions",
    ),
)

# Book C-2, Annex A.1
APPLICATION_CAPABILITIES = _table(
    _byte(
        Group(0xF0, {0: ""}),
        Group(
            0x0F, {0: "Data storage not supported", 1: "Data storage version 1", 2: "Data storage version 2"}
        ),
    ),
    _byte(b3="Field off detection supported", b2="Balance reading supported", b1="CDA over TC, ARQC and AAC"),
    _byte(
        Group(
            0xFF,
            {
                0: "Standalone data storage: not configured",
                1: "Standalone data storage: all 10 tags of 32 bytes",
                2: "Standalone data storage: all 10 tags of 48 bytes",
                3: "Standalone data storage: all 10 tags of 64 bytes",
                4: "Standalone data storage: all 10 tags of 96 bytes",
                5: "Standalone data storage: all 10 tags of 128 bytes",
                6: "Standalone data storage: all 10 tags of 160 bytes",
                7: "Standalone data storage: all 10 tags of 192 bytes",
                8: "Standalone data storage: all tags of 32 bytes, 9F78 of 64",
            },
        )
    ),
)

# Book C-3, Annex A.2, version 1
FORM_FACTOR = _table(
    _byte(
        Group(0xE0, {0x20: ""}),
        Group(
            0x1F,
            {
                0: "Form factor: card",
                1: "Form factor: mini-card",
                2: "Form factor: non-card form factor",
                3: "Form factor: consumer mobile phone",
                4: "Form factor: wrist-worn device",
            },
        ),
    ),
    _byte(
        b8="Passcode capable",
        b7="Signature panel",
        b6="Hologram",
        b5="CVV2",
        b4="Two-way messaging",
        b3="Cloud based payment credentials",
        b2="Biometric cardholder verification capable",
    ),
    NOTHING,
    _byte(Group(0x0F, {0: "Proximity contactless interface using ISO 14443 (including NFC)"})),
)

# Book C-4, 4.3.3 and 4.3.4
READER_CAPABILITIES = _table(
    _byte(
        Group(
            0xFF,
            {
                0x00: "Deprecated",
                0x40: "Contactless mag-stripe, CVM not required",
                0x48: "Contactless mag-stripe, CVM required",
                0x80: "Deprecated: contactless EMV and mag-stripe",
                0xC0: "Contactless EMV and mag-stripe, CVM not required",
                0xC8: "Contactless EMV and mag-stripe, CVM required",
            },
        )
    )
)
ENHANCED_READER_CAPABILITIES = _table(
    _byte(
        b8="Contact mode supported",
        b7="Contactless mag-stripe mode supported",
        b6="Contactless EMV full online mode supported (no longer in use)",
        b5="Contactless EMV partial online mode supported",
        b4="Contactless mobile supported",
        b3="Try another interface after a decline",
    ),
    _byte(
        b8="Mobile CVM supported",
        b7="Online PIN supported",
        b6="Signature supported",
        b5="Plaintext offline PIN supported",
    ),
    _byte(b8="Reader is offline only", b7="CVM required"),
    _byte(
        Group(
            0x07,
            {
                1: "C-4 kernel version 2.2 - 2.3",
                2: "C-4 kernel version 2.4 - 2.6",
                3: "C-4 kernel version 2.7 or later",
            },
        ),
        b8="Terminal exempt from No CVM checks",
        b7="Delayed authorisation terminal",
        b6="Transit terminal",
    ),
)
CARD_INTERFACES = _table(
    _byte(
        b8="Keyed data entry supported (embossed or printed PAN)",
        b7="Physical magnetic stripe supported",
        b6="Contact EMV interface supported",
        b5="Contactless EMV interface supported",
        b4="Mobile interface supported",
    )
)
MOBILE_CVM_RESULTS = _table(
    _byte(Group(0xFF, {0x01: "Mobile CVM performed", 0x3F: "No CVM performed"})),
    _byte(Group(0xFF, {0x00: "Mobile CVM not required", 0x03: "Terminal required CVM"})),
    _byte(
        Group(
            0xFF,
            {
                0x00: "Unknown, if mobile CVM was not performed",
                0x01: "Mobile CVM failed",
                0x02: "Mobile CVM successful",
                0x03: "Mobile CVM blocked",
            },
        )
    ),
)

_SECOND_AC = Group(
    0xC0,
    {
        0x00: "Second GENERATE AC returned AAC",
        0x40: "Second GENERATE AC returned TC",
        0x80: "Second GENERATE AC not requested",
    },
)
_FIRST_AC = Group(
    0x30,
    {
        0x00: "First GENERATE AC returned AAC",
        0x10: "First GENERATE AC returned TC",
        0x20: "First GENERATE AC returned ARQC",
    },
)
_GPO_AC = Group(
    0x30, {value: text.replace("First GENERATE AC", "GPO") for value, text in _FIRST_AC.texts.items()}
)

# EMV 4.4 Book 3, Annex C9.3
CVR_CCD = _table(
    _byte(
        _SECOND_AC,
        _FIRST_AC,
        b4="Combined DDA/Application Cryptogram Generation (CDA) performed",
        b3="Offline Dynamic Data Authentication (DDA) performed",
        b2="Issuer authentication not performed",
        b1="Issuer authentication failed",
    ),
    _byte(
        Counter(0xF0, "PIN Try Counter is {}", always=True),
        b4="Offline PIN verification performed",
        b3="Offline PIN verification performed and PIN not successfully verified",
        b2="PIN Try Limit exceeded",
        b1="Last online transaction not completed",
    ),
    _byte(
        b8="Lower offline transaction count limit exceeded",
        b7="Upper offline transaction count limit exceeded",
        b6="Lower cumulative offline amount limit exceeded",
        b5="Upper cumulative offline amount limit exceeded",
        b4="Issuer-discretionary bit 1",
        b3="Issuer-discretionary bit 2",
        b2="Issuer-discretionary bit 3",
        b1="Issuer-discretionary bit 4",
    ),
    _byte(
        Counter(0xF0, "Issuer script commands processed: {}"),
        b4="Issuer script processing failed",
        b3="Offline data authentication failed on previous transaction",
        b2="Go online on next transaction was set",
        b1="Unable to go online",
    ),
)

# M/Chip; public host programs
CVR_MCHIP = _table(
    _byte(
        _SECOND_AC,
        _FIRST_AC,
        b4="Date check failed",
        b3="Offline PIN verification performed",
        b2="Offline encrypted PIN verification performed",
        b1="Offline PIN verification successful",
    ),
    _byte(
        b8="Dynamic Data Authentication (DDA) returned",
        b7="Combined DDA/Application Cryptogram Generation (CDA) returned in first GENERATE AC",
        b6="Combined DDA/Application Cryptogram Generation (CDA) returned in second GENERATE AC",
        b5="Issuer authentication performed",
        b4="Card Issuer Action Codes (CIAC) default skipped on CAT3",
        b3="Offline change PIN result successful",
        b2="Issuer discretionary bit 2",
        b1="Issuer discretionary bit 1",
    ),
    _byte(Counter(0xF0, "Script counter is {}"), Counter(0x0F, "PIN Try Counter is {}", always=True)),
    _byte(
        b8="Last online transaction not completed",
        b7="Unable to go online",
        b6="Offline PIN verification not performed",
        b5="Offline PIN verification failed",
        b4="PIN Try Limit exceeded",
        b3="International transaction",
        b2="Domestic transaction",
        b1="Terminal erroneously considers offline PIN OK",
    ),
    _byte(
        b8="Lower consecutive offline limit exceeded",
        b7="Upper consecutive offline limit exceeded",
        b6="Lower cumulative offline limit exceeded",
        b5="Upper cumulative offline limit exceeded",
        b4="Go online on next transaction was set",
        b3="Issuer authentication failed",
        b2="Script received",
        b1="Script failed",
    ),
    _byte(
        b8="Lower consecutive counter 2 limit exceeded",
        b7="Upper consecutive counter 2 limit exceeded",
        b6="Lower cumulative accumulator 2 limit exceeded",
        b5="Upper cumulative accumulator 2 limit exceeded",
        b4="Maximum Transaction Amount (MTA) limit exceeded",
        b3="Number of days offline limit exceeded",
        b2="Match found in additional check table",
        b1="No match found in additional check table",
    ),
)

# Visa, and the same in American Express and UnionPay: public host programs
_VISA_BYTE_3 = _byte(
    b8="Last online transaction not completed",
    b7="PIN Try Limit exceeded",
    b6="Exceeded velocity checking counters",
    b5="New card",
    b4="Issuer authentication failure on last online transaction",
    b3="Issuer authentication not performed after online authorization",
    b2="Application blocked by card because PIN Try Limit exceeded",
    b1="Offline static data authentication failed on last transaction",
)
_VISA_BYTE_4 = _byte(
    Counter(0xF0, "Issuer script commands: {}"),
    b4="Issuer script processing failed",
    b3="Offline dynamic data authentication failed on last transaction",
    b2="Offline dynamic data authentication performed",
    b1="PIN verification command not received for a PIN-expecting card",
)
CVR_SHORT = _table(
    _byte(
        _SECOND_AC,
        Group(0x30, {value: f"{text} (GPO, if contactless)" for value, text in _FIRST_AC.texts.items()}),
        b4="Issuer authentication performed and failed",
        b3="Offline PIN verification performed",
        b2="Offline PIN verification failed",
        b1="Unable to go online",
    ),
    _VISA_BYTE_3,
    _VISA_BYTE_4,
)
CVR_VISA_LONG = _table(
    _byte(
        Group(
            0xF0,
            {
                0x00: "Cardholder not verified on the device",
                0x10: "Verified by Visa Mobile Payment Application (VMPA)",
                0x20: "Verified by MG",
                0x30: "Verified by co-residing SE app",
                0x40: "Verified by TEE app",
                0x50: "Verified by the mobile application",
                0x60: "Verified by the terminal",
                0x70: "Verified in the cloud",
                0x80: "Verified by the mobile device OS",
            },
        ),
        Group(
            0x0F,
            {
                0x00: "No CDCVM",
                0x01: "Passcode",
                0x02: "Finger biometric",
                0x03: "Mobile device pattern",
                0x04: "Facial biometric",
                0x05: "Iris biometric",
                0x06: "Voice biometric",
                0x07: "Palm biometric",
                0x0D: "Signature",
                0x0E: "Online PIN",
            },
        ),
    ),
    _byte(
        _SECOND_AC,
        _GPO_AC,
        b4="Issuer authentication performed and failed",
        b3="CDCVM successfully performed",
        b1="Unable to go online",
    ),
    _VISA_BYTE_3,
    _VISA_BYTE_4,
    _byte(
        b8="Consumer device is not in debug mode",
        b7="Consumer device is not a rooted device",
        b6="Mobile application is not hooked",
        b5="Mobile application integrity is intact",
        b4="Consumer device has data connectivity",
        b3="Consumer device is genuine",
        b2="CDCVM successfully performed",
        b1="Secure messaging uses EMV session key-based derivation",
    ),
)

# EMV 4.4 Book 3, Annex C10
CSU = _table(
    _byte(Counter(0x0F, "PIN Try Counter = {}"), b8="Proprietary authentication data included"),
    _byte(
        Group(
            0x03,
            {
                0: "Do not update offline counters",
                1: "Set offline counters to upper offline limits",
                2: "Reset offline counters to zero",
                3: "Add transaction to offline counter",
            },
        ),
        b8="Issuer approves online transaction",
        b7="Card block",
        b6="Application block",
        b5="Update PIN Try Counter",
        b4="Set go online on next transaction",
        b3="CSU created by proxy for the issuer",
    ),
    NOTHING,
    _byte(Group(0xFF, {0: ""})),
)

# EMV 4.4 Book 1, 12.2.3
PRIORITY = _table(
    _byte(
        Counter(0x0F, "Priority {}", always=True),
        b8="Application can't be selected without confirmation of the cardholder",
    )
)

BY_TAG: dict[int | None, BitTable] = {
    0x82: AIP,
    0x87: PRIORITY,
    0x95: TVR,
    0x9B: TSI,
    0x9F07: AUC,
    0x9F0D: TVR,
    0x9F0E: TVR,
    0x9F0F: TVR,
    0x9F1D: TERMINAL_RISK_DATA,
    0x9F33: TERMINAL_CAPABILITIES,
    0x9F40: ADDITIONAL_CAPABILITIES,
    0x9F66: TTQ,
    0x9F68: CARD_ADDITIONAL_PROCESSES,
    0x9F6C: CTQ,
    0xDF8120: TVR,
    0xDF8121: TVR,
    0xDF8122: TVR,
}
"""Fields that are bits to all kernels."""

BY_NAME = {
    "Application Capabilities Information": APPLICATION_CAPABILITIES,
    "Form Factor Indicator (FFI)": FORM_FACTOR,
    "Contactless Reader Capabilities": READER_CAPABILITIES,
    "Enhanced Contactless Reader Capabilities": ENHANCED_READER_CAPABILITIES,
    "Card Interface and Payment Capabilities": CARD_INTERFACES,
    "Mobile CVM Results": MOBILE_CVM_RESULTS,
    "Card Processing Requirements (CPR)": CARD_PROCESSING_REQUIREMENTS,
}
"""Fields that are bits to one kernel, by the name in the table of tags."""
