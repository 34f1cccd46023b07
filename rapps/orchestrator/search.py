"""Search: from random link chains, and a given one, to better ones among those like the best."""

import numpy as np

from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.oracle import table_twin
from twin.link.plan import ChainGrid, LinkChain
from twin.link.reward import DEFAULT_WEIGHTS, rewards
from twin.link.space import Space, concatenate

TRIES = 2_000
"""Random link chains that are tried first."""
CLIMBS, NEIGHBOURS = 12, 200
"""Steps from the best of them to better ones among so many like it."""


def search(demand: Demand, equipment: EquipmentState, *, seed: int, begin: LinkChain | None = None) -> LinkChain:
    """The chain of most reward at tier T0 that is found; PlanError where the equipment can run none."""
    space, draw, twin = Space.of(equipment), np.random.default_rng(seed), table_twin()
    tried = space.sample(TRIES, draw)
    if begin is not None:
        tried = concatenate((ChainGrid.of((begin,)), tried))
    best, top = tried.take(slice(1)), -np.inf
    for _ in range(1 + CLIMBS):
        worth = rewards(twin(tried, equipment), demand, DEFAULT_WEIGHTS)
        place = int(np.argmax(worth))
        if worth[place] > top:
            top, best = float(worth[place]), tried.take(slice(place, place + 1))
        tried = space.neighbours(best, NEIGHBOURS, draw)
    return best.chain(0)
