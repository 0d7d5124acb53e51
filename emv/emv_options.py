"""Settings of the kernels with the shared EMV flow (4 and 5) beyond Book A."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """One dynamic reader limit set of kernel 4: limits for the cards that name it (9F70).

    Args:
        number: 0 to 7.
        transaction_limit: In minor units, like those of `CombinationConfig`; None takes that one's.
        floor_limit: None takes the combination's.
        cvm_limit: None takes the combination's.
    """

    number: int
    transaction_limit: int | None = None
    floor_limit: int | None = None
    cvm_limit: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 7:
            raise ValueError("a dynamic limit set has a number from 0 to 7")
        limits = (self.transaction_limit, self.floor_limit, self.cvm_limit)
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("a limit is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvOptions:
    """Settings of the kernels with the shared EMV flow (4 and 5).

    Args:
        application_version: Tag 9F09, two bytes.
        capabilities: Tag 9F33 for this application, three bytes: verification methods and ways of
            authentication. Empty takes the terminal's.
        tac_denial: Terminal action code, five bytes, for declining. Empty takes the kernel's default.
        tac_online: Terminal action code for going online.
        tac_default: Terminal action code for declining where the terminal can't go online.
        random_target_percent: Of the payments below the threshold, how many go online by chance, 0 to 99.
        random_maximum_percent: The same just below the floor limit.
        random_threshold: In minor units: from here on the percentage rises up to the maximum.
        on_device: Whether a device's own verification of its owner is taken.
        default_ddol: What INTERNAL AUTHENTICATE sends to a card without a list (9F49).
        contact_chip: Whether the terminal takes contact cards too, as kernels 4 and 5 tell the card.
        limit_sets: Dynamic reader limits of kernel 4.
    """

    application_version: bytes = bytes.fromhex("0001")
    capabilities: bytes = b""
    tac_denial: bytes = b""
    tac_online: bytes = b""
    tac_default: bytes = b""
    random_target_percent: int = 0
    random_maximum_percent: int = 0
    random_threshold: int = 0
    on_device: bool = True
    default_ddol: bytes = bytes.fromhex("9F3704")
    contact_chip: bool = False
    limit_sets: tuple[LimitSet, ...] = ()

    def __post_init__(self) -> None:
        if len(self.application_version) != 2 or len(self.capabilities) not in (0, 3):
            raise ValueError("a version has two bytes, terminal capabilities three")
        if any(len(code) not in (0, 5) for code in (self.tac_denial, self.tac_online, self.tac_default)):
            raise ValueError("a terminal action code has five bytes")
        if not 0 <= self.random_target_percent <= 99 or self.random_threshold < 0:
            raise ValueError("a percentage goes from 0 to 99, and a threshold is no less than zero")
        if self.random_maximum_percent and not (
            self.random_target_percent <= self.random_maximum_percent <= 99
        ):
            raise ValueError("the maximum percentage goes from the target's to 99")
        if len({limits.number for limits in self.limit_sets}) != len(self.limit_sets):
            raise ValueError("two dynamic limit sets have the same number")
