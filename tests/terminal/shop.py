"""A shop's terminal for tests: its configuration file, and what a fixture says of a wallet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulators.faults import TcpGate
from simulators.hosts.alipay import AlipayHost
from simulators.hosts.host_issuer import IssuerAnswer, approving_issuer, scheme_issuer

TERMINAL_ID = "T1"
APP_ID = "2021000000000001"

PAYS = b"the issuer pays"
"""Stands for a card's data where a test has no card; see `issuer`."""


def issuer(data_record: bytes, amount_minor: int) -> IssuerAnswer:
    """Approve what says that it pays, and decide on real cards under the test scheme."""
    decide = approving_issuer if data_record == PAYS else scheme_issuer
    return decide(data_record, amount_minor)


CONFIG = """\
[shop]
name = "Riverside Tea House"
currency = "CNY"
country = "156"
simulated = true

[terminal]
id = "{terminal}"

[host]
url = "{host}"
ca_file = "{ca}"
"""

ALIPAY_CONFIG = """
[alipay]
gateway = "{gateway}/gateway.do"
app_id = "{app}"
key_file = "{key}"
alipay_key_file = "{alipay_key}"
ca_file = "{ca}"
qr_seconds = 60
query_every_s = 0.05
query_for_s = 2.0
"""


@dataclass(frozen=True, slots=True)
class AlipayWorld:
    """A simulated Alipay, the gate before it, and the key files of a merchant who is registered there."""

    host: AlipayHost
    gate: TcpGate
    key_file: Path
    alipay_key_file: Path

    @property
    def url(self) -> str:
        """Where the terminal finds the gateway: through the gate."""
        return f"https://127.0.0.1:{self.gate.port}"
