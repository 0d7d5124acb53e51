"""Fault scripts: what a whole one means, and that each mistake is named by line and field."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import wire_fault_script
from simulators.wire_fault_script import Direction, Fault, ScriptError, What, load, parse

WHOLE = """
seed = 7

[[fault]]
at_byte = 120
direction = "to device"
what = "unplug"
back_after_s = 2

[[fault]]
at_byte = 0
direction = "from device"
what = "noise"
bytes = 12

[[fault]]
what = "other device"
at_byte = 3
direction = "from device"
text = "$GPGGA\\r\\n"

[[fault]]
what = "re-enumerate"
at_byte = 9
direction = "from device"
"""


def one(lines: str) -> str:
    return f"# a script\n\n[[fault]]\n{lines}"


def test_a_whole_script() -> None:
    script = parse(WHOLE)
    assert script.seed == 7
    assert script.faults == (
        Fault(What.UNPLUG, 120, Direction.TO_DEVICE, back_after_s=2.0),
        Fault(What.NOISE, 0, noisy_bytes=12),
        Fault(What.OTHER_DEVICE, 3, other=b"$GPGGA\r\n"),
        Fault(What.RE_ENUMERATE, 9, back_after_s=0.0),
    )


def test_no_fault_is_a_script() -> None:
    assert parse("").faults == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "melt"',
            r'line 6: what: one of "unplug", .*not \'melt\'',
        ),
        ('at_byte = 1\nwhat = "unplug"', "line 3: direction: is missing"),
        ('at_byte = -1\ndirection = "to device"\nwhat = "unplug"', "line 4: at_byte: a whole number from 0"),
        ('at_byte = true\ndirection = "to device"\nwhat = "unplug"', "line 4: at_byte: a whole number"),
        (
            'at_byte = 1\ndirection = "up"\nwhat = "unplug"',
            'line 5: direction: one of "to device", "from device"',
        ),
        ('at_byte = 1\ndirection = "to device"\nwhat = "unplug"\nbytes = 2', "line 7: bytes: unplug has"),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "noise"\nback_after_s = 2',
            "line 7: back_after_s: noise has at_byte, bytes, direction, what",
        ),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "noise"\nbytes = 0',
            "line 7: bytes: a whole number from 1",
        ),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "busy"\nback_after_s = 9999',
            "line 7: back_after_s: seconds",
        ),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "busy"\nback_after_s = nan',
            "line 7: back_after_s: seconds",
        ),
        ('at_byte = 1\ndirection = "to device"\nwhat = "other device"', "line 3: text: other device needs"),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "other device"\nhex = "0g"',
            "line 7: hex: a text of hexa",
        ),
        (
            'at_byte = 1\ndirection = "to device"\nwhat = "other device"\ntext = ""',
            "line 7: text: 1 to 4096 bytes",
        ),
    ],
)
def test_a_mistake_is_named_by_line_and_field(lines: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        parse(one(lines))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed = -1", "seed: a whole number"),
        ("fault = 3", "fault: write"),
        ("[fault]\nat_byte = 1", "fault: write"),
        ("faults = []", "faults: a script has seed"),
        ("[[fault]", "line 1"),
        ("fault = [{at_byte = 1}]", "fault 1: what: is missing"),
        ("#" * 65537, "longer than 65536 bytes"),
        ('[[fault]]\nat_byte = 1\ndirection = "to device"\nwhat = "busy"\n' * 101, "at most 100"),
    ],
)
def test_a_script_of_a_wrong_form(text: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        parse(text)


def test_a_file_is_named(tmp_path: Path) -> None:
    script = tmp_path / "faults.toml"
    with pytest.raises(ScriptError, match=r"faults\.toml: can't be read"):
        load(script)
    script.write_bytes(b"\xff")
    with pytest.raises(ScriptError, match=r"faults\.toml: can't be read"):
        load(script)
    script.write_text(one("at_byte = 1"))
    with pytest.raises(ScriptError, match=r"faults\.toml: line 3: what: is missing"):
        load(script)
    script.write_text(WHOLE)
    assert load(script) == parse(WHOLE)


def test_the_example_in_the_module_is_a_script() -> None:
    example = (wire_fault_script.__doc__ or "").partition("\n\n")[2].partition("\n| what")[0]
    text = "\n".join(line.removeprefix("    ") for line in example.splitlines())
    assert tomllib.loads(text)
    assert parse(text).faults == (Fault(What.UNPLUG, 120, Direction.TO_DEVICE, back_after_s=2.0),)


@given(
    st.dictionaries(
        st.sampled_from(["at_byte", "direction", "what", "bytes", "text", "hex", "back_after_s", "x"]),
        st.one_of(
            st.sampled_from(['"to device"', '"from device"', *(f'"{what}"' for what in What), '"AB"', "inf"]),
            st.integers(-2, 10**10).map(str),
        ),
    )
)
def test_any_table_is_a_fault_or_a_named_mistake(table: dict[str, str]) -> None:
    text = one("\n".join(f"{name} = {value}" for name, value in table.items()))
    try:
        faults = parse(text).faults
    except ScriptError as error:
        said = str(error)
    else:
        said = f"line {len(faults)}"
    assert said.startswith("line ")
