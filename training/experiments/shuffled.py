"""Shuffled: a trained agent whose states' vectors are dealt to the wrong states, to see whether meaning matters.

An agent that only takes vectors as names of states has learnt these names, and falls as far when they are dealt
anew; so the figure bounds how much the agent uses the vectors at all, and not what their meaning is worth.
"""

from collections.abc import Mapping

from training.experiments import frozen
from training.experiments.trained import on_frozen
from training.slicing.config import Config
from training.slicing.sac import Sac
from training.slicing.score import Score

SEED = 1


def with_shuffled(sac: Sac, config: Config) -> Mapping[str, Score]:
    """On the frozen networks as it is, then with its vectors shuffled between codes."""
    straight = on_frozen(sac, frozen.SEEDS, frozen.STEPS)
    language = sac.representation.language
    if language is None:
        return {"": straight}
    language.shuffle(SEED)
    return {"": straight, "shuffled": on_frozen(sac, frozen.SEEDS, frozen.STEPS)}
