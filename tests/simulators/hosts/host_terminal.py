"""A terminal as the host sees it: a chain of records, and a small HTTP client that signs and verifies."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cbor2
import httpx

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.record import Record, RecordKind, genesis_head
from offline_queue.sealing import Sealer
from offline_queue.signing import PublicKey, SigningKey, answer_message, request_message
from offline_queue.summary import Summary
from simulators.cards.ber import tlv

YES, NO = b"the issuer pays", b"the issuer does not pay"


def card(emv: bytes = YES) -> bytes:
    return cbor2.dumps({"type": "card", "emv": emv})


def certificate(says: bytes = YES, number: int = 0, cid: int = 0x40) -> bytes:
    """Return the data record of a card that approved by itself; DF01 is for the issuer of these tests."""
    return tlv("9F27", bytes([cid])) + tlv("9F36", number.to_bytes(2, "big")) + tlv("DF01", says)


def wallet() -> bytes:
    return cbor2.dumps({"type": "wallet", "wallet": "alipay", "auth_code": "281234567890123456"})


@dataclass
class ModelTerminal:
    """Writes chained records; what it keeps in `chain` is what a queue would."""

    sealing_key: bytes
    terminal_id: str = "T1"
    key: SigningKey = field(default_factory=SigningKey.generate)
    chain: list[Record] = field(default_factory=list)
    attempts: int = 0

    def write(
        self, kind: RecordKind, attempt: str = "", *, secret: bytes = b"", summary: Summary | None = None
    ) -> Record:
        record = Record.create(
            signer=self.key,
            sealer=Sealer(self.sealing_key),
            terminal_id=self.terminal_id,
            sequence=len(self.chain) + 1,
            previous_head=self.chain[-1].head if self.chain else genesis_head(self.terminal_id),
            kind=kind,
            attempt=attempt,
            time_ms=0,
            summary=summary or {},
            secret=secret,
        )
        self.chain.append(record)
        return record

    def intent(self, *, secret: bytes | None = None, amount_minor: int = 1250, order: str = "") -> Record:
        """Begin an attempt; each is for its own order unless one is named."""
        self.attempts += 1
        summary: Summary = {
            "order": order or f"order-{self.attempts}",
            "amount": amount_minor,
            "currency": "EUR",
        }
        attempt = f"{self.terminal_id}-{self.attempts:08d}"
        return self.write(
            RecordKind.INTENT, attempt, secret=card() if secret is None else secret, summary=summary
        )

    def result(self, intent: Record, outcome: str) -> Record:
        deferred = outcome == "approved_offline"
        summary = {**intent.summary, "outcome": outcome, "deferred": deferred}
        return self.write(RecordKind.RESULT, intent.attempt, summary=summary)

    def approval(self, emv: bytes, *, amount_minor: int = 1250) -> Record:
        """Take a payment that the card approved by itself: one record, with the card's proof."""
        self.attempts += 1
        summary: Summary = {
            "order": f"order-{self.attempts}",
            "amount": amount_minor,
            "currency": "EUR",
            "outcome": "approved_offline",
            "deferred": False,
        }
        attempt = f"{self.terminal_id}-{self.attempts:08d}"
        return self.write(RecordKind.RESULT, attempt, secret=card(emv), summary=summary)

    def reversal(self, intent: Record) -> Record:
        return self.write(RecordKind.REVERSAL, intent.attempt, summary=dict(intent.summary))


@dataclass
class ModelClient:
    """Speaks the host API; every answer's signature is verified."""

    http: httpx.Client
    terminal: ModelTerminal
    host_key: PublicKey

    def post(self, path: str, request: dict[str, Any]) -> httpx.Response:
        body = json.dumps(request).encode()
        signature = self.terminal.key.sign(request_message("POST", path, "17", body))
        response = self.http.post(
            path,
            content=body,
            headers={
                "Tillside-Terminal": self.terminal.terminal_id,
                "Tillside-Time": "17",
                "Tillside-Signature": base64.b64encode(signature).decode(),
            },
        )
        answered = base64.b64decode(response.headers["Tillside-Signature"])
        self.host_key.verify(answered, answer_message(signature, response.content))
        return response

    def authorise(self, record: Record) -> Any:
        return self.post("/v1/authorise", {"record": text(record)}).json()

    def reverse(self, record: Record) -> Any:
        return self.post("/v1/reverse", {"record": text(record)}).json()

    def query(self, attempt: str) -> Any:
        return self.post("/v1/query", {"terminal_id": self.terminal.terminal_id, "attempt": attempt}).json()

    def sync(self, records: Sequence[Record]) -> Acknowledgement:
        request = {
            "terminal_id": self.terminal.terminal_id,
            "records": [text(record) for record in records],
        }
        answer = self.post("/v1/sync", request).json()
        return Acknowledgement.decode(base64.b64decode(answer["acknowledgement"]), self.host_key)


def text(record: Record) -> str:
    return base64.b64encode(record.encode()).decode()
