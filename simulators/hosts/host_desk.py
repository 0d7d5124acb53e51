"""What the simulated host decides: each attempt is booked once or not at all, whatever comes how often.

The first word on an attempt stands. Authorise and what was taken offline ask the issuer only when nothing
has been said yet; a reversal is remembered even for an attempt that never came, so that one that comes
later is declined. Taken offline is a deferral, whose intent the issuer has never seen, or a card's own
approval, whose result brings the card's certificate to be booked. Records are taken in chain order and
kept by (terminal, sequence): the same record again is answered as before, another record under the same
number is a fork, and an alarm.

A record that is in its place in the chain but can't be acted on is kept and refused, and the rest goes on.
One that is not in its place stops the delivery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import cbor2

from offline_queue.acknowledgement import Acknowledgement, Refusal
from offline_queue.errors import QueueError, SealError, SignatureError
from offline_queue.record import Record, RecordKind, genesis_head, seal_binding
from offline_queue.sealing import Opener
from offline_queue.signing import PublicKey, Signer
from simulators.cards import ber
from simulators.hosts.host_books import Alarm, Attempt, Booking, Books, Kept, Terminal
from simulators.hosts.host_issuer import APPROVED, DO_NOT_HONOUR, WRONG_CURRENCY, Issuer, currency_agrees

NOT_FOUND: Final = Attempt("not_found", "25", "", "no such attempt", "")
_GIVEN_UP: Final = Attempt("declined", DO_NOT_HONOUR, "", "given up by the terminal", "")
_REVERSED: Final = Attempt("reversed", APPROVED, "", "reversed", "")


class RequestRefusedError(Exception):
    """The host's definite no to a request, told to the terminal; nothing was changed by the request.

    Args:
        code: One word for programs.
        detail: More for the technician.
        alarm: Whether a person at the host must look at it.
    """

    def __init__(self, code: str, detail: str, *, alarm: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.alarm = alarm


class _NotActedOnError(Exception):
    """A record in its right place that makes no sense; its text goes into the acknowledgement."""


class Desk:
    """Decides on requests that have been authenticated already."""

    def __init__(self, books: Books, *, signer: Signer, opener: Opener, issuer: Issuer) -> None:
        self._books = books
        self._signer = signer
        self._opener = opener
        self._issuer = issuer

    def enrol(self, terminal_id: str, signing_key: PublicKey, name: str) -> None:
        """Take a terminal on. The same again changes nothing; another key under the same id is refused."""
        with self._books.transaction():
            known = self._books.terminal(terminal_id)
            if known is None:
                head = genesis_head(terminal_id)
                self._books.add_terminal(Terminal(terminal_id, name, signing_key.to_bytes(), 0, head))
        if known is not None and known.signing_key != signing_key.to_bytes():
            self._raise_alarm(
                terminal_id, "other_key", "an enrolled terminal asked to enrol with another key"
            )
            raise RequestRefusedError("other_key", f"{terminal_id} is enrolled with another key")

    def key(self, terminal_id: str) -> PublicKey | None:
        """Return the key of an enrolled terminal."""
        terminal = self._books.terminal(terminal_id)
        return PublicKey(terminal.signing_key) if terminal else None

    def authorise(self, terminal_id: str, encoded: bytes) -> Attempt:
        """Answer an intent record: ask the issuer and book, or repeat what was said before."""
        record = self._read(terminal_id, encoded)
        if record.kind is not RecordKind.INTENT:
            raise RequestRefusedError("not_an_intent", f"a {record.kind} record asks for no payment")
        with self._transaction(terminal_id):
            self._keep(record, encoded)
            known = self._books.attempt(terminal_id, record.attempt)
            if known is not None:
                return _answer_to_authorise(known)
            try:
                return self._decide(record, self._card_data(record))
            except _NotActedOnError as error:
                raise RequestRefusedError("bad_record", str(error)) from error

    def query(self, terminal_id: str, attempt: str) -> Attempt:
        """Tell what became of an attempt.

        "Not found" says that nothing has come so far. Only a reversal makes sure that nothing will.
        """
        return self._books.attempt(terminal_id, attempt) or NOT_FOUND

    def reverse(self, terminal_id: str, encoded: bytes) -> Attempt:
        """Undo the attempt of a reversal record, or keep it from ever happening."""
        record = self._read(terminal_id, encoded)
        if record.kind is not RecordKind.REVERSAL:
            raise RequestRefusedError("not_a_reversal", f"a {record.kind} record reverses nothing")
        with self._transaction(terminal_id):
            self._keep(record, encoded)
            return self._reverse(record)

    def sync(self, terminal_id: str, encoded: Sequence[bytes]) -> Acknowledgement:
        """Take records over, in order, and acknowledge what is here without a gap."""
        taken: list[Record] = []
        for data in encoded:
            try:
                record = self._read(terminal_id, data)
                with self._transaction(terminal_id):
                    self._take(record, data)
            except RequestRefusedError:
                if not taken:
                    raise
                break  # what came before is acknowledged; the next delivery begins with this one
            taken.append(record)
        return self._acknowledge(terminal_id, taken)

    def _read(self, terminal_id: str, encoded: bytes) -> Record:
        key = self.key(terminal_id)
        keys = {key.key_id: key} if key else {}
        try:
            record = Record.decode(encoded, keys)
        except SignatureError as error:
            self._raise_alarm(terminal_id, "bad_signature", str(error))
            raise RequestRefusedError("bad_signature", str(error)) from error
        except QueueError as error:
            raise RequestRefusedError("bad_record", str(error)) from error
        if record.terminal_id != terminal_id:
            raise RequestRefusedError("other_terminal", f"a record of {record.terminal_id}")
        return record

    def _keep(self, record: Record, encoded: bytes) -> None:
        known = self._books.kept(record.terminal_id, record.sequence)
        if known is None:
            kept = Kept(record.kind.value, record.head, encoded, "")
            self._books.keep(record.terminal_id, record.sequence, record.attempt, kept)
        elif known.head != record.head:
            raise RequestRefusedError("fork", f"two different records {record.sequence}", alarm=True)

    def _take(self, record: Record, encoded: bytes) -> None:
        """Take over the next record of the chain, or recognise one that is here already."""
        terminal = self._books.terminal(record.terminal_id)
        assert terminal is not None  # noqa: S101 - its key has just verified the record
        self._keep(record, encoded)
        if record.sequence <= terminal.through:
            return
        if record.sequence != terminal.through + 1:
            raise RequestRefusedError("gap", f"expected record {terminal.through + 1}", alarm=True)
        if record.previous_head != terminal.head:
            raise RequestRefusedError("chain", f"record {record.sequence} is of another chain", alarm=True)
        self._books.advance(record.terminal_id, record.sequence, record.head)
        try:
            self._act_on(record)
        except _NotActedOnError as error:
            self._books.refuse(record.terminal_id, record.sequence, str(error))

    def _act_on(self, record: Record) -> None:
        match record.kind:
            case RecordKind.INTENT:
                self._open(record)
            case RecordKind.RESULT:
                self._take_result(record)
            case RecordKind.REVERSAL | RecordKind.VOID:
                self._reverse(record)
            case RecordKind.REFUND:
                self._refund(record)
            case RecordKind.SHIFT | RecordKind.Z_REPORT:
                pass

    def _take_result(self, record: Record) -> None:
        known = self._books.attempt(record.terminal_id, record.attempt)
        match record.summary.get("outcome"):
            case "approved_offline":
                self._settle(record, known)
            case "approved":
                self._take_approval(record, known)
            case "unknown":
                pass
            case "declined" | "cancelled":
                if known is None:
                    # A request of this attempt that is still on its way must not be booked any more.
                    self._books.set_attempt(record.terminal_id, record.attempt, _GIVEN_UP)
                elif known.result == "approved":
                    detail = f"{record.attempt} is booked here and {record.summary['outcome']} there"
                    self._raise_alarm(record.terminal_id, "disagreement", detail)
            case outcome:
                raise _NotActedOnError(f"unknown outcome {outcome!r}")

    def _settle(self, record: Record, known: Attempt | None) -> None:
        """Find what becomes of a payment taken offline, and book it if the issuer pays."""
        if known is None and record.sealed:
            known = self._present(record, self._card_data(record))
        elif known is None:
            known = self._decide(record, self._card_data(self._intent(record)))
        fate = "approved" if known.result == "approved" else "declined"
        settled = Attempt(known.result, known.code, known.authorisation, known.message, fate)
        self._books.set_attempt(record.terminal_id, record.attempt, settled)

    def _take_approval(self, record: Record, known: Attempt | None) -> None:
        """Compare an online approval with our own, or book what a wallet has approved."""
        intent = self._intent(record)
        if self._open(intent).get("type") == "card":
            if known is None or known.result != "approved":
                detail = (
                    f"{record.attempt} is approved there, and {known.result if known else 'unknown'} here"
                )
                self._raise_alarm(record.terminal_id, "disagreement", detail)
                raise _NotActedOnError("approved there, but not by this host")
        elif known is None or known.result != "approved":
            authorisation = str(record.summary.get("authorisation") or "")
            word = Attempt("approved", APPROVED, authorisation, "", "")
            self._books.set_attempt(record.terminal_id, record.attempt, word)
            self._book(intent, "wallet", authorisation)

    def _reverse(self, record: Record) -> Attempt:
        known = self._books.attempt(record.terminal_id, record.attempt) or _REVERSED
        word = Attempt("reversed", APPROVED, "", "reversed", known.fate)
        self._books.set_attempt(record.terminal_id, record.attempt, word)
        self._books.unbook(record.terminal_id, record.attempt)
        return word

    def _refund(self, record: Record) -> None:
        source = self._books.source_of_sale(record.terminal_id, record.attempt)
        if not source:
            raise _NotActedOnError("nothing was booked that could be refunded")
        self._book(record, source, "", kind="refund")

    def _present(self, record: Record, data_record: bytes) -> Attempt:
        """Book what the card approved by itself; without its certificate the issuer is not even asked."""
        if not _is_certificate(data_record):
            word = Attempt("declined", DO_NOT_HONOUR, "", "the card has not approved this", "")
            self._books.set_attempt(record.terminal_id, record.attempt, word)
            return word
        return self._decide(record, data_record)

    def _decide(self, record: Record, data_record: bytes) -> Attempt:
        """Ask the issuer about an attempt that nothing has been said of, and book it if it pays."""
        amount_minor = _amount(record)
        answer = WRONG_CURRENCY
        if currency_agrees(data_record, str(record.summary.get("currency") or "")):
            answer = self._issuer(data_record, amount_minor)
        result = "approved" if answer.approved else "declined"
        data = answer.authentication_data.hex().upper()
        word = Attempt(result, answer.code, answer.authorisation, answer.message, "", data)
        self._books.set_attempt(record.terminal_id, record.attempt, word)
        if answer.approved:
            self._book(record, "card", answer.authorisation)
        return word

    def _book(self, record: Record, source: str, authorisation: str, kind: str = "sale") -> None:
        order_id = str(record.summary.get("order") or "")
        others = self._books.sales_of_order(record.terminal_id, order_id) - {record.attempt}
        if kind == "sale" and order_id and others:
            self._raise_alarm(record.terminal_id, "paid_twice", f"{record.attempt} and {', '.join(others)}")
        self._books.book(
            Booking(
                terminal_id=record.terminal_id,
                order_id=order_id,
                attempt=record.attempt,
                kind=kind,
                amount_minor=_amount(record),
                currency=str(record.summary.get("currency") or ""),
                source=source,
                authorisation=authorisation,
                reversed=False,
            )
        )

    def _intent(self, record: Record) -> Record:
        encoded = self._books.intent(record.terminal_id, record.attempt)
        if encoded is None:
            raise _NotActedOnError("no intent came before it")
        return self._read(record.terminal_id, encoded)

    def _card_data(self, record: Record) -> bytes:
        secret = self._open(record)
        emv = secret.get("emv")
        if secret.get("type") != "card" or not isinstance(emv, bytes):
            raise _NotActedOnError("no card data in the seal")
        return emv

    def _open(self, record: Record) -> Mapping[str, object]:
        if not record.sealed:
            return {}
        try:
            secret = cbor2.loads(
                self._opener.open(record.sealed, seal_binding(record.terminal_id, record.sequence))
            )
        except (SealError, cbor2.CBORError) as error:
            raise _NotActedOnError("the seal does not open") from error
        if not isinstance(secret, dict):
            raise _NotActedOnError("the seal holds no map")
        return secret

    def _acknowledge(self, terminal_id: str, taken: Sequence[Record]) -> Acknowledgement:
        terminal = self._books.terminal(terminal_id)
        assert terminal is not None  # noqa: S101 - only enrolled terminals come this far
        refused: list[Refusal] = []
        settled: dict[str, str] = {}
        for record in taken:
            kept = self._books.kept(terminal_id, record.sequence)
            if kept is not None and kept.refusal:
                refused.append(Refusal(record.sequence, kept.refusal))
            word = self._books.attempt(terminal_id, record.attempt)
            if word is not None and word.fate:
                settled[record.attempt] = word.fate
        return Acknowledgement.issue(
            self._signer,
            terminal_id=terminal_id,
            through=terminal.through,
            head=terminal.head,
            refused=tuple(refused),
            settled=settled,
        )

    @contextmanager
    def _transaction(self, terminal_id: str) -> Iterator[None]:
        """Run the block as one transaction, of which a refusal leaves nothing behind but its alarm."""
        try:
            with self._books.transaction():
                yield
        except RequestRefusedError as error:
            if error.alarm:
                self._raise_alarm(terminal_id, error.code, error.detail)
            raise

    def _raise_alarm(self, terminal_id: str, kind: str, detail: str) -> None:
        self._books.raise_alarm(Alarm(terminal_id, kind, detail))


def _answer_to_authorise(known: Attempt) -> Attempt:
    """Repeat the first answer; to an attempt that was reversed, the answer is no."""
    if known.result == "reversed":
        return Attempt("declined", DO_NOT_HONOUR, "", "the attempt was reversed", "")
    return known


def _is_certificate(data_record: bytes) -> bool:
    """Tell whether the card says (9F27) that its cryptogram is a transaction certificate: an approval."""
    try:
        told = dict(ber.objects(data_record)).get("9F27", b"")
    except ValueError:
        return False
    return bool(told) and told[0] & 0xC0 == 0x40


def _amount(record: Record) -> int:
    amount_minor = record.summary.get("amount")
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or amount_minor < 0:
        raise _NotActedOnError("no amount in the summary")
    return amount_minor
