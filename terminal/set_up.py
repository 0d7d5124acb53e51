"""What a configuration comes to: the queue's store, what cards are told, the payment systems taken."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from emv.capk import CaKeys, parse_ca_keys
from emv.config import EmvConfig, default_config
from emv.config_file import ConfigFileError, parse
from offline_queue.host import HostClient
from offline_queue.store import Store
from terminal.channels.alipay import AlipayCode, AlipayGateway, AlipayQr
from terminal.channels.card import CardChannel
from terminal.channels.channel import Channel
from terminal.config import Config, ConfigError
from terminal.enrolment import Enrolment
from terminal.http import client
from terminal.money import numeric_code

logger = logging.getLogger(__name__)

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
    """Return what cards are told and asked. Raises ConfigError."""
    shop = shop_settings(config)
    found = default_config(**shop) if config.cards.emv is None else read_emv(config.cards.emv, shop)
    if config.cards.ca_keys is None:
        logger.warning(
            "[cards] ca_keys is not set: no card is authenticated here or approves by itself, and phones are "
            "refused from the limit for verification on"
        )
        return found
    return replace(found, ca_keys=read_ca_keys(config.cards.ca_keys))


def shop_settings(config: Config) -> dict[str, Any]:
    """Return what "shop" stands for in an EMV configuration."""
    return {
        "country": config.shop.country,
        "currency": numeric_code(config.shop.currency),
        "cvm_limit": config.money(config.cards.cvm_limit).minor,
        "transaction_limit": None,
        "floor_limit": config.money(config.cards.floor_limit).minor,
        "merchant_name": config.shop.name,
        "terminal_id": config.terminal.id[:8],
    }


def read_emv(path: Path, shop: Mapping[str, Any]) -> EmvConfig:
    """Return the EMV configuration in a file. Raises ConfigError."""
    try:
        return parse(_read(path), shop)
    except ConfigFileError as error:
        raise ConfigError(f"{path}:{error.line}: {error.what}") from error


def read_ca_keys(path: Path) -> CaKeys:
    """Return the schemes' keys in a file; what it has that is not taken is logged. Raises ConfigError."""
    try:
        keys = parse_ca_keys(_read(path))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    if keys.left_out:
        logger.warning("%s: %d keys are taken, %d left out", path, len(keys), len(keys.left_out))
    for line in keys.left_out:
        logger.info("%s: left out: %s", path, line)
    return keys


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: can't be read (it is no text in UTF-8)") from error


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
