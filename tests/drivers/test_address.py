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
    assume(not set("@?&;") & set(target))
    assert parse(str(address)) == address
    assert str(parse(f"{scheme}:{target}")) == f"{scheme}:{target}"


@given(st.text())
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        address = parse(text)
    except AddressError:
        return
    assert str(address) == text or "@" in text or "=" in text


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "channel", "action", "resolution", "stream", "pinned"]),
            st.text("aZ09.:/-%= ", max_size=8),
        ),
        max_size=3,
    ),
    st.sampled_from(["", ":8080", "/live", ":8080/live"]),
    st.sampled_from(["", "#", "#resolution=640x480,exposure=9"]),
)
def test_an_address_without_a_password_is_shown_whole(
    query: list[tuple[str, str]], path: str, options: str
) -> None:
    named = "&".join(f"{name}={value}" for name, value in query)
    text = f"camera:http://[2001:db8::7]{path}?{named}{options}".strip()
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "name", ["pwd", "password", "PASS", "loginpas", "user_token", "apikey", "key", "secret", "pin", "auth"]
)
@pytest.mark.parametrize("options", ["", "#", "#resolution=640x480"])
@pytest.mark.parametrize("value", ["geheim", "a=b==", "g#h", "ge;heim", ""])
def test_a_password_in_the_query_is_not_shown(name: str, options: str, value: str) -> None:
    written = f"camera:http://192.0.2.7:81/video.cgi?user=admin&{name}={value}{{}}{options}"
    for after in ("", "&rate=0"):
        assert str(parse(written.format(after))) == (
            f"camera:http://192.0.2.7:81/video.cgi?user=admin&{name}=***{after}{options}"
        )


@pytest.mark.parametrize("password", ["pa/ss", "12#4", "a?b", "a/b:c"])
def test_a_password_that_would_have_to_be_escaped_is_not_shown_either(password: str) -> None:
    shown = str(parse(f"camera:rtsp://admin:{password}@192.0.2.7:554/live"))
    assert shown == "camera:rtsp://admin:***@192.0.2.7:554/live"


@pytest.mark.parametrize("password", ["secret", "a:b", "p@ss", ""])
def test_a_cameras_password_is_for_its_driver_alone(password: str) -> None:
    address = parse(f"camera:rtsp://admin:{password}@192.0.2.7:554/live#resolution=640x480")
    shown = "camera:rtsp://admin:***@192.0.2.7:554/live#resolution=640x480"
    assert (str(address), f"{address}") == (shown, shown)
    assert repr(address) == f"DeviceAddress({shown!r})"
    assert f":{password}@" in address.target
    error = DeviceUnavailableError(address, Reason.NOT_FOUND, "switch it on")
    assert str(error) == f"{shown}: not found. switch it on"
