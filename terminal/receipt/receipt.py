"""A receipt, as lines of text for the screen and as a page for a printer. All on it is masked already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rich.cells import cell_len, chop_cells

from drivers.page import Align, Page, Pair, Part, QrCode, Rule, Text
from emv.outcome import CvmResult
from offline_queue.record import Record
from terminal.config import Config
from terminal.money import Money
from terminal.payment.attempt_events import (
    Result,
)
from terminal.payment.headline import headline
from terminal.receipt.words import words
from terminal.view import Outcome

WIDTH = 32
"""Columns a line: what the narrowest receipt printers have. A Chinese character takes two."""


_TAKEN = (Outcome.APPROVED, Outcome.APPROVED_OFFLINE)
_SIGNATURE_LINES = 3
"""Room for a signature."""


class Copy(StrEnum):
    """Who gets a page; the value is printed on it."""

    CUSTOMER = "CUSTOMER COPY"
    MERCHANT = "MERCHANT COPY"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receipt of one attempt says.

    Sequence and chain head are printed so that a record that disappears later can be missed.
    """

    config: Config
    order: str
    amount: Money
    channel: str
    result: Result
    facts: Mapping[str, str]
    record: Record | None
    when: datetime

    @property
    def signed(self) -> bool:
        """Whether the customer has to sign."""
        return self.facts.get("cvm") == CvmResult.SIGNATURE.value and self.result.outcome in _TAKEN

    def lines(self) -> tuple[str, ...]:
        """Return it as text, `WIDTH` columns wide."""
        shop = self.config.shop
        body = [line for name, value in self._origin() for line in _pair(name, value)]
        body += ["", *_pair("TOTAL", self.amount.format(shop.locale))]
        body += [line for name, value in self._payment() for line in _pair(name, value)]
        title, remarks = self._outcome()
        body += ["", *_centred(f"*** {title} ***")]
        body += [line for remark in remarks for line in _centred(remark)]
        if self.signed:
            body += ["", "", "_" * WIDTH, *_centred("Signature")]
        if proof := [line for name, value in self._proof() for line in _pair(name, value)]:
            body += ["", *proof]
        head = [line for text in (shop.name, *shop.address) for line in _centred(text)]
        foot = ["", *_centred("SIMULATED, NO REAL MONEY")] if shop.simulated else []
        return tuple(line.rstrip() for line in (*head, "", *body, *foot))

    def pages(self, *, reprint: bool = False) -> tuple[Page, ...]:
        """Return what is printed: the customer's copy, behind the merchant's where that has to be signed."""
        copies = (Copy.MERCHANT, Copy.CUSTOMER) if self.signed else (Copy.CUSTOMER,)
        return tuple(self.page(copy, reprint=reprint) for copy in copies)

    def page(self, copy: Copy = Copy.CUSTOMER, *, reprint: bool = False) -> Page:
        """Return it as a page in the shop's language, for paper of any width.

        The merchant's copy has the line to sign on. The customer's has the order as a QR code where money
        may come back: the shop's scanner finds the payment by it.
        """
        return Page(tuple(self._parts(copy, reprint)))

    def _parts(self, copy: Copy, reprint: bool) -> Iterator[Part]:
        shop = self.config.shop
        say = words(shop.locale)

        def pairs(facts: Iterator[tuple[str, str]]) -> Iterator[Pair]:
            return (Pair(say.get(name, name), say.get(value, value)) for name, value in facts)

        def centred(text: str, *, bold: bool = False, large: bool = False) -> Text:
            return Text(say.get(text, text), Align.CENTRE, bold, large)

        title, remarks = self._outcome()
        yield Text(shop.name, Align.CENTRE, bold=True, large=True)
        yield from (Text(line, Align.CENTRE) for line in shop.address)
        yield Text("")
        yield Text(f"* {say.get(copy.value, copy.value)} *", Align.CENTRE)
        if reprint:
            yield centred("REPRINT", bold=True, large=True)
        yield Rule()
        yield from pairs(self._origin())
        yield Rule()
        yield Pair(say.get("TOTAL", "TOTAL"), self.amount.format(shop.locale), bold=True, large=True)
        yield Text("")
        yield from pairs(self._payment())
        yield Rule()
        yield centred(title, bold=True, large=True)
        yield from (centred(remark, bold=True) for remark in remarks)
        if self.signed and copy is Copy.MERCHANT:
            yield from (Text("") for _ in range(_SIGNATURE_LINES))
            yield Rule()
            yield centred("Signature")
        yield Rule()
        yield from pairs(self._proof())
        if copy is Copy.CUSTOMER and self.result.outcome is not Outcome.DECLINED:
            yield Text("")
            yield QrCode(self.order)
            yield Text(self.order, Align.CENTRE)
        if shop.simulated:
            yield Text("")
            yield centred("SIMULATED, NO REAL MONEY", bold=True)

    def _origin(self) -> Iterator[tuple[str, str]]:
        yield "Terminal", self.config.terminal.id
        yield "Order", self.order
        yield "Date", f"{self.when:%Y-%m-%d %H:%M:%S}"

    def _payment(self) -> Iterator[tuple[str, str]]:
        yield "Paid by", self.facts.get("scheme") or self.channel
        for name, key in (("Card", "pan"), ("Application", "application"), ("Verified by", "cvm")):
            if self.facts.get(key):
                yield name, self.facts[key]
        if self.result.authorisation:
            yield "Authorisation", self.result.authorisation

    def _proof(self) -> Iterator[tuple[str, str]]:
        if self.record is not None:
            yield "Record", str(self.record.sequence)
            yield "Head", self.record.head.hex()[:16]

    def _outcome(self) -> tuple[str, list[str]]:
        result = self.result
        title = "RESULT NOT KNOWN" if result.outcome is Outcome.UNKNOWN else headline(result)
        remarks = ["not yet authorised"] if result.deferred else []
        if result.late:
            remarks.append("paid after the code expired")
        return title, remarks


def _pair(name: str, value: str) -> list[str]:
    """Return name left and value right; a value that is too long goes on under it."""
    room = WIDTH - cell_len(name) - 1
    if cell_len(value) <= room:
        return [f"{name} {_right(value, room)}"]
    return [name, *(_right(line, WIDTH) for line in _wrapped(value))]


def _right(text: str, columns: int) -> str:
    return " " * (columns - cell_len(text)) + text


def _centred(text: str) -> list[str]:
    return [" " * ((WIDTH - cell_len(line)) // 2) + line for line in _wrapped(text)]


def _wrapped(text: str) -> list[str]:
    """Return a text in lines that fit, broken at spaces where that is possible."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) <= WIDTH:
            lines[-1] = joined
        else:
            lines += chop_cells(word, WIDTH)
    return [line for line in lines if line]
