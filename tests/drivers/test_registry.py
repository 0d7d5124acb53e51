"""Drivers are found through entry points of real distributions, here made in a folder."""

import sys
from pathlib import Path

import pytest

from drivers import registry
from drivers.address import DeviceAddress, parse
from drivers.errors import DeviceUnavailableError, Reason
from drivers.protocols import Category
from drivers.registry import RegistryError

READERS = Category.CONTACTLESS_READER


class Shelf:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self, distribution: str, scheme: str, source: str) -> None:
        module = f"driver_of_{distribution}"
        (self._folder / f"{module}.py").write_text(source)
        info = self._folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[tillside.{READERS.value}]\n{scheme} = {module}\n")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Shelf(tmp_path)


def refused(address: str) -> DeviceUnavailableError:
    with pytest.raises(DeviceUnavailableError) as caught:
        registry.open_reader(parse(address))
    return caught.value


def test_the_built_in_readers_are_there() -> None:
    found = registry.drivers(READERS)
    assert {"pcsc", "pn532", "sim"} <= set(found)
    assert found["pcsc"].distribution == "tillside"


def test_an_outsider_comes_in_the_same_way(shelf: Shelf) -> None:
    shelf.install("outsider", "outside", "def open(address):\n    return ('opened', address)\n")
    assert registry.drivers(READERS)["outside"].distribution == "outsider"
    opened: object = registry.open_reader(parse("outside:x"))
    assert opened == ("opened", DeviceAddress("outside", "x"))


def test_two_distributions_for_one_scheme_are_an_error(shelf: Shelf) -> None:
    shelf.install("one", "same", "")
    shelf.install("two", "same", "")
    with pytest.raises(RegistryError, match=r"same.*(one and two|two and one)"):
        registry.drivers(READERS)


def test_nobody_replaces_a_built_in(shelf: Shelf) -> None:
    shelf.install("thief", "pcsc", "")
    with pytest.raises(RegistryError, match="pcsc"):
        registry.drivers(READERS)


def test_an_unknown_scheme_names_what_there_is() -> None:
    error = refused("nosuch:x")
    assert error.reason is Reason.WRONG_ADDRESS
    assert error.hint == (
        "no reader driver is called nosuch; install the distribution that brings it; "
        "there are: nfcpy, pcsc, pn532"
    )


@pytest.mark.parametrize(
    ("address", "guess"),
    [
        ("acr:ACR122U", "an ACS reader is pcsc:ACS ACR122U"),
        ("pn523:/dev/ttyUSB0", "did you mean pn532"),
        ("camera:0", "camera: is of a scanner"),
    ],
)
def test_an_unknown_scheme_names_what_was_meant(address: str, guess: str) -> None:
    assert f"; {guess}; there are: " in refused(address).hint


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("raise ModuleNotFoundError('No module', name='smartcard.scard')", "pip install pyscard"),
        ("raise ModuleNotFoundError('No module', name='nfc')", "pip install nfcpy"),
        ("import a_library_that_nobody_has", "pip install a_library_that_nobody_has"),
        (
            "raise ImportError('libpcsclite.so.1: cannot open shared object file')",
            "sudo apt-get install libpcsclite1",
        ),
        ("raise ImportError('Unable to find zbar shared library')", "sudo apt-get install libzbar0"),
    ],
)
def test_a_missing_library_breaks_that_driver_alone_and_names_its_cure(
    shelf: Shelf, source: str, hint: str
) -> None:
    shelf.install("broken", "broken", source)
    error = refused("broken:x")
    assert (error.reason, error.hint) == (Reason.DRIVER_MISSING, hint)
    assert registry.open_reader(parse("sim:")).info().name


def test_finding_drivers_imports_none(shelf: Shelf) -> None:
    shelf.install("lazy", "lazy", "raise RuntimeError('imported')\n")
    assert "lazy" in registry.drivers(READERS)
