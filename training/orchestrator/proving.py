"""Proving: plans get the power and PRBs that tier T1 says they need, by the workers of a twin pool."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rapps.orchestrator.proof import doubted, proved
from training.orchestrator.twin_pool import Question, TwinPool
from twin.link.demand import Targets
from twin.link.equipment import EquipmentGrid
from twin.link.plan import ChainGrid
from twin.link.qos import Tier
from twin.link.space import concatenate

SEED = 1
"""Seed of the channels that plans are proved with; they are judged with others."""


def proven(
    plans: Sequence[Question], beyond_db: Sequence[int] | int, pool: TwinPool, *, otherwise: bool = False
) -> ChainGrid:
    """The chains of plans of one chain each, proved as `rapps.orchestrator.proof.proved` does, in turn."""

    def look(rows: np.ndarray, chains: ChainGrid) -> np.ndarray:
        looks = [
            replace(plans[row], chains=chains.take(np.array([place]))) for place, row in enumerate(rows.tolist())
        ]
        told = list(pool.ask(looks, Tier.T1, seed=SEED))
        errors = np.array([one.deviations[0] for one in told]).reshape(-1, 3)
        return doubted(errors, np.array([one.chance[0] for one in told]))

    return proved(
        concatenate([plan.chains for plan in plans]),
        np.asarray(beyond_db),
        Targets.of([plan.demand for plan in plans]),
        EquipmentGrid.of([plan.equipment for plan in plans], [1] * len(plans)),
        look,
        otherwise=otherwise,
    )
