"""HTTP as payments need it: what was certainly not sent is kept apart from what has no answer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

CONNECT_S = 3.0
"""For how long a connection may take to be made, in seconds."""
ANSWER_S = 8.0
"""For how long a host may take to answer, in seconds."""


class NotSentError(Exception):
    """Certainly nothing reached the host. The message says why, in words for a screen."""


class NoAnswerError(Exception):
    """Something was sent, and no whole answer came back: the result is not known."""


def client(ca_file: Path | None) -> httpx.AsyncClient:
    """Return a client that trusts one certificate authority, or the system's.

    Proxies and certificates in the environment are not looked at: money takes no side roads.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    return httpx.AsyncClient(verify=context, timeout=timeout, trust_env=False, follow_redirects=False)


async def post(
    http: httpx.AsyncClient,
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
) -> httpx.Response:
    """Send a request and return the whole answer. Raises NotSentError or NoAnswerError."""
    try:
        return await http.post(url, content=content, headers=dict(headers))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSentError(_why(error)) from error
    except httpx.TransportError as error:
        raise NoAnswerError("no answer came back") from error


def _why(error: BaseException) -> str:
    """Return the reason that a connection could not be made, in words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS as it should"
        if isinstance(cause, ConnectionRefusedError):
            return "it refuses connections"
        cause = cause.__cause__ or cause.__context__
    if "Name or service not known" in str(error) or "name resolution" in str(error):
        return "its name is not known on this network"
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer"
    return "it can't be reached"
