"""Render: one picture of a network, its cells, users and coverage, as PNG, SVG or PDF by the file's name.

Colours hold for eyes that tell red from green badly (Okabe and Ito; viridis), and slices differ by marker and
hatching too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from oran.slices import static_ratios
from twin.network import layout, outages
from twin.network.coverage import Coverage, coverage
from twin.network.errors import RenderError
from twin.network.network import reset, step
from twin.network.scenario import Scenario
from twin.network.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#f0e442", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "***")
_BUILDING, _UNREACHED = "#c9c9c9", "#f3f3f3"
_MODELS = {"macro": "macro", "uma": "UMa", "umi": "UMi", "rma": "RMa"}
_SINR_RANGE_DB = (-10.0, 40.0)
_MOST_NAMED_CELLS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A network after some time, ready to be drawn; UEs in no session are left out."""

    scenario: Scenario
    title: str
    position_m: np.ndarray
    """[ues, 2]."""
    serving: np.ndarray
    """[ues]."""
    slice_of_ue: np.ndarray
    """[ues]."""
    used: np.ndarray
    """Share of each cell's PRBs that each slice used in the last second: [cells, slices]."""
    off: np.ndarray
    """bool [cells]."""
    map: Coverage
    load_text: str


def simulate(
    scenario: Scenario,
    *,
    name: str = "network",
    seconds: float = 5.0,
    seed: int = 1,
    load: float | None = None,
    trace: Trace | None = None,
) -> Scene:
    """Run a network under static quotas and take what its picture shows.

    The map has every neighbour at `load` (0..1), or else at its own load of the last second.
    """
    steps = max(1, round(seconds / scenario.step_s))
    state = reset(scenario, torch.tensor([seed]), trace=trace)
    ratios = torch.as_tensor(static_ratios(len(scenario.slices)))
    ratios = ratios.expand(1, scenario.cells, len(scenario.slices), 3)
    recent: list[np.ndarray] = []
    for _ in range(steps):
        off = outages.off(scenario, state.step)
        state, kpis = step(scenario, state, ratios)
        recent.append(kpis.prb_used[0].numpy() / scenario.prbs)
    used = np.mean(recent[-max(1, round(1.0 / scenario.step_s)) :], axis=0)
    loads = torch.from_numpy(used.sum(axis=1)) if load is None else torch.full((scenario.cells,), load)
    here = torch.ones(scenario.ues, dtype=torch.bool) if state.present is None else state.present[0] > 0
    where = "" if scenario.site is None else f" on {Path(scenario.site).stem}"
    return Scene(
        scenario=scenario,
        title=f"{name}{where} after {steps * scenario.step_s:g} s, seed {seed}",
        position_m=kpis.ue.position_m[0, here].numpy(),
        serving=kpis.ue.serving_cell[0, here].numpy(),
        slice_of_ue=kpis.ue.slice[0, here].numpy(),
        used=used,
        off=np.zeros(scenario.cells, dtype=bool) if off is None else off[0].numpy(),
        map=coverage(scenario, loads.to(torch.float32), None if off is None else off[0]),
        load_text="the load of the last second" if load is None else f"{load:.0%} load",
    )


def draw(scene: Scene) -> "Figure":
    """The picture: users and cells, the map, each cell's load, each cell's users."""
    from matplotlib.figure import Figure

    west, east, south, north = scene.map.extent_m
    height = float(np.clip(6.6 * (north - south) / (east - west), 2.6, 7.5))
    figure = Figure(figsize=(15, height + 3.6), layout="constrained")
    axes = figure.subplots(2, 2, height_ratios=(height, 2.5))
    figure.suptitle(scene.title, fontsize=14)
    _users(axes[0, 0], scene)
    _sinr(figure, axes[0, 1], scene)
    _bars(axes[1, 0], scene, 100.0 * scene.used, "PRBs used [%]")
    _bars(axes[1, 1], scene, _attached(scene), "UEs served")
    for cell_axes in axes[1]:
        _name_cells(cell_axes, scene)
    axes[1, 0].set(ylim=(0, 105), title="Load by slice, mean of the last second")
    axes[1, 1].set_title("UEs by slice")
    _legend(figure, scene)
    return figure


def save(scene: Scene, path: str | Path) -> None:
    """Draw to a file, as its name ends; RenderError for another ending or a place that cannot be written."""
    import matplotlib

    target = Path(path)
    if target.suffix.lower() not in KINDS:
        raise RenderError(f"{target}: the name must end in {', '.join(KINDS)}")
    undated = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[target.suffix.lower()]
    try:
        # The same network gives the same bytes.
        with matplotlib.rc_context({"svg.hashsalt": "ranloop"}):
            draw(scene).savefig(target, dpi=110, metadata=undated)
    except OSError as error:
        raise RenderError(f"{target}: {error}") from None


def _legend(figure: "Figure", scene: Scene) -> None:
    """Every slice's marker, as on the map, and bar."""
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    names = [item.name for item in scene.scenario.slices]
    handles = []
    for index in range(len(names)):
        colour, marker = _COLOURS[index % 8], _MARKERS[index % 8]
        bar = Patch(facecolor=colour, hatch=_HATCHES[index % 8], edgecolor="white")
        handles.append((Line2D([], [], color=colour, marker=marker, linestyle="", markersize=8), bar))
    figure.legend(  # type: ignore[call-overload]  # its stub knows no handles of two parts
        handles,
        names,
        handler_map={tuple: HandlerTuple(ndivide=None)},
        handlelength=4,
        loc="outside lower center",
        ncols=min(len(names), 8),
        frameon=False,
    )


def _attached(scene: Scene) -> np.ndarray:
    """UEs of each slice that each cell serves: [cells, slices]."""
    counts = np.zeros((scene.scenario.cells, len(scene.scenario.slices)))
    np.add.at(counts, (scene.serving, scene.slice_of_ue), 1)
    return counts


def _ground(axes: "Axes", scene: Scene) -> None:
    """Axes in metres, the buildings if they are known, and the road if there is one."""
    west, east, south, north = scene.map.extent_m
    axes.set(xlim=(west, east), ylim=(south, north), xlabel="east [m]", ylabel="north [m]", aspect="equal")
    if scene.map.outdoors is not None:
        blank = np.ma.masked_where(scene.map.outdoors.numpy(), np.ones(scene.map.outdoors.shape))
        _image(axes, scene, blank, _BUILDING)
    if any(item.mobility == "highway" for item in scene.scenario.slices):
        half = 0.5 * scene.scenario.highway_lanes * scene.scenario.lane_width_m
        low, high = layout.area(scene.scenario)[:, 1].tolist()
        axes.axhspan(0.5 * (low + high) - half, 0.5 * (low + high) + half, color="#888888", alpha=0.35, zorder=0.5)


def _image(axes: "Axes", scene: Scene, values: np.ndarray, colour: str) -> None:
    from matplotlib.colors import ListedColormap

    axes.imshow(values, origin="lower", extent=scene.map.extent_m, cmap=ListedColormap([colour]), zorder=0.2)


def _users(axes: "Axes", scene: Scene) -> None:
    """Every UE by its slice, tied to the cell that serves it."""
    from matplotlib.collections import LineCollection

    _ground(axes, scene)
    cells = layout.cell_positions(scene.scenario).numpy()
    ties = np.stack((scene.position_m, cells[scene.serving]), axis=1)
    axes.add_collection(LineCollection(list(ties), colors="#999999", linewidths=0.4, alpha=0.6, zorder=1))
    for index in range(len(scene.scenario.slices)):
        place = scene.position_m[scene.slice_of_ue == index]
        axes.scatter(
            place[:, 0],
            place[:, 1],
            s=20,
            color=_COLOURS[index % 8],
            marker=_MARKERS[index % 8],
            edgecolors="white",
            linewidths=0.4,
            zorder=2,
        )
    _masts(axes, scene)
    axes.set_title("Cells, and UEs by slice with the cell that serves them")


def _masts(axes: "Axes", scene: Scene) -> None:
    cells = layout.cell_positions(scene.scenario).numpy()
    for cell, (x, y) in enumerate(cells):
        off = scene.off[cell]
        axes.plot(x, y, "X" if off else "*", color="white" if off else "black", markersize=13, zorder=3)
        axes.plot(x, y, "x" if off else "*", color="black", markersize=10, zorder=4)
        if len(cells) <= _MOST_NAMED_CELLS:
            axes.annotate(
                f"{cell}{' off' if off else ''}",
                (x, y),
                xytext=(6, 6),
                textcoords="offset points",
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1},
                zorder=5,
            )


def _sinr(figure: "Figure", axes: "Axes", scene: Scene) -> None:
    """SINR of the strongest cell, with lines where another cell takes over."""
    _ground(axes, scene)
    found = scene.map
    level = found.sinr_db.numpy()
    shown = np.isfinite(level) if found.outdoors is None else np.isfinite(level) & found.outdoors.numpy()
    if found.outdoors is not None:
        _image(axes, scene, np.ma.masked_where(shown | ~found.outdoors.numpy(), np.ones(level.shape)), _UNREACHED)
    low, high = _SINR_RANGE_DB
    image = axes.imshow(
        np.ma.masked_where(~shown, level),
        origin="lower",
        extent=found.extent_m,
        cmap="viridis",
        vmin=low,
        vmax=high,
        zorder=0.3,
    )
    figure.colorbar(image, ax=axes, label="SINR [dB]", extend="both", shrink=0.9)
    _masts(axes, scene)
    if scene.scenario.site is None:
        model = f"{_MODELS[scene.scenario.propagation]} path loss, no shadowing, no fading"
        _borders(axes, found)
    else:
        model = f"ray-traced map {Path(scene.scenario.site).stem}, no fading; grey: buildings, pale: no path"
    axes.set_title(f"SINR of the strongest cell at {scene.load_text}\n({model})")


def _borders(axes: "Axes", found: Coverage) -> None:
    """White lines between the areas of neighbouring cells."""
    server = found.server.numpy()
    west, east, south, north = found.extent_m
    rows, columns = server.shape
    x = west + (np.arange(columns) + 0.5) * (east - west) / columns
    y = south + (np.arange(rows) + 0.5) * (north - south) / rows
    for cell in np.unique(server)[1:]:
        axes.contour(x, y, server == cell, levels=[0.5], colors="white", linewidths=0.7, zorder=0.4)


def _bars(axes: "Axes", scene: Scene, values: np.ndarray, label: str) -> None:
    """Values [cells, slices] on top of each other."""
    below = np.zeros(len(values))
    for index in range(values.shape[1]):
        axes.bar(
            np.arange(len(values)),
            values[:, index],
            bottom=below,
            color=_COLOURS[index % 8],
            hatch=_HATCHES[index % 8],
            edgecolor="white",
            linewidth=0.3,
        )
        below += values[:, index]
    axes.set(xlabel="cell", ylabel=label)
    axes.margins(x=0.02)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _name_cells(axes: "Axes", scene: Scene) -> None:
    if scene.scenario.cells <= _MOST_NAMED_CELLS:
        labels = [f"{cell}{' (off)' if off else ''}" for cell, off in enumerate(scene.off)]
        axes.set_xticks(np.arange(scene.scenario.cells), labels)
