"""The host API over HTTPS. Requests are signed by the terminal, answers by the host.

An answer without the host's signature decides nothing: it may be a captive portal's or a forger's.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx

from offline_queue.acknowledgement import Acknowledgement
from offline_queue.errors import QueueError, SignatureError
from offline_queue.record import Record
from offline_queue.signing import answer_message, request_message
from terminal.enrolment import Enrolment
from terminal.http import NoAnswerError, NotSentError, post
from terminal.payment.attempt import Answer, Verdict

_VERDICTS = {
    "approved": Verdict.APPROVED,
    "declined": Verdict.DECLINED,
    "pending": Verdict.PENDING,
    "not_found": Verdict.NOT_FOUND,
    "reversed": Verdict.REVERSED,
}


class HttpHost:
    """The host as this terminal reaches it."""

    def __init__(self, url: str, enrolment: Enrolment, http: httpx.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._enrolment = enrolment
        self._http = http

    async def echo(self) -> None:
        """Ask for a sign of life. Raises NotSentError or NoAnswerError."""
        await self._call("/v1/echo", {"terminal_id": self._enrolment.terminal_id})

    async def authorise(self, intent: Record) -> Answer:
        """Ask for the payment that the intent describes."""
        return await self._answer("/v1/authorise", {"record": _text(intent)})

    async def query(self, attempt: str) -> Answer:
        """Ask what became of an attempt."""
        body = {"terminal_id": self._enrolment.terminal_id, "attempt": attempt}
        return await self._answer("/v1/query", body)

    async def reverse(self, reversal: Record) -> Answer:
        """Undo an attempt, whatever became of it."""
        return await self._answer("/v1/reverse", {"record": _text(reversal)})

    async def sync(self, records: Sequence[Record]) -> Acknowledgement:
        """Deliver records. Raises NotSentError, NoAnswerError (also for a forged acknowledgement)."""
        body = {
            "terminal_id": self._enrolment.terminal_id,
            "records": [_text(record) for record in records],
        }
        fields = await self._call("/v1/sync", body)
        try:
            data = base64.b64decode(str(fields["acknowledgement"]), validate=True)
            return Acknowledgement.decode(data, self._enrolment.host_key)
        except (KeyError, ValueError, QueueError) as error:
            raise NoAnswerError("the host's acknowledgement is not valid") from error

    async def _answer(self, path: str, body: dict[str, Any]) -> Answer:
        try:
            fields = await self._call(path, body)
        except NotSentError as error:
            return Answer(Verdict.NOT_SENT, f"the host can't be reached: {error}")
        except NoAnswerError as error:
            return Answer(Verdict.UNKNOWN, str(error))
        return Answer(
            _VERDICTS.get(str(fields.get("result")), Verdict.UNKNOWN),
            str(fields.get("message", "")),
            str(fields.get("code", "")),
            str(fields.get("authorisation", "")),
        )

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(body).encode()
        now = str(int(time.time()))
        signature = self._enrolment.key.sign(request_message("POST", path, now, content))
        headers = {
            "Content-Type": "application/json",
            "Tillside-Terminal": self._enrolment.terminal_id,
            "Tillside-Time": now,
            "Tillside-Signature": base64.b64encode(signature).decode(),
        }
        response = await post(self._http, f"{self._url}{path}", content=content, headers=headers)
        self._verify(response, signature)
        if response.status_code != httpx.codes.OK:
            raise NoAnswerError(f"the host answered HTTP {response.status_code}")
        try:
            fields: dict[str, Any] = response.json()
        except ValueError as error:
            raise NoAnswerError("the host's answer is not JSON") from error
        return fields

    def _verify(self, response: httpx.Response, request_signature: bytes) -> None:
        text = response.headers.get("Tillside-Signature", "")
        if not text:
            raise NoAnswerError("the answer is not signed by the host: is this its network?")
        try:
            message = answer_message(request_signature, response.content)
            self._enrolment.host_key.verify(base64.b64decode(text, validate=True), message)
        except (ValueError, SignatureError) as error:
            raise NoAnswerError("the answer is not signed by the host's key") from error


def _text(record: Record) -> str:
    return base64.b64encode(record.encode()).decode()
