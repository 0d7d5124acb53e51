"""The first steps to a host: its name, TCP, TLS, each in a thread of its own and with an end.

A certificate is checked as a payment would check it. Where that fails it is fetched once more without the
check, to be looked at; nothing is sent there.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from terminal.diagnostics.apart import apart
from terminal.diagnostics.certificates import SET_CLOCK
from terminal.diagnostics.steps import CABLE, PORTAL, Gateway, StepFailed
from terminal.http import ANSWER_S, CONNECT_S

NAME_S = 6.0
"""For how long a name may take to be resolved, in seconds."""

# How OpenSSL numbers the ways in which a certificate fails. Source: openssl/x509_vfy.h.
_NOT_YET_VALID, _EXPIRED, _WRONG_NAME, _WRONG_ADDRESS = 9, 10, 62, 64


async def resolve(gateway: Gateway) -> list[str]:
    """Return the addresses of a host's name. Raises StepFailed."""

    def resolve() -> list[str]:
        found = socket.getaddrinfo(gateway.host, gateway.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    nothing: list[str] = []
    try:
        addresses = await apart(resolve, timeout_s=NAME_S, otherwise=nothing)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise StepFailed(
                f"no name server answers that knows {gateway.host}", f"{CABLE}; then: resolvectl status"
            ) from error
        raise StepFailed(
            f"the network knows no name {gateway.host}",
            f"is the url under {gateway.table} right? resolvectl query {gateway.host}",
        ) from error
    except (OSError, UnicodeError) as error:
        raise StepFailed(f"{gateway.host}: {error}", f"is the url under {gateway.table} right?") from error
    if not addresses:
        raise StepFailed(f"no name server answers within {NAME_S:g} s", f"{CABLE}; then: resolvectl status")
    return addresses


async def connect(gateway: Gateway, addresses: list[str]) -> str:
    """Return the first address that accepts a connection. Raises StepFailed."""

    def connecting() -> str:
        with _open(gateway, addresses) as line:
            return str(line.getpeername()[0])

    reached = await apart(connecting, timeout_s=_connect_s(addresses), otherwise="")
    if not reached:
        raise StepFailed(f"port {gateway.port} does not answer", _tcp_cure(gateway))
    return reached


async def handshake(gateway: Gateway, addresses: list[str]) -> Handshake:
    """Make a TLS connection as a payment would, and close it again."""
    wait_s = 2 * (_connect_s(addresses) + ANSWER_S)
    return await apart(lambda: _handshake(gateway, addresses), timeout_s=wait_s, otherwise=_SILENT)


async def shown_certificate(gateway: Gateway, addresses: list[str]) -> bytes:
    """Return the certificate that is shown, DER, right or wrong; empty where there is none."""
    wait_s = _connect_s(addresses) + ANSWER_S
    return await apart(lambda: _unchecked(gateway, addresses), timeout_s=wait_s, otherwise=b"")


def _connect_s(addresses: list[str]) -> float:
    return CONNECT_S * len(addresses) + 1.0


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
        text, cure = f"no way to it ({fault.strerror or fault})", CABLE
    raise StepFailed(text, cure) from fault


def _tcp_cure(gateway: Gateway) -> str:
    return f"{CABLE}; does a firewall here or on the way keep port {gateway.port} shut?"


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came of a handshake: the certificate, DER, also where it is not to be trusted."""

    version: str
    certificate: bytes
    fault: StepFailed | None


_SILENT = Handshake("", b"", StepFailed("the other end is silent", PORTAL))


def _handshake(gateway: Gateway, addresses: list[str]) -> Handshake:
    try:
        context = ssl.create_default_context(cafile=str(gateway.ca_file) if gateway.ca_file else None)
    except OSError as error:
        text = f"{gateway.ca_file} holds no certificate authority ({error.strerror or error})"
        return Handshake(
            "",
            b"",
            StepFailed(text, f"put the host's authority, PEM, where ca_file under {gateway.table} says"),
        )
    try:
        version, certificate = _shake(gateway, addresses, context)
        return Handshake(version, certificate, None)
    except ssl.SSLCertVerificationError as error:
        fault = _explain(gateway, error)
    except ssl.SSLEOFError:
        return Handshake("", b"", StepFailed("the other end hangs up before TLS stands", PORTAL))
    except ssl.SSLError as error:
        text = f"what answers there speaks no proper TLS ({error.reason or error})"
        return Handshake(
            "", b"", StepFailed(text, f"is the url under {gateway.table} right? If it is: {PORTAL}")
        )
    except TimeoutError:
        return _SILENT
    except StepFailed as failed:
        return Handshake("", b"", failed)
    except OSError as error:
        text = f"the connection breaks off ({error.strerror or error})"
        return Handshake("", b"", StepFailed(text, PORTAL))
    return Handshake("", _unchecked(gateway, addresses), fault)


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
    except (OSError, StepFailed):
        return b""


def _explain(gateway: Gateway, error: ssl.SSLCertVerificationError) -> StepFailed:
    if error.verify_code == _EXPIRED:
        cure = f"is this terminal's date right? {SET_CLOCK}. If it is, tell the host's operator"
        return StepFailed("the certificate, or one above it, has expired", cure)
    if error.verify_code == _NOT_YET_VALID:
        return StepFailed("the certificate is not valid yet by this terminal's clock", SET_CLOCK)
    if error.verify_code in (_WRONG_NAME, _WRONG_ADDRESS):
        cure = f"is the url under {gateway.table} right? If it is: {PORTAL}"
        return StepFailed(f"the certificate is made out to another than {gateway.host}", cure)
    trusted = f"{gateway.ca_file}" if gateway.ca_file else "the system's authorities"
    cure = f"{PORTAL} If not: ca_file under {gateway.table} has to name the host's authority"
    return StepFailed(f"the certificate does not come from {trusted} ({error.verify_message})", cure)
