"""The demo's report: one HTML file with its plots inside, to be opened anywhere."""

import html
import io
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np

from oran.slices import MIN
from ranloop.phases import Phase

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem .9rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; } figcaption { color: #555; } svg { width: 100%; height: auto; }
code { background: #f4f4f4; padding: .1rem .3rem; }
</style></head><body>
<h1>$title</h1>
<p>$introduction</p>
$tables
$figures
<h2>Events</h2>
<ul>$events</ul>
<h2>Make it again</h2>
<p><code>$command</code></p>
</body></html>
""")

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#9c6b4e")


def write_report(
    path: Path,
    phases: Sequence[Phase],
    *,
    introduction: str,
    command: str,
    events: Sequence[str],
) -> None:
    """Write the report of a demo's phases, of which the first is the reference."""
    names = [sla.name or str(sla.slice) for sla in phases[0].slas]
    figures = [
        ("SLA satisfaction over time, one-second mean over all cells.", _satisfaction(phases)),
        (
            "QoS achieved over promised per slice, worst tenth of the cells. Above 1 the promise is kept.",
            _ratios(phases, names),
        ),
        (
            "Minimum PRB quota of each slice, one line per DU, in the phase named on the left.",
            _quotas(phases, names),
        ),
    ]
    path.write_text(
        PAGE.substitute(
            title="Ranloop demo: the closed loop on the wire",
            introduction=html.escape(introduction),
            tables=_table(phases, names),
            figures="".join(
                f"<figure>{svg}<figcaption>{html.escape(caption)}</figcaption></figure>"
                for caption, svg in figures
            ),
            events="".join(f"<li>{html.escape(event)}</li>" for event in events) or "<li>None.</li>",
            command=html.escape(command),
        )
    )


def _table(phases: Sequence[Phase], names: Sequence[str]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("phase", "all slices", *names))
    rows = []
    for phase in phases:
        cells = "".join(f"<td>{100 * share:.1f} %</td>" for share in phase.shares())
        rows.append(f"<tr><td>{html.escape(phase.name)}</td>{cells}</tr>")
    return f"<h2>SLA satisfaction</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _axes(rows: int, columns: int = 1) -> tuple[object, np.ndarray]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1 + 2.1 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharex=True)


def _svg(figure: object) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})  # type: ignore[attr-defined]
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]


def _smooth(series: np.ndarray, width: int) -> np.ndarray:
    """Centred moving mean along the first axis, shorter at the ends."""
    kernel = np.ones(max(1, min(width, len(series))))
    weight = np.convolve(np.ones(len(series)), kernel, "same")
    return np.convolve(series, kernel, "same") / weight


def _satisfaction(phases: Sequence[Phase]) -> str:
    figure, axes = _axes(1)
    for phase, colour in zip(phases, COLOURS, strict=False):
        series = _smooth(phase.satisfaction(), round(1.0 / phase.step_s))
        axes[0, 0].plot(phase.time_s, 100 * series, color=colour, label=phase.name)
    axes[0, 0].set(ylabel="SLA satisfaction [%]", xlabel="time in the phase [s]", ylim=(0, 103))
    axes[0, 0].legend(frameon=False)
    return _svg(figure)


def _ratios(phases: Sequence[Phase], names: Sequence[str]) -> str:
    figure, axes = _axes(len(names))
    for row, name in enumerate(names):
        for phase, colour in zip(phases, COLOURS, strict=False):
            worst = np.quantile(phase.ratio()[:, :, row], 0.1, axis=1)
            smooth = _smooth(worst, round(1.0 / phase.step_s))
            axes[row, 0].plot(phase.time_s, np.maximum(smooth, 1e-3), color=colour, label=phase.name)
        axes[row, 0].axhline(1.0, color="#888", linewidth=0.8)
        axes[row, 0].set(ylabel=f"{name}\nQoS ratio", yscale="log")
    axes[0, 0].legend(frameon=False, ncols=len(phases))
    axes[-1, 0].set_xlabel("time in the phase [s]")
    return _svg(figure)


def _quotas(phases: Sequence[Phase], names: Sequence[str]) -> str:
    figure, axes = _axes(len(phases))
    for row, phase in enumerate(phases):
        for index, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
            lines = axes[row, 0].plot(phase.time_s, phase.quotas[:, :, index, MIN], color=colour, linewidth=0.8)
            lines[0].set_label(name)
        axes[row, 0].set(ylabel=f"{phase.name}\nmin [%]", ylim=(0, 100))
    axes[0, 0].legend(frameon=False, ncols=len(names))
    axes[-1, 0].set_xlabel("time in the phase [s]")
    return _svg(figure)
