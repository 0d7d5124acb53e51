"""The small authority: what OpenSSL says of its certificates."""

import ssl
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from simulators.hosts import certificates
from simulators.hosts.certificates import Fault, Files
from simulators.hosts.server import TlsServer


def get(files: Files, host: str = "localhost") -> httpx.Response:
    trust = ssl.create_default_context(cafile=str(files.ca))
    with TlsServer(Starlette(), certificate=files.certificate, key=files.key) as server:
        with httpx.Client(verify=trust, timeout=10) as client:
            return client.get(f"https://{host}:{server.port}/")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_accepts_the_server(tmp_path: Path, host: str) -> None:
    assert get(certificates.create(tmp_path), host).status_code == 404


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault.OTHER_CA, "unable to get local issuer|certificate signature failure|self-signed"),
        (Fault.EXPIRED, "certificate has expired"),
        (Fault.WRONG_NAME, "Hostname mismatch"),
    ],
)
def test_wrong_certificates_are_refused_for_their_own_fault(
    tmp_path: Path, fault: Fault, verdict: str
) -> None:
    with pytest.raises(httpx.ConnectError, match=verdict):
        get(certificates.create_wrong(tmp_path, fault))


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    certificates.create(tmp_path / "new" / "folder")
    certificates.create_wrong(tmp_path / "new" / "folder", Fault.EXPIRED)
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) == 3
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_a_second_call_keeps_what_is_there(tmp_path: Path) -> None:
    first = certificates.create(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert certificates.create(tmp_path) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_certificate_that_ran_out_is_made_anew(tmp_path: Path) -> None:
    files = certificates.create(tmp_path)
    expired = certificates.create_wrong(tmp_path, Fault.EXPIRED)
    expired.certificate.replace(files.certificate)
    expired.key.replace(files.key)
    assert get(certificates.create(tmp_path)).status_code == 404
