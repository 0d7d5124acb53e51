"""The simulated payment host: the host API over HTTPS, books in SQLite, and an issuer of the test scheme.

    files = certificates.create(folder / "tls")
    with Host(certificate=files.certificate, key=files.key) as host:
        host.enrol("T1", signing_key.public_key)
        ...                                     # a terminal talks to host.url
        assert host.books()[0].amount_minor == 1250

Stopping it takes it off the network; starting it again brings it back on the same port with its books.
"""

from __future__ import annotations

from pathlib import Path

from offline_queue.sealing import Opener
from offline_queue.signing import PublicKey, SigningKey
from simulators.hosts.host_app import HostApp
from simulators.hosts.host_behaviour import Behaviour
from simulators.hosts.host_books import Alarm, Booking, Books, Terminal
from simulators.hosts.host_desk import Desk
from simulators.hosts.host_issuer import Issuer, WatchfulIssuer
from simulators.hosts.server import TlsServer


class Host:
    """One host on 127.0.0.1.

    Args:
        certificate: PEM file with the server's certificate chain.
        key: PEM file with its private key.
        folder: Where books and keys are kept; None keeps them in memory.
        issuer: Decides on card payments; under the test scheme if there is none.
        port: 0 for a free one, kept through later starts.
    """

    def __init__(
        self,
        *,
        certificate: Path,
        key: Path,
        folder: Path | None = None,
        issuer: Issuer | None = None,
        port: int = 0,
    ) -> None:
        self.behaviour = Behaviour()
        self._signing_key, opener = _keys(folder)
        self._sealing_key = opener.public_bytes()
        self._books = Books(folder / "host.sqlite" if folder else None)
        self._desk = Desk(
            self._books, signer=self._signing_key, opener=opener, issuer=issuer or WatchfulIssuer()
        )
        application = HostApp(
            self._desk, signer=self._signing_key, sealing_key=self._sealing_key, behaviour=self.behaviour
        )
        self._server = TlsServer(application.app, certificate=certificate, key=key, port=port)

    @property
    def url(self) -> str:
        """Where terminals find the host."""
        return self._server.url

    @property
    def port(self) -> int:
        """The TCP port; known after the first start."""
        return self._server.port

    @property
    def running(self) -> bool:
        """Whether the host is on the network."""
        return self._server.running

    @property
    def signing_key(self) -> PublicKey:
        """What answers and acknowledgements are signed with; terminals pin it at enrolment."""
        return self._signing_key.public_key

    @property
    def sealing_key(self) -> bytes:
        """What terminals seal to: an X25519 public key, 32 bytes."""
        return self._sealing_key

    def start(self) -> None:
        """Serve; returns when terminals can connect."""
        self._server.start()

    def stop(self) -> None:
        """Leave the network, cutting off answers that are held. The books stay."""
        self._server.stop()
        self.behaviour.release()

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._books.close()

    def __enter__(self) -> Host:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def enrol(self, terminal_id: str, signing_key: PublicKey, name: str = "") -> None:
        """Take a terminal on, as POST /v1/enrol does."""
        self._desk.enrol(terminal_id, signing_key, name)

    def books(self) -> tuple[Booking, ...]:
        """Return what stands: every sale that is not reversed, and every refund."""
        return tuple(booking for booking in self._books.statement() if not booking.reversed)

    def statement(self) -> tuple[Booking, ...]:
        """Return every line, reversed ones included."""
        return self._books.statement()

    def alarms(self) -> tuple[Alarm, ...]:
        """Return what a person should look at: forks, broken chains, disagreements."""
        return self._books.alarms()

    def terminals(self) -> tuple[Terminal, ...]:
        """Return the enrolled terminals and how far their chains have come here."""
        return self._books.terminals()


def _keys(folder: Path | None) -> tuple[SigningKey, Opener]:
    if folder is None:
        return SigningKey.generate(), Opener.generate()
    folder.mkdir(parents=True, exist_ok=True)
    signing, sealing = folder / "signing.key", folder / "sealing.key"
    return (
        SigningKey.load(signing) if signing.exists() else SigningKey.create(signing),
        Opener.load(sealing) if sealing.exists() else Opener.create(sealing),
    )
