"""How the terminal stands in one line: every device, and whatever else has a fault."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from terminal.tui.technician.device_list import ShownDevice


def faults_beside(devices: Sequence[ShownDevice], areas: Collection[str]) -> tuple[str, ...]:
    """Return what fails and is no device: of the list, and of the panes' *areas*."""
    found = {each.kind for each in devices if not each.is_device} | {each.lower() for each in areas}
    return tuple(sorted(found))


def standing(devices: Sequence[ShownDevice], areas: Collection[str]) -> tuple[str, bool]:
    """Return the line, and whether anything fails."""
    own = [each for each in devices if each.is_device]
    failing = sum(each.fails for each in own)
    others = faults_beside(devices, areas)
    count = f"{len(own)} device{'' if len(own) == 1 else 's'}"
    if failing:
        told = f"✗ {failing} of {count} {'fails' if failing == 1 else 'fail'}"
    else:
        told = f"{count} {'works' if len(own) == 1 else 'work'}" if own else "no device"
    if others:
        told = f"✗ {', '.join(others)} · {told}"
    elif own and not failing:
        told = f"✓ {told}"
    return told, bool(failing or others or not own)
