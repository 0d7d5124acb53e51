"""What leaves the terminal has no password in it, wherever one stood; what is none stays readable."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.diagnostics.redaction import LEFT_OUT, names_secret, redact

SECRET = "geheim"


@pytest.mark.parametrize(
    "text",
    [
        # before a host
        f"camera:rtsp://admin:{SECRET}@192.0.2.7/live",
        f"camera:rtsp://admin:p@{SECRET}@192.0.2.7/live",
        f"camera:rtsp://admin:p/{SECRET}@192.0.2.7/live",
        f"camera:rtsp://admin:12#{SECRET}@192.0.2.7/live",
        f"camera:rtsp://admin:two {SECRET}@192.0.2.7/live",
        f"camera:rtsp://admin:it's{SECRET}@192.0.2.7/live",
        f"http://{SECRET}@192.0.2.7/",
        f"http://admin:{SECRET}@[2001:db8::7]:8080/",
        # in a query
        f"camera:http://192.0.2.7/video.cgi?user=admin&pwd={SECRET}",
        f"camera:http://192.0.2.7/video.cgi?x={SECRET}&y=2#resolution=640x480",
        f"camera:http://192.0.2.7/video.cgi?x=a#{SECRET}#resolution=640x480",
        f"camera:http://192.0.2.7/?{SECRET}",
        f"camera:http://admin:{SECRET}@192.0.2.7/?x={SECRET}",
        f"camera:http://admin:p?{SECRET}@192.0.2.7/?x={SECRET}",
        # beside a name
        f'password = "{SECRET}"',
        f"password = '{SECRET}'",
        f'api_token="{SECRET}" # mine',
        f'"pin" = "{SECRET}"',
        f"pin = {SECRET}",
        f"shop.password = two {SECRET}",
        f'password = "unended {SECRET}',
        f'wallet = {{ id = "1", password = "{SECRET}" }}',
        f'wallet = {{ id = "1", api-key = "{SECRET}" }}',
        f"secret = {{ value = '{SECRET}', old = '{SECRET}' }}",
        f'tokens = [\n  "one",\n  "{SECRET}",\n]',
        f'password = """\n{SECRET}\n{SECRET}"""',
        f"password = '''\n{SECRET}\n'''",
        f'password = """\n{SECRET}',
        f'{{"user": "me", "password": "{SECRET}", "x": 1}}',
        f"{{'user': 'me', 'pin': '{SECRET}'}}",
        f'"{{\\"password\\": \\"{SECRET}\\"}}"',
        f'"a \\"quoted\\" password = \\"{SECRET}\\""',
        f'password = "a \\" {SECRET}"',
        f"logged in with user=me, password={SECRET}, and so on",
        f"Authorization: Bearer {SECRET}",
        f"loginpwd={SECRET}",
    ],
)
def test_no_password_survives(text: str) -> None:
    clean = redact(f"before\n{text}\nafter\n" if '"""\n' not in text or text.endswith('"""') else text)
    assert SECRET not in clean
    assert LEFT_OUT in clean
    assert redact(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "camera:http://192.0.2.7:8080/live#resolution=640x480,exposure=9",
        "http://[2001:db8::7]:8080/live, and mail to me@example.com",
        "nc -vz 192.0.2.7 9100; see https://example.com/help.",
        "the tokenizer passed 12 of 12; passes: 12, pins: 4",
        "online PIN: not asked for",
        'key_id = "4f2a"\nca_keys = "keys.toml"\nprivate_key_file = "alipay.pem"',
        "public_key=abc",
        '[host]\nurl = "https://host.example:8443/"\n',
        "CVM: enciphered PIN verified online",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert redact(text) == text


def test_around_a_password_everything_stays() -> None:
    text = (
        f'scanner = "camera:http://192.0.2.7/v?user=me&pwd={SECRET}#exposure=9"\n'
        f'wallet = {{ id = "1", password = "{SECRET}", limit = 3 }}\nnotes = """\nnone\n"""\n'
    )
    assert tomllib.loads(redact(text)) == {
        "scanner": f"camera:http://192.0.2.7/v?user={LEFT_OUT}&pwd={LEFT_OUT}#exposure=9",
        "wallet": {"id": "1", "password": LEFT_OUT, "limit": 3},
        "notes": "none\n",
    }


@pytest.mark.parametrize("name", ["password", "Host-Token", "pin", "api_key_2", "shop_pin"])
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", ["spin", "key_id", "pinned", "public key", "passes all"])
def test_names_of_others(name: str) -> None:
    assert not names_secret(name)


pieces = ["password", "pin", " = ", ": ", '"', "'", "\\", "two words", "://", "?a=", "@", "{", "[", "\n"]


@given(st.lists(st.sampled_from(pieces) | st.text(max_size=5), max_size=12).map("".join))
def test_redacting_again_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)
