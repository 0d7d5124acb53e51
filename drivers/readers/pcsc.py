"""Contactless readers behind the PC/SC daemon, by pyscard; scheme ``pcsc``.

===================  =========  ================================================================
function             supported  remarks
===================  =========  ================================================================
wait_for_card        yes        blocks in the daemon, which reports a card at once; the card is
                                taken exclusively and powered on
wait_for_removal     yes        as above
transceive           yes        PC/SC has no time limit: the reader's own applies. A caller that
                                gives up closes the reader from another thread
release              yes        powers the card off, so one that stays starts afresh next time
describe (card)      yes        the ATR taken apart; UID and ATS where the reader tells them
info                 yes        asks the daemon whether the reader is still there; vendor, serial
                                number and release where the daemon's driver knows them
lights, buzzer,      ACS        ACR122U, ACR1251U, ACR1252U, ACR1255U-J1, ACR1281U: see `acs`.
signal, field,                  Without a card on hand the daemon's CCID driver must let escape
settings, self-test             commands through (ifdDriverOptions 0x0001); the error has the cure
several cards        no         the reader chooses one, and PC/SC does not tell of the others
discover             yes        every reader that the daemon lists; none if it does not run
===================  =========  ================================================================

The target is the exact name of a reader, or a part of it that fits one reader only. An empty
target is the only reader there is; of several, the one whose name says that it is contactless;
of one reader's slots, the first. The daemon numbers readers anew when they are plugged in: an exact
name whose number is not there any more means the reader that differs by the number alone.

Nothing here retries a command. After the daemon has stopped, every call raises
DeviceUnavailableError; `close` and `open` again once it runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.address import DeviceAddress
from drivers.errors import DeviceError, DeviceUnavailableError, Reason
from drivers.readers import acs
from drivers.readers.pcsc_acs import AcsReader
from drivers.readers.pcsc_context import Context, absent
from drivers.readers.pcsc_reader import PcscReader

_CONTACTLESS = re.compile(r"contactless|PICC|\bCL\b|NFC", re.IGNORECASE)
_SLOT = re.compile(r" [0-9A-F]{2}$")
_NUMBER = re.compile(r" [0-9A-F]{2}(?= [0-9A-F]{2}$)")


def choose(address: DeviceAddress, names: Sequence[str]) -> str:
    """Return the reader that the target means; see the module's text for the rule."""
    if address.target in names:
        return address.target
    fitting = [name for name in names if address.target.lower() in name.lower()]
    if not fitting:
        target = _NUMBER.sub("", address.target)
        fitting = [name for name in names if _NUMBER.sub("", name) == target]
    if len(fitting) > 1:
        fitting = [name for name in fitting if _CONTACTLESS.search(name)] or fitting
        if len({_SLOT.sub("", name) for name in fitting}) == 1:
            fitting = [min(fitting)]
    if len(fitting) == 1:
        return fitting[0]
    if not names:
        raise DeviceUnavailableError(address, Reason.NOT_FOUND, absent())
    known = ", ".join(f"pcsc:{name}" for name in names)
    if fitting:
        raise DeviceUnavailableError(
            address, Reason.WRONG_ADDRESS, f"several readers fit, write one of: {known}"
        )
    hint = f"plug in the {address.target}; if it has another name, the daemon sees: {known}"
    raise DeviceUnavailableError(address, Reason.NOT_FOUND, hint)


def open(address: DeviceAddress) -> PcscReader:
    """Open a reader of the PC/SC daemon, with what its family can do besides."""
    context = Context(address)
    try:
        context.establish()
        name = choose(address, context.readers())
    except DeviceError:
        context.close()
        raise
    family = acs.family(name)
    return AcsReader(address, context, name, family) if family else PcscReader(address, context, name)


def discover() -> Sequence[DeviceAddress]:
    """Return every reader that the daemon lists; nothing if it does not run."""
    context = Context(DeviceAddress("pcsc", ""))
    try:
        context.establish()
        return tuple(DeviceAddress("pcsc", name) for name in context.readers())
    except DeviceError:
        return ()
    finally:
        context.close()
