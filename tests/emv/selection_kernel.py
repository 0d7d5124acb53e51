"""The kernel of the Entry Point test cases: its card says what the outcome is to be.

The FCI's PDOL asks for D1 (flags), D2 (start) and other tags; the answer to GET PROCESSING OPTIONS
holds D4 (outcome parameters), D5 (request on outcome), D6 (request on restart) and, for the test host,
91, 71 and 72.
"""

from collections.abc import Mapping

from emv import dol, tlv
from emv.apdu import CommandApdu
from emv.kernel import Actions, Activation, Begin, CardAnswered, Complete, Event, SendCommand
from emv.outcome import (
    CvmResult,
    Interface,
    MessageId,
    OnlineResponse,
    Outcome,
    OutcomeKind,
    Start,
    UiRequest,
    UiStatus,
)
from emv.sensitive import SensitiveBytes
from emv.terminal_data import terminal_data

KINDS = {
    1: OutcomeKind.SELECT_NEXT,
    2: OutcomeKind.TRY_AGAIN,
    3: OutcomeKind.APPROVED,
    4: OutcomeKind.DECLINED,
    5: OutcomeKind.ONLINE_REQUEST,
    6: OutcomeKind.TRY_ANOTHER_INTERFACE,
    7: OutcomeKind.END_APPLICATION,
}
STARTS = {0: Start.NOT_APPLICABLE, 10: Start.A, 11: Start.B, 12: Start.C, 13: Start.D}
RESPONSES = {0: OnlineResponse.NOT_APPLICABLE, 1: OnlineResponse.EMV_DATA, 2: OnlineResponse.ANY}
CVMS = {
    0: CvmResult.NOT_APPLICABLE,
    1: CvmResult.NONE,
    2: CvmResult.SIGNATURE,
    3: CvmResult.ONLINE_PIN,
    4: CvmResult.CONFIRMED_BY_DEVICE,
}
STATUSES = {
    1: UiStatus.NOT_READY,
    2: UiStatus.IDLE,
    3: UiStatus.READY_TO_READ,
    4: UiStatus.PROCESSING,
    5: UiStatus.CARD_READ_OK,
    6: UiStatus.ERROR,
}


class SelectionKernel:
    """One activation. Each is kept in `activated`, with the number the terminal chose for it."""

    activated: list[Activation]

    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    def handle(self, event: Event) -> Actions:
        if isinstance(event, Begin):
            return (SendCommand(CommandApdu(0x80, 0xA8, 0, 0, self._data(event), 0)),)
        assert isinstance(event, CardAnswered)
        return (Complete(self._outcome(event.rapdu.data)),)

    def pdol(self) -> tuple[dol.DolEntry, ...]:
        fci = tlv.decode(self.activation.fci.reveal())
        return dol.decode(tlv.find_bytes(fci, 0x6F, 0xA5, 0x9F38) or b"")

    def _data(self, begin: Begin) -> bytes:
        activation, found = self.activation, self.activation.indicators
        flags = (
            found.floor_limit_exceeded << 15
            | found.not_allowed << 14
            | found.cvm_limit_exceeded << 13
            | found.status_check_requested << 12
            | found.zero_amount << 11
            | activation.restart << 7
        )
        kernel = activation.combination.kernel_id
        values: Mapping[int, bytes] = {
            **terminal_data(activation.config, begin.transaction, aid=activation.aid, ttq=found.ttq),
            **dict(tlv.split(activation.online_response)),
            0xD1: flags.to_bytes(2, "big"),
            0xD2: bytes((ord(activation.start.value) - ord("A") + 10,)),
            0x9F2A: kernel.to_bytes((kernel.bit_length() + 7) // 8, "big"),
        }
        fci = tlv.decode(activation.fci.reveal())
        return b"".join(
            tlv.encode(tlv.find_template(fci, 0x6F) or ()).ljust(entry.length, b"\0")
            if entry.tag == 0x6F
            else b"\x90\0"
            if entry.tag == 0xD3
            else values.get(entry.tag, b"").ljust(entry.length, b"\0")
            if entry.tag in (0x71, 0x72)
            else dol.fit(entry, values.get(entry.tag))
            for entry in self.pdol()
        )

    def _outcome(self, answer: bytes) -> Outcome:
        objects = dict(tlv.split(dict(tlv.split(answer))[0x77]))
        parameters = objects[0xD4]
        kind, start, response, cvm, alternate, receipt = parameters[:6]
        field_off = int.from_bytes(parameters[6:8], "big")
        issuer = tuple((tag, objects[tag]) for tag in (0x91, 0x71, 0x72) if tag in objects)
        return Outcome(
            kind=KINDS[kind],
            reason="the test card says so",
            start=STARTS[start],
            online_response=RESPONSES[response],
            cvm=CVMS[cvm],
            alternate_interface=list(Interface)[alternate - 1] if alternate else Interface.NOT_APPLICABLE,
            receipt=bool(receipt),
            field_off_ms=None if field_off == 0xFFFF else field_off * 100,
            removal_timeout_ms=int.from_bytes(parameters[8:10], "big") * 100,
            ui_on_outcome=request(objects.get(0xD5)),
            ui_on_restart=request(objects.get(0xD6)),
            discretionary_data=SensitiveBytes(tlv.encode(issuer)),
        )


def request(value: bytes | None) -> UiRequest | None:
    """Return the request in a D5 or D6 value of 15 bytes."""
    if value is None:
        return None
    balance = value[6] == 2
    return UiRequest(
        MessageId(value[0]),
        STATUSES[value[1]],
        hold_ms=int.from_bytes(value[2:4], "big") * 100,
        language=value[4:6].rstrip(b"\0").decode(),
        balance_minor=int(value[7:13].hex()) if balance else None,
        currency=value[13:15].hex() if balance else "",
    )
