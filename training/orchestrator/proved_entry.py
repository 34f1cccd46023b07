"""Proved entry: another entry, whose plans get the power and PRBs that the twin's tier T1 says they need."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rapps.orchestrator.proof import doubted, proved
from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Answer, Entry
from training.orchestrator.twin_pool import Question, TwinPool
from twin.link.demand import Demand, Targets
from twin.link.equipment import EquipmentGrid, EquipmentState
from twin.link.plan import ChainGrid, LinkChain, Plan
from twin.link.qos import Tier

PROVED = ", proved"
"""What ends the name of such an entry."""
SEED = 1
"""Seed of the channels that plans are proved with; they are judged with others."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan that is to be proved."""

    place: int
    chain: LinkChain
    beyond_db: int
    demand: Demand
    equipment: EquipmentState


@dataclass(frozen=True, slots=True)
class ProvedEntry:
    """An entry, and who is asked for proofs, as `rapps.orchestrator.orchestrator.ask` asks at tier T1."""

    entry: Entry
    pool: TwinPool

    @property
    def name(self) -> str:
        """Under which answers are kept."""
        return f"{self.entry.name}{PROVED}"

    def __call__(self, tasks: Sequence[Task], /) -> tuple[Answer, ...]:
        """Answer tasks; where the entry tells no demand it knows the true one."""
        answers, began = list(self.entry(tasks)), time.perf_counter()
        plans = [
            _Planned(place, answer.plan.link_chain, answer.beyond_db, demand, task.equipment)
            for place, (task, answer) in enumerate(zip(tasks, answers, strict=True))
            if answer.plan is not None and task.equipment is not None and (demand := answer.demand or task.demand)
        ]
        if plans:
            made = self._proved(plans)
            seconds = (time.perf_counter() - began) / len(plans)
            for row, planned in enumerate(plans):
                answer = answers[planned.place]
                assert answer.plan is not None
                plan = Plan(link_chain=made.chain(row), slice_policy=answer.plan.slice_policy)
                answers[planned.place] = replace(answer, plan=plan, seconds=answer.seconds + seconds)
        return tuple(answers)

    def _proved(self, plans: Sequence[_Planned]) -> ChainGrid:
        def met(rows: np.ndarray, chains: ChainGrid) -> np.ndarray:
            questions = [
                Question(
                    chains=chains.take(np.array([place])),
                    demand=doubted(plans[row].demand),
                    equipment=plans[row].equipment,
                )
                for place, row in enumerate(rows.tolist())
            ]
            return np.array(
                [verdict.met[0] for verdict in self.pool.ask(questions, Tier.T1, seed=SEED)], dtype=bool
            )

        return proved(
            ChainGrid.of([planned.chain for planned in plans]),
            np.array([planned.beyond_db for planned in plans]),
            Targets.of([planned.demand for planned in plans]),
            EquipmentGrid.of([planned.equipment for planned in plans], [1] * len(plans)),
            met,
        )
