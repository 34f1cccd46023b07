"""Verdicts: sentences that the numbers choose, so that a page never says what its table does not."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.experiments import references
from training.experiments.board import Board
from training.experiments.page import table, told
from training.slicing.score import Interval

RULES = (references.HARD, references.STATIC, references.SPLIT, references.DEMAND, references.TUNED)
REACHED = 0.95
"""A curve has converged where it has come so far from its first evaluation to its last ones."""
LAST = 3
CONTROLS = ("numbers", "matched", "random")
"""What the language model must beat to be said to help."""
ENOUGH = 5
"""Runs of an arm before its seeds alone tell anything."""


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
    if _runs(found, arm) < ENOUGH:
        return ""
    return " (apart here)" if apart(found.iqm_here(arm, "reward"), found.iqm_here(other, "reward")) else ""


def fallen_slices(found: Board, learnt: Sequence[str]) -> tuple[str, ...]:
    """What each learnt arm gives and takes of each slice's QoS, against static quotas."""
    arms = [name for name in learnt if name in found.arms]
    if references.STATIC not in found.arms or not arms:
        return ()
    rows, fallen = [], []
    for arm in arms:
        gains = [found.gain(arm, references.STATIC, "qos", at) for at in range(len(found.slices))]
        rows.append([arm, *(told(gain, signed=True) for gain in gains)])
        fallen += [f"{arm} {name}" for name, gain in zip(found.slices, gains, strict=True) if sign(gain) < 0]
    head = "Mean QoS ratio of each slice, above that under static quotas on the same networks:"
    end = (
        f"Lowered beyond chance: {', '.join(fallen)}."
        if fallen
        else "No learnt arm lowers the QoS of any slice below that under static quotas."
    )
    return (head + "\n\n" + table(["arm", *found.slices], rows), end)


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
    return (_whether_language_helps(found) + "\n" + "\n".join(parts),)


def _whether_language_helps(found: Board) -> str:
    """Only against all controls, and with enough seeds."""
    if few := [name for name in ("pa_mrl", *CONTROLS) if _runs(found, name) < ENOUGH]:
        return f"Whether the language model helps is not told yet: fewer than {ENOUGH} runs of {', '.join(few)}."
    gains = {name: sign(found.gain("pa_mrl", name, "reward")) for name in CONTROLS}
    if worse := [name for name in CONTROLS if gains[name] < 0]:
        return f"The language model does not pay on this twin: {', '.join(worse)} did better than PA-MRL."
    if all(gain > 0 for gain in gains.values()):
        return f"The language model helps on this twin: PA-MRL is above {', '.join(CONTROLS)}."
    return (
        "The language model itself is not shown to help on this twin: PA-MRL is not above every control "
        f"({', '.join(CONTROLS)})."
    )


def _runs(found: Board, arm: str) -> int:
    return len(found.of(arm))


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
