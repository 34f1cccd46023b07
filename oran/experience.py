"""Experience: what one control step looked like, written by the xApp and read by retraining."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from oran.slices import SNssai


@dataclass(frozen=True, slots=True)
class Transition:
    """One control interval of one node. Sequences run over `slices` in their order; units are SI.

    `kpis` maps TS 28.552 names to one value per slice (None: not measured). `ratios` are the RRM policy ratios in
    force while the KPIs were measured, `action` those decided from them, each (dedicated, min, max) in percent.
    """

    node: str
    time_s: float
    period_s: float
    slices: tuple[str, ...]
    kpis: dict[str, tuple[float | None, ...]]
    ratios: tuple[tuple[float, float, float], ...]
    action: tuple[tuple[float, float, float], ...]
    qos_ratio: tuple[float, ...]
    reward: float
    controller: str
    guard: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.slices)
        for name in self.slices:
            SNssai.parse(name)
        sized = {"ratios": self.ratios, "action": self.action, "qos_ratio": self.qos_ratio, **self.kpis}
        for field, values in sized.items():
            if len(values) != count:
                raise ValueError(f"{field} has {len(values)} entries for {count} slices")
        if any(len(row) != 3 for row in (*self.ratios, *self.action)):
            raise ValueError("ratios and action hold dedicated, min and max per slice")
        if not all(map(math.isfinite, (self.time_s, self.period_s, self.reward))) or self.period_s <= 0:
            raise ValueError("time_s, period_s and reward must be finite and period_s above 0")

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Transition":
        """Read what `to_json` wrote; ValueError says what is wrong with the line."""
        try:
            raw: dict[str, Any] = json.loads(line)
            return cls(
                node=str(raw["node"]),
                time_s=float(raw["time_s"]),
                period_s=float(raw["period_s"]),
                slices=tuple(map(str, raw["slices"])),
                kpis={str(key): _optional(values) for key, values in raw["kpis"].items()},
                ratios=_rows(raw["ratios"]),
                action=_rows(raw["action"]),
                qos_ratio=tuple(map(float, raw["qos_ratio"])),
                reward=float(raw["reward"]),
                controller=str(raw["controller"]),
                guard=tuple(map(str, raw["guard"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no experience record: {error!r}") from error


def _optional(values: list[Any]) -> tuple[float | None, ...]:
    return tuple(None if value is None else float(value) for value in values)


def _rows(rows: list[Any]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(row[0]), float(row[1]), float(row[2])) for row in rows)
