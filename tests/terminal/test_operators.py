"""Operators: PINs, roles, lock-out across restarts, and the file."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from terminal import operators as module
from terminal.operators import (
    FIRST_WAIT_S,
    FREE_TRIES,
    LONGEST_WAIT_S,
    OPERATORS_FILE,
    TECHNICAL,
    LockedOutError,
    Operator,
    OperatorError,
    Operators,
    Role,
    RoleError,
    WrongPinError,
)

TESS = Operator("Tess", Role.TECHNICIAN)
EVERYBODY = frozenset(Role)


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COST", 2**13)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def operators(tmp_path: Path, clock: Clock) -> Operators:
    operators = Operators.load(tmp_path, clock)
    operators.add("Tess", Role.TECHNICIAN, "2580")
    operators.add("Bob", Role.CASHIER, "17711")
    return operators


def wrong(operators: Operators, times: int) -> list[type[Exception]]:
    raised: list[type[Exception]] = []
    for _ in range(times):
        with pytest.raises(OperatorError) as caught:
            operators.check("0000", TECHNICAL)
        raised.append(type(caught.value))
    return raised


def test_a_pin_tells_who_it_is(operators: Operators) -> None:
    assert operators.check("2580", EVERYBODY) == TESS
    assert operators.check("17711", EVERYBODY) == Operator("Bob", Role.CASHIER)
    assert operators.roles == {Role.TECHNICIAN, Role.CASHIER}
    assert [each.name for each in operators.all] == ["Tess", "Bob"]


def test_a_pin_of_another_role_is_told_whose_it_is_and_for_whom_this_is(operators: Operators) -> None:
    with pytest.raises(RoleError, match="Bob is a cashier: this is for supervisors and technicians"):
        operators.check("17711", TECHNICAL)
    with pytest.raises(RoleError, match="Tess is a technician: this is for cashiers"):
        operators.check("2580", {Role.CASHIER})


def test_no_pin_is_in_the_file_and_only_its_owner_reads_it(operators: Operators, tmp_path: Path) -> None:
    path = tmp_path / OPERATORS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "2580" not in text
    assert "17711" not in text
    salts = [each["salt"] for each in json.loads(text)["operators"]]
    assert len(set(salts)) == 2


def test_an_open_umask_does_not_open_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Operators(tmp_path).add("Tess", Role.TECHNICIAN, "2580")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_five_wrong_tries_lock_everybody_out_for_a_while(operators: Operators, clock: Clock) -> None:
    assert wrong(operators, FREE_TRIES) == [WrongPinError] * 4 + [LockedOutError]
    with pytest.raises(LockedOutError) as caught:
        operators.check("2580", TECHNICAL)
    assert caught.value.wait_s == FIRST_WAIT_S
    clock.now_s += FIRST_WAIT_S - 1
    with pytest.raises(LockedOutError):
        operators.check("2580", TECHNICAL)
    clock.now_s += 1
    assert operators.check("2580", TECHNICAL) == TESS
    assert wrong(operators, 1) == [WrongPinError]


def test_a_cashiers_own_pin_buys_no_guesses_at_a_technicians(operators: Operators) -> None:
    for _ in range(FREE_TRIES - 1):
        assert wrong(operators, 1) == [WrongPinError]
        with pytest.raises(RoleError):
            operators.check("17711", TECHNICAL)
    assert wrong(operators, 1) == [LockedOutError]
    with pytest.raises(LockedOutError):
        operators.check("17711", TECHNICAL)


def test_a_pin_of_another_role_is_no_wrong_try_either(operators: Operators, clock: Clock) -> None:
    wrong(operators, FREE_TRIES)
    clock.now_s += FIRST_WAIT_S
    for _ in range(FREE_TRIES + 1):
        with pytest.raises(RoleError):
            operators.check("17711", TECHNICAL)
    assert operators.check("2580", TECHNICAL) == TESS
    assert wrong(operators, 1) == [WrongPinError]


def test_each_further_wrong_try_waits_twice_as_long(operators: Operators, clock: Clock) -> None:
    wrong(operators, FREE_TRIES)
    waits = []
    for _ in range(9):
        clock.now_s += LONGEST_WAIT_S
        with pytest.raises(LockedOutError) as caught:
            operators.check("0000", TECHNICAL)
        waits.append(caught.value.wait_s)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_lock_out_survives_a_restart(operators: Operators, tmp_path: Path, clock: Clock) -> None:
    wrong(operators, FREE_TRIES)
    with pytest.raises(LockedOutError):
        Operators.load(tmp_path, clock).check("2580", TECHNICAL)


def test_tries_while_it_waits_do_not_make_it_longer(operators: Operators, clock: Clock) -> None:
    wrong(operators, FREE_TRIES + 10)
    clock.now_s += FIRST_WAIT_S
    assert operators.check("2580", TECHNICAL) == TESS


def test_a_clock_that_was_put_back_makes_the_wait_no_longer(operators: Operators, clock: Clock) -> None:
    wrong(operators, FREE_TRIES)
    clock.now_s -= 86400
    with pytest.raises(LockedOutError) as caught:
        operators.check("2580", TECHNICAL)
    assert caught.value.wait_s == FIRST_WAIT_S


def test_a_try_counts_before_it_is_checked(
    operators: Operators, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> bytes:
        raise SystemExit

    monkeypatch.setattr(module, "_hash", killed)
    with pytest.raises(SystemExit):
        operators.check("0000", TECHNICAL)
    assert json.loads((tmp_path / OPERATORS_FILE).read_text())["wrong_tries"] == 1


def test_a_try_is_on_disk_before_it_is_checked(operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, hashed = os.fsync, module._hash

    def synced(file: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
        fsync(file)

    def noted(pin: str, salt: bytes, cost: int) -> bytes:
        done.append("hash")
        return hashed(pin, salt, cost)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(module, "_hash", noted)
    wrong(operators, 1)
    assert done == ["file", "folder", "hash", "hash"]


def test_a_file_that_another_program_keeps_is_not_waited_for_without_end(
    operators: Operators, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_S", 0.0)
    with (tmp_path / "operators.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OperatorError, match="Another program"):
            operators.check("2580", TECHNICAL)
    assert operators.check("2580", TECHNICAL) == TESS


def test_another_pin_ends_a_lock_out(operators: Operators) -> None:
    wrong(operators, FREE_TRIES)
    operators.set_pin("Tess", "135790")
    assert operators.check("135790", TECHNICAL) == TESS
    with pytest.raises(WrongPinError):
        operators.check("2580", TECHNICAL)


def test_somebody_who_was_removed_has_no_pin(operators: Operators) -> None:
    operators.remove("Tess")
    with pytest.raises(WrongPinError):
        operators.check("2580", TECHNICAL)
    assert operators.roles == {Role.CASHIER}


@pytest.mark.parametrize(
    ("name", "pin", "words"),
    [
        ("Eve", "123", "4 to 12 digits"),
        ("Eve", "1234567890123", "4 to 12 digits"),
        ("Eve", "12a4", "4 to 12 digits"),
        ("Eve", "٠١٢٣", "4 to 12 digits"),
        ("Eve", "2580", "choose another"),
        ("tess", "9786", "already"),
        ("", "9786", "a name has"),
        ("a\nb", "9786", "a name has"),
        ("x" * 33, "9786", "a name has"),
    ],
)
def test_what_can_not_be_added_is_refused_with_the_reason(
    operators: Operators, name: str, pin: str, words: str
) -> None:
    with pytest.raises(OperatorError, match=words) as caught:
        operators.add(name, Role.CASHIER, pin)
    assert len(operators.all) == 2
    assert pin not in str(caught.value)


@pytest.mark.parametrize("name", ["José Ñ.", "王芳", "O'Neil-2", "Q"])
def test_names_are_peoples(operators: Operators, name: str) -> None:
    assert operators.add(name, Role.SUPERVISOR, "9786").name == name


def test_somebody_unknown_is_said_to_be(operators: Operators) -> None:
    with pytest.raises(OperatorError, match="known: Tess, Bob"):
        operators.remove("Eve")
    with pytest.raises(OperatorError, match="no operator"):
        operators.set_pin("Eve", "9786")


ENTRY = '{"operators": [{"name": "Tess", "role": "%s", "salt": "", "hash": "", "scrypt_n": %d}], %s}'
COUNTS = '"wrong_tries": 0, "last_wrong_try": 0'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"operators": [{}], "wrong_tries": 0, "last_wrong_try": 0}',
        ENTRY % ("king", 2**13, COUNTS),
        ENTRY % ("cashier", 2**30, COUNTS),
        "\xff",
    ],
    ids=["empty", "list", "nothing", "no-fields", "no-such-role", "cost-too-high", "no-text"],
)
def test_a_damaged_file_lets_nobody_in_and_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / OPERATORS_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(OperatorError, match="move it away"):
        Operators.load(tmp_path)
    with pytest.raises(OperatorError, match="move it away"):
        Operators(tmp_path).check("2580", TECHNICAL)


def test_a_home_that_can_not_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="can't be"):
        Operators(tmp_path / "file").add("Tess", Role.TECHNICIAN, "2580")


def test_without_operators_there_is_a_command_that_adds_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Operators.load(tmp_path).all == ()
    assert Operators(tmp_path).command == (f"tillside operators add NAME --role technician --home {tmp_path}")
    monkeypatch.setattr(module, "default", lambda: tmp_path)
    assert Operators(tmp_path).command == "tillside operators add NAME --role technician"


@pytest.mark.parametrize("pin", ["0000", "999999", "1234", "98765"])
def test_a_pin_that_anybody_tries_first_is_refused(tmp_path: Path, pin: str) -> None:
    with pytest.raises(OperatorError, match="first that anybody tries"):
        Operators(tmp_path).add("Ann", Role.TECHNICIAN, pin)
    assert Operators(tmp_path).roles == frozenset()
