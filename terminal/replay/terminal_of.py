"""The terminal of a recording: what it told the card, and the payment and configuration that tell the same.

What a card is told stands in the data of GET PROCESSING OPTIONS, GENERATE AC, INTERNAL AUTHENTICATE and
EXCHANGE RELAY RESISTANCE DATA, and the card's lists (PDOL, CDOL1, DDOL) say where. What none of them tells
is as the recording's `terminal.data` has it, or else as our own terminal is configured.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from emv.apdu import CommandApdu
from emv.c2_options import C2Options
from emv.config import CombinationConfig, EmvConfig, KernelOptions
from emv.cvm import CvmMethod
from emv.dol import length
from emv.errors import DecodeError
from emv.fields import Ttq, Tvr
from emv.formats import decode_date, decode_n, decode_time
from emv.kernel import Begin, Transaction
from emv.sensitive import Track2
from emv.tags import Tag
from terminal.replay.sessions import (
    CRYPTOGRAM,
    EXCHANGE_RELAY_RESISTANCE_DATA,
    GENERATE_AC,
    GET_PROCESSING_OPTIONS,
    INTERNAL_AUTHENTICATE,
    WITH_CDA,
    Session,
    dol_data,
    values_of,
)

_FOUND_OUT = {
    *(Tag.TVR, Tag.TSI, Tag.CVM_RESULTS, Tag.TC_HASH, Tag.DATA_AUTHENTICATION_CODE),
    *(Tag.ICC_DYNAMIC_NUMBER, Tag.AUTHORISATION_RESPONSE, Tag.ISSUER_AUTHENTICATION),
}
"""What a terminal finds out or hears by itself: ours must come to it, or differ."""
_TOLD = {GET_PROCESSING_OPTIONS, GENERATE_AC, INTERNAL_AUTHENTICATE}
_CAPABLE_OF_ONLINE_PIN, _CAPABLE_OF_CDA = 0x40, 0x08
"""Bits of the terminal capabilities, in bytes 2 and 3."""
_TVR_BYTES, _CVM_BYTES, _METHOD = 5, 3, 0x3F
_EPOCH = datetime.date(2000, 1, 1)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Told:
    """What the recorded terminal told the card.

    Args:
        values: Data objects by tag, as commands told them.
        data: The recording's `terminal.data`: what holds where no command told anything.
        entropies: What EXCHANGE RELAY RESISTANCE DATA told, each time another number.
        cda: Whether it was capable of combined authentication, as far as we know.
    """

    values: Mapping[int, bytes]
    data: Mapping[int, bytes]
    entropies: tuple[bytes, ...] = ()
    cda: bool = True

    @property
    def tvr(self) -> Tvr | None:
        """The Terminal Verification Results that GENERATE AC told, or None."""
        value = self.values.get(Tag.TVR, b"")
        return Tvr(int.from_bytes(value, "big")) if len(value) == _TVR_BYTES else None

    @property
    def cvm(self) -> CvmMethod | None:
        """How the cardholder was verified, as GENERATE AC told it, or None."""
        value = self.values.get(Tag.CVM_RESULTS, b"")
        return _read(lambda found: CvmMethod(found[0] & _METHOD), value if len(value) == _CVM_BYTES else None)

    @property
    def everything(self) -> dict[int, bytes]:
        """Both, what was told first."""
        return {**self.data, **self.values}


def told(sessions: Iterable[Session], data: Mapping[int, bytes], *, authenticates: bool) -> Told:
    """Return what the recorded terminal told. What was told first counts; `data` only where nothing was.

    Args:
        sessions: The applications, ours first. The first that was told anything counts.
        data: The recording's `terminal.data`.
        authenticates: Whether our terminal sends INTERNAL AUTHENTICATE: contact terminals take another
            unpredictable number for it than for the cryptogram, and ours has one for both.
    """
    listens = _TOLD if authenticates else _TOLD - {INTERNAL_AUTHENTICATE}
    values: dict[int, bytes] = {}
    entropies: list[bytes] = []
    cda = True
    for session in sessions:
        for said in session.said:
            if said.command is None:
                continue
            if said.command.ins == EXCHANGE_RELAY_RESISTANCE_DATA and len(said.command.data) == 4:
                entropies.append(said.command.data)
                # It is the unpredictable number from now on. Where the PDOL had asked for one, it is another.
                values.setdefault(Tag.UNPREDICTABLE_NUMBER, said.command.data)
            if said.command.ins in listens:
                found_out = said.command.ins == GENERATE_AC
                for tag, value in _values(session, said.command):
                    if found_out or tag not in _FOUND_OUT:
                        values.setdefault(tag, value)
        if values:
            values = {**_inferred(session, values), **values}
            cda = _has_cda(session, values)
            break
    return Told(values, data, tuple(dict.fromkeys(entropies)), cda)


def _values(session: Session, command: CommandApdu) -> Iterator[tuple[int, bytes]]:
    data = dol_data(command)
    for entries in session.lists_of(command.ins):
        if entries and length(entries) == len(data):
            yield from values_of(entries, data)
            return


def _inferred(session: Session, values: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return what the terminal must have been to do what it did.

    A terminal whose TVR does not say that versions differ has the card's version.
    """
    version = session.value(Tag.VERSION_CARD)
    tvr = Tvr.from_bytes(values.get(Tag.TVR, b""), "big")
    if version is None or len(values.get(Tag.TVR, b"")) != 5 or tvr & Tvr.VERSIONS_DIFFER:
        return {}
    return {int(Tag.VERSION_TERMINAL): version}


def _has_cda(session: Session, values: Mapping[int, bytes]) -> bool:
    """Say whether GENERATE AC asked for a signature, or might have done so."""
    sent = (its.command for its in session.said if its.command is not None)
    asked = next((command.p1 for command in sent if command.ins == GENERATE_AC), 0)
    failed = Tvr.from_bytes(values.get(Tag.TVR, b""), "big") & Tvr.CDA_FAILED
    return bool(asked & WITH_CDA or failed) or not asked & CRYPTOGRAM


def begin_of(found: Told, config: EmvConfig, day: datetime.date) -> Begin:
    """Return the payment that was made.

    Args:
        found: What the terminal told. Without an amount it is zero.
        config: Has the currency where none was told.
        day: The day if none was told.
    """
    values = found.everything
    amount = _amount(values)
    other = _number(values, Tag.AMOUNT_OTHER, Tag.AMOUNT_OTHER_BINARY)
    kind = values.get(Tag.TRANSACTION_TYPE, b"")
    number = values.get(Tag.UNPREDICTABLE_NUMBER, b"")
    transaction = Transaction(
        type=kind[0] if len(kind) == 1 else 0x00,
        amount_minor=amount,
        amount_other_minor=other if other <= amount else 0,
        currency=_code(values.get(Tag.TRANSACTION_CURRENCY)) or config.currency,
        currency_exponent=_exponent(values),
        date=_read(decode_date, values.get(Tag.TRANSACTION_DATE)) or day,
        time=_read(decode_time, values.get(Tag.TRANSACTION_TIME)) or datetime.time(0),
        unpredictable_number=number if len(number) == 4 else bytes(4),
        sequence_counter=_number(values, Tag.SEQUENCE_COUNTER) % 10**8,
        spare_unpredictable_numbers=tuple(entropy for entropy in found.entropies if entropy != number),
    )
    return Begin(transaction, preprocess=not _zero_without_online(values, amount))


def config_of(found: Told, config: EmvConfig, rows: Iterable[CombinationConfig]) -> EmvConfig:
    """Return the configuration of the terminal that told this.

    Args:
        found: What it told.
        config: What counts where nothing was told.
        rows: The applications that it takes.
    """
    values = found.everything
    country = _code(values.get(Tag.TERMINAL_COUNTRY)) or config.country
    extra = {tag: value for tag, value in values.items() if tag not in _FOUND_OUT and not _is_of_kernel(tag)}
    return replace(
        config,
        country=country,
        currency=_code(values.get(Tag.TRANSACTION_CURRENCY)) or config.currency,
        combinations=tuple(_row(row, found, _amount(values)) for row in rows),
        # Kernel 4 tells the type with two bits more, which say what the reader can do.
        terminal_type=_byte(values, Tag.TERMINAL_TYPE, config.terminal_type) & 0x3F,
        capabilities=_capabilities(found, config.capabilities),
        additional_capabilities=_of_length(
            values, Tag.ADDITIONAL_CAPABILITIES, 5, config.additional_capabilities
        ),
        extra={**config.extra, **extra},
    )


def _is_of_kernel(tag: int) -> bool:
    """Say whether kernels make it out of the configuration, or anew in the course of a transaction."""
    return tag in (Tag.UNPREDICTABLE_NUMBER, Tag.TTQ, Tag.TERMINAL_TYPE, Tag.TERMINAL_CAPABILITIES)


def _row(row: CombinationConfig, found: Told, amount: int) -> CombinationConfig:
    """Return a row as the recorded terminal had it: it did take the payment, whatever the amount."""
    values = found.values
    kinds = row.transaction_types | set(values.get(Tag.TRANSACTION_TYPE, b"")[:1])
    row = replace(
        row,
        transaction_types=kinds,
        transaction_limit=None,
        zero_amount_allowed=True,
        options=_as_told(row.options, values),
    )
    value = values.get(Tag.TTQ)
    if row.ttq is None or value is None or len(value) != 4:
        return replace(row, **_limits(row, found, amount))
    # The bits that pre-processing sets tell which limits the amount had passed.
    ttq = Ttq(int.from_bytes(value, "big"))
    return replace(
        row,
        ttq=ttq,
        floor_limit=0 if ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED else amount + 1,
        cvm_limit=0 if ttq & Ttq.CVM_REQUIRED else amount + 1,
        status_check=False,
    )


def _limits(row: CombinationConfig, found: Told, amount: int) -> dict[str, Any]:
    """Return the limits as TVR and CVM results tell which of them the amount had passed."""
    limits: dict[str, Any] = {}
    if found.tvr is not None:
        limits["floor_limit"] = 0 if found.tvr & Tvr.FLOOR_LIMIT_EXCEEDED else amount + 1
    if found.cvm not in (None, CvmMethod.FAIL) and row.cvm_limit is not None:
        verified = found.cvm not in (CvmMethod.NO_CVM, CvmMethod.NOT_PERFORMED)
        limits["cvm_limit"] = 0 if verified else amount + 1
    return limits


def _as_told(options: KernelOptions, values: Mapping[int, bytes]) -> KernelOptions:
    """Return a kernel's settings as the recorded terminal told them."""
    if options is None:
        return None
    names = {field.name for field in dataclasses.fields(options)}
    changes: dict[str, Any] = {}
    if "ttq_as_configured" in names:
        changes["ttq_as_configured"] = Tag.TTQ in values
    version = values.get(Tag.VERSION_TERMINAL, b"")
    if "application_version" in names and len(version) == 2:
        changes["application_version"] = version
    if isinstance(options, C2Options):
        changes |= _c2(values)
    return replace(options, **changes)


def _c2(values: Mapping[int, bytes]) -> dict[str, Any]:
    """Return what kernel 2 puts together from its settings, as it was told."""
    changes: dict[str, Any] = {"transaction_limit": None, "device_cvm_transaction_limit": None}
    capabilities = values.get(Tag.TERMINAL_CAPABILITIES, b"")
    if len(capabilities) == 3:
        changes |= dict.fromkeys(("cvm_capability_required", "cvm_capability_not_required"), capabilities[1])
    tvr = values.get(Tag.TVR, b"")
    if len(tvr) == 5:
        changes["relay_bits"] = bool(tvr[4] & 0x03)
    custom, category = values.get(Tag.MERCHANT_CUSTOM_DATA, b""), values.get(Tag.TRANSACTION_CATEGORY, b"")
    if len(custom) == 20:
        changes["merchant_custom_data"] = custom
    if len(category) == 1 and category.isascii():
        changes["transaction_category"] = category.decode("ascii")
    return changes


def _zero_without_online(values: Mapping[int, bytes], amount: int) -> bool:
    """Say whether nothing was to be paid and no online cryptogram asked for: autorun, Book B, 3.2.1.1."""
    value = values.get(Tag.TTQ, b"")
    ttq = Ttq(int.from_bytes(value, "big"))
    return amount == 0 and len(value) == 4 and not ttq & Ttq.ONLINE_CRYPTOGRAM_REQUIRED


def _amount(values: Mapping[int, bytes]) -> int:
    return _number(values, Tag.AMOUNT_AUTHORISED, Tag.AMOUNT_AUTHORISED_BINARY)


def _number(values: Mapping[int, bytes], tag: Tag, binary: Tag | None = None) -> int:
    found = _read(decode_n, values.get(tag))
    if found is None and binary is not None and binary in values:
        found = int.from_bytes(values[binary], "big")
    return found if found is not None and found < 10**12 else 0


def _exponent(values: Mapping[int, bytes]) -> int:
    found = _read(decode_n, values.get(Tag.TRANSACTION_CURRENCY_EXPONENT))
    return found if found is not None and found <= 9 else 2


def _code(value: bytes | None) -> str | None:
    """Return a numeric country or currency code of two bytes as three digits."""
    found = _read(decode_n, value)
    return f"{found:03d}" if found is not None and value is not None and len(value) == 2 else None


def _byte(values: Mapping[int, bytes], tag: Tag, absent: int) -> int:
    value = values.get(tag, b"")
    return value[0] if len(value) == 1 else absent


def _capabilities(found: Told, absent: bytes) -> bytes:
    value = _of_length(found.everything, Tag.TERMINAL_CAPABILITIES, 3, absent)
    if Tag.TERMINAL_CAPABILITIES in found.everything:
        return value
    # Nobody told them; but what the terminal did, it was capable of.
    pin = found.cvm is CvmMethod.ONLINE_PIN or bool((found.tvr or Tvr(0)) & Tvr.ONLINE_PIN_ENTERED)
    verification = value[1] | _CAPABLE_OF_ONLINE_PIN if pin else value[1]
    security = value[2] if found.cda else value[2] & ~_CAPABLE_OF_CDA
    return bytes((value[0], verification, security))


def _of_length(values: Mapping[int, bytes], tag: Tag, size: int, absent: bytes) -> bytes:
    value = values.get(tag, b"")
    return value if len(value) == size else absent


def _read(decode: Callable[[bytes], _T], value: bytes | None) -> _T | None:
    """Return a decoded value; None if there is none, or none that can be read."""
    try:
        return decode(value) if value else None
    except (DecodeError, ValueError):
        return None


def valid_day(sessions: Sequence[Session]) -> datetime.date:
    """Return a day on which the card counts, for a recording that does not tell the day."""
    for tag in (Tag.EFFECTIVE_DATE, Tag.EXPIRATION_DATE):
        for session in sessions:
            found = _read(decode_date, session.value(tag))
            if found is not None:
                return found
    tracks = (session.value(Tag.TRACK_2) for session in sessions)
    return next((day for track in tracks if (day := _read(_expiry_month, track))), _EPOCH)


def _expiry_month(track_2: bytes) -> datetime.date:
    return decode_date(bytes.fromhex(Track2(track_2).expiry + "01"))
