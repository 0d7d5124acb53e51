"""The rules for device permissions: their grammar, as far as it can be checked without udev."""

import re
from pathlib import Path

import pytest

UDEV = Path(__file__).parents[3] / "udev"
RULES = UDEV / "70-tillside.rules"
PAIR = re.compile(r'([A-Z]+(?:\{[\w/]+\})?)(==|!=|\+=|:=|-=|=)"([^"]*)"')
MATCHED_ONLY = {"SUBSYSTEM", "SUBSYSTEMS", "KERNEL", "ACTION", "TEST"}
ASSIGNED_ONLY = {"GOTO", "LABEL", "GROUP", "MODE"}


def rules() -> list[list[tuple[str, str, str]]]:
    text = RULES.read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [
        [parse(pair) for pair in re.split(r",\s*(?=[A-Z])", line)]
        for line in lines
        if line and line[0] != "#"
    ]


def parse(pair: str) -> tuple[str, str, str]:
    found = PAIR.fullmatch(pair.strip())
    assert found, pair
    key, operator, value = found.groups()
    return key, operator, value


def test_every_rule_is_pairs_with_the_right_operator() -> None:
    for rule in rules():
        for key, operator, _ in rule:
            name = key.partition("{")[0]
            if name in MATCHED_ONLY or name == "ATTRS":
                assert operator in ("==", "!="), rule
            elif name in ASSIGNED_ONLY:
                assert operator == "=", rule
            else:
                assert name in ("ATTR", "ENV", "TAG"), rule


def test_every_jump_goes_forward_to_a_label() -> None:
    steps = rules()
    labels = {value: at for at, rule in enumerate(steps) for key, _, value in rule if key == "LABEL"}
    jumps = [(at, value) for at, rule in enumerate(steps) for key, _, value in rule if key == "GOTO"]
    assert jumps
    assert all(labels[value] > at for at, value in jumps)


def test_every_device_goes_to_whoever_is_logged_in() -> None:
    for rule in rules():
        if any(key == "MODE" for key, _, _ in rule):
            assert ("TAG", "+=", "uaccess") in rule


def test_the_file_sorts_before_the_one_that_acts_on_uaccess() -> None:
    assert RULES.name < "73-seat-late.rules"


@pytest.mark.parametrize(
    "reader", ["072f 2200", "04cc 2533", "04e6 5591", "04e6 5593", "054c 06c1", "054c 06c3", "1fd3 0608"]
)
def test_readers_without_the_card_class_are_listed(reader: str) -> None:
    vendor, product = reader.split()
    listed = {
        values["ATTR{idVendor}"]: values["ATTR{idProduct}"].split("|")
        for values in ({key: value for key, _, value in rule} for rule in rules())
        if "ATTR{idVendor}" in values
    }
    assert product in listed[vendor]


def test_the_kernels_own_drivers_are_kept_away() -> None:
    lines = (UDEV / "tillside-nfc.conf").read_text("utf-8").splitlines()
    for module in ("pn533_usb", "pn533", "nfc"):
        assert f"blacklist {module}" in lines
        assert f"install {module} /bin/false" in lines
