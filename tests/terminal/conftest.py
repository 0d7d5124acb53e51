"""A terminal's home, its host and its wallet, all real and on loopback.

The terminal reaches the host and the wallet through gates, so that a test can cut either network.
Start from `config` and change it with `dataclasses.replace`; no device is configured.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from offline_queue.store import Store
from simulators.faults import TcpGate
from simulators.hosts import alipay_signing
from simulators.hosts import certificates as authority
from simulators.hosts.alipay import AlipayHost
from simulators.hosts.host import Host
from simulators.hosts.server import TlsServer
from terminal import enrolment
from terminal.config import Config, load
from terminal.enrolment import Enrolment
from terminal.home import CONFIG_FILE
from terminal.host_client import HttpHost
from terminal.http import client
from tests.terminal.counter_shop import Shop
from tests.terminal.shop import ALIPAY_CONFIG, APP_ID, CONFIG, TERMINAL_ID, AlipayWorld, issuer


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> authority.Files:
    """The authority that terminals trust, and the certificate of every host."""
    return authority.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def rsa_keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Alipay's key and the merchant's."""
    return alipay_signing.new_key(), alipay_signing.new_key()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A terminal's home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def host(certificates: authority.Files) -> Iterator[Host]:
    """A host with empty books; see `tests.terminal.shop.issuer` for whom it asks."""
    with Host(certificate=certificates.certificate, key=certificates.key, issuer=issuer) as running:
        yield running


@pytest.fixture
def gate(host: Host) -> Iterator[TcpGate]:
    """The network between the terminal and `host`."""
    with TcpGate(host.port) as running:
        yield running


@pytest.fixture
def alipay(
    tmp_path: Path,
    certificates: authority.Files,
    rsa_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
) -> Iterator[AlipayWorld]:
    """A simulated Alipay behind a gate, where this shop is registered."""
    alipay_key, merchant_key = rsa_keys
    wallet = AlipayHost(key=alipay_key)
    wallet.register(APP_ID, alipay_signing.public_pem(merchant_key))
    key_file, alipay_key_file = tmp_path / "merchant.pem", tmp_path / "alipay.pem"
    key_file.write_text(alipay_signing.private_pem(merchant_key))
    os.chmod(key_file, 0o600)
    alipay_key_file.write_text(wallet.public_key_pem)
    with TlsServer(wallet.app, certificate=certificates.certificate, key=certificates.key) as server:
        with TcpGate(server.port) as running:
            yield AlipayWorld(wallet, running, key_file, alipay_key_file)


@pytest.fixture
def config(home: Path, gate: TcpGate, certificates: authority.Files) -> Config:
    """The configuration of a terminal without devices and wallets, as its file says it."""
    text = CONFIG.format(terminal=TERMINAL_ID, host=f"https://127.0.0.1:{gate.port}", ca=certificates.ca)
    (home / CONFIG_FILE).write_text(text, "utf-8")
    return load(home / CONFIG_FILE)


@pytest.fixture
def alipay_config(config: Config, home: Path, alipay: AlipayWorld, certificates: authority.Files) -> Config:
    """The same with Alipay."""
    file = home / CONFIG_FILE
    text = ALIPAY_CONFIG.format(
        gateway=alipay.url,
        app=APP_ID,
        key=alipay.key_file,
        alipay_key=alipay.alipay_key_file,
        ca=certificates.ca,
    )
    file.write_text(file.read_text("utf-8") + text, "utf-8")
    return load(file)


@pytest.fixture
async def enrolled(home: Path, config: Config) -> Enrolment:
    """The terminal's keys, after it has enrolled at `host`."""
    return await enrolment.enrol(home, config)


@pytest.fixture
async def http(config: Config) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that trusts the authority of `certificates`."""
    async with client(config.host.ca_file) as running:
        yield running


@pytest.fixture
def host_client(config: Config, enrolled: Enrolment, http: httpx.AsyncClient) -> HttpHost:
    """The host as the terminal reaches it, through `gate`."""
    return HttpHost(config.host.url, enrolled, http)


@pytest.fixture
def store(home: Path, enrolled: Enrolment) -> Iterator[Store]:
    """The terminal's queue, in the test's own thread."""
    with Store.open(
        home / "queue.db",
        terminal_id=TERMINAL_ID,
        signer=enrolled.key,
        sealer=enrolled.sealer,
        host_key=enrolled.host_key,
    ) as running:
        yield running


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A simulated world with a terminal in it that is enrolled; its counters are run by the test."""
    shop = Shop(tmp_path)
    try:
        shop.pins = await enrolment.enrol(shop.home, shop.config)
        yield shop
    finally:
        shop.world.stop()
