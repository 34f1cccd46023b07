"""Verdicts: sentences that the numbers choose, so that a page never says what its table does not."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.experiments import references
from training.experiments.board import Board
from training.experiments.page import told
from training.slicing.score import Interval

RULES = (references.HARD, references.STATIC, references.SPLIT, references.DEMAND, references.TUNED)
REACHED = 0.95
"""A curve has converged where it has come so far from its first evaluation to its last ones."""
LAST = 3


def sign(interval: Interval) -> int:
    """1 above 0, -1 below, 0 where the interval holds it."""
    return int(interval.low > 0) - int(interval.high < 0)


def apart(one: Interval, other: Interval) -> bool:
    """Whether two intervals do not overlap."""
    return one.low > other.high or one.high < other.low


def against_rules(found: Board, learnt: Sequence[str]) -> tuple[str, ...]:
    """How each learnt arm stands to the rules and to agents on numbers, in return."""
    lines = []
    for arm in (name for name in learnt if name in found.arms):
        parts = []
        for other in (*RULES, "numbers"):
            if other in found.arms and other != arm:
                word = {1: "above", -1: "below", 0: "not told apart from"}[sign(found.gain(arm, other, "reward"))]
                parts.append(f"{word} {other}{_apart(found, arm, other)}")
        if parts:
            lines.append(f"- **{arm}**: {'; '.join(parts)}.")
    if not lines:
        return ()
    head = (
        "Return, by whether the interval of the paired gain leaves zero out; *apart* where the intervals of the "
        "two returns do not overlap either, *apart here* where they do not on these networks:"
    )
    return (head + "\n" + "\n".join(lines),)


def _apart(found: Board, arm: str, other: str) -> str:
    if apart(found.iqm(arm, "reward"), found.iqm(other, "reward")):
        return " (apart)"
    return " (apart here)" if apart(found.iqm_here(arm, "reward"), found.iqm_here(other, "reward")) else ""


def fallen_slices(found: Board, learnt: Sequence[str]) -> tuple[str, ...]:
    """Slices whose QoS a learnt arm lowers below that of static quotas."""
    if references.STATIC not in found.arms:
        return ()
    fallen, checked = [], [name for name in learnt if name in found.arms]
    for arm in checked:
        for at, name in enumerate(found.slices):
            gain = found.gain(arm, references.STATIC, "qos", at)
            if sign(gain) < 0:
                fallen.append(f"{arm} lowers {name} by {told(Interval(-gain.mean, -gain.high, -gain.low))}")
    if not checked:
        return ()
    if not fallen:
        return ("No learnt arm lowers the mean QoS ratio of any slice below that under static quotas.",)
    return ("Mean QoS ratios below those under static quotas: " + "; ".join(fallen) + ".",)


def language(found: Board) -> tuple[str, ...]:
    """What the language model adds to its controls."""
    parts = []
    for other, meaning in (
        ("numbers", "agents on numbers alone"),
        ("matched", "numbers with as many weights"),
        ("random", "a random vector for each state"),
        ("prompt", "the same model without soft tokens"),
        ("frozen", "soft tokens that are not trained"),
        ("pa_mrl, no adapters", "the two simply joined"),
        ("pa_mrl, shuffled", "its vectors dealt to the wrong states"),
    ):
        if {"pa_mrl", other} <= set(found.arms):
            gain = found.gain("pa_mrl", other, "reward")
            word = {1: "helps beyond", -1: "is worse than", 0: "is not told apart from"}[sign(gain)]
            parts.append(f"- PA-MRL {word} {meaning} ({other}): {told(gain, signed=True)} in return.")
    if not parts:
        return ()
    controls = [name for name in ("numbers", "matched", "random") if name in found.arms]
    gains = [sign(found.gain("pa_mrl", name, "reward")) for name in controls]
    if all(gain > 0 for gain in gains):
        verdict = f"The language model helps on this twin: PA-MRL is above {', '.join(controls)}."
    elif any(gain < 0 for gain in gains):
        worse = [name for name, gain in zip(controls, gains, strict=True) if gain < 0]
        verdict = f"The language model does not pay on this twin: {', '.join(worse)} did better than PA-MRL."
    else:
        verdict = (
            "The language model itself is not shown to help on this twin: PA-MRL is not above every control "
            f"({', '.join(controls)})."
        )
    return (verdict + "\n" + "\n".join(parts),)


def converged_at(curve: Sequence[Mapping[str, float]]) -> float | None:
    """Episodes after which a curve first comes within reach of where it ends; None where it never rises."""
    values = np.array([row["reward"] for row in curve])
    if len(values) <= LAST:
        return None
    end, start = values[-LAST:].mean(), values[0]
    if end <= start:
        return None
    return float(curve[int(np.argmax(values >= start + REACHED * (end - start)))]["episodes"])


def convergence(curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]], found: Board) -> tuple[str, ...]:
    """When each arm's runs came where they ended."""
    parts = []
    for arm, runs in curves.items():
        reached = [at for curve in runs if (at := converged_at(curve)) is not None]
        if reached:
            parts.append(f"{arm} {np.median(reached):.0f}")
    if not parts:
        return ()
    return (
        f"Episodes until {REACHED:.0%} of the way from the first evaluation to the last {LAST}, median of seeds: "
        + ", ".join(parts)
        + ". The paper tells of about 1000.",
    )
