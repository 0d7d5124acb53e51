"""What a terminal's configuration comes to for cards: applications, limits, the schemes' keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from emv.config import VISA_AIDS
from emv.config_file import default_text
from simulators import scheme
from terminal.config import ConfigError, load
from terminal.home import CONFIG_FILE
from terminal.set_up import emv_config
from tests.terminal.shop import CONFIG

OWN = """\
[terminal]
country = "shop"
currency = "shop"
merchant_name = "shop"

[[application]]
aids = ["A0000000031010"]
kernel = 3
cvm_limit = "shop"
"""


def write(home: Path, cards: str) -> Path:
    host = '[host]\nurl = "https://127.0.0.1:1"\n'
    file = home / CONFIG_FILE
    file.write_text(CONFIG.partition("[host]")[0].format(terminal="COUNTER1X") + host + f"[cards]\n{cards}\n")
    return file


def test_without_a_file_the_default_is_taken(home: Path) -> None:
    config = emv_config(load(write(home, 'cvm_limit = "300"\nfloor_limit = "25"')))
    assert {row.cvm_limit for row in config.combinations} == {30000}
    assert {row.floor_limit for row in config.combinations} == {2500}
    assert (config.country, config.currency, config.terminal_id) == ("156", "156", "COUNTER1")
    assert not config.ca_keys


def test_a_file_beside_the_configuration_is_taken_instead(home: Path) -> None:
    (home / "emv.toml").write_text(OWN)
    config = emv_config(load(write(home, 'emv = "emv.toml"\ncvm_limit = "300"')))
    (row,) = config.combinations
    assert (row.aid.hex(), row.cvm_limit) == ("a0000000031010", 30000)
    assert config.merchant_name == "Riverside Tea House"


def test_the_default_file_can_be_copied_and_named(home: Path) -> None:

    (home / "emv.toml").write_text(default_text())
    named = emv_config(load(write(home, 'emv = "emv.toml"')))
    assert [row.aid for row in named.combinations if row.kernel_id == 3] == [
        bytes.fromhex(aid) for aid in VISA_AIDS
    ]


def test_a_fault_in_it_is_told_with_file_and_line(home: Path) -> None:
    (home / "emv.toml").write_text(OWN + "cvm_limits = 1\n")
    config = load(write(home, 'emv = "emv.toml"'))
    with pytest.raises(ConfigError) as caught:
        emv_config(config)
    assert str(caught.value).startswith(f"{home / 'emv.toml'}:10: application[1].cvm_limits: unknown key")


def test_a_kernel_that_there_is_not_is_told_before_a_card_comes(home: Path) -> None:
    (home / "emv.toml").write_text(OWN.replace("kernel = 3", "kernel = 9"))
    with pytest.raises(ConfigError, match=r"emv.toml:8: application\[1\].kernel: .* allowed are 2, 3, 4"):
        emv_config(load(write(home, 'emv = "emv.toml"')))


@pytest.mark.parametrize("name", ["emv", "ca_keys"])
def test_a_file_that_is_not_there_is_told_at_the_line_that_names_it(home: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"tillside.toml:\d+: cards.{name}: there is no file .*gone"):
        load(write(home, f'{name} = "gone"'))


@pytest.mark.parametrize("name", ["emv", "ca_keys"])
def test_a_file_that_is_no_text_is_told(home: Path, name: str) -> None:
    (home / "file").write_bytes(b"\xff\xff")
    config = load(write(home, f'{name} = "file"'))
    with pytest.raises(ConfigError, match="can't be read"):
        emv_config(config)


def test_the_schemes_keys_are_read(home: Path) -> None:
    (home / "ca_keys.json").write_text(scheme.ca_keys_json())
    keys = emv_config(load(write(home, 'ca_keys = "ca_keys.json"'))).ca_keys
    assert keys.find(bytes.fromhex("A000000003"), 0xE1) is not None


def test_what_is_refused_without_the_schemes_keys_is_logged_once(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "ca_keys.json").write_text(scheme.ca_keys_json())
    emv_config(load(write(home, 'ca_keys = "ca_keys.json"')))
    assert caplog.messages == []
    emv_config(load(write(home, "")))
    (told,) = caplog.messages
    assert "[cards] ca_keys" in told
    assert "phone" in told


def test_a_key_file_that_is_none_is_told(home: Path) -> None:
    (home / "ca_keys.json").write_text("{")
    config = load(write(home, 'ca_keys = "ca_keys.json"'))
    with pytest.raises(ConfigError, match=r"ca_keys.json: "):
        emv_config(config)
