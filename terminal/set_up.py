"""What a configuration comes to: the queue's store, what cards are told, the payment systems taken."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx

from emv.config import EmvConfig, default_config
from offline_queue.host import HostClient
from offline_queue.store import Store
from terminal.channels.alipay import AlipayCode, AlipayGateway, AlipayQr
from terminal.channels.card import CardChannel
from terminal.channels.channel import Channel
from terminal.config import Config
from terminal.enrolment import Enrolment
from terminal.http import client
from terminal.money import numeric_code

QUEUE_FILE = "queue.db"


def open_store(home: Path, config: Config, enrolment: Enrolment) -> Store:
    """Open a terminal's queue. Raises QueueError."""
    return Store.open(
        home / QUEUE_FILE,
        terminal_id=config.terminal.id,
        signer=enrolment.key,
        sealer=enrolment.sealer,
        host_key=enrolment.host_key,
    )


def emv_config(config: Config) -> EmvConfig:
    """Return what cards are told and asked."""
    return default_config(
        config.shop.country,
        numeric_code(config.shop.currency),
        cvm_limit=config.money(config.cards.cvm_limit).minor,
        merchant_name=config.shop.name,
        terminal_id=config.terminal.id[:8],
    )


def make_channels(config: Config, host: HostClient) -> tuple[list[Channel], list[httpx.AsyncClient]]:
    """Return the payment systems that are set up, and the connections that are theirs to be closed."""
    channels: list[Channel] = [CardChannel(host)]
    connections: list[httpx.AsyncClient] = []
    if (alipay := config.alipay) is not None:
        http = client(alipay.ca_file)
        connections.append(http)
        gateway = AlipayGateway(alipay, http, lambda: datetime.now().astimezone())
        channels += [kind(gateway, alipay, config.shop.name) for kind in (AlipayCode, AlipayQr)]
    return channels, connections
