"""Runs Entry Point and our kernels against a recorded card, with the payment that was made then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emv import tlv
from emv.aid import default_kernel
from emv.candidates import DirectoryEntry, asks_for_ttq, directory, requested_kernel
from emv.config import VISA_AIDS, CombinationConfig, EmvConfig
from emv.emv_options import EmvOptions
from emv.entry_point import KERNELS, EntryPoint
from emv.errors import DecodeError
from emv.fields import Ttq
from emv.finding import Finding
from emv.guard_policy import Response
from emv.kernel import KernelFactory
from emv.kernel_emv import KernelEmv
from emv.oda import NO_ODA, OdaReport, OdaResult
from emv.outcome import Outcome, UiRequest
from emv.sensitive import SensitiveBytes
from emv.tags import Tag, is_sensitive
from terminal.payment.tap import converse
from terminal.replay.differences import Difference
from terminal.replay.digits import with_digits
from terminal.replay.recorded_card import RecordedCard
from terminal.replay.sessions import GENERATE_AC, WITH_CDA, Said, Session
from terminal.replay.terminal_of import begin_of, config_of, told, valid_day
from terminal.replay.transcript import CONTACT, Transcript
from terminal.replay.verdict import authenticated, findings_json

CANT_BE_JUDGED = "masked: authentication can't be judged"
"""Why a card failed whose data is masked in the recording: it says nothing of the card."""
_NEED_ODA = ("device_claim",)
"""Checks of the guard that need a signature to hold."""
_TVR_BYTES, _TSI_BYTES = 5, 2
_OLD_VISA, _VISA, _MASTERCARD = 1, 3, 2
_VISA_RID = bytes.fromhex(VISA_AIDS[0])[:5]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay came to.

    Args:
        id: The recording's name.
        outcome: The kernel's, or Entry Point's.
        trouble: Why the card was lost, where it was.
        with_keys: Whether there were CA keys.
        differences: Where our commands are others than the recorded ones.
        notes: What had to be assumed, in words.
        unused: Places of recorded exchanges that we did not ask for, from 1.
        recorded: What the tap came to, as `verdict` has it; empty if the recording does not say.
        masked: Whether card data is masked in the recording.
    """

    id: str
    outcome: Outcome
    trouble: str = ""
    with_keys: bool = False
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[int, ...] = ()
    recorded: Mapping[str, Any] = field(default_factory=dict)
    masked: bool = False

    @property
    def reason(self) -> str:
        """Why it came to that, and why the card was lost."""
        if self._is_spoilt and any(words in self.outcome.reason for words in self._accusations()):
            return CANT_BE_JUDGED
        return f"{self.outcome.reason}: {self.trouble}" if self.trouble else self.outcome.reason

    @property
    def oda(self) -> OdaReport:
        """What offline data authentication came to."""
        found = self.outcome.evidence.oda if self.outcome.evidence else NO_ODA
        if self._is_spoilt:
            return replace(found, reason=CANT_BE_JUDGED)
        if found.result is OdaResult.NOT_PERFORMED and not self.with_keys:
            return replace(found, reason="no CA keys")
        return found

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the guard found, without what only masked card data made it find."""
        return tuple(its for its in self.outcome.findings if not (self._is_spoilt and its.check in _NEED_ODA))

    def _accusations(self) -> Iterator[str]:
        """Yield what was said of the card because its authentication failed."""
        yield from (its.words for its in self.outcome.findings if its not in self.findings)
        if self.outcome.evidence is not None and self.outcome.evidence.oda.reason:
            yield self.outcome.evidence.oda.reason

    @property
    def _is_spoilt(self) -> bool:
        """Whether authentication failed that masked card data can't pass."""
        evidence = self.outcome.evidence
        return self.masked and evidence is not None and evidence.oda.result is OdaResult.FAILED

    @property
    def tvr(self) -> bytes:
        """The Terminal Verification Results."""
        return self.value(Tag.TVR, bytes(_TVR_BYTES))

    @property
    def tsi(self) -> bytes:
        """The Transaction Status Information."""
        return self.value(Tag.TSI, bytes(_TSI_BYTES))

    def value(self, tag: int, absent: bytes = b"") -> bytes:
        """Return what the terminal found out, by tag."""
        evidence = self.outcome.evidence
        return evidence.terminal.get(tag, absent) if evidence else absent

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, without card data."""
        outcome, oda = self.outcome, self.oda
        return {
            "id": self.id,
            "kernel": outcome.kernel_id or None,
            "aid": outcome.aid.hex().upper(),
            "label": outcome.label,
            "outcome": outcome.kind.value,
            "reason": self.reason,
            "scheme_outcome": (outcome.scheme_kind or outcome.kind).value,
            "findings": findings_json(self.findings),
            "tvr": self.tvr.hex().upper(),
            "tsi": self.tsi.hex().upper(),
            "cvm": outcome.cvm.value,
            "cvm_results": self.value(Tag.CVM_RESULTS).hex().upper(),
            "oda": {"method": oda.method.value, "result": oda.result.value, "reason": oda.reason},
            "pan": outcome.pan.masked() if outcome.pan else "",
            "data_record": _plain(outcome.data_record),
            "differences": [
                {"exchange": its.exchange, "recorded": its.recorded, "sent": its.sent, "what": its.what}
                for its in self.differences
            ],
            "unused": list(self.unused),
            "notes": list(self.notes),
            "masked": self.masked,
            "recorded": dict(self.recorded) or None,
        }


def _plain(data: SensitiveBytes | None) -> dict[str, str]:
    """Return the data for the issuer by tag, what is never shown as its length."""
    if data is None:
        return {}
    return {
        f"{tag:02X}": f"<{len(value)} bytes>" if is_sensitive(tag) else value.hex().upper()
        for tag, value in tlv.walk(tlv.decode(data.reveal()))
    }


def replay(
    transcript: Transcript, config: EmvConfig, kernels: Mapping[int, KernelFactory] = KERNELS
) -> Replayed:
    """Run our kernels against a recorded card.

    What the terminal told depends on the application, and which one is selected on the terminal: so it is
    done twice, first to find out the application.

    Args:
        transcript: The recording.
        config: Our terminal; what was told in the recording takes the place of its own data.
        kernels: The kernels that there are.
    """
    transcript, filled = with_digits(transcript)
    first = _Run(transcript, config, kernels, None)
    first.run()
    second = _Run(transcript, config, kernels, first.card.session)
    if filled and not transcript.masked:
        places = ", ".join(str(number) for number in filled)
        second.card.note(f"exchange {places}: digits of the card that the recording has as F were taken as 0")
    return second.run()


class _Run:
    """One run of Entry Point against a recording."""

    def __init__(
        self,
        transcript: Transcript,
        config: EmvConfig,
        kernels: Mapping[int, KernelFactory],
        session: Session | None,
    ) -> None:
        self.card = RecordedCard(transcript)
        for note in transcript.notes:
            self.card.note(note)
        self._transcript = transcript
        self._kernels = dict(kernels)
        self._assumed: dict[bytes, str] = {}
        """What was assumed of an application, by its name."""
        if transcript.interface == CONTACT:
            self._kernels = dict.fromkeys((*kernels, _OLD_VISA), KernelEmv)
            self.card.note("a contact card, for which there is no kernel: taken with EMV's shared flow")
        ours = [its for its in self.card.applications if session and its.df_name == session.df_name]
        others = [its for its in self.card.applications if its not in ours]
        applications = [*ours, *others]
        authenticates = bool(config.ca_keys) and bool(applications) and self._may_use_dda(applications[0])
        self._told = told(applications, transcript.data, authenticates=authenticates)
        self._day = valid_day(applications)
        self._config = config_of(self._told, config, self._rows(config))
        if KernelEmv in self._kernels.values():
            # It stands in for a kernel that there is not, and contact cards may have verified a PIN.
            guard = replace(config.guard, scheme_mix=Response.IGNORE, pin_claim=Response.IGNORE)
            self._config = replace(self._config, guard=guard)

    def run(self) -> Replayed:
        """Do it."""
        entry_point = EntryPoint(self._config, self._kernels)
        begin = begin_of(self._told, self._config, self._day)
        if Tag.TRANSACTION_DATE not in self._told.everything:
            self.card.note(f"nothing tells the date: {self._day} was taken")
        outcome = converse(entry_point, begin, self.card.transceive, _show)
        for name, words in self._assumed.items():
            if name == self.card.session.df_name:
                self.card.note(words)
        if self._transcript.masked:
            self.card.note("card data is masked in this recording: no authentication can succeed")
        if not self._config.ca_keys and any(_signs(its) for its in self.card.session.said):
            self.card.note("the recorded cryptogram stands in a signature (CDA): unreadable without CA keys")
        if not self._config.ca_keys and authenticated(self._transcript.outcome):
            self.card.note(
                "the card was authenticated in the tap: the same CA keys are needed here (--ca-keys)"
            )
        unverified = getattr(self._kernels.get(outcome.kernel_id), "UNVERIFIED_BECAUSE", "")
        if unverified:
            self.card.note(f"kernel {outcome.kernel_id} is not verified: {unverified}")
        return Replayed(
            id=self._transcript.id,
            outcome=outcome,
            trouble=self.card.trouble,
            with_keys=bool(self._config.ca_keys),
            differences=(*self.card.differences, *self._other_outcome(outcome)),
            notes=tuple(self.card.notes),
            unused=self.card.unused,
            recorded=self._transcript.outcome,
            masked=self._transcript.masked,
        )

    def _other_outcome(self, outcome: Outcome) -> Iterator[Difference]:
        """Yield a difference if the tap came to something else."""
        recorded = self._transcript.outcome.get("kind", outcome.kind.value)
        if recorded != outcome.kind.value:
            what = f"outcome: {recorded} was recorded, ours is {outcome.kind.value}"
            yield Difference(None, recorded, outcome.kind.value, what)

    def _may_use_dda(self, session: Session) -> bool:
        """Say whether the kernel of an application sends INTERNAL AUTHENTICATE."""
        kernel = self._kernels.get(default_kernel(session.df_name))
        return isinstance(kernel, type) and issubclass(kernel, KernelEmv)

    def _rows(self, config: EmvConfig) -> list[CombinationConfig]:
        """Return a row for each application that was selected: our own ones, made-up ones for others."""
        configured = [row for row in config.combinations if row.kernel_id in self._kernels]
        if self._transcript.interface == CONTACT:
            configured = [replace(row, options=EmvOptions()) for row in configured]
        applications = self.card.applications
        if not applications:
            return configured
        rows: dict[tuple[bytes, int], CombinationConfig] = {}
        for session in applications:
            for row in self._rows_for(session, configured):
                rows.setdefault((row.aid, row.kernel_id), row)
        return list(rows.values())

    def _rows_for(self, session: Session, configured: list[CombinationConfig]) -> list[CombinationConfig]:
        name = session.df_name
        found = [row for row in configured if name.startswith(row.aid)]
        wanted = requested_kernel(self._announced(name), name)
        if not any(wanted in (0, row.kernel_id) for row in found):
            found = self._made_up(session, wanted, configured)
        visa = any(row.kernel_id == _VISA and row.aid.startswith(_VISA_RID) for row in found)
        went_on = len(session.exchanges) > 1
        if visa and went_on and not asks_for_ttq(session.fci) and _OLD_VISA not in self._kernels:
            self._kernels[_OLD_VISA] = KernelEmv
            self._assumed[name] = (
                f"{_hex(name)} does not ask for the TTQ: taken with EMV's shared flow as kernel 1"
            )
        return found

    def _announced(self, name: bytes) -> DirectoryEntry:
        """Return the entry of the recorded PPSE for an application, or one without a kernel."""
        environment = self.card.environment
        try:
            entries = directory(environment.fci) if environment else ()
        except DecodeError:
            entries = ()
        return next((its for its in entries if its.name and name.startswith(its.name)), DirectoryEntry(name))

    def _made_up(
        self, session: Session, wanted: int | None, configured: list[CombinationConfig]
    ) -> list[CombinationConfig]:
        """Return a row for an application that is not configured, in a list."""
        name = session.df_name
        if not 5 <= len(name) <= 16:
            return []
        if wanted and wanted in self._kernels:
            kernel, why = wanted, "which the card or its scheme names"
        elif asks_for_ttq(session.fci) and _VISA in self._kernels:
            kernel, why = _VISA, "as it asks for the TTQ"
        elif _MASTERCARD in self._kernels:
            kernel, why = _MASTERCARD, "as it does not ask for the TTQ"
        else:
            kernel, why = next(iter(self._kernels)), "as there is no better one"
        self._assumed[name] = f"{_hex(name)} is not configured: taken with kernel {kernel}, {why}"
        like = next((row for row in configured if row.kernel_id == kernel), None)
        return [
            replace(like, aid=name)
            if like
            else CombinationConfig(aid=name, kernel_id=kernel, ttq=Ttq.EMV_MODE)
        ]


def _signs(said: Said) -> bool:
    """Say whether the card was asked for a signature with its cryptogram."""
    return said.command is not None and said.command.ins == GENERATE_AC and bool(said.command.p1 & WITH_CDA)


def _hex(name: bytes) -> str:
    return name.hex().upper()


def _show(request: UiRequest, words: str) -> None:
    """Nobody looks."""
