"""The checks of the validation report hold, and they can fail: a breach of a rule shows in the figures."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twin.network_cases import CURVE
from twin.network import operators, validation
from twin.network.curve import RateCurve
from twin.network.errors import TraceError
from twin.network.scenario import Scenario
from twin.network.scheduler import share_among_slices
from twin.network.validation import Compared, fairness, fixed_link, jain, poisson_queue, sharing

ARCHIVE = Path(__file__).parents[3] / "shared/data/operator_5g_traces.zip"


def test_a_poisson_queue_waits_as_theory_says() -> None:
    result = poisson_queue((0.2, 0.5), envs=800, seconds=3.0)
    assert result.worst_share < 0.06
    assert result.measured[1] > 1.5 * result.measured[0]


def test_proportional_fairness_gives_equal_airtime_and_not_equal_rates() -> None:
    fair, turns = fairness("proportional_fair", seconds=6.0), fairness("round_robin", seconds=6.0)
    assert fair.airtime_jain > 0.99
    assert turns.airtime_jain > 0.99
    assert fair.rate_jain < 0.95, "UEs far away get less"
    assert fair.total_bps > turns.total_bps, "it serves UEs while their channel is good"


def test_jains_index_spans_its_range() -> None:
    shares = torch.tensor([[1.0, 1.0, 1.0, 1.0], [4.0, 0.0, 0.0, 0.0]])
    assert jain(shares[:1]) == pytest.approx(1.0)
    assert jain(shares[1:]) == pytest.approx(0.25)


def test_sharing_keeps_every_rule_and_a_breach_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sharing(policies=3000)
    assert max(kept.cell, kept.above_max, kept.below_min, kept.idle) < 1e-6

    def generous(need: torch.Tensor, weight: torch.Tensor, ratios: torch.Tensor, prbs: int) -> torch.Tensor:
        return share_among_slices(need, weight, ratios, prbs) + 0.5

    monkeypatch.setattr(validation, "share_among_slices", generous)
    broken = sharing(policies=3000)
    assert broken.cell > 0.4
    assert broken.above_max > 0.4


@pytest.mark.parametrize(
    "curve",
    [CURVE, RateCurve(snr_db=(-5.0, 5.0, 10.0, 20.0), efficiency=(3.0,) * 4, bler=(1.0, 0.7, 0.01, 0.0))],
)
def test_a_fixed_link_delivers_what_its_curve_says(curve: RateCurve) -> None:
    result = fixed_link(curve, (-3.0, 3.0, 9.0, 25.0))
    assert result.worst < 0.005
    assert (np.diff(result.measured) >= 0).all()


def test_distances_are_taken_from_what_should_be() -> None:
    result = Compared(np.array([1.0, 2.0]), np.array([1.1, 4.0]), np.array([1.0, 5.0]))
    assert result.worst == pytest.approx(1.0)
    assert result.worst_share == pytest.approx(0.2)


@pytest.mark.slow
def test_sinrs_agree_with_sionnas_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sionna.phy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    scenario = Scenario(propagation="umi", site_height_m=10.0, inter_site_distance_m=200.0)
    result = validation.sinr_distribution(scenario, seeds=range(8))
    assert result.same_drop_error_db < 0.01
    assert np.abs(result.own - result.sionna)[:5].max() < 1.5


HEAD = "Timestamp,Speed,SNR,CQI,DL_bitrate,NetworkMode\n"


def archive(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("a/b.csv", HEAD + text)
    return path


def test_the_relation_of_a_trace_is_read(tmp_path: Path) -> None:
    rows = "".join(f"x,1,{level},{4 + level},{1000 * (level + 1)},5G\n" * 40 for level in (1, 8))
    noise = "x,1,-,9,5000,5G\nx,1,1,-,-,5G\nx,1,1,99,0,5G\nx,1,1,1,1,LTE\n"
    found = operators.field_relation(archive(tmp_path / "traces.zip", rows + noise))
    places = [int(np.digitize(level, operators.BINS_DB)) - 1 for level in (1, 8)]
    assert found.cqi[places].tolist() == [5, 12]
    assert found.rate_bps[places].tolist() == [2e6, 9e6]
    assert np.isnan(np.delete(found.cqi, places)).all()


def test_an_archive_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no row of network mode 5G"):
        operators.field_relation(archive(tmp_path / "empty.zip", "x,1,-,9,5000,5G\n"))
    with pytest.raises(TraceError, match=r"absent\.zip"):
        operators.field_relation(tmp_path / "absent.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(TraceError, match=r"broken\.zip"):
        operators.field_relation(tmp_path / "broken.zip")


def test_in_the_twin_cqi_and_rate_grow_with_the_snr() -> None:
    found = operators.twin_relation(Scenario(), seconds=1.2)
    known = ~np.isnan(found.cqi)
    assert known.sum() >= 14
    assert (np.diff(found.cqi[known]) >= 0).all()
    assert (np.diff(found.rate_bps[known]) > 0).all()
    assert found.rate_bps[known][-1] < Scenario().prbs * Scenario().symbol_rate_hz * 7.41


@pytest.mark.skipif(not ARCHIVE.exists(), reason="needs the operator trace archive, not part of the project")
def test_in_the_field_cqi_and_rate_grow_with_the_snr_too() -> None:
    found = operators.field_relation(ARCHIVE)
    known = ~np.isnan(found.cqi) & ~np.isnan(found.rate_bps)
    assert known.sum() >= 14
    middle = operators.BINS_DB[:-1][known]
    assert np.corrcoef(middle, found.cqi[known])[0, 1] > 0.5
    assert np.corrcoef(middle, found.rate_bps[known])[0, 1] > 0.3
