"""Options in a device address: what is written comes back, and what can't be is refused with a cure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.address import AddressError, DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.options import Options, split

WORD = st.text(
    st.characters(codec="utf-8", exclude_characters=",=#", exclude_categories=("C", "Z")), min_size=1
)
VALUE = st.text(
    st.characters(codec="utf-8", exclude_characters=",#", exclude_categories=("C", "Z")), min_size=1
)
TARGET = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")))


def address(target: str) -> DeviceAddress:
    return DeviceAddress("camera", target)


@given(TARGET, st.dictionaries(WORD, VALUE, max_size=4))
def test_what_is_written_comes_back(target: str, options: dict[str, str]) -> None:
    written = ",".join(f"{name}={value}" for name, value in options.items())
    assert split(address(f"{target}#{written}")) == (target, options)


@given(TARGET.filter(lambda target: "#" not in target))
def test_a_target_without_a_mark_has_no_options(target: str) -> None:
    assert split(address(target)) == (target, {})


@given(st.text())
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        target, options = split(address(text))
    except AddressError:
        return
    except DeviceUnavailableError:
        return
    assert text.startswith(target)
    assert all(name and value for name, value in options.items())


@pytest.mark.parametrize("target", ["0#x", "0#x=", "0#=1", "0#,", "0#x=1,", "0#x=1,x=2"])
def test_what_is_no_option_names_the_right_syntax(target: str) -> None:
    with pytest.raises(DeviceUnavailableError, match="at the end as #name=value,name=value") as raised:
        split(address(target))
    assert raised.value.reason is Reason.WRONG_ADDRESS


def test_only_the_last_mark_splits() -> None:
    assert split(address("/home/shot#1.png#")) == ("/home/shot#1.png", {})
    assert split(address("/home/shot#1.png#exposure=1")) == ("/home/shot#1.png", {"exposure": "1"})


ALLOWED = {"baud": "9600", "layout": "us", "resolution": "1280x720", "exposure": "-6"}


def options(written: str) -> Options:
    return Options(parse(f"camera:0#{written}"), ALLOWED)


def hint_of(raised: pytest.ExceptionInfo[DeviceUnavailableError]) -> str:
    assert raised.value.reason is Reason.WRONG_ADDRESS
    return raised.value.hint


def test_an_unknown_name_lists_what_is_allowed() -> None:
    with pytest.raises(DeviceUnavailableError) as raised:
        options("speed=1")
    assert hint_of(raised) == (
        "speed is no option of camera:, options are baud=9600, layout=us, resolution=1280x720, exposure=-6"
    )


def test_a_driver_without_options_says_so() -> None:
    with pytest.raises(DeviceUnavailableError, match="options are none"):
        Options(parse("camera:0#speed=1"), {})


def test_values_are_what_they_say() -> None:
    given = options("baud=19200,layout=de,resolution=640x480,exposure=-6")
    assert given.target == "0"
    assert given.number("baud", 9600, lowest=300, highest=921600) == 19200
    assert given.choice("layout", ("us", "de"), "us") == "de"
    assert given.text("layout") == "de"
    assert given.size("resolution", highest=9999) == (640, 480)
    assert given.optional_number("exposure", lowest=-20, highest=10000) == -6


def test_what_is_not_written_is_the_default() -> None:
    none = options("")
    assert none.number("baud", 9600, lowest=300, highest=921600) == 9600
    assert none.choice("layout", ("us", "de"), "us") == "us"
    assert none.text("layout") == ""
    assert none.size("resolution", highest=9999) is None
    assert none.optional_number("exposure", lowest=-20, highest=10000) is None


@pytest.mark.parametrize("baud", ["fast", "0x10", "1_000", "٣٠٠٠", "9600.0", "--9600", "-", "9" * 5000])
def test_what_is_no_number_is_refused_with_an_example(baud: str) -> None:
    with pytest.raises(DeviceUnavailableError) as raised:
        options(f"baud={baud}").number("baud", 9600, lowest=300, highest=921600)
    assert hint_of(raised).endswith("write it as 9600")


@pytest.mark.parametrize("baud", ["299", "921601", "-9600"])
def test_a_number_out_of_range_is_refused_with_the_range(baud: str) -> None:
    with pytest.raises(DeviceUnavailableError) as raised:
        options(f"baud={baud}").number("baud", 9600, lowest=300, highest=921600)
    assert hint_of(raised) == f"baud={baud} can't be, write 300 to 921600"


@pytest.mark.parametrize("size", ["1280", "x", "1280x", "1280x720x3", "0x720", "1280x10000"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(DeviceUnavailableError, match=f"resolution={size} can't be"):
        options(f"resolution={size}").size("resolution", highest=9999)


def test_a_word_that_is_no_choice_lists_the_choices() -> None:
    with pytest.raises(DeviceUnavailableError) as raised:
        options("layout=fr").choice("layout", ("us", "de"), "us")
    assert hint_of(raised) == "layout=fr can't be, write one of us, de"
