"""The host API over HTTP: authenticates requests, signs answers, and misbehaves as told.

A request after enrolment is signed by its terminal; every answer to a signed request is signed by the
host, refusals too. Refusals have a status of 400 or above and a body of {"error", "detail"}; with a valid
signature they are a definite no, without one they mean nothing.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from offline_queue.errors import RecordError, SignatureError
from offline_queue.signing import PublicKey, Signer, SigningKey, answer_message, request_message
from simulators.hosts.host_behaviour import Behaviour, Fault
from simulators.hosts.host_books import Attempt
from simulators.hosts.host_desk import Desk, RequestRefusedError
from simulators.hosts.server import drop_connection

TERMINAL_HEADER: Final = "Tillside-Terminal"
TIME_HEADER: Final = "Tillside-Time"
SIGNATURE_HEADER: Final = "Tillside-Signature"
_ED25519_SIGNATURE_BYTES: Final = 64

Json = Mapping[str, Any]


class HostApp:
    """Builds the application; `app` is what a server runs."""

    def __init__(self, desk: Desk, *, signer: Signer, sealing_key: bytes, behaviour: Behaviour) -> None:
        self._desk = desk
        self._signer = signer
        self._sealing_key = sealing_key
        self._behaviour = behaviour
        self._somebody_else = SigningKey.generate()
        routes: dict[str, Callable[[str, Json], Json]] = {
            "/v1/authorise": self._authorise,
            "/v1/query": self._query,
            "/v1/reverse": self._reverse,
            "/v1/sync": self._sync,
        }
        self.app = Starlette(
            routes=[
                Route("/v1/echo", self._endpoint(self._echo, authenticated=False), methods=["GET"]),
                Route("/v1/enrol", self._endpoint(self._enrol, authenticated=False), methods=["POST"]),
                *(Route(path, self._endpoint(call), methods=["POST"]) for path, call in routes.items()),
            ]
        )

    def _endpoint(self, call: Callable[[str, Json], Json], authenticated: bool = True) -> Any:
        async def endpoint(request: Request) -> Response:
            faults = self._behaviour.take(request.url.path)
            await asyncio.sleep(self._behaviour.delay_s)
            body = await request.body()
            if Fault.FAIL_500 in faults:
                return Response("Internal Server Error", status_code=500)
            status, answer = self._answer(request, body, call, authenticated)
            if Fault.HOLD in faults:
                await self._behaviour.hold()
            if Fault.LOSE_ANSWER in faults:
                drop_connection(request.scope)
            return self._signed(request, status, answer, faults)

        return endpoint

    def _answer(
        self, request: Request, body: bytes, call: Callable[[str, Json], Json], authenticated: bool
    ) -> tuple[int, Json]:
        try:
            terminal_id = self._authenticate(request, body) if authenticated else ""
            return 200, call(terminal_id, _json(body))
        except RequestRefusedError as error:
            return 400, {"error": error.code, "detail": error.detail}

    def _authenticate(self, request: Request, body: bytes) -> str:
        terminal_id = request.headers.get(TERMINAL_HEADER, "")
        key = self._desk.key(terminal_id)
        if key is None:
            raise RequestRefusedError("unknown_terminal", "not enrolled here")
        time = request.headers.get(TIME_HEADER, "")
        try:
            message = request_message(request.method, request.url.path, time, body)
            key.verify(_signature(request) or b"", message)
        except SignatureError as error:
            raise RequestRefusedError("bad_request_signature", str(error)) from error
        return terminal_id

    def _signed(self, request: Request, status: int, answer: Json, faults: set[Fault]) -> Response:
        body = json.dumps(answer).encode()
        response = Response(body, status_code=status, media_type="application/json")
        request_signature = _signature(request)
        if request_signature is not None and Fault.UNSIGNED not in faults:
            signer = self._somebody_else if Fault.WRONG_KEY in faults else self._signer
            signature = signer.sign(answer_message(request_signature, body))
            response.headers[SIGNATURE_HEADER] = base64.b64encode(signature).decode()
        return response

    def _echo(self, terminal_id: str, request: Json) -> Json:
        return {"service": "tillside-host", "time_ms": time_ns() // 1_000_000}

    def _enrol(self, terminal_id: str, request: Json) -> Json:
        try:
            key = PublicKey(_bytes(request, "signing_key"))
        except RecordError as error:
            raise RequestRefusedError("bad_request", str(error)) from error
        self._desk.enrol(_text(request, "terminal_id"), key, _text(request, "name"))
        return {
            "host_signing_key": base64.b64encode(self._signer.public_key.to_bytes()).decode(),
            "host_sealing_key": base64.b64encode(self._sealing_key).decode(),
        }

    def _authorise(self, terminal_id: str, request: Json) -> Json:
        return _word(self._desk.authorise(terminal_id, _bytes(request, "record")))

    def _query(self, terminal_id: str, request: Json) -> Json:
        _check_same(terminal_id, request)
        return _word(self._desk.query(terminal_id, _text(request, "attempt")))

    def _reverse(self, terminal_id: str, request: Json) -> Json:
        return _word(self._desk.reverse(terminal_id, _bytes(request, "record")))

    def _sync(self, terminal_id: str, request: Json) -> Json:
        _check_same(terminal_id, request)
        records = request.get("records")
        if not isinstance(records, list):
            raise RequestRefusedError("bad_request", "records is missing or no list")
        encoded = [_bytes({"record": record}, "record") for record in records]
        acknowledgement = self._desk.sync(terminal_id, encoded)
        return {"acknowledgement": base64.b64encode(acknowledgement.encode()).decode()}


def _word(word: Attempt) -> Json:
    return {
        "result": word.result,
        "code": word.code,
        "authorisation": word.authorisation,
        "message": word.message,
        "issuer_data": word.issuer_data,
    }


def _signature(request: Request) -> bytes | None:
    """Return the request's signature, or None if it carries nothing that could be one."""
    try:
        signature = base64.b64decode(request.headers.get(SIGNATURE_HEADER, ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    return signature if len(signature) == _ED25519_SIGNATURE_BYTES else None


def _json(body: bytes) -> Json:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError as error:
        raise RequestRefusedError("bad_request", "the body is no JSON") from error
    if not isinstance(value, dict):
        raise RequestRefusedError("bad_request", "the body is no JSON object")
    return value


def _text(request: Json, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise RequestRefusedError("bad_request", f"{name} is missing or no text")
    return value


def _bytes(request: Json, name: str) -> bytes:
    try:
        return base64.b64decode(_text(request, name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestRefusedError("bad_request", f"{name} is not base64") from error


def _check_same(terminal_id: str, request: Json) -> None:
    if _text(request, "terminal_id") != terminal_id:
        raise RequestRefusedError("other_terminal", "the request speaks for another terminal")
