"""A small certificate authority of our own, for hosts on loopback, and wrong certificates for tests.

All keys are EC P-256 and are written with mode 0600. Nothing here is for use outside a simulation:
the authority's key lies beside what it signs.

    files = create(directory)
    TlsServer(app, certificate=files.certificate, key=files.key)      # the client trusts files.ca
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_FOR = timedelta(days=365)
# Clocks on two machines differ: a certificate made this second must be valid on the other one.
_CLOCK_SLACK = timedelta(hours=1)


class Fault(Enum):
    """What is wrong with a server's certificate."""

    OTHER_CA = "signed by an authority that the client does not know"
    EXPIRED = "ran out yesterday"
    WRONG_NAME = "made out to another host"


@dataclass(frozen=True, slots=True)
class Files:
    """Where the PEM files are: what clients trust, and what the server shows."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def create(directory: Path) -> Files:
    """Return the authority and server certificate in *directory*, made there if missing or run out."""
    files = Files(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    ca_key = directory / "ca.key"
    if not all(path.exists() for path in (files.ca, ca_key, files.certificate, files.key)) or _ended(files):
        directory.mkdir(parents=True, exist_ok=True)
        authority = _new_authority()
        _write_public(files.ca, authority.certificate)
        _write_key(ca_key, authority.key)
        _write_server(files, authority)
    return files


def create_wrong(directory: Path, fault: Fault) -> Files:
    """Return a server certificate with that fault, beside those that `create` makes.

    `ca` is still the authority that the client trusts.
    """
    right = create(directory)
    stem = f"wrong-{fault.name.lower().replace('_', '-')}"
    files = Files(right.ca, directory / f"{stem}.pem", directory / f"{stem}.key")
    authority = _new_authority() if fault is Fault.OTHER_CA else _load_authority(directory)
    ends = datetime.now(UTC) - timedelta(days=1) if fault is Fault.EXPIRED else None
    _write_server(files, authority, wrong_name=fault is Fault.WRONG_NAME, ends=ends)
    return files


def _ended(files: Files) -> bool:
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return certificate.not_valid_after_utc < datetime.now(UTC) + _CLOCK_SLACK


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _new_authority() -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Tillside simulated authority")
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Authority(certificate, key)


def _load_authority(directory: Path) -> _Authority:
    key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{directory / 'ca.key'} is not a key of this simulation")
    return _Authority(x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes()), key)


def _write_server(
    files: Files, authority: _Authority, *, wrong_name: bool = False, ends: datetime | None = None
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    if wrong_name:
        names = [x509.DNSName("elsewhere.test")]
    last = ends or datetime.now(UTC) + _VALID_FOR
    public = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("elsewhere.test" if wrong_name else "localhost"))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), last) - _CLOCK_SLACK)
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(public), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    _write_key(files.key, key)
    _write_public(files.certificate, certificate)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_public(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # A file left by an earlier run may have another mode, and the mode below counts only on creation.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(pem)
