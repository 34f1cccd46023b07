"""The held-out wordings: services and phrases that no training sees, written by hand (heldout.yaml)."""

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from training.orchestrator.tasks import equipment
from training.orchestrator.tasks.task import Task
from training.orchestrator.tasks.wording import Wording
from twin.link.demand import Demand

FILE = Path(__file__).parent / "heldout.yaml"
STATES_EACH = 8
"""Equipment states that each wording is put on: enough for 1,000 feasible tasks, and as many to spare."""


@lru_cache
def wordings() -> tuple[Wording, ...]:
    """All of them, service by service."""
    services = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return tuple(
        Wording(
            text=text,
            demand=_demand(stated, told["demand"]),
            explicit=None not in stated,
            service=service,
            vertical=told["vertical"],
        )
        for service, told in services.items()
        for text, *stated in told["wordings"]
    )


def tasks(states_each: int = STATES_EACH) -> tuple[Task, ...]:
    """The test split: each wording on so many equipment states that no training sees."""
    return tuple(
        Task.of(wording, equipment.drawn("test", random.Random(f"held out {seed}")), seed)
        for seed, wording in enumerate(wording for wording in wordings() for _ in range(states_each))
    )


def _demand(stated: Sequence[float | str | None], usual: Sequence[float | str]) -> Demand:
    # YAML 1.1 reads 1e-5 as a string.
    delay_s, throughput_bps, ber = (
        float(default if value is None else value) for value, default in zip(stated, usual, strict=True)
    )
    return Demand(max_delay_s=delay_s, min_throughput_bps=throughput_bps, max_ber=ber)
