"""The demo's folder is its own: never a real terminal's, and never shared by two demos."""

import fcntl
from pathlib import Path

import pytest

from terminal.cli import WRONG_USE, main
from terminal.demo.folder import LOCK_FILE, FolderError, demo_folder, write_config
from terminal.enrolment import KEY_FILE
from terminal.home import CONFIG_FILE


def test_without_a_name_it_is_gone_afterwards() -> None:
    with demo_folder(None) as folder:
        (folder / "kept").touch()
    assert not folder.exists()


def test_a_folder_that_the_demo_made_is_used_again(tmp_path: Path) -> None:
    named = tmp_path / "a" / "b"
    for _ in range(2):
        with demo_folder(named) as folder:
            assert folder == named
            write_config(folder, "")


def test_the_configuration_says_that_changes_in_it_are_lost(tmp_path: Path) -> None:
    with demo_folder(tmp_path) as folder:
        assert "what is changed here is lost" in write_config(folder, "").read_text().splitlines()[0]


def test_a_configuration_that_somebody_wrote_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CONFIG_FILE).write_text('[shop]\nname = "Corner Shop"\n')
    assert main(["demo", "--script", "--reader", "sim:", "--home", str(tmp_path)]) == WRONG_USE
    assert capsys.readouterr().err == (
        f"tillside: {tmp_path} is the home of a terminal that is not the demo's, and is left alone; "
        "name an empty folder with --home, or none for a temporary one\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG_FILE]
    assert (tmp_path / CONFIG_FILE).read_text() == '[shop]\nname = "Corner Shop"\n'


def test_so_are_the_keys_of_a_terminal_whose_configuration_was_moved_away(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch()
    with pytest.raises(FolderError, match="is the home of a terminal"), demo_folder(tmp_path):
        pass


def test_a_folder_in_which_another_demo_runs_is_refused(tmp_path: Path) -> None:
    with (tmp_path / LOCK_FILE).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FolderError, match="another demo runs in"), demo_folder(tmp_path):
            pass
    with demo_folder(tmp_path):
        pass


def test_it_holds_that_lock_itself(tmp_path: Path) -> None:
    with demo_folder(tmp_path), pytest.raises(FolderError, match="another demo runs in"):
        with demo_folder(tmp_path):
            pass


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="name a"), demo_folder(tmp_path / name):
        pass
