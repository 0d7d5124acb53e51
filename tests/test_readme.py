"""The README says what is so."""

import re
from pathlib import Path

import pytest

from emv.entry_point import KERNELS
from tests.pictures import kernel_diagrams
from tests.pictures.attempt_diagram import README, written


def test_the_diagram_is_that_of_the_machine() -> None:
    text = README.read_text("utf-8")
    assert text == written(text), "run: python -m tests.pictures.attempt_diagram"


def test_the_kernels_are_drawn_as_they_are() -> None:
    text = kernel_diagrams.README.read_text("utf-8")
    assert text == kernel_diagrams.written(text), "run: python -m tests.pictures.kernel_diagrams"
    drawn = set(map(int, re.findall(r"kernel_c(\d)\.py\): Kernel", text)))
    assert drawn == set(KERNELS)


@pytest.mark.parametrize("readme", [README, kernel_diagrams.README], ids=["whole", "emv"])
def test_every_link_and_picture_is_there(readme: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", readme.read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (readme.parent / target).exists()] == []


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    from terminal.config import load

    (example,) = re.findall(r"```toml\n(\[shop\].*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "tillside.toml").write_text(example)
    for name in ("host-ca.pem", "ca_keys.json"):
        (tmp_path / name).touch()
    assert load(tmp_path / "tillside.toml").shop.currency == "EUR"
