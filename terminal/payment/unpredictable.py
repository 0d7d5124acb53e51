"""Unpredictable numbers (tag 9F37): from the system's generator, tested, and none used twice.

A terminal whose numbers can be foretold lets a thief collect cryptograms for them in advance (pre-play).
Such terminals were found in the field: they counted, or left bits fixed. The self-test looks for just
that; it is no proof of entropy. Its bounds lie more than seven standard deviations out, so a sound
generator does not fail it in a terminal's life.

Spec: EMV 4.4 Book 4, 6.5.6; NIST SP 800-90B, 4.4 (the idea of a repetition count).
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise

LENGTH = 4
SAMPLES = 256
"""Numbers that the self-test draws."""
_FEWEST, _MOST = 64, 192
"""How often each bit may be set in them: 128 is expected, a standard deviation is 8."""
_REPEATS = 3
"""So many used numbers in a row are no chance: at most one draw in 40,000 is one."""
REMEMBERED = 100_000
"""Numbers that are not given out again: more than a counter uses in a year."""


class EntropyError(RuntimeError):
    """The generator gives numbers that can be foretold. No payment may be made with it."""


class UnpredictableNumbers:
    """Gives out numbers. It tests its generator when it is made.

    Args:
        draw: Returns so many random bytes.

    Raises:
        EntropyError: the generator is not fit.
    """

    def __init__(self, draw: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._draw = draw
        self._used: OrderedDict[bytes, None] = OrderedDict()
        check([draw(LENGTH) for _ in range(SAMPLES)])

    def take(self) -> bytes:
        """Return a number that was not given out before.

        Raises:
            EntropyError: the generator repeats itself.
        """
        for _ in range(_REPEATS):
            number = self._draw(LENGTH)
            if number not in self._used:
                self._used[number] = None
                if len(self._used) > REMEMBERED:
                    self._used.popitem(last=False)
                return number
        raise EntropyError("the random number generator repeats itself: restart the machine, then replace it")


def check(numbers: list[bytes]) -> None:
    """Look for fixed bits and for counting.

    Raises:
        EntropyError: there is one or the other.
    """
    values = [int.from_bytes(number, "big") for number in numbers]
    for bit in range(8 * LENGTH):
        if not _FEWEST <= sum(value >> bit & 1 for value in values) <= _MOST:
            raise EntropyError("the random number generator has a fixed bit: replace the machine")
    steps = {(after - before) % 2**32 for before, after in pairwise(values)}
    if len(steps) < len(values) - 8:
        raise EntropyError("the random number generator counts: replace the machine")
