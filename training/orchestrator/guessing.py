"""Guessing: what plans could bring for demands that were guessed, were they as good as plans can be."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from twin.link.demand import Demand, Targets
from twin.link.reward import deviations, reward_of

CAUTIONS = tuple(np.arange(0.0, 2.5, 0.2).tolist())
"""Decades by which all guesses of a target may be made stricter."""
_HAIR = 1e-9
"""What is taken off deviations of guesses, so that rounding misses nothing."""
_PER_DECADE = np.array([np.log(10.0), np.log(10.0), 1.0])
"""Of deviations, which are natural logarithms but for the bit error rate's."""


def reward_of_guesses(pairs: Sequence[tuple[Demand, Demand]], within: float) -> float:
    """The mean reward of plans that deliver exactly what was understood and a caution, the best one in hindsight.

    Of pairs of what was understood and what is true, at least one. No plan is so exact, and no equipment has a
    chain for every demand, so that this is more than can be had with one caution, by target, for all. Targets
    understood `within` this share are told, and need none.
    """
    understood = [one for one, _ in pairs]
    errors = deviations(
        np.array([one.max_delay_s for one in understood]),
        np.array([one.min_throughput_bps for one in understood]),
        np.array([one.max_ber for one in understood]),
        Targets.of([one for _, one in pairs]),
    )
    guessed = np.abs(errors / _PER_DECADE) > np.log10(1.0 + within)
    errors = np.where(guessed, errors, 0.0)
    return max(
        float(reward_of(errors - guessed * _PER_DECADE * caution).mean())
        for caution in product(CAUTIONS, repeat=3)
    )
