from pathlib import Path

import numpy as np
import pytest

from oran.sla import SliceSla
from oran.slices import SNssai, static_ratios
from ranloop.phases import Phase, interval
from ranloop.report import write_report

SLAS = (
    SliceSla(SNssai(1, 1), throughput_bps=10e6, name="eMBB"),
    SliceSla(SNssai(2, 1), delay_s=0.01, name="URLLC <fast>"),
)


def make(name: str, throughput_bps: float, delay_s: float, steps: int = 50) -> Phase:
    shape = (steps, 3, 2)
    throughput = np.full(shape, np.nan)
    throughput[..., 0] = throughput_bps
    delay = np.full(shape, np.nan)
    delay[..., 1] = delay_s
    quotas = np.broadcast_to(static_ratios(2), (*shape, 3))
    return Phase(name, SLAS, 0.1, throughput, delay, np.full(shape, np.nan), quotas)


def test_satisfaction_counts_kept_promises() -> None:
    phase = make("static", 20e6, 0.02)
    assert phase.slice_satisfaction().tolist() == [1.0, 0.0]
    assert phase.satisfaction().tolist() == [0.5] * 50
    assert phase.first(7).steps == 7


def test_the_report_stands_alone_and_escapes(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    phases = [make("static", 5e6, 0.02), make("controlled", 20e6, 0.005)]
    write_report(path, phases, introduction="6 DUs & 200 UEs", command="make demo", events=["xapp died <9>"])
    text = path.read_text()
    assert text.count("<svg") == 3
    assert "100.0 %" in text
    assert "xapp died &lt;9&gt;" in text
    assert "URLLC <fast>" not in text.replace("<svg", "")
    assert "http://" not in text.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_interval_holds_the_mean_and_shrinks_with_agreement() -> None:
    mean, low, high = interval(np.array([0.7, 0.72, 0.69, 0.71, 0.73]))
    assert low <= mean <= high
    assert mean == pytest.approx(0.71)
    assert interval(np.full(5, 0.5)) == (0.5, 0.5, 0.5)
