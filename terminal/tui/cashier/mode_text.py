"""What the offline modes mean, in words for the cashier."""

from __future__ import annotations

from terminal.config import OfflineMode

_MEANINGS = {
    OfflineMode.PREFER_ONLINE: "asked later if offline; the shop bears declines",
    OfflineMode.REQUIRE_ONLINE: "no payment is taken without the host",
    OfflineMode.FORCE_OFFLINE: "the bank is asked later; the shop bears declines",
}
"""Short enough for one line of 80 columns."""


def mode_text(mode: str) -> str:
    """Return a mode and what it means."""
    return f"{mode.capitalize()}: {_MEANINGS[OfflineMode(mode)]}"


def mode_question(mode: str, key: str) -> str:
    """Return what pressing *key* once more does while *mode* is on."""
    modes = list(OfflineMode)
    following = modes[(modes.index(OfflineMode(mode)) + 1) % len(modes)]
    return f"{key} again for {following.upper()}: {_MEANINGS[following]}"
