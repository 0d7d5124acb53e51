"""Settings of kernel 2 beyond Book A.

The defaults are the book's own where it has any. Where a setting has a tag, its description names it.

Spec: EMV Contactless Book C-2, Annex A and 4.4 (default values).
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.fields import Tvr
from emv.outcome import CvmResult, MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneMessage:
    """One row of the phone message table (DF8131): what is shown if `information & mask == value`.

    Args:
        mask: Which bits of the POS Cardholder Interaction Information (DF4B) to look at.
        value: What they have to be.
        message: What is shown then.
    """

    mask: int
    value: int
    message: MessageId


PHONE_MESSAGES = (
    PhoneMessage(mask=0x000800, value=0x000800, message=MessageId.SEE_PHONE),
    PhoneMessage(mask=0x000400, value=0x000400, message=MessageId.SEE_PHONE),
    PhoneMessage(mask=0x000100, value=0x000100, message=MessageId.SEE_PHONE),
    PhoneMessage(mask=0x000200, value=0x000200, message=MessageId.SEE_PHONE),
    PhoneMessage(mask=0x000000, value=0x000000, message=MessageId.DECLINED),
)
"""The book's own table: conflicting context, PIN to be changed, PIN required, acknowledgement required."""

TAC_DENIAL, TAC_ONLINE = Tvr(0), Tvr(0xF45084800C)


@dataclass(frozen=True, slots=True, kw_only=True)
class C2Options:
    """Settings of kernel 2.

    Amounts are in minor units of the terminal's currency. Times of the relay resistance protocol are in
    units of 100 microseconds, as the book has them: 20 is 2 ms.

    Args:
        transaction_limit: Larger amounts are not taken from a card (DF8124); None is no limit.
        device_cvm_transaction_limit: The same for a device that verifies its owner (DF8125).
        device_cvm: Whether such devices' verification is trusted (bit 6 of DF811B).
        cvm_capability_required: Byte 2 of 9F33 above the CVM limit (DF8118); None takes the terminal's
            own capabilities without "No CVM required".
        cvm_capability_not_required: Byte 2 of 9F33 up to the CVM limit (DF8119); 08 is "No CVM required".
        tac_denial: TVR bits that decline (DF8121). The book's own default is 840000000C; this is what
            Mastercard's terminals are set to, and lets a payment go online that was not authenticated.
        tac_online: TVR bits that go online (DF8122).
        tac_default: TVR bits that decline where there is no way online (DF8120).
        application_version: Tag 9F09.
        merchant_custom_data: Tag 9F7C, 20 bytes, or empty.
        transaction_category: Tag 9F53, one letter, or empty.
        read_balance_before: Read the balance (9F50) of cards that have one before GENERATE AC.
        read_balance_after: Read it after GENERATE AC, and show it with an approval.
        message_hold_ms: How long a message stays (DF812D).
        field_off_ms: How long the field goes off for a device that asks for it (DF8130).
        phone_messages: What a phone that needs its owner first makes us show (DF8131).
        torn_records: How many torn transactions are remembered (DF811D); 0 turns recovery off.
        torn_lifetime_s: For how many seconds (DF811C).
        relay_resistance: Whether to measure how far away the card is (bit 5 of DF811B).
        relay_bits: Whether the TVR says if relay resistance was done. False is for recordings of kernels
            from before Book C-2 2.4, whose TVR did not have these two bits.
        relay_min_grace_100us: How much sooner than its own minimum a card may answer (DF8132).
        relay_max_grace_100us: How much later than its own maximum (DF8133).
        relay_command_100us: How long our command is on the air (DF8134).
        relay_answer_100us: How long the card's answer is, as we expect it (DF8135).
        relay_accuracy_100us: How much longer than its minimum is suspicious (DF8136).
        relay_mismatch_percent: How well the card's and our idea of the answer's time must agree (DF8137).
        magstripe_mode: Whether cards are taken whose track data is made from a checksum (bit 8 of DF811B
            is its opposite). It is open to known attacks, and off.
        magstripe_version: Tag 9F6D.
        magstripe_udol: What a card without a UDOL is sent (DF811A): the unpredictable number (9F6A).
        magstripe_cvm_required: How the cardholder is verified above the CVM limit (DF811E).
        magstripe_cvm_not_required: And up to it (DF812C).
    """

    transaction_limit: int | None = None
    device_cvm_transaction_limit: int | None = None
    device_cvm: bool = True
    cvm_capability_required: int | None = None
    cvm_capability_not_required: int = 0x08
    tac_denial: Tvr = TAC_DENIAL
    tac_online: Tvr = TAC_ONLINE
    tac_default: Tvr = TAC_ONLINE
    application_version: bytes = b"\x00\x02"
    merchant_custom_data: bytes = b""
    transaction_category: str = ""
    read_balance_before: bool = False
    read_balance_after: bool = False
    message_hold_ms: int = 1300
    field_off_ms: int = 1300
    phone_messages: tuple[PhoneMessage, ...] = PHONE_MESSAGES
    torn_records: int = 5
    torn_lifetime_s: int = 300
    relay_resistance: bool = True
    relay_bits: bool = True
    relay_min_grace_100us: int = 20
    relay_max_grace_100us: int = 50
    relay_command_100us: int = 18
    relay_answer_100us: int = 24
    relay_accuracy_100us: int = 300
    relay_mismatch_percent: int = 50
    magstripe_mode: bool = False
    magstripe_version: bytes = b"\x00\x01"
    magstripe_udol: bytes = b"\x9f\x6a\x04"
    magstripe_cvm_required: CvmResult = CvmResult.NOT_APPLICABLE
    magstripe_cvm_not_required: CvmResult = CvmResult.NOT_APPLICABLE

    def __post_init__(self) -> None:
        limits = (self.transaction_limit, self.device_cvm_transaction_limit)
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("a limit is negative")
        capabilities = (self.cvm_capability_required or 0, self.cvm_capability_not_required)
        if any(not 0 <= capability <= 0xFF for capability in capabilities):
            raise ValueError("a CVM capability is one byte")
        if len(self.merchant_custom_data) not in (0, 20):
            raise ValueError("merchant custom data has 20 bytes")
        if len(self.application_version) != 2 or len(self.magstripe_version) != 2:
            raise ValueError("an application version has two bytes")
        if len(self.transaction_category) > 1 or not self.transaction_category.isascii():
            raise ValueError("a transaction category is one letter")
        times = (
            *(self.relay_min_grace_100us, self.relay_max_grace_100us, self.relay_command_100us),
            *(self.relay_answer_100us, self.relay_accuracy_100us),
        )
        if any(not 0 <= time <= 0xFFFF for time in times) or not 0 <= self.relay_mismatch_percent <= 100:
            raise ValueError("a relay resistance time has two bytes, a threshold is a percentage")
        counts = (self.torn_records, self.torn_lifetime_s, self.message_hold_ms, self.field_off_ms)
        if any(count < 0 for count in counts):
            raise ValueError("a time or a number of records is negative")
