"""The terminal's home as the commands find it: folder, configuration, keys."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path

from emv.toml_lines import line_of
from terminal import config as configuration
from terminal.commands.errors import FindingError, UsageError
from terminal.config import Config, ConfigError
from terminal.enrolment import Enrolment, EnrolmentError
from terminal.enrolment import load as load_enrolment
from terminal.home import CONFIG_FILE, default


def folder(options: argparse.Namespace) -> Path:
    """Return the folder that was named, or the default."""
    named: Path = options.home or default()
    return named


def config(home: Path) -> Config:
    """Return the configuration in a folder."""
    try:
        return configuration.load(home / CONFIG_FILE)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def config_to_connect(home: Path) -> Config:
    """Return the configuration in a folder for a command that goes to hosts.

    Looks into the files of certificate authorities, which `config` only takes note of.
    """
    found = config(home)
    _check_authority(home / CONFIG_FILE, "host", found.host.ca_file)
    if found.alipay is not None:
        _check_authority(home / CONFIG_FILE, "alipay", found.alipay.ca_file)
    return found


def _check_authority(path: Path, table: str, ca_file: Path | None) -> None:
    if ca_file is None:
        return
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # SSLError is one
        line = line_of(path.read_text("utf-8"), (table, "ca_file"))
        why = "" if isinstance(error, ssl.SSLError) else f" ({error.strerror})"
        raise UsageError(
            f"{path}:{line}: {table}.ca_file: {ca_file} holds no certificate authority in PEM{why}"
        ) from error


def enrolment(home: Path, terminal_id: str) -> Enrolment:
    """Return the terminal's keys."""
    try:
        return load_enrolment(home, terminal_id)
    except EnrolmentError as error:
        raise FindingError(str(error)) from error
