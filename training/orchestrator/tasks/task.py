"""Task: what an orchestrator is asked in training and tests, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from rapps.orchestrator.task import Task as ServedTask
from training.orchestrator.tasks.wording import Wording
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ServedTask):
    """A served task whose demand and equipment are known, and where it comes from."""

    demand: Demand
    equipment: EquipmentState
    explicit: bool
    """Whether the text states all three numbers of the demand."""
    service: str
    vertical: str
    seed: int

    @classmethod
    def of(cls, wording: Wording, equipment: EquipmentState, seed: int) -> Task:
        """A wording on an equipment."""
        return cls(
            text=wording.text,
            demand=wording.demand,
            equipment=equipment,
            explicit=wording.explicit,
            service=wording.service,
            vertical=wording.vertical,
            seed=seed,
        )
