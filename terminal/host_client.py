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
from offline_queue.host import HostAnswer, NotSentError, RefusedError, Result, UnknownResultError
from offline_queue.record import Record
from offline_queue.signing import answer_message, request_message
from terminal import http as wire
from terminal.enrolment import Enrolment


class HttpHost:
    """The host as this terminal reaches it. Implements `offline_queue.host.HostClient`."""

    def __init__(self, url: str, enrolment: Enrolment, http: httpx.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._enrolment = enrolment
        self._http = http

    async def echo(self) -> None:
        """Ask for a sign of life. Raises NotSentError, UnknownResultError or RefusedError."""
        await self._call("GET", "/v1/echo")

    async def authorise(self, record: Record) -> HostAnswer:
        """Ask for the payment that this intent record describes."""
        return await self._answer("/v1/authorise", {"record": _text(record)})

    async def query(self, attempt: str) -> HostAnswer:
        """Ask what became of an attempt."""
        body = {"terminal_id": self._enrolment.terminal_id, "attempt": attempt}
        return await self._answer("/v1/query", body)

    async def reverse(self, record: Record) -> HostAnswer:
        """Undo the attempt that this reversal record names, whatever became of it."""
        return await self._answer("/v1/reverse", {"record": _text(record)})

    async def sync(self, records: Sequence[Record]) -> Acknowledgement:
        """Deliver records, in order and without a gap."""
        body = {
            "terminal_id": self._enrolment.terminal_id,
            "records": [_text(record) for record in records],
        }
        fields = await self._call("POST", "/v1/sync", body)
        try:
            data = base64.b64decode(str(fields["acknowledgement"]), validate=True)
            return Acknowledgement.decode(data, self._enrolment.host_key)
        except (KeyError, ValueError, QueueError) as error:
            raise UnknownResultError("the host's acknowledgement is not valid") from error

    async def _answer(self, path: str, body: dict[str, Any]) -> HostAnswer:
        fields = await self._call("POST", path, body)
        try:
            return HostAnswer(
                Result(fields["result"]),
                str(fields["code"]),
                str(fields["authorisation"]),
                str(fields["message"]),
            )
        except (KeyError, ValueError) as error:
            raise UnknownResultError("the host's answer makes no sense") from error

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = json.dumps(body).encode() if body is not None else b""
        now = str(time.time_ns())
        signature = self._enrolment.key.sign(request_message(method, path, now, content))
        headers = {
            "Content-Type": "application/json",
            "Tillside-Terminal": self._enrolment.terminal_id,
            "Tillside-Time": now,
            "Tillside-Signature": base64.b64encode(signature).decode(),
        }
        try:
            response = await wire.send(self._http, method, self._url + path, content=content, headers=headers)
        except wire.NotSentError as error:
            raise NotSentError(error.reason, error.detail) from error
        except wire.NoAnswerError as error:
            raise UnknownResultError(str(error)) from error
        self._verify(response, signature)
        fields = _fields(response)
        if response.status_code != httpx.codes.OK:
            raise RefusedError(str(fields.get("error", response.status_code)), str(fields.get("detail", "")))
        return fields

    def _verify(self, response: httpx.Response, request_signature: bytes) -> None:
        text = response.headers.get("Tillside-Signature", "")
        if not text:
            raise UnknownResultError("the answer is not signed by the host: is this its network?")
        try:
            message = answer_message(request_signature, response.content)
            self._enrolment.host_key.verify(base64.b64decode(text, validate=True), message)
        except (ValueError, SignatureError) as error:
            raise UnknownResultError("the answer is not signed by the host's key") from error


def _fields(response: httpx.Response) -> dict[str, Any]:
    try:
        fields = response.json()
    except ValueError as error:
        raise UnknownResultError("the host's answer is not JSON") from error
    if not isinstance(fields, dict):
        raise UnknownResultError("the host's answer is no JSON object")
    return fields


def _text(record: Record) -> str:
    return base64.b64encode(record.encode()).decode()
