"""The command `tillside`. Nothing heavy is imported before the command that needs it runs.

Exit codes: 0 fine, 1 a finding, 2 wrong use, 128 and more: ended by that signal.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from terminal.commands.errors import FINDING, FINE, WRONG_USE, CommandError
from terminal.commands.output import complain, fault, say, say_json
from terminal.home import default as default_home
from terminal.signals import SIGNALLED, Signalled, write_nowhere

__all__ = ["FINDING", "FINE", "WRONG_USE", "main"]

DEMO_READER = "pcsc:"
"""The demo's reader where none is named: the real PC/SC daemon with a virtual card."""
EXIT_CODES = "Exit codes: 0 fine, 1 something is wrong with what was looked at, 2 wrong use."
EXAMPLE_SCRIPT = Path(__file__).parent / "demo" / "built_in.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        try:
            return _main(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has had enough. The interpreter would complain when it flushes at its end.
        write_nowhere(sys.stdout.fileno())
        return SIGNALLED + signal.SIGPIPE


def _main(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = getattr(options, "run", None)
    if run is None:
        parser.print_help()
        return WRONG_USE
    try:
        return run(options)
    except CommandError as error:
        if getattr(options, "json", False):
            say_json(fault(str(error)))
        complain(str(error))
        return error.code
    except KeyboardInterrupt:
        complain("stopped")
        return SIGNALLED + signal.SIGINT
    except Signalled as signalled:
        complain("stopped")
        return signalled.code


class _Version(argparse.Action):
    """Finding out the version takes longer than building the parser: only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        say(f"tillside {version('tillside')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillside",
        description="An open payment terminal for a shop counter. Not certified; test cards only.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    cashier = _command(commands, "cashier", _cashier, "open the cashier's screen")
    _home(cashier)

    technician = _command(commands, "technician", _technician, "open the technician's screen")
    _home(technician)

    _add_demo(commands)

    enrol = _command(commands, "enrol", _enrol, "make this terminal known to its host")
    _home(enrol)
    _json(enrol)

    _add_devices(commands)
    _add_doctor(commands)

    queue = _command(commands, "queue", _queue, "the offline queue")
    queue.add_argument(
        "what",
        choices=("status", "verify", "sync"),
        help="status: what waits; verify: whether every record is sound; sync: send what waits",
    )
    _home(queue)
    _json(queue)

    _add_operators(commands)
    _add_emv(commands)
    _add_sim(commands)
    return parser


def _add_operators(commands: Any) -> None:
    words = "who may do what at this terminal, each with a PIN"
    operators = commands.add_parser("operators", help=words, description=words)
    group = operators.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for what, words in (
        ("list", "say who there is"),
        ("add", "add somebody; asks for a PIN"),
        ("remove", "take somebody off the list"),
        ("pin", "give somebody another PIN, which also ends a lock-out"),
    ):
        command = _command(group, what, _operators, words)
        command.set_defaults(what=what)
        if what != "list":
            command.add_argument("name", metavar="NAME")
        if what == "add":
            roles = ("cashier", "supervisor", "technician")
            command.add_argument("--role", choices=roles, required=True, help="what they are here for")
        _home(command)
        _json(command)


class _SimHelp(argparse.Action):
    """Which simulated devices there are is found out only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from terminal.commands.sim import describe

        say(describe())
        parser.exit()


def _add_sim(commands: Any) -> None:
    words = "run one simulated device, for developers"
    sim = commands.add_parser("sim", help=words, description=words, add_help=False)
    sim.set_defaults(run=_sim)
    sim.add_argument("-h", "--help", action=_SimHelp, nargs=0)
    sim.add_argument("name", nargs="?", default="")
    sim.add_argument("rest", nargs=argparse.REMAINDER)


def _add_devices(commands: Any) -> None:
    devices = _command(commands, "devices", _devices, "what is attached, and what cures what fails")
    devices.add_argument("--watch", action="store_true", help="tell every change as it happens")
    _home(devices)
    _json(devices)
    more = devices.add_subparsers(title="with one device, or with all of them", metavar="WHAT")
    test = _device_command(more, "test", "ADDRESS: have that device test itself")
    backup = _device_command(more, "backup", "ADDRESS FILE: write that device's settings into a new file")
    restore = _device_command(
        more, "restore", "ADDRESS FILE: write settings from a file into that device, after a backup"
    )
    compare = _device_command(more, "compare", "FILE: compare what is there with a file of what is expected")
    _device_command(more, "expect", "print what is there now as such a file")
    for command in (test, backup, restore):
        command.add_argument("address", metavar="ADDRESS", help="such as pcsc:ACS ACR1252U")
    for command in (backup, restore, compare):
        command.add_argument("file", type=Path, metavar="FILE", help="in TOML")


def _device_command(commands: Any, name: str, words: str) -> Any:
    def run(options: argparse.Namespace) -> int:
        from terminal.commands import devices

        work: Callable[[argparse.Namespace], int] = getattr(devices, name)
        return work(options)

    command = _command(commands, name, run, words)
    # What was given before the command's name counts, so it must not be overwritten by a default.
    command.add_argument("--home", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="as above")
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    return command


def _add_doctor(commands: Any) -> None:
    doctor = _command(
        commands, "doctor", _doctor, "look at everything that a technician would, and say what cures it"
    )
    which = doctor.add_mutually_exclusive_group()
    which.add_argument("--bundle", type=Path, metavar="FILE", help="write a support bundle to a new file")
    which.add_argument("--check", type=Path, metavar="FILE", help="check a support bundle, and nothing else")
    _home(doctor)
    _json(doctor)


def _add_emv(commands: Any) -> None:
    """Add the group of commands for whoever looks into cards and taps."""
    emv = commands.add_parser(
        "emv", help="look into cards' data and taps", description="look into cards' data and taps"
    )
    group = emv.add_subparsers(title="commands", metavar="COMMAND", required=True)

    decode = _command(
        group, "decode", _emv_decode, "say in words what the bytes of a card or a terminal mean"
    )
    decode.add_argument(
        "data", nargs="+", metavar="HEX", help="data objects (BER-TLV) in hexadecimal; - reads standard input"
    )
    kind = decode.add_mutually_exclusive_group()
    kind.add_argument("--tag", metavar="TAG", help="HEX is the value of this tag alone, such as 95 or 9F38")
    kind.add_argument("--atr", action="store_true", help="HEX is an answer to reset of a contact card")
    kind.add_argument("--ats", action="store_true", help="HEX is an answer to select of a contactless card")
    _json(decode)
    _add_emv_record(group)
    _add_emv_replay(group)


def _add_emv_record(group: Any) -> None:
    record = _command(
        group, "record", _emv_record, "do one tap, and keep what card and terminal say in a file"
    )
    record.add_argument(
        "--reader", default="", metavar="ADDRESS", help="the reader (default: the first that is configured)"
    )
    record.add_argument(
        "--amount", default="1.00", help="what is to be paid, nothing of it is (default: 1.00)"
    )
    record.add_argument("--currency", metavar="CODE", help="such as EUR (default: the shop's)")
    record.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write (default: named by the time)"
    )
    record.add_argument(
        "--sealed",
        action="store_true",
        help="keep card data too, sealed so that this terminal's host alone can open it; else it is masked",
    )
    _home(record)
    _json(record)


def _add_emv_replay(group: Any) -> None:
    replay = _command(group, "replay", _emv_replay, "run the kernels against a recorded card")
    replay.add_argument("file", type=Path, metavar="FILE", help="one recording, or several, in JSON")
    replay.add_argument("--case", metavar="ID", help="of several recordings, this one")
    replay.add_argument(
        "--ca-keys", type=Path, metavar="FILE", help="the schemes' public keys (default: none)"
    )
    replay.add_argument(
        "--emv",
        type=Path,
        metavar="FILE",
        help="the terminal's EMV configuration (default: the recording's, else the built-in one)",
    )
    replay.add_argument("--key", type=Path, metavar="FILE", help="the host's private key, for what is sealed")
    _json(replay)


def _add_demo(commands: Any) -> None:
    demo = _command(commands, "demo", _demo, "a whole counter with simulated everything, on loopback")
    demo.epilog = f"The built-in script explains the format of scripts: {EXAMPLE_SCRIPT}"
    demo.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        help="keep configuration, keys and queue there: a folder of the demo's own "
        "(default: a temporary one)",
    )
    demo.add_argument(
        "--reader",
        default=DEMO_READER,
        metavar="ADDRESS",
        help="pcsc: (default), pn532: or sim: are simulated; anything else, such as pn532:/dev/ttyUSB0, is a "
        "real device, which no simulated tap reaches",
    )
    demo.add_argument(
        *("--script",),
        nargs="?",
        const="",
        metavar="FILE",
        help="play a script without a screen (without FILE: the built-in one)",
    )
    demo.add_argument("--json", action="store_true", help="print a JSON line a step")


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> Any:
    command = commands.add_parser(name, help=words, description=words, epilog=EXIT_CODES)
    command.set_defaults(run=run)
    return command


def _home(command: Any) -> None:
    folder = str(default_home()).replace("%", "%%")
    command.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        help=f"where configuration, keys and queue are (default: {folder})",
    )


def _json(command: Any) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _cashier(options: argparse.Namespace) -> int:
    from terminal.commands.cashier import run

    return run(options)


def _technician(options: argparse.Namespace) -> int:
    from terminal.commands.technician import run

    return run(options)


def _demo(options: argparse.Namespace) -> int:
    from terminal.commands.demo import run

    return run(options)


def _enrol(options: argparse.Namespace) -> int:
    from terminal.commands.enrol import run

    return run(options)


def _sim(options: argparse.Namespace) -> int:
    from terminal.commands.sim import run

    return run(options)


def _devices(options: argparse.Namespace) -> int:
    from terminal.commands.devices import run

    return run(options)


def _doctor(options: argparse.Namespace) -> int:
    from terminal.commands.doctor import run

    return run(options)


def _queue(options: argparse.Namespace) -> int:
    from terminal.commands.queue import run

    return run(options)


def _operators(options: argparse.Namespace) -> int:
    from terminal.commands.operators import run

    return run(options)


def _emv_decode(options: argparse.Namespace) -> int:
    from terminal.commands.emv_decode import run

    return run(options)


def _emv_record(options: argparse.Namespace) -> int:
    from terminal.commands.emv_record import run

    return run(options)


def _emv_replay(options: argparse.Namespace) -> int:
    from terminal.commands.emv_replay import run

    return run(options)
