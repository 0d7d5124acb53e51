"""The data file of known firmware: sound, each entry with its source, and silent on what is not known."""

from __future__ import annotations

import re

import pytest

from terminal.diagnostics.firmware import about, known


def test_every_entry_has_a_source_and_a_right_expression() -> None:
    assert len(known()) > 10
    for entry in known():
        assert entry.source
        assert entry.text.endswith(".")
        assert entry.verdict in ("good", "fault", "note")
        re.compile(entry.firmware)
        assert entry.cure or entry.verdict != "fault"
        assert "http" not in entry.source


@pytest.mark.parametrize(
    ("model", "firmware", "verdicts"),
    [
        ("PN532", "1.6", ["good"]),
        ("PN532", "1.4", ["note", "good"]),
        ("PN532", "9.9", []),
        ("ACR122U", "ACR122U102", ["fault", "note", "note"]),
        ("ACR122U", "2.05", ["fault", "note", "note"]),
        ("ACR122U", "ACR122U213", ["note", "note", "note", "good"]),
        ("ACR122U", "ACR122U216", ["note", "note", "note"]),
        ("ACR1252U", "ACR1252U_V107", ["note"]),
        ("RC-S380/P", "1.11", ["note", "note"]),
        ("RC-S300", "1.0", ["fault"]),
        ("Reader 3000", "1.0", []),
        ("", "1.6", []),
    ],
)
def test_what_is_said_of_a_device(model: str, firmware: str, verdicts: list[str]) -> None:
    assert [entry.verdict for entry in about(model, firmware)] == verdicts
