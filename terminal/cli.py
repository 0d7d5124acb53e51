"""The command `tillside`. Nothing heavy is imported before the command that needs it runs.

Exit codes: 0 fine, 1 a finding, 2 wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline_queue.store import Store
    from terminal.config import Config

FINE, FINDING, WRONG_USE = 0, 1, 2

DEMO_READER = "pcsc:"
"""The demo's reader where none is named: the real PC/SC daemon with a virtual card."""


class UserError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = getattr(options, "run", None)
    if run is None:
        parser.print_help()
        return WRONG_USE
    try:
        return run(options)
    except UserError as error:
        print(f"tillside: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return FINDING


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillside",
        description="An open payment terminal for a shop counter. Not certified; test cards only.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    cashier = _command(commands, "cashier", _cashier, "open the cashier's screen")
    _home(cashier)

    demo = _command(commands, "demo", _demo, "a whole counter with simulated everything, on loopback")
    _home(demo)
    demo.add_argument(
        "--reader", default=DEMO_READER, metavar="ADDRESS", help="sim:, pcsc: or pn532:, or a device"
    )
    demo.add_argument(
        *("--script",),
        nargs="?",
        const="",
        metavar="FILE",
        help="play a script without a screen (built in: no FILE)",
    )
    demo.add_argument("--json", action="store_true", help="print a JSON line a step")

    enrol = _command(commands, "enrol", _enrol, "make this terminal known to its host")
    _home(enrol)

    devices = _command(commands, "devices", _devices, "what is attached, and what cures what fails")
    _home(devices)
    devices.add_argument("--json", action="store_true", help="print JSON")

    queue = _command(commands, "queue", _queue, "the offline queue")
    queue.add_argument("what", choices=("status", "verify", "sync"))
    _home(queue)
    queue.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> Any:
    command = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=run)
    return command


def _home(command: Any) -> None:
    command.add_argument("--home", type=Path, metavar="DIR", help="where configuration, keys and queue are")


def _cashier(options: argparse.Namespace) -> int:
    from terminal import enrolment, home, log
    from terminal.config import ConfigError
    from terminal.counter import Counter
    from terminal.tui.cashier.app import CashierApp

    folder = _folder(options)
    config = _config(folder)
    try:
        pins = enrolment.load(folder, config.terminal.id)
    except ConfigError as error:
        raise UserError(str(error)) from error
    if not sys.stdout.isatty():
        raise UserError("the cashier's screen needs a terminal")
    log.start(folder / home.LOG_FILE, config.log.level)

    async def run() -> None:
        counter = Counter(config, folder, pins)
        await counter.start()
        try:
            await CashierApp(counter).run_async()
        finally:
            await counter.stop()

    try:
        asyncio.run(run())
    except ConfigError as error:
        raise UserError(str(error)) from error
    return FINE


def _demo(options: argparse.Namespace) -> int:
    from terminal.demo.script import ScriptError, load

    if options.script is None and options.json:
        raise UserError("--json goes with --script")
    if options.script is None and not sys.stdout.isatty():
        raise UserError("the screen needs a terminal; without one: tillside demo --script")
    _check_address(options.reader)
    with _demo_folder(options.home) as folder:
        if options.script is None:
            from terminal.demo.run import run_screen

            run_screen(folder, options.reader)
            return FINE
        try:
            steps = load(Path(options.script) if options.script else None)
        except ScriptError as error:
            raise UserError(str(error)) from error
        from terminal.demo.play import NotReadyError
        from terminal.demo.run import run_script

        try:
            return FINE if run_script(folder, options.reader, steps, as_json=options.json) else FINDING
        except NotReadyError as error:
            raise UserError(f"the demo did not come up: {error}") from error


@contextmanager
def _demo_folder(named: Path | None) -> Iterator[Path]:
    """Give the folder that was named, or one that is gone afterwards."""
    if named is not None:
        yield named
    else:
        with tempfile.TemporaryDirectory(prefix="tillside-demo-") as name:
            yield Path(name)


def _enrol(options: argparse.Namespace) -> int:
    from offline_queue.errors import QueueError
    from terminal import enrolment
    from terminal.config import ConfigError
    from terminal.http import NoAnswerError, NotSentError

    folder = _folder(options)
    config = _config(folder)
    try:
        pins = asyncio.run(enrolment.enrol(folder, config))
    except (ConfigError, NotSentError, NoAnswerError, QueueError) as error:
        raise UserError(f"not enrolled at {config.host.url}: {error}") from error
    print(f"Enrolled {config.terminal.id} at {config.host.url}. Host key {pins.host_key.key_id}.")
    return FINE


def _devices(options: argparse.Namespace) -> int:
    from terminal.devices.inventory import inventory

    folder = _folder(options)
    lines = inventory(_config(folder).devices if (folder / _config_name()).exists() else None)
    if options.json:
        print(json.dumps([line.fields() for line in lines], ensure_ascii=False, indent=2))
    else:
        for line in lines:
            print(line.text_line())
    return FINE if all(line.works for line in lines) else FINDING


def _queue(options: argparse.Namespace) -> int:
    folder = _folder(options)
    config = _config(folder)
    trouble = ""
    with _open_store(folder, config) as store:
        if options.what == "verify":
            report = store.verify(signatures=True)
            facts: dict[str, Any] = {
                "records": report.records,
                "signatures_checked": report.signatures_checked,
                "damage": [f"record {fault.sequence}: {fault.fault}" for fault in report.damage],
            }
            _print(options, facts)
            return FINE if report.ok else FINDING
        if options.what == "sync":
            trouble = _sync(folder, config, store)
        status = store.status()
    facts = {
        "unsent": status.unsent,
        "quarantined": status.quarantined,
        "deferred_count": status.deferred_count,
        "deferred_total_minor": status.deferred_total_minor,
        "sequence": status.sequence,
        "head": status.head.hex(),
        "damage": status.damage,
    }
    _print(options, facts)
    if trouble:
        print(f"tillside: {trouble}", file=sys.stderr)
    return FINDING if trouble or status.unsent or status.quarantined or status.damage else FINE


def _sync(folder: Path, config: Config, store: Store) -> str:
    """Deliver everything; return what went wrong, in words, or empty."""
    from offline_queue.errors import QueueError
    from terminal import enrolment
    from terminal.config import ConfigError
    from terminal.delivery import deliver_all
    from terminal.host_client import HttpHost
    from terminal.http import client

    async def run() -> None:
        async with client(config.host.ca_file) as http:
            pins = enrolment.load(folder, config.terminal.id)
            await deliver_all(store, HttpHost(config.host.url, pins, http))

    try:
        asyncio.run(run())
    except ConfigError as error:
        raise UserError(str(error)) from error
    except QueueError as error:
        return f"not delivered: {error}"
    return ""


def _print(options: argparse.Namespace, facts: dict[str, Any]) -> None:
    if options.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' ')}: {value if value != [] else 'none'}")


@contextmanager
def _open_store(folder: Path, config: Config) -> Iterator[Store]:
    from offline_queue.errors import QueueError
    from terminal import enrolment
    from terminal.config import ConfigError
    from terminal.counter import open_store

    try:
        store = open_store(folder, config, enrolment.load(folder, config.terminal.id))
    except (QueueError, ConfigError) as error:
        raise UserError(str(error)) from error
    try:
        yield store
    finally:
        store.close()


def _folder(options: argparse.Namespace) -> Path:
    from terminal.home import default

    folder: Path = options.home or default()
    return folder


def _config_name() -> str:
    from terminal.home import CONFIG_FILE

    return CONFIG_FILE


def _config(folder: Path) -> Config:
    from terminal.config import ConfigError, load

    try:
        return load(folder / _config_name())
    except ConfigError as error:
        raise UserError(str(error)) from error


def _check_address(text: str) -> None:
    from drivers.address import AddressError, parse

    try:
        parse(text)
    except AddressError as error:
        raise UserError(str(error)) from error
