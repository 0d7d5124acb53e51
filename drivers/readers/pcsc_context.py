"""One thread's connection to the PC/SC daemon, and what its codes mean; pyscard is used here only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartcard import scard  # type: ignore[import-untyped]

from drivers.address import DeviceAddress
from drivers.errors import CardLostError, DeviceError, DeviceUnavailableError, Reason, TransmissionError
from drivers.gate import Gate

_SYSTEMD = Path("/run/systemd/system").is_dir()
_START = "sudo systemctl start pcscd" if _SYSTEMD else "sudo pcscd"
_RESTART = "sudo systemctl restart pcscd" if _SYSTEMD else "sudo pkill -x pcscd; sudo pcscd"
_USERS = (
    "close the other program that uses the reader; this lists who may: "
    "sudo fuser -v /usr/lib*/*/libpcsclite*.so.1"
)
_POLKIT = (
    "sudo usermod -aG plugdev $USER, log in again, and: echo 'polkit.addRule(function(a, s) { if "
    '(a.id.indexOf("org.debian.pcsc-lite.") == 0 && s.isInGroup("plugdev")) return polkit.Result.YES; });\''
    " | sudo tee /etc/polkit-1/rules.d/70-tillside.rules"
)
# Where the CCID driver, or ACS's own variant of it, keeps its options.
_INFO_FILES = (
    Path("/usr/lib/pcsc/drivers/ifd-acsccid.bundle/Contents/Info.plist"),
    Path("/etc/libccid_Info.plist"),
    Path("/usr/lib64/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist"),
    Path("/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist"),
)
# IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE: CCID's PC_to_RDR_Escape, in libccid and in ACS's driver.
_ESCAPE = scard.SCARD_CTL_CODE(1)

# The card is gone, or answers no more: with a contactless card nobody can tell the two apart.
_CARD_LOST = {
    scard.SCARD_E_NO_SMARTCARD,
    scard.SCARD_W_REMOVED_CARD,
    scard.SCARD_W_RESET_CARD,
    scard.SCARD_W_UNPOWERED_CARD,
    scard.SCARD_W_UNRESPONSIVE_CARD,
    scard.SCARD_E_NOT_TRANSACTED,
    scard.SCARD_E_COMM_DATA_LOST,
    scard.SCARD_F_COMM_ERROR,
}
_SERVICE_DOWN = {
    scard.SCARD_E_NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED,
    # What the library says of a context whose daemon has gone.
    scard.SCARD_E_INVALID_HANDLE,
    scard.SCARD_F_INTERNAL_ERROR,
}
_NOT_FOUND = {
    scard.SCARD_E_UNKNOWN_READER,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_NO_READERS_AVAILABLE,
}
_REFUSED = {scard.SCARD_E_UNSUPPORTED_FEATURE, scard.SCARD_E_NOT_TRANSACTED}
_ATTRIBUTES = {
    "vendor": scard.SCARD_ATTR_VENDOR_NAME,
    "type": scard.SCARD_ATTR_VENDOR_IFD_TYPE,
    "version": scard.SCARD_ATTR_VENDOR_IFD_VERSION,
    "serial number": scard.SCARD_ATTR_VENDOR_IFD_SERIAL_NO,
}


class EscapeRefusedError(DeviceError):
    """The daemon's driver lets no command through to the reader itself; cards are read all the same.

    Not a DeviceUnavailableError: opening the reader again would not cure it.
    """

    def __init__(self, address: DeviceAddress) -> None:
        found = next((path for path in _INFO_FILES if path.exists()), _INFO_FILES[1])
        self.reason = Reason.NO_PERMISSION
        self.hint = (
            f"sudo sed -i --follow-symlinks '/ifdDriverOptions</{{n;s/0x0000/0x0001/}}' {found} && {_RESTART}"
            " (or hold a card to the reader)"
        )
        super().__init__(f"{address}: the PC/SC driver lets no command through to the reader. {self.hint}")


def failure(address: DeviceAddress, code: int) -> DeviceError:
    """Return the error that stands for a PC/SC code; the hint can be typed."""
    if code in _CARD_LOST:
        return CardLostError(f"{address}: the card has left the field")
    if code in _SERVICE_DOWN:
        return DeviceUnavailableError(address, Reason.SERVICE_DOWN, _START)
    if code == scard.SCARD_E_CANCELLED:
        return DeviceUnavailableError(address, Reason.NOT_FOUND, "open it again")
    if code in _NOT_FOUND:
        return DeviceUnavailableError(address, Reason.NOT_FOUND, absent())
    if code == scard.SCARD_E_SHARING_VIOLATION:
        return DeviceUnavailableError(address, Reason.BUSY, _USERS)
    if code in (scard.SCARD_W_SECURITY_VIOLATION, scard.SCARD_E_NO_ACCESS):
        return DeviceUnavailableError(address, Reason.NO_PERMISSION, _POLKIT)
    return TransmissionError(f"{address}: {scard.SCardGetErrorMessage(code)}")


def absent() -> str:
    """Return what brings a reader into the daemon's list."""
    if Path("/sys/module/pn533_usb").exists():
        # The kernel's own driver has taken an ACR122U or the like before the daemon could.
        return f"sudo modprobe -r pn533_usb && {_RESTART}"
    return "plug the reader in, then: pcsc_scan -r"


class Context:
    """One connection to the daemon: PC/SC asks that each thread have its own."""

    def __init__(self, address: DeviceAddress) -> None:
        self._address = address
        self._handle: Any = None
        self._card: Any = None
        self._protocol = 0
        self._gate = Gate(address, self._end)

    @property
    def holds_card(self) -> bool:
        """Whether a card is connected."""
        return self._card is not None

    def establish(self) -> None:
        """Reach the daemon."""
        with self._gate.use():
            code, handle = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            self._check(code)
            # Without a context the handle is whatever stood in memory; pyscard fails over a zero.
            self._handle = handle

    def close(self) -> None:
        """Let card and daemon go; a wait of another thread is woken and does it."""
        if not self._gate.close() and self._handle is not None:
            scard.SCardCancel(self._handle)

    def readers(self) -> list[str]:
        """Return the names of the readers."""
        with self._gate.use():
            code, names = scard.SCardListReaders(self._handle, [])
            if code == scard.SCARD_E_NO_READERS_AVAILABLE:
                return []
            self._check(code)
            return list(names)

    def state(self, reader: str, known: int, wait_s: float) -> int:
        """Return the reader's state once it differs from the known one, or the known one after the wait."""
        with self._gate.use():
            code, states = scard.SCardGetStatusChange(self._handle, int(wait_s * 1000), [(reader, known)])
            if code == scard.SCARD_E_TIMEOUT:
                return known
            self._check(code)
        state: int = states[0][1] & ~scard.SCARD_STATE_CHANGED
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE):
            raise failure(self._address, scard.SCARD_E_READER_UNAVAILABLE)
        return state

    def connect(self, reader: str) -> tuple[Any, bytes]:
        """Take the card exclusively; return its handle and its ATR."""
        with self._gate.use():
            # pcsc-lite may block here for as long as another program holds the card.
            # The caller's deadline, not this call, decides when the reader counts as stuck.
            code, self._card, self._protocol = scard.SCardConnect(
                self._handle,
                reader,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if code != scard.SCARD_S_SUCCESS:
                self._card = None
                raise failure(self._address, code)
            code, _, _, _, atr = scard.SCardStatus(self._card)
            if code != scard.SCARD_S_SUCCESS:
                self._disconnect()
                raise failure(self._address, code)
            return self._card, bytes(atr)

    def transmit(self, card: Any, capdu: bytes) -> bytes:
        """Send a command to the card with this handle."""
        with self._gate.use():
            if card is None or card != self._card:
                raise CardLostError(f"{self._address}: the card was released")
            return self._transmit(capdu)

    def pseudo(self, command: bytes) -> bytes:
        """Send a command, which the reader takes for itself, on the way of the card that is held."""
        with self._gate.use():
            if self._card is None:
                raise CardLostError(f"{self._address}: no card is held")
            return self._transmit(command)

    def escape(self, reader: str, command: bytes) -> bytes:
        """Send a command to the reader itself, card or not.

        Raises EscapeRefusedError where the daemon's driver does not pass it on.
        """
        with self._gate.use(), self._direct(reader) as handle:
            code, answer = scard.SCardControl(handle, _ESCAPE, list(command))
            if code in _REFUSED:
                raise EscapeRefusedError(self._address)
            self._check(code)
            return bytes(answer)

    def attributes(self, reader: str) -> dict[str, bytes]:
        """Return what the daemon's driver knows of the reader; it leaves out what it does not."""
        found = {}
        with self._gate.use(), self._direct(reader) as handle:
            for name, attribute in _ATTRIBUTES.items():
                code, value = scard.SCardGetAttrib(handle, attribute)
                if code == scard.SCARD_S_SUCCESS and value:
                    found[name] = bytes(value)
        return found

    def disconnect(self, card: Any) -> None:
        """Power the card with this handle off."""
        with contextlib.suppress(DeviceError), self._gate.use():
            if card == self._card:
                self._disconnect()

    @contextlib.contextmanager
    def _direct(self, reader: str) -> Iterator[Any]:
        """Lend the card's handle, or one to the reader without a card."""
        if self._card is not None:
            yield self._card
            return
        code, handle, _ = scard.SCardConnect(self._handle, reader, scard.SCARD_SHARE_DIRECT, 0)
        self._check(code)
        try:
            yield handle
        finally:
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)

    def _transmit(self, command: bytes) -> bytes:
        pci = scard.SCARD_PCI_T0 if self._protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        code, answer = scard.SCardTransmit(self._card, pci, list(command))
        self._check(code)
        return bytes(answer)

    def _check(self, code: int) -> None:
        if code != scard.SCARD_S_SUCCESS:
            raise failure(self._address, code)

    def _disconnect(self) -> None:
        card, self._card = self._card, None
        if card is not None:
            scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)

    def _end(self) -> None:
        self._disconnect()
        handle, self._handle = self._handle, None
        if handle is not None:
            scard.SCardReleaseContext(handle)
