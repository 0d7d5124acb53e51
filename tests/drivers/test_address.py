"""Device addresses: one spelling, both ways."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.address import AddressError, DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason

schemes = st.from_regex(r"[a-z][a-z0-9-]*", fullmatch=True)
targets = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=60).map(
    str.strip
)


@given(schemes, targets)
def test_what_was_written_is_read_back(scheme: str, target: str) -> None:
    address = DeviceAddress(scheme, target)
    assume("@" not in target)
    assert parse(str(address)) == address
    assert str(parse(f"{scheme}:{target}")) == f"{scheme}:{target}"


@given(st.text())
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        address = parse(text)
    except AddressError:
        return
    assert str(address) == text or "@" in text


def test_only_the_first_colon_splits() -> None:
    assert parse("camera:http://127.0.0.1:8080/") == DeviceAddress("camera", "http://127.0.0.1:8080/")


def test_a_target_may_be_empty() -> None:
    assert parse("pcsc:") == DeviceAddress("pcsc", "")


def test_a_text_without_a_colon_is_told_the_syntax() -> None:
    with pytest.raises(AddressError, match="scheme:target"):
        parse("ACR122U")


@pytest.mark.parametrize(
    "text", [":x", "PCSC:x", "9p:x", "a b:x", "sim: x", "sim:x ", "sim:a\nb", "sim:\x1b[2J"]
)
def test_what_would_not_print_or_read_back_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse(text)


@pytest.mark.parametrize("password", ["secret", "a:b", "p@ss", ""])
def test_a_cameras_password_is_for_its_driver_alone(password: str) -> None:
    address = parse(f"camera:rtsp://admin:{password}@192.0.2.7:554/live#resolution=640x480")
    shown = "camera:rtsp://admin:***@192.0.2.7:554/live#resolution=640x480"
    assert (str(address), f"{address}") == (shown, shown)
    assert repr(address) == f"DeviceAddress({shown!r})"
    assert f":{password}@" in address.target
    error = DeviceUnavailableError(address, Reason.NOT_FOUND, "switch it on")
    assert str(error) == f"{shown}: not found. switch it on"
