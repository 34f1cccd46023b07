"""Rules are tuned on networks of their own, and come out no worse than they went in."""

import pytest

from training.slicing import arms, tuning
from training.slicing.environment import Environment
from training.slicing.score import play
from training.slicing.tuning import TUNING_SEED, best_split, tuned_demand
from twin.network.scenario import Scenario
from xapps.slicing.demand import DemandConfig

SMALL = Scenario(cells=2, ues=60, load_factor=3.0)


def worth(policy: arms.Policy) -> float:
    """On the networks that are tuned on here."""
    return float(play(Environment(SMALL, 2), policy, range(TUNING_SEED, TUNING_SEED + 2), 10).reward.mean())


def test_a_tuned_heuristic_is_no_worse_than_the_default_where_it_was_tuned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tuning, "CANDIDATES", 6)
    monkeypatch.setattr(tuning, "STAGES", ((6, 2, 10), (2, 2, 10)))
    told: list[str] = []
    found = tuned_demand(SMALL, tell=told.append)
    assert worth(arms.demand(found)) >= worth(arms.demand(DemandConfig()))
    assert found != DemandConfig()
    assert told[0] == "demand: 6 of 6 settings on 2 networks, 10 control intervals"


def test_the_best_split_is_best_where_it_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "TUNING_SEEDS", 2)
    percent = best_split(SMALL, 10, parts=4)
    assert sum(percent) == pytest.approx(100.0)
    for other in ((25.0, 25.0, 50.0), (25.0, 50.0, 25.0), (50.0, 25.0, 25.0)):
        assert worth(arms.split(percent)) >= worth(arms.split(other))
