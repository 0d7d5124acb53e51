"""HTTP as payments need it: what was certainly not sent is kept apart from what has no answer."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from offline_queue.host import NotSentReason
from terminal.config import ConfigError

CONNECT_S = 3.0
"""For how long a connection may take to be made, in seconds."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""No answer of a host or wallet is longer."""
ANSWER_S = 8.0
"""For how long a host may take to answer, in seconds."""


class NotSentError(Exception):
    """Certainly nothing reached the host. The message says why, in words for a screen."""

    def __init__(self, reason: NotSentReason, detail: str = "") -> None:
        super().__init__(f"{reason.value} ({detail})" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class NoAnswerError(Exception):
    """Something was sent, and no whole answer came back: the result is not known."""


def client(ca_file: Path | None) -> httpx.AsyncClient:
    """Return a client that trusts one certificate authority, or the system's.

    Proxies and certificates in the environment are not looked at: money takes no side roads.
    Raises ConfigError where the authority's file holds none.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise ConfigError(f"{ca_file}: holds no certificate authority ({error})") from error
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    return httpx.AsyncClient(verify=context, timeout=timeout, trust_env=False, follow_redirects=False)


async def send(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
) -> httpx.Response:
    """Send a request and return the whole answer. Raises NotSentError or NoAnswerError.

    The time limit is for the whole answer: one that drips in byte by byte is none.
    """
    try:
        async with asyncio.timeout(CONNECT_S + ANSWER_S):
            return await _exchange(
                http, http.build_request(method, url, content=content, headers=dict(headers))
            )
    except TimeoutError as error:
        raise NoAnswerError("the answer takes too long") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise _not_sent(error) from error
    except (httpx.RequestError, OSError) as error:
        # An answer that can't be unpacked, or TLS that breaks off in the middle, included.
        raise NoAnswerError("no whole answer came back") from error


_PACKING = {b"content-encoding", b"content-length", b"transfer-encoding"}


async def _exchange(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    response = await http.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise NoAnswerError("the answer is too long")
    finally:
        await response.aclose()
    # The body is unpacked already, so what says how it was packed goes.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _PACKING]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)


_NO_HANDSHAKE = (ssl.SSLWantReadError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError)
"""In the chain of causes where the other end was silent or went away before TLS stood."""


def _not_sent(error: BaseException) -> NotSentError:
    silent = isinstance(error, httpx.TimeoutException)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotSentError(NotSentReason.BAD_CERTIFICATE, cause.verify_message)
        if isinstance(cause, _NO_HANDSHAKE):
            silent = True
        elif isinstance(cause, ssl.SSLError):
            return NotSentError(NotSentReason.BAD_CERTIFICATE, "no proper TLS")
        if isinstance(cause, ConnectionRefusedError):
            return NotSentError(NotSentReason.REFUSED_CONNECTION)
        if isinstance(cause, socket.gaierror):
            return NotSentError(NotSentReason.NO_NAME)
        cause = cause.__cause__ or cause.__context__
    return NotSentError(NotSentReason.NO_ANSWER if silent else NotSentReason.NO_NETWORK)
