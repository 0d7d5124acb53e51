"""A certificate in words: for whom, by whom, until when."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from terminal.diagnostics.finding import Finding, Mark

SOON_DAYS = 30
"""A certificate that ends within so many days is told of."""
SET_CLOCK = "sudo timedatectl set-ntp true; timedatectl shows the clock"
"""What cures a clock that is wrong."""


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
        cure = f"if this terminal's date is right, tell the host's operator; else: {SET_CLOCK}"
    elif now < begins:
        text, mark, cure = f"valid from {begins:%Y-%m-%d} on, by this clock not yet", Mark.FAULT, SET_CLOCK
    elif days < SOON_DAYS:
        text, mark = f"ends on {ends:%Y-%m-%d}, in {days} days", Mark.WARNING
        cure = "tell the host's operator that it has to be renewed"
    else:
        text, mark, cure = f"valid until {ends:%Y-%m-%d}, {days} days", Mark.OK, ""
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
