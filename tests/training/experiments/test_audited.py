"""Plans are audited by Monte Carlo once each, and judged by the ends of what was counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.experiments.audited import Audit, verdict
from training.experiments.run import Task
from training.orchestrator import entries
from training.orchestrator.tasks import heldout
from twin.link.demand import Demand
from twin.link.qos import Qos, Tier

DEMAND = Demand(max_delay_s=0.01, min_throughput_bps=1e6, max_ber=1e-5)
FINE = Qos(
    delay_s=0.005, throughput_bps=2e6, ber=1e-7, ber_low=0.0, ber_high=1e-6, extrapolated=False, tier=Tier.T2
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "met"),
        ({"ber_high": 1e-4}, "open"),
        ({"ber_low": 1e-4, "ber": 1e-4, "ber_high": 1e-3}, "missed"),
        ({"delay_s": 0.02}, "missed"),
        ({"throughput_bps": 9e5}, "missed"),
    ],
)
def test_a_verdict_follows_from_the_ends(change: dict[str, float], expected: str) -> None:
    assert verdict(replace(FINE, **change), DEMAND) == expected


@pytest.mark.slow
def test_an_audit_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    audit = Audit(entries.make("amc:4"), heldout.tasks()[:8], tmp_path / "outcomes.jsonl", plans=3, most_blocks=4)
    task = Task(folder=tmp_path, runs=tmp_path, seed=1, episodes=1)
    whole = audit(task)
    assert whole["plans"] == 3
    lines = (tmp_path / "verdicts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "verdicts.jsonl").write_text("".join(lines[:-2]))
    assert audit(task) == whole
