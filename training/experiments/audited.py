"""Audited: completed plans put to tier T2, which sends blocks over drawn channels and counts wrong bits.

Counting cannot show an error rate of 1e-9 in any time there is. So a plan is *missed* when its delay or throughput
misses the demand or the low end of its bit error rate lies above it, *met* when the high end lies below, and
*open* where too few bits were sent to say.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from training.experiments.run import Result, Task
from training.orchestrator import kept
from training.orchestrator.evaluation import Entry, Outcomes, evaluate
from training.orchestrator.proved_entry import ProvedEntry
from training.orchestrator.scores import interval
from training.orchestrator.tasks.task import Task as Asked
from training.orchestrator.twin_pool import TwinPool
from twin.link.demand import Demand
from twin.link.evaluate import evaluate as asked
from twin.link.plan import LinkChain
from twin.link.qos import Qos, Tier

Verdict = Literal["met", "open", "missed"]
MOST_BLOCKS = 400


@dataclass(frozen=True, slots=True)
class Audit:
    """So many completed plans of an entry, drawn at random; goes on where it was cut off."""

    entry: Entry
    tasks: Sequence[Asked]
    outcomes: Path
    """Where the entry's outcomes at T1 are kept."""
    plans: int
    most_blocks: int = MOST_BLOCKS
    prove: bool = False
    """Whether the entry's plans were proved."""

    def __call__(self, task: Task) -> Result:
        """The share of each verdict, with intervals by texts."""
        rows = list(self._judged(task.folder / "verdicts.jsonl"))
        texts = [str(row["text"]) for row in rows]
        shares = {
            name: asdict(interval(np.array([float(row["verdict"] in names) for row in rows]), texts))
            for name, names in {"held": ("met", "open"), "met": ("met",), "missed": ("missed",)}.items()
        }
        return {"plans": len(rows), "most_blocks": self.most_blocks, "shares": shares}

    def _judged(self, path: Path) -> Iterator[Mapping[str, object]]:
        known = {row["place"]: row for row in kept.read(path)}
        with TwinPool(workers=1) as pool:
            entry = ProvedEntry(self.entry, pool) if self.prove else self.entry
            found = evaluate(entry, self.tasks, Tier.T1, pool, Outcomes(self.outcomes))
        completed = [place for place, outcome in enumerate(found) if outcome.completed]
        for place in random.Random(0).sample(completed, min(self.plans, len(completed))):
            if place not in known:
                task, chain = self.tasks[place], LinkChain.model_validate(found[place].chain)
                told = asked(chain, task.equipment, Tier.T2, seed=place, most_blocks=self.most_blocks)
                known[place] = {"place": place, "text": task.text, "verdict": verdict(told.qos, task.demand)}
                kept.append(path, known[place])
            yield known[place]


def verdict(qos: Qos, demand: Demand) -> Verdict:
    """What T2's answer says of a demand."""
    in_time = qos.delay_s <= demand.max_delay_s and qos.throughput_bps >= demand.min_throughput_bps
    if not in_time or qos.ber_low > demand.max_ber:
        return "missed"
    return "met" if qos.ber_high <= demand.max_ber else "open"
