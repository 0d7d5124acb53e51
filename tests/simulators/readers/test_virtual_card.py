"""The card behind the PC/SC daemon: its wire, without the daemon and with it."""

import socket
from collections.abc import Iterator

import pytest

from drivers.readers import pcsc
from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import READER, PcscDaemon
from simulators.readers.virtual_card import SlotTakenError, VirtualCard

GET_ATR = b"\x00\x01\x04"
POWER_ON = b"\x00\x01\x01"
SELECT_PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


class Slot:
    """Stands in for the daemon at a port of its own."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(10)
        self.port: int = self.server.getsockname()[1]

    def accept(self) -> socket.socket:
        link, _ = self.server.accept()
        link.settimeout(10)
        return link


def receive(link: socket.socket) -> bytes:
    size = int.from_bytes(link.recv(2, socket.MSG_WAITALL), "big")
    return link.recv(size, socket.MSG_WAITALL)


@pytest.fixture
def slot() -> Iterator[Slot]:
    slot = Slot()
    with slot.server:
        yield slot


def test_an_empty_field_is_no_connection(field: Field, slot: Slot) -> None:
    slot.server.settimeout(0)
    with VirtualCard(field, slot.port), pytest.raises(BlockingIOError):
        slot.accept()


def test_a_card_answers_and_controls_are_not_answered(field: Field, slot: Slot) -> None:
    card = profile.load("visa-approve")
    field.place(card)
    with VirtualCard(field, slot.port), slot.accept() as link:
        link.sendall(POWER_ON + b"\x00\x01\x00" + b"\x00\x01\x02" + GET_ATR)
        assert receive(link) == card.atr
        link.sendall(len(SELECT_PPSE).to_bytes(2, "big"))
        link.sendall(SELECT_PPSE)
        assert receive(link)[-2:] == b"\x90\x00"


def test_a_card_that_is_taken_away_hangs_up_and_waits_for_two_looks(field: Field, slot: Slot) -> None:
    field.place(profile.load("visa-approve"))
    virtual = VirtualCard(field, slot.port)
    with virtual:
        link = slot.accept()
        field.take_away()
        field.place(profile.load("visa-decline"))
        for _ in range(2):
            with link:
                link.sendall(GET_ATR)
                assert link.recv(1) == b""
            link = slot.accept()
        with link:
            link.sendall(GET_ATR)
            assert receive(link)


def test_a_torn_card_hangs_up_without_an_answer(field: Field, slot: Slot) -> None:
    field.place(profile.make({"card": {"pan": "4111111111111111"}, "behaviour": {"torn_after": 0}}))
    with VirtualCard(field, slot.port):
        with slot.accept() as link:
            link.sendall(POWER_ON + len(SELECT_PPSE).to_bytes(2, "big") + SELECT_PPSE)
            assert link.recv(1) == b""
        assert field.card is None
        for _ in range(2):
            with slot.accept() as link:
                link.sendall(GET_ATR)
                assert link.recv(1) == b""


def test_a_daemon_that_hangs_up_gets_the_card_again(field: Field, slot: Slot) -> None:
    field.place(profile.load("visa-approve"))
    with VirtualCard(field, slot.port):
        slot.accept().close()
        for _ in range(2):
            slot.accept().close()


def test_a_slot_holds_one_card(field: Field, slot: Slot) -> None:
    with VirtualCard(field, slot.port), pytest.raises(SlotTakenError):
        VirtualCard(field, slot.port).start(wait_s=0)
    with VirtualCard(field, slot.port):
        pass


def test_the_daemon_is_shared_and_ended_by_the_last(pcsc_daemon: PcscDaemon) -> None:
    with PcscDaemon():
        assert any(address.target.startswith(READER) for address in pcsc.discover())
    assert any(address.target.startswith(READER) for address in pcsc.discover())
