"""Proved entry: another entry, whose plans get the power and PRBs that the twin's tier T1 says they need."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapps.orchestrator.task import Task
from training.orchestrator.evaluation import Answer, Entry
from training.orchestrator.proving import proven
from training.orchestrator.twin_pool import Question, TwinPool
from twin.link.plan import ChainGrid, Plan

PROVED = ", proved"
"""What ends the name of such an entry."""


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
        plans = {
            place: Question(
                chains=ChainGrid.of((answer.plan.link_chain,)), demand=demand, equipment=task.equipment
            )
            for place, (task, answer) in enumerate(zip(tasks, answers, strict=True))
            if answer.plan is not None
            and task.equipment is not None
            and (demand := answer.careful or answer.demand or task.demand)
        }
        if plans:
            beyond_db = [answers[place].beyond_db for place in plans]
            made = proven([*plans.values()], beyond_db, self.pool, otherwise=True)
            seconds = (time.perf_counter() - began) / len(plans)
            for row, place in enumerate(plans):
                answer = answers[place]
                assert answer.plan is not None
                plan = Plan(link_chain=made.chain(row), slice_policy=answer.plan.slice_policy)
                answers[place] = replace(answer, plan=plan, seconds=answer.seconds + seconds)
        return tuple(answers)
