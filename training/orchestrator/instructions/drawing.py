"""Drawing: an endless stream of instructions, by seed, of the domain and at a stated share of others."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.orchestrator.instructions import chains, handwritten, rates, timing, units
from training.orchestrator.instructions.instruction import Instruction, InstructionError

HANDWRITTEN = 0.25
"""Share of hand-written questions among those of the domain; the rest is computed."""
GENERATORS: tuple[Callable[[random.Random], Instruction], ...] = (
    *units.GENERATORS,
    *rates.GENERATORS,
    *timing.GENERATORS,
    *chains.GENERATORS,
)


def draw(seed: int) -> Instruction:
    """The domain's instruction of a seed."""
    die = random.Random(f"instruction of the domain {seed}")
    if die.random() < HANDWRITTEN:
        return die.choice(handwritten.domain())
    return die.choice(GENERATORS)(die)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Instructions of the domain mixed with general ones and with users' own, by shares of their number.

    InstructionError for shares that cannot be, or a share of nothing.
    """

    general: Sequence[Instruction] | None = None
    """General instructions; None for the few of our own."""
    general_share: float = 0.1
    users: Sequence[Instruction] = ()
    """The users' own instructions of the domain."""
    users_share: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.general_share, self.users_share)
        if min(shares) < 0.0 or not sum(shares) <= 1.0:
            raise InstructionError("general_share and users_share must be at least 0 and together at most 1")
        if self.users_share > 0.0 and not self.users:
            raise InstructionError("users_share is above 0; users must then hold instructions")
        if self.general_share > 0.0 and self.general is not None and not self.general:
            raise InstructionError("general_share is above 0; general must then hold instructions, or be None")

    def draw(self, seed: int) -> Instruction:
        """The instruction of a seed."""
        die = random.Random(f"mixture {seed}")
        place = die.random()
        if place < self.general_share:
            return die.choice(handwritten.general() if self.general is None else self.general)
        if place < self.general_share + self.users_share:
            return die.choice(self.users)
        return draw(seed)
