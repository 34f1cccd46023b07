"""A model so small that tests can train it."""

from functools import lru_cache

from training.orchestrator import edge
from training.orchestrator.asking import Asked
from training.orchestrator.edge import EdgeConfig
from training.orchestrator.lm import Lm
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task

ASKED = Asked(margin=0.1)
CONFIG = EdgeConfig(layers=2, width=32, heads=2, key_value_heads=1, inner=64, vocabulary=400, texts=50)


@lru_cache
def texts() -> tuple[str, ...]:
    return tuple(ASKED.prompt(draw(seed)) for seed in range(50))


def made(seed: int = 0) -> Lm:
    """A model that knows nothing."""
    return edge.made(texts(), CONFIG, seed)


def tasks(count: int, first: int = 0) -> list[Task]:
    return [draw(first + place) for place in range(count)]
