"""What only PC/SC has: readers by name, other programs, a daemon that comes and goes."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from smartcard import scard  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import DeviceUnavailableError, Reason
from drivers.readers import pcsc
from drivers.readers.pcsc_context import Context
from drivers.readers.pcsc_reader import PcscReader
from simulators.cards import profile
from simulators.cards.misbehaving import Wrapper
from simulators.readers.field import Field
from simulators.readers.pcsc_daemon import PcscDaemon
from simulators.readers.virtual_card import VirtualCard

VIRTUAL = DeviceAddress("pcsc", "Virtual PCD 00 00")
ACS = [
    "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00",
    "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00",
]
OMNIKEY = [
    "HID Global OMNIKEY 5422 Smartcard Reader 00 00",
    "HID Global OMNIKEY 5422CL Smartcard Reader 01 00",
]
VPCD = ["Virtual PCD 00 00", "Virtual PCD 00 01"]


class TestChoose:
    @pytest.mark.parametrize(
        ("target", "names", "chosen"),
        [
            ("", ["ACS ACR122U 00 00"], "ACS ACR122U 00 00"),
            ("", ACS, ACS[0]),
            ("", VPCD, VPCD[0]),
            ("Virtual PCD 00 01", VPCD, VPCD[1]),
            ("00 01", VPCD, VPCD[1]),
            ("acr122u", ["ACS ACR122U 00 00", *VPCD], "ACS ACR122U 00 00"),
            ("ACR1252", ACS, ACS[0]),
            ("5422CL", OMNIKEY, OMNIKEY[1]),
            # Plugged in again it has another number: a part of the name fits, and so does the old name.
            ("ACR122U", ["ACS ACR122U PICC Interface 01 00"], "ACS ACR122U PICC Interface 01 00"),
            ("ACS ACR122U 00 00", ["ACS ACR122U 01 00", *VPCD], "ACS ACR122U 01 00"),
            ("Virtual PCD 01 01", VPCD, VPCD[1]),
        ],
    )
    def test_takes_the_reader_that_is_meant(self, target: str, names: list[str], chosen: str) -> None:
        assert pcsc.choose(DeviceAddress("pcsc", target), names) == chosen

    @pytest.mark.parametrize(
        ("target", "names"),
        [
            ("", []),
            ("", ["A 00 00", "B 01 00"]),
            ("nosuch", VPCD),
            ("A", ["A 00 00", "A 01 00"]),
            ("A 00 00", ["A 01 00", "A 02 00"]),
            ("A 00 01", ["A 01 00"]),
        ],
    )
    def test_names_the_choice_where_it_is_not_clear(self, target: str, names: list[str]) -> None:
        with pytest.raises(DeviceUnavailableError) as caught:
            pcsc.choose(DeviceAddress("pcsc", target), names)
        attached = any(target.lower() in name.lower() for name in names) or target == "A 00 00"
        assert caught.value.reason is (Reason.WRONG_ADDRESS if attached else Reason.NOT_FOUND)
        assert all(f"pcsc:{name}" in caught.value.hint for name in names)

    def test_a_reader_that_is_not_there_is_to_be_plugged_in(self) -> None:
        with pytest.raises(DeviceUnavailableError) as caught:
            pcsc.choose(DeviceAddress("pcsc", "ACS ACR122U"), VPCD)
        named = ", ".join(f"pcsc:{name}" for name in VPCD)
        assert caught.value.hint == (
            f"plug in the ACS ACR122U; if it has another name, the daemon sees: {named}"
        )
        with pytest.raises(DeviceUnavailableError, match=r"not found.*plug the reader in"):
            pcsc.choose(DeviceAddress("pcsc", "ACS ACR122U"), [])


class TestDaemon:
    def test_lists_its_readers(self, pcsc_daemon: PcscDaemon) -> None:
        assert VIRTUAL in pcsc.discover()

    def test_a_reader_that_is_not_attached_is_told_so(self, pcsc_daemon: PcscDaemon) -> None:
        with pytest.raises(DeviceUnavailableError) as caught:
            pcsc.open(DeviceAddress("pcsc", "nosuch"))
        assert caught.value.reason is Reason.NOT_FOUND
        assert "Virtual PCD 00 00" in caught.value.hint

    def test_another_program_that_holds_the_card_is_told(
        self, field: Field, virtual_card: VirtualCard
    ) -> None:
        field.place(profile.load("visa-approve"))
        with (
            contextlib.closing(pcsc.open(VIRTUAL)) as other,
            contextlib.closing(pcsc.open(VIRTUAL)) as reader,
        ):
            held = other.wait_for_card(Event(), timeout_s=10)
            assert held
            with pytest.raises(DeviceUnavailableError) as caught:
                reader.wait_for_card(Event(), timeout_s=10)
            assert caught.value.reason is Reason.BUSY
            assert "fuser" in caught.value.hint
            assert reader.info().model == "Virtual PCD"
            held.release()
            assert reader.wait_for_card(Event(), timeout_s=10)

    def test_a_reader_that_was_unplugged_is_told_at_once(self, pcsc_daemon: PcscDaemon) -> None:
        # The virtual reader can't be unplugged from a running daemon: this one was never there.
        context = Context(VIRTUAL)
        context.establish()
        with contextlib.closing(PcscReader(VIRTUAL, context, "Unplugged 00 00")) as reader:
            for use in (
                reader.info,
                lambda: reader.wait_for_card(Event(), timeout_s=60),
                lambda: reader.wait_for_removal(Event(), timeout_s=60),
            ):
                with pytest.raises(DeviceUnavailableError) as caught:
                    use()
                assert caught.value.reason is Reason.NOT_FOUND
                assert caught.value.hint

    def test_a_card_that_never_answers_does_not_keep_another_thread_from_closing(
        self, field: Field, virtual_card: VirtualCard
    ) -> None:
        go_on = Event()
        asked = Event()

        class Stuck(Wrapper):
            def transmit(self, capdu: bytes) -> bytes | None:
                asked.set()
                go_on.wait(15)
                return super().transmit(capdu)

        field.place(Stuck(profile.load("visa-approve")))
        reader = pcsc.open(VIRTUAL)
        card = reader.wait_for_card(Event(), timeout_s=10)
        assert card
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(card.transceive, bytes.fromhex("00A4040000"), timeout_s=1)
            assert asked.wait(10)
            reader.close()
            assert not answer.done()
            go_on.set()
            assert answer.result()
        with pytest.raises(DeviceUnavailableError):
            reader.info()
        with contextlib.closing(pcsc.open(VIRTUAL)) as again:
            assert again.wait_for_card(Event(), timeout_s=10)

    @pytest.mark.parametrize(
        ("code", "reason", "cure"),
        [
            (scard.SCARD_W_SECURITY_VIOLATION, Reason.NO_PERMISSION, "polkit"),
            (scard.SCARD_E_NO_ACCESS, Reason.NO_PERMISSION, "polkit"),
            (scard.SCARD_E_SHARING_VIOLATION, Reason.BUSY, "fuser"),
            (scard.SCARD_E_NO_SERVICE, Reason.SERVICE_DOWN, "pcscd"),
            (scard.SCARD_E_SERVICE_STOPPED, Reason.SERVICE_DOWN, "pcscd"),
            (scard.SCARD_E_READER_UNAVAILABLE, Reason.NOT_FOUND, "pcsc"),
        ],
    )
    def test_what_the_daemon_refuses_is_told_with_a_cure(
        self, monkeypatch: pytest.MonkeyPatch, code: int, reason: Reason, cure: str
    ) -> None:
        monkeypatch.setattr(scard, "SCardEstablishContext", lambda scope: (code, None))
        with pytest.raises(DeviceUnavailableError) as caught:
            pcsc.open(VIRTUAL)
        assert caught.value.reason is reason
        assert cure in caught.value.hint
        assert pcsc.discover() == ()

    def test_a_service_that_is_down_is_told_with_its_cure(self) -> None:
        script = (
            "from drivers.readers import pcsc\n"
            "from drivers.address import parse\n"
            "from drivers.errors import DeviceUnavailableError\n"
            "assert pcsc.discover() == ()\n"
            "try:\n    pcsc.open(parse('pcsc:'))\n"
            "except DeviceUnavailableError as error:\n    print(error.reason.name, error.hint)\n"
        )
        environment = os.environ | {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
        told = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert told.stdout.startswith("SERVICE_DOWN sudo ")

    def test_a_daemon_that_was_restarted_is_reached_by_opening_again(
        self, field: Field, pcsc_daemon: PcscDaemon
    ) -> None:
        with contextlib.closing(pcsc.open(VIRTUAL)) as reader:
            pcsc_daemon.stop()
            try:
                if pcsc.discover():
                    pytest.skip("the daemon is not ours alone to stop")
                for use in (reader.info, lambda: reader.wait_for_card(Event(), timeout_s=1)):
                    with pytest.raises(DeviceUnavailableError) as caught:
                        use()
                    assert caught.value.reason is Reason.SERVICE_DOWN
            finally:
                pcsc_daemon.start()
            with pytest.raises(DeviceUnavailableError) as caught:
                reader.info()
            assert caught.value.reason is Reason.SERVICE_DOWN
            with VirtualCard(field):
                field.place(profile.load("visa-approve"))
                reader.close()
                with contextlib.closing(pcsc.open(VIRTUAL)) as again:
                    assert again.wait_for_card(Event(), timeout_s=10)

    def test_a_daemon_that_stops_during_an_exchange_ends_it(
        self, field: Field, pcsc_daemon: PcscDaemon
    ) -> None:
        with contextlib.closing(pcsc.open(VIRTUAL)) as reader, VirtualCard(field):
            field.place(profile.load("visa-approve"))
            card = reader.wait_for_card(Event(), timeout_s=10)
            assert card
            pcsc_daemon.stop()
            try:
                if pcsc.discover():
                    pytest.skip("the daemon is not ours alone to stop")
                with pytest.raises(DeviceUnavailableError) as caught:
                    card.transceive(bytes.fromhex("00A4040000"), timeout_s=1)
                assert caught.value.reason is Reason.SERVICE_DOWN
                card.release()
            finally:
                pcsc_daemon.start()


def test_without_a_context_there_is_nothing_to_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library gives whatever stood in memory for a handle then, and pyscard fails over a zero."""
    monkeypatch.setattr(scard, "SCardEstablishContext", lambda _: [scard.SCARD_E_NO_SERVICE, 0])
    assert pcsc.discover() == ()
    with pytest.raises(DeviceUnavailableError) as raised:
        pcsc.open(DeviceAddress("pcsc", "x"))
    assert raised.value.reason is Reason.SERVICE_DOWN
