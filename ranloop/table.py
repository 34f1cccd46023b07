"""What the demo shows in the terminal while it runs, and at its end."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from oran.sla import SliceSla
from oran.slices import MAX, MIN
from ranloop.phases import Phase
from ranloop.processes import Process

RECENT_S = 1.0


class View:
    """A live table in a terminal; plain lines where standard output is none; nothing at all when quiet."""

    def __init__(self, slas: tuple[SliceSla, ...], *, quiet: bool = False) -> None:
        self._names = [sla.name or str(sla.slice) for sla in slas]
        self._console = Console(quiet=quiet)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._plain = not sys.stdout.isatty()
        self._told = ""

    def __enter__(self) -> Self:
        if not self._plain:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._plain:
            self._live.stop()

    def show(
        self, name: str, done: float, phase: Phase | None, processes: Sequence[Process], events: Sequence[str]
    ) -> None:
        """Draw the state of the running phase; without a terminal, say once when a phase begins."""
        if self._plain:
            if name != self._told:
                self._console.print(f"phase {name} ...")
                self._told = name
            return
        heading = Text.assemble(
            ("Ranloop demo", "bold"), f"  phase: {name}  ", (f"{100 * min(done, 1):.0f} %", "cyan")
        )
        bar = ProgressBar(total=1.0, completed=min(done, 1.0), width=60)
        told = Text("\n".join(events[-4:]), "yellow")
        self._live.update(Group(heading, bar, self._cells(phase), self._processes(processes), told))

    def conclude(self, phases: Sequence[Phase], report: Path) -> None:
        """Print satisfaction by phase and slice, and where the report is."""
        table = Table(title="SLA satisfaction", title_justify="left")
        for column in ("phase", "all slices", *self._names):
            table.add_column(column, justify="left" if column == "phase" else "right")
        for phase in phases:
            table.add_row(phase.name, *(f"{100 * share:.1f} %" for share in phase.shares()))
        self._console.print(table)
        first, *controlled = phases[:-1]
        for phase in controlled:
            gain = 100 * (phase.shares()[0] - first.shares()[0])
            self._console.print(
                f"Control by {phase.name} changed SLA satisfaction by {gain:+.1f} percentage points over "
                f"{first.name} quotas, on the same users and traffic."
            )
        self._console.print(f"Report: {report}")

    def _cells(self, phase: Phase | None) -> Table:
        table = Table()
        for column in ("DU", *self._names, "promises kept"):
            table.add_column(column, justify="left" if column == "DU" else "right")
        if phase is None:
            return table
        recent = max(1, round(RECENT_S / phase.step_s))
        ratio, share = phase.ratio()[-recent:], phase.satisfaction()
        kept = (ratio >= 1.0).mean(axis=0)
        for cell in range(ratio.shape[1]):
            quotas = phase.quotas[-1, cell]
            row = []
            for index in range(len(self._names)):
                low, high = quotas[index, MIN], quotas[index, MAX]
                colour = "green" if kept[cell, index] > 0.5 else "red"
                row.append(Text(f"{np.median(ratio[:, cell, index]):5.2f}  {low:3.0f}..{high:3.0f} %", colour))
            table.add_row(str(cell + 1), *row, f"{100 * kept[cell].mean():.0f} %")
        table.caption = (
            "QoS achieved / promised, quota min..max.  SLA satisfaction: "
            f"last second {100 * share[-recent:].mean():.0f} %, phase {100 * share.mean():.1f} %"
        )
        return table

    @staticmethod
    def _processes(processes: Sequence[Process]) -> Text:
        states = (f"{item.name} {'pid ' + str(item.pid) if item.pid else 'down'}" for item in processes)
        return Text("   ".join(states), "dim")
