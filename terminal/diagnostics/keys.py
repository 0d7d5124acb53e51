"""Keys and certificates with their end dates. Only fingerprints are told: the start of a SHA-256."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from emv.capk import CaKey, CaKeys, parse_ca_keys
from offline_queue.errors import RecordError
from offline_queue.signing import PublicKey, SigningKey
from terminal.config import AlipayConfig, Config
from terminal.diagnostics.certificates import describe_certificate
from terminal.diagnostics.finding import Finding, Mark
from terminal.diagnostics.network import host_certificate
from terminal.diagnostics.workshop import Workshop
from terminal.enrolment import KEY_FILE, PINS_FILE
from terminal.home import option

AREA = "keys"
FINGERPRINT_DIGITS = 16
"""How much of a key's SHA-256 is told: as much as a key's id in records."""
SOON_DAYS = 90
"""A scheme's key that expires within so many days is told of."""


async def probe(workshop: Workshop, *, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Finding]:
    """Yield terminal key, host's keys, host's certificate, authorities, scheme keys, wallet keys.

    Args:
        workshop: Whose keys.
        wall_s: The terminal's clock, in seconds since 1970.
    """
    enrol = f"tillside enrol{option(workshop.home)}"
    yield _terminal_key(workshop.home / KEY_FILE, enrol)
    for finding in _pinned(workshop.home / PINS_FILE, enrol):
        yield finding
    config = workshop.config
    if config is None:
        yield Finding(AREA, "configured keys", Mark.SKIPPED, "the configuration can't be used")
        return
    yield await _host_certificate(config, wall_s())
    if config.host.ca_file is not None:
        for finding in _authorities("[host] ca_file", config.host.ca_file, wall_s()):
            yield finding
    for finding in _scheme_keys(config, datetime.fromtimestamp(wall_s(), UTC).date()):
        yield finding
    if config.alipay is not None:
        for finding in _alipay(config.alipay, wall_s()):
            yield finding


def _terminal_key(file: Path, enrol: str) -> Finding:
    name = "terminal key"
    try:
        key = SigningKey.load(file)
    except FileNotFoundError:
        return Finding(AREA, name, Mark.FAULT, "there is none: this terminal is not enrolled", enrol)
    except (OSError, RecordError) as error:
        return Finding(AREA, name, Mark.FAULT, str(error), f"chmod 600 {file}, if it is a right key")
    made = _day(file)
    return Finding(
        AREA,
        name,
        Mark.OK,
        f"Ed25519 {key.key_id}, in {file.name} since {made}",
        details={"fingerprint": key.key_id, "file": str(file), "written": made, "ends": "never"},
    )


def _pinned(file: Path, enrol: str) -> Iterator[Finding]:
    """Yield the host's keys as they are pinned: the one that signs, and the one that is sealed to."""
    try:
        pins = json.loads(file.read_bytes())
        signing = PublicKey(base64.b64decode(pins["host_signing_key"], validate=True)).key_id
        sealing = _fingerprint(base64.b64decode(pins["host_sealing_key"], validate=True))
    except FileNotFoundError:
        yield Finding(AREA, "host's keys", Mark.FAULT, "none are pinned", enrol)
        return
    except (OSError, ValueError, KeyError, TypeError, RecordError) as error:
        cure = f"move {file} away, then: {enrol}"
        yield Finding(AREA, "host's keys", Mark.FAULT, f"{file} can't be used ({error})", cure)
        return
    since = _day(file)
    for what, fingerprint in (("signing", signing), ("sealing", sealing)):
        details = {"fingerprint": fingerprint, "pinned": since, "ends": "never"}
        text = f"{fingerprint}, pinned on {since}"
        yield Finding(AREA, f"host's {what} key", Mark.OK, text, details=details)


async def _host_certificate(config: Config, now_s: float) -> Finding:
    name = "host's certificate"
    der = await host_certificate(config)
    if not der:
        return Finding(AREA, name, Mark.SKIPPED, "the host can't be reached; the network's steps say why")
    return _certificate(name, x509.load_der_x509_certificate(der), now_s)


def _certificate(name: str, certificate: x509.Certificate, now_s: float) -> Finding:
    found = describe_certificate(certificate, now_s)
    fingerprint = _fingerprint(certificate.public_bytes(Encoding.DER))
    return replace(found, area=AREA, name=name, details={**found.details, "fingerprint": fingerprint})


def _authorities(name: str, file: Path, now_s: float) -> Iterator[Finding]:
    try:
        ssl.create_default_context(cafile=str(file))
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:  # SSLError is an OSError
        why = f"{file} holds no certificate authority ({error})"
        yield Finding(AREA, name, Mark.FAULT, why, f"put the authority's certificate, PEM, into {file}")
        return
    for certificate in found:
        yield _certificate(name, certificate, now_s)


# --- scheme keys ----------------------------------------------------------------------------------


def _scheme_keys(config: Config, today: date) -> Iterator[Finding]:
    name, file = "scheme keys", config.cards.ca_keys
    if file is None:
        text = "[cards] ca_keys is not set: no card is authenticated, none approved offline"
        yield Finding(AREA, name, Mark.NOTE, text, "name the schemes' public keys there")
        return
    try:
        keys = parse_ca_keys(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        yield Finding(
            AREA, name, Mark.FAULT, f"{file}: {error}", "get the file anew from where it is published"
        )
        return
    yield from _expiring(keys, today)
    counted = _counted(keys, today)
    text = ", ".join(f"{count} {words}" for words, count in counted.items() if count)
    details = {key.name: _until(key) for key in keys}
    yield Finding(AREA, name, Mark.OK if keys else Mark.WARNING, text or "none", details=details)
    if keys.left_out:
        details = {str(number): line for number, line in enumerate(keys.left_out, 1)}
        text = f"{len(keys.left_out)} entries of {file.name} are not taken"
        yield Finding(AREA, "scheme keys left out", Mark.NOTE, text, details=details)


def _expiring(keys: CaKeys, today: date) -> Iterator[Finding]:
    """Yield one line for all that have ended, and one for all that end soon."""
    cure = "get the schemes' present keys, and name the file under [cards] ca_keys"
    ends = [(key.name, key.expiry) for key in keys if key.expiry is not None]
    ended = [(name, end) for name, end in ends if end < today]
    ending = [(name, end) for name, end in ends if today <= end < today + timedelta(days=SOON_DAYS)]
    for what, found, comes in (
        ("expired", ended, "their cards are not authenticated"),
        ("ending", ending, f"each within {SOON_DAYS} days"),
    ):
        if found:
            told = ", ".join(f"{name} on {end}" for name, end in found)
            yield Finding(AREA, f"scheme keys {what}", Mark.WARNING, f"{told}: {comes}", cure)


def _counted(keys: CaKeys, today: date) -> dict[str, int]:
    ends = [key.expiry for key in keys]
    return {
        "keys valid": sum(1 for end in ends if end is None or end >= today),
        "expired": sum(1 for end in ends if end is not None and end < today),
        "without an end": sum(1 for end in ends if end is None),
    }


def _until(key: CaKey) -> str:
    return f"until {key.expiry}" if key.expiry else "no end is set"


# --- wallets --------------------------------------------------------------------------------------


def _alipay(alipay: AlipayConfig, now_s: float) -> Iterator[Finding]:
    yield _merchant_key(alipay.key_file)
    name = "alipay: Alipay's public key"
    try:
        key = load_pem_public_key(alipay.alipay_key_file.read_bytes())
    except (OSError, ValueError) as error:
        cure = "copy Alipay's public key anew from its console, PEM"
        yield Finding(AREA, name, Mark.FAULT, f"{alipay.alipay_key_file}: {error}", cure)
    else:
        yield _rsa(name, key)
    if alipay.ca_file is not None:
        yield from _authorities("[alipay] ca_file", alipay.ca_file, now_s)


def _merchant_key(file: Path) -> Finding:
    name = "alipay: the merchant's key"
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        # What the library says of a key file could quote it; its class is enough.
        why = (
            f"{file} can't be used ({error.strerror if isinstance(error, OSError) else type(error).__name__})"
        )
        return Finding(
            AREA, name, Mark.FAULT, why, "put the merchant's RSA key there, PEM, without a password"
        )
    if mode & 0o077:
        return Finding(AREA, name, Mark.FAULT, f"others may read {file}", f"chmod 600 {file}")
    return _rsa(name, key.public_key())


def _rsa(name: str, key: object) -> Finding:
    if not isinstance(key, RSAPublicKey):
        return Finding(AREA, name, Mark.FAULT, "it is no RSA key", "Alipay takes RSA keys only (RSA2)")
    fingerprint = _fingerprint(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    details = {"fingerprint": fingerprint, "ends": "never"}
    return Finding(AREA, name, Mark.OK, f"RSA {key.key_size} bits, {fingerprint}", details=details)


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:FINGERPRINT_DIGITS]


def _day(file: Path) -> str:
    return f"{datetime.fromtimestamp(file.stat().st_mtime).astimezone():%Y-%m-%d}"
