"""The way to the host, step by step: name, TCP, TLS, certificate, clock, echo, sync.

Nothing is sent before a certificate was checked as a payment would check it. Where the check fails the
certificate is fetched once more without it, to be looked at, and that connection is closed again.
"""

from __future__ import annotations

import base64
import email.utils
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.x509.oid import NameOID

from offline_queue.errors import QueueError, SignatureError
from offline_queue.host import NotSentReason
from offline_queue.signing import answer_message, request_message
from offline_queue.store import Store
from terminal.config import Config, ConfigError
from terminal.diagnostics.apart import apart
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import Enrolment
from terminal.http import ANSWER_S, CONNECT_S, NoAnswerError, NotSentError, client, send

AREA = "network"
NAME_S = 6.0
"""For how long a name may take to be resolved, in seconds."""
SOON_DAYS = 30
"""A certificate that ends within so many days is told of."""
SKEW_NOTED_S = 5.0
"""A clock that is off by more is told of, in seconds. A host's time may be cut to whole seconds."""
SKEW_WRONG_S = 60.0
"""A clock that is off by more is a fault, in seconds: wallets refuse requests, receipts are wrong."""

_SET_CLOCK = "sudo timedatectl set-ntp true; timedatectl shows the clock"
_CABLE = "is the cable in, the Wi-Fi on? nmcli device status"
_PORTAL = "open any page in a browser: does this network want a log-in first (captive portal)?"

# How OpenSSL numbers the ways in which a certificate fails. Source: openssl/x509_vfy.h.
_NOT_YET_VALID, _EXPIRED, _WRONG_NAME, _WRONG_ADDRESS = 9, 10, 62, 64


_STEPS = ("name", "TCP", "TLS", "certificate", "clock", "echo")


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where a way leads. `path` is what is asked for at its end."""

    label: str
    url: str
    ca_file: Path | None
    table: str
    path: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443


class _StepFailed(Exception):
    """A step has failed; its finding is what there is to say."""

    def __init__(self, text: str, cure: str, details: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.text, self.cure, self.details = text, cure, details or {}


async def probe(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield each step as it is done, for the host, then for each other gateway that is configured.

    `Finding.name` is ``host: name``, ``host: TCP``, ``host: TLS``, ``host: certificate``, ``host: clock``,
    ``host: echo``, ``host: sync``, then ``alipay: name`` and so on. After a failed step the rest of that
    way is SKIPPED.

    Args:
        workshop: Whose ways.
        wall_s: The terminal's clock, in seconds since 1970.
    """
    config = workshop.config
    if config is None:
        text = "the configuration can't be used, so the host is not known"
        yield Finding(AREA, "host", Mark.SKIPPED, text, "cure the configuration first")
        return
    async for finding in _way(_host(config), workshop.enrolment, wall_s, enrols=True):
        yield finding
    yield await _sync(workshop)
    if config.alipay is not None:
        path = urlsplit(config.alipay.gateway).path or "/"
        alipay = Gateway("alipay", config.alipay.gateway, config.alipay.ca_file, "[alipay]", path)
        async for finding in _way(alipay, None, wall_s, enrols=False):
            yield finding


async def _way(
    gateway: Gateway, pins: Enrolment | None, wall_s: Callable[[], float], *, enrols: bool
) -> AsyncIterator[Finding]:
    failed = ""
    addresses: list[str] = []
    try:
        started = time.perf_counter()
        addresses = await _resolve(gateway)
        text = (
            f"{gateway.host} is {', '.join(addresses)}"
            if addresses != [gateway.host]
            else "an address, no name"
        )
        yield _ok(gateway, "name", text, started)
    except _StepFailed as fault:
        failed = "name"
        yield _fault(gateway, failed, fault, started)
    if not failed:
        try:
            started = time.perf_counter()
            reached = await apart(
                lambda: _connect(gateway, addresses), timeout_s=_connect_s(addresses), otherwise=""
            )
            if not reached:
                raise _StepFailed(f"port {gateway.port} does not answer", _tcp_cure(gateway))
            yield _ok(gateway, "TCP", f"connected to {reached}, port {gateway.port}", started)
        except _StepFailed as fault:
            failed = "TCP"
            yield _fault(gateway, failed, fault, started)
    if failed:
        for step in _STEPS[_STEPS.index(failed) + 1 :]:
            yield _skipped(gateway, step, failed)
        return
    started = time.perf_counter()
    shake = await apart(
        lambda: _handshake(gateway, addresses), timeout_s=_connect_s(addresses) + ANSWER_S, otherwise=_SILENT
    )
    if shake.fault is None:
        yield _ok(gateway, "TLS", f"{shake.version}, the certificate's chain and name are right", started)
    else:
        failed = "TLS"
        yield _fault(gateway, failed, shake.fault, started)
    if shake.certificate:
        yield _certificate(gateway, shake.certificate, wall_s())
    else:
        yield _skipped(gateway, "certificate", "TLS")
    if failed:
        for step in ("clock", "echo"):
            yield _skipped(gateway, step, failed)
        return
    for finding in await _ask(gateway, pins, wall_s, enrols=enrols):
        yield finding


async def host_certificate(config: Config) -> bytes:
    """Return the certificate that the host shows, DER, right or wrong; empty where there is none."""
    gateway = _host(config)
    try:
        addresses = await _resolve(gateway)
    except _StepFailed:
        return b""
    wait_s = _connect_s(addresses) + ANSWER_S
    return await apart(lambda: _unchecked(gateway, addresses), timeout_s=wait_s, otherwise=b"")


def _host(config: Config) -> Gateway:
    return Gateway("host", config.host.url, config.host.ca_file, "[host]", "/v1/echo")


# --- name and TCP ---------------------------------------------------------------------------------


async def _resolve(gateway: Gateway) -> list[str]:
    def resolve() -> list[str]:
        found = socket.getaddrinfo(gateway.host, gateway.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    nothing: list[str] = []
    try:
        addresses = await apart(resolve, timeout_s=NAME_S, otherwise=nothing)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise _StepFailed(
                f"no name server answers that knows {gateway.host}", f"{_CABLE}; then: resolvectl status"
            ) from error
        raise _StepFailed(
            f"the network knows no name {gateway.host}",
            f"is the url under {gateway.table} right? resolvectl query {gateway.host}",
        ) from error
    except (OSError, UnicodeError) as error:
        raise _StepFailed(f"{gateway.host}: {error}", f"is the url under {gateway.table} right?") from error
    if not addresses:
        raise _StepFailed(f"no name server answers within {NAME_S:g} s", f"{_CABLE}; then: resolvectl status")
    return addresses


def _connect_s(addresses: list[str]) -> float:
    return CONNECT_S * len(addresses) + 1.0


def _connect(gateway: Gateway, addresses: list[str]) -> str:
    """Return the first address that accepts a connection. Raises _StepFailed."""
    with _open(gateway, addresses) as line:
        return str(line.getpeername()[0])


def _open(gateway: Gateway, addresses: list[str]) -> socket.socket:
    fault: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, gateway.port), timeout=CONNECT_S)
        except OSError as error:
            fault = error
    if isinstance(fault, ConnectionRefusedError):
        text = f"port {gateway.port} refuses connections"
        cure = f"is the port in the url under {gateway.table} right? If so, tell the host's operator"
    elif isinstance(fault, TimeoutError):
        text, cure = f"port {gateway.port} does not answer within {CONNECT_S:g} s", _tcp_cure(gateway)
    else:
        text, cure = f"no way to it ({fault.strerror or fault})", _CABLE
    raise _StepFailed(text, cure) from fault


def _tcp_cure(gateway: Gateway) -> str:
    return f"{_CABLE}; does a firewall here or on the way keep port {gateway.port} shut?"


# --- TLS and certificate --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Handshake:
    """What came of a handshake: the certificate, DER, also where it is not to be trusted."""

    version: str
    certificate: bytes
    fault: _StepFailed | None


_SILENT = _Handshake("", b"", _StepFailed("the other end is silent", _PORTAL))


def _handshake(gateway: Gateway, addresses: list[str]) -> _Handshake:
    try:
        context = ssl.create_default_context(cafile=str(gateway.ca_file) if gateway.ca_file else None)
    except OSError as error:
        text = f"{gateway.ca_file} holds no certificate authority ({error.strerror or error})"
        return _Handshake(
            "",
            b"",
            _StepFailed(text, f"put the host's authority, PEM, where ca_file under {gateway.table} says"),
        )
    try:
        version, certificate = _shake(gateway, addresses, context)
        return _Handshake(version, certificate, None)
    except ssl.SSLCertVerificationError as error:
        fault = _explain(gateway, error)
    except ssl.SSLEOFError:
        return _Handshake("", b"", _StepFailed("the other end hangs up before TLS stands", _PORTAL))
    except ssl.SSLError as error:
        text = f"what answers there speaks no proper TLS ({error.reason or error})"
        return _Handshake(
            "", b"", _StepFailed(text, f"is the url under {gateway.table} right? If it is: {_PORTAL}")
        )
    except TimeoutError:
        return _SILENT
    except _StepFailed as failed:
        return _Handshake("", b"", failed)
    except OSError as error:
        text = f"the connection breaks off ({error.strerror or error})"
        return _Handshake("", b"", _StepFailed(text, _PORTAL))
    return _Handshake("", _unchecked(gateway, addresses), fault)


def _shake(gateway: Gateway, addresses: list[str], context: ssl.SSLContext) -> tuple[str, bytes]:
    with _open(gateway, addresses) as line:
        line.settimeout(ANSWER_S)
        with context.wrap_socket(line, server_hostname=gateway.host) as tls:
            return tls.version() or "", tls.getpeercert(binary_form=True) or b""


def _unchecked(gateway: Gateway, addresses: list[str]) -> bytes:
    """Fetch a certificate that is not to be trusted, to say what is wrong with it. Nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return _shake(gateway, addresses, context)[1]
    except (OSError, _StepFailed):
        return b""


def _explain(gateway: Gateway, error: ssl.SSLCertVerificationError) -> _StepFailed:
    if error.verify_code == _EXPIRED:
        cure = f"is this terminal's date right? {_SET_CLOCK}. If it is, tell the host's operator"
        return _StepFailed("the certificate, or one above it, has expired", cure)
    if error.verify_code == _NOT_YET_VALID:
        return _StepFailed("the certificate is not valid yet by this terminal's clock", _SET_CLOCK)
    if error.verify_code in (_WRONG_NAME, _WRONG_ADDRESS):
        cure = f"is the url under {gateway.table} right? If it is: {_PORTAL}"
        return _StepFailed(f"the certificate is made out to another than {gateway.host}", cure)
    trusted = f"{gateway.ca_file}" if gateway.ca_file else "the system's authorities"
    cure = f"{_PORTAL} If not: ca_file under {gateway.table} has to name the host's authority"
    return _StepFailed(f"the certificate does not come from {trusted} ({error.verify_message})", cure)


def _certificate(gateway: Gateway, der: bytes, now_s: float) -> Finding:
    name = f"{gateway.label}: certificate"
    try:
        found = describe_certificate(x509.load_der_x509_certificate(der), now_s)
    except ValueError as error:
        cure = "tell the host's operator"
        return Finding(AREA, name, Mark.FAULT, f"it can't be read ({error})", cure)
    return replace(found, area=AREA, name=name)


def describe_certificate(certificate: x509.Certificate, now_s: float) -> Finding:
    """Return what there is to say of a certificate: for whom, by whom, until when."""
    now = datetime.fromtimestamp(now_s, UTC)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    days = (ends - now).days
    subject, issuer = _common_name(certificate.subject), _common_name(certificate.issuer)
    details = {
        "made out to": subject,
        "names": ", ".join(_names(certificate)),
        "issued by": issuer,
        "valid from": f"{begins:%Y-%m-%d %H:%M} UTC",
        "valid until": f"{ends:%Y-%m-%d %H:%M} UTC",
        "days left": str(days),
    }
    if now >= ends:
        text, mark = f"expired on {ends:%Y-%m-%d}", Mark.FAULT
        cure = f"if this terminal's date is right, tell the host's operator; else: {_SET_CLOCK}"
    elif now < begins:
        text, mark, cure = f"counts from {begins:%Y-%m-%d} on, by this clock not yet", Mark.FAULT, _SET_CLOCK
    elif days < SOON_DAYS:
        text, mark = f"ends on {ends:%Y-%m-%d}, in {days} days", Mark.WARNING
        cure = "tell the host's operator that it has to be renewed"
    else:
        text, mark, cure = f"counts until {ends:%Y-%m-%d}, {days} days", Mark.OK, ""
    return Finding("", "", mark, f"{subject}, by {issuer}: {text}", cure, details=details)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or list(name)
    return str(found[0].value) if found else "nobody"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)]


# --- clock and echo -------------------------------------------------------------------------------


async def _ask(
    gateway: Gateway, pins: Enrolment | None, wall_s: Callable[[], float], *, enrols: bool
) -> tuple[Finding, ...]:
    """Ask the other end for a sign of life; return the findings on clock and echo."""
    started, at = time.perf_counter(), wall_s()
    parts = urlsplit(gateway.url)
    headers, signature = _signed(gateway, pins, at)
    try:
        async with client(gateway.ca_file) as http:
            url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') if enrols else ''}{gateway.path}"
            response = await send(http, "GET", url, content=b"", headers=headers)
    except (NotSentError, NoAnswerError, ConfigError) as error:
        went = error.reason is NotSentReason.NO_ANSWER if isinstance(error, NotSentError) else True
        fault = _StepFailed(
            f"no answer: {error}", "try once more; if it stays, tell the host's operator" if went else _CABLE
        )
        return _skipped(gateway, "clock", "echo"), _fault(gateway, "echo", fault, started)
    took_s = time.perf_counter() - started
    echo, is_host = _echo(gateway, pins, response, signature, started, enrols=enrols)
    return _clock(gateway, response, at + took_s / 2, signed=is_host), echo


def _signed(gateway: Gateway, pins: Enrolment | None, at: float) -> tuple[dict[str, str], bytes]:
    """Return the headers of a request that the terminal signs, where it can."""
    if pins is None:
        return {}, b""
    stamp = str(int(at * 1e9))
    signature = pins.key.sign(request_message("GET", gateway.path, stamp, b""))
    return {
        "Tillside-Terminal": pins.terminal_id,
        "Tillside-Time": stamp,
        "Tillside-Signature": base64.b64encode(signature).decode(),
    }, signature


def _echo(
    gateway: Gateway,
    pins: Enrolment | None,
    response: httpx.Response,
    signature: bytes,
    started: float,
    *,
    enrols: bool,
) -> tuple[Finding, bool]:
    """Return the finding, and whether the answer is the host's own for certain."""
    details = {"status": str(response.status_code)}
    if not enrols:
        return _ok(gateway, "echo", f"answers (status {response.status_code})", started, details), False
    if _is_page(response):
        text = "a web page answers in the host's place: a captive portal, most likely"
        return _fault(gateway, "echo", _StepFailed(text, _PORTAL, details), started), False
    told = response.headers.get("Tillside-Signature", "")
    if pins is None:
        text = "something answers; without keys it can't be told whether it is the host"
        return (
            Finding(
                AREA,
                f"{gateway.label}: echo",
                Mark.WARNING,
                text,
                "tillside enrol",
                _ms(started),
                details,
            ),
            False,
        )
    if not told:
        text = f"the answer (status {response.status_code}) is not signed: it is not from the host"
        cure = f"is the url under {gateway.table} right? If it is: {_PORTAL}"
        return _fault(gateway, "echo", _StepFailed(text, cure, details), started), False
    try:
        message = answer_message(signature, response.content)
        pins.host_key.verify(base64.b64decode(told, validate=True), message)
    except (ValueError, SignatureError):
        text = f"the answer is signed, but not by the host's key that is pinned here ({pins.host_key.key_id})"
        cure = "was the host replaced? Ask its operator for its key's id before enrolling anew"
        return _fault(gateway, "echo", _StepFailed(text, cure, details), started), False
    if response.status_code != httpx.codes.OK:
        text = f"the host refuses: {_fields(response).get('error', response.status_code)}"
        cure = "tell the host's operator"
        return _fault(gateway, "echo", _StepFailed(text, cure, details), started), True
    return _ok(gateway, "echo", "the host answers, signed by its key", started, details), True


def _is_page(response: httpx.Response) -> bool:
    kind = response.headers.get("Content-Type", "").lower()
    return response.is_redirect or "html" in kind or response.content.lstrip()[:1] == b"<"


def _clock(gateway: Gateway, response: httpx.Response, middle_s: float, *, signed: bool) -> Finding:
    name = f"{gateway.label}: clock"
    host_s, from_where = _time_of(response, signed=signed)
    if host_s is None:
        return Finding(AREA, name, Mark.NOTE, "the answer tells no time to compare with", details={})
    skew = middle_s - host_s
    way = "ahead of" if skew > 0 else "behind"
    text = f"this clock is {abs(skew):.1f} s {way} the other end's ({from_where})"
    details = {"skew in seconds": f"{skew:.1f}", "time from": from_where}
    if abs(skew) > SKEW_NOTED_S:
        mark = Mark.FAULT if abs(skew) > SKEW_WRONG_S else Mark.WARNING
        return Finding(AREA, name, mark, text, _SET_CLOCK, details=details)
    return Finding(AREA, name, Mark.OK, text, details=details)


def _time_of(response: httpx.Response, *, signed: bool) -> tuple[float | None, str]:
    """Return what time the other end has, and whether its signature covers it."""
    told = _fields(response).get("time_ms")
    if isinstance(told, int):
        return told / 1000, "signed by the host" if signed else "in the answer, not signed"
    try:
        date = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        # The header is cut to whole seconds; on the average half a second is missing.
        return date.timestamp() + 0.5, "header Date, not signed"
    except (ValueError, OverflowError):
        return None, ""


def _fields(response: httpx.Response) -> dict[str, Any]:
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


# --- sync -----------------------------------------------------------------------------------------


async def _sync(workshop: Workshop) -> Finding:
    name = "host: sync"
    if workshop.store is None:
        return Finding(AREA, name, Mark.SKIPPED, workshop.store_fault or "the queue is not open")
    started = time.perf_counter()
    try:
        status = await workshop.store.call(Store.status)
        through = status.sequence - status.unsent
        last = await workshop.store.call(lambda store: store.record(through)) if through > 0 else None
    except QueueError as error:
        return Finding(AREA, name, Mark.FAULT, str(error), "see the queue's own findings")
    when = f", of {datetime.fromtimestamp(last.time_ms / 1000).astimezone():%Y-%m-%d %H:%M}" if last else ""
    held = (
        f"the host has acknowledged all up to record {through}{when}"
        if through
        else "nothing is acknowledged yet"
    )
    details = {"waits": str(status.unsent), "acknowledged through": str(through)}
    if workshop.delivery is not None and workshop.delivery.alarm:
        text = f"delivery has stopped: {workshop.delivery.alarm}"
        cure = "the host refused for good: tell its operator, with a support bundle"
        return Finding(AREA, name, Mark.FAULT, text, cure, _ms(started), details)
    if status.unsent:
        text, cure = f"{status.unsent} records wait; {held}", "once the echo works: tillside queue sync"
        return Finding(AREA, name, Mark.WARNING, text, cure, _ms(started), details)
    return Finding(AREA, name, Mark.OK, f"nothing waits; {held}", "", _ms(started), details)


# --- findings -------------------------------------------------------------------------------------


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _ok(
    gateway: Gateway, step: str, text: str, started: float, details: dict[str, str] | None = None
) -> Finding:
    return Finding(
        AREA, f"{gateway.label}: {step}", Mark.OK, text, took_ms=_ms(started), details=details or {}
    )


def _fault(gateway: Gateway, step: str, fault: _StepFailed, started: float) -> Finding:
    return Finding(
        AREA, f"{gateway.label}: {step}", Mark.FAULT, fault.text, fault.cure, _ms(started), fault.details
    )


def _skipped(gateway: Gateway, step: str, failed: str) -> Finding:
    return Finding(AREA, f"{gateway.label}: {step}", Mark.SKIPPED, f"{failed} failed")
