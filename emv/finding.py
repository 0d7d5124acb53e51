"""What a check beside the scheme's rules has found in a tap."""

from __future__ import annotations

from dataclasses import dataclass

from emv.guard_policy import Response


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Args:
        check: The check's name, as `GuardPolicy` calls it.
        response: What follows.
        words: What was found, for the technician, without card data.
    """

    check: str
    response: Response
    words: str
