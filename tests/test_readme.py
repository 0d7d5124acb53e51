"""The README says what is so."""

import re
from pathlib import Path

from tests.pictures.attempt_diagram import README, written

ROOT = README.parent


def test_the_diagram_is_that_of_the_machine() -> None:
    text = README.read_text("utf-8")
    assert text == written(text), "run: python -m tests.pictures.attempt_diagram"


def test_every_link_and_picture_is_there() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README.read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (ROOT / Path(target)).exists()] == []


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    from terminal.config import load

    (example,) = re.findall(r"```toml\n(\[shop\].*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "tillside.toml").write_text(example)
    (tmp_path / "host-ca.pem").touch()
    assert load(tmp_path / "tillside.toml").shop.currency == "EUR"
