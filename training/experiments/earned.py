"""Earned: what agents that are told in words alone earned, by part of the evaluation, and the page of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from training.experiments import plots
from training.experiments.experiment import Findings
from training.experiments.page import Page, Row, table, told
from training.experiments.run import Run
from training.slicing.grammar import grown
from training.slicing.hearing import unheard
from training.slicing.intents import AUTHORS, NAMES, Wording, wordings, written
from training.slicing.score import RESAMPLES, Interval

SCENARIO, LOAD_FACTOR = "pa_mrl", 3.0
"""Twice the frozen load: only where there is not enough for all does it matter who counts."""
GROWN, SEEN_EACH = 3000, 8
"""Wordings of each intent that the grammar adds, and written ones that agents are also judged with."""
ORACLE, BLIND, TRAINED_BLIND = "oracle", "blind", "blind, trained so"
FROZEN, ADAPTED, PAIR = "MiniLM", "MiniLM, adapted", "MiniLM, two adapted"
UNREPORTED: Mapping[str, tuple[str, ...]] = {
    "held out, no delays and losses": ("delay_s", "drop_rate"),
    "held out, no UE counts": ("active_ues",),
}
NEW = "new services"
"""The part whose texts speak of kinds of services that no training told of, in words that none had."""
_FILES = {
    "held out": "heldout",
    "held out, fresh": "fresh",
    NEW: "novel",
    "languages": "languages",
}
HELD_OUT = ("held out", "held out, fresh")
"""Parts that the goal is for: wordings that no training saw, by two authors."""
HEARD = ("seen", *_FILES)
PARTS = (*HEARD, *UNREPORTED)
GOAL = 0.8
"""Share of the oracle's gain over blind that is aimed at, on held-out wordings."""


def texts_of(part: str) -> tuple[Wording, ...]:
    """What operators say in a part of the evaluation."""
    if part != "seen":
        return wordings(_FILES.get(part, "heldout"))
    each = len(wordings("training")) // len(NAMES)
    return tuple(item for place, item in enumerate(wordings("training")) if place % each < SEEN_EACH)


@dataclass(frozen=True, slots=True, eq=False)
class Earned:
    """What arms earned: [seeds, texts, networks] by part and arm."""

    values: Mapping[str, Mapping[str, np.ndarray]]
    reading: Mapping[str, Mapping[str, np.ndarray]]
    """Whether each text was read as what it meant: bool [seeds, texts]."""

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Earned":
        """Of those that are done."""
        values: dict[str, dict[str, list[list[list[float]]]]] = {part: {} for part in PARTS}
        reading: dict[str, dict[str, list[list[bool]]]] = {part: {} for part in PARTS}
        for run in runs:
            result = run.result or {}
            parts = cast(Mapping[str, list[list[float]]], result.get("parts", {}))
            for part, earned in parts.items():
                values[part].setdefault(run.arm.name, []).append(earned)
            names = cast(Mapping[str, list[str]], result.get("reading", {}))
            for part, told_as in names.items():
                right = [item.intent == name for item, name in zip(texts_of(part), told_as, strict=True)]
                reading[part].setdefault(run.arm.name, []).append(right)
        return cls(
            {part: {arm: np.array(rows) for arm, rows in found.items()} for part, found in values.items()},
            {part: {arm: np.array(rows) for arm, rows in found.items()} for part, found in reading.items()},
        )

    def mean(self, arm: str, part: str) -> Interval:
        """Return over seeds and texts."""
        return resampled(lambda own: float(own[0].mean()), self.values[part][arm])

    def judged(self, arm: str, *parts: str) -> bool:
        """Whether an arm, the oracle and one that does not hear have been through all of the parts."""
        found = [self.values[part].keys() for part in parts]
        return all({arm, ORACLE} <= names for names in found) and bool(self._blind(parts))

    def share(self, arm: str, *parts: str) -> Interval:
        """Which part of the oracle's gain over the better blind arm it has, over the texts of some parts."""
        own = [self._together(name, parts) for name in (arm, self.reference(*parts), ORACLE)]
        return resampled(lambda values: share(*values), *own)

    def understood(self, arm: str, part: str) -> str:
        """How many texts were read right, and the share of the oracle's gain on those and on the others."""
        if arm not in self.reading[part] or not self.judged(arm, part):
            return "-"
        right = self.reading[part][arm]
        found = [self.values[part][name] for name in (arm, self.reference(part), ORACLE)]
        both = [
            share(*(values[np.arange(len(picked)) % len(values)][picked] for values in found))
            if picked.any()
            else None
            for picked in (right, ~right)
        ]
        shares = ["-" if value is None else f"{value:.2f}" for value in both]
        return f"{right.mean():.0%} ({shares[0]}; {shares[1]})"

    def reference(self, *parts: str) -> str:
        """The better one of the arms that do not hear."""
        return max(self._blind(parts), key=lambda name: float(self._together(name, parts).mean()))

    def _blind(self, parts: Sequence[str]) -> list[str]:
        return [name for name in (BLIND, TRAINED_BLIND) if all(name in self.values[part] for part in parts)]

    def _together(self, arm: str, parts: Sequence[str]) -> np.ndarray:
        return np.concatenate([self.values[part][arm] for part in parts], axis=1)


def share(own: np.ndarray, blind: np.ndarray, oracle: np.ndarray) -> float:
    """Of the way from blind to oracle."""
    return float((own.mean() - blind.mean()) / (oracle.mean() - blind.mean()))


def resampled(figure: Callable[[Sequence[np.ndarray]], float], *values: np.ndarray) -> Interval:
    """A figure of arrays [seeds, texts, networks], with its interval over training seeds and texts, paired."""
    draw = np.random.default_rng(0)
    seeds, texts = max(len(item) for item in values), values[0].shape[1]
    drawn = []
    for _ in range(RESAMPLES):
        seed, text = draw.integers(0, seeds, seeds), draw.integers(0, texts, texts)
        drawn.append(figure([item[seed % len(item)][:, text] for item in values]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(figure(values), float(low), float(high))


def tell(findings: Findings) -> Page:
    """Returns, shares of the oracle's gain, how texts were read, and the verdict."""
    earned = Earned.of(findings.done)
    return Page(
        body=(
            f"Scenario `{SCENARIO}` at load factor {LOAD_FACTOR:g}. {len(NAMES)} intents, "
            f"{len(written())} wordings written for training by {len(AUTHORS)} authors and {GROWN} of each intent "
            f"grown from a grammar. Held out: {_held('heldout')}, by another author {_held('fresh')}, and by a "
            f"third, of services that do not exist yet, {_held('novel')}.",
            "Return by what the operator meant (mean, 95 % interval over training seeds and texts):\n\n"
            + _table(
                earned, lambda arm, part: told(earned.mean(arm, part)) if arm in earned.values[part] else "-"
            ),
            "Share of the oracle's gain over blind (the better of the two blind arms):\n\n"
            + _table(
                earned, lambda arm, part: told(earned.share(arm, part), 2) if earned.judged(arm, part) else "-"
            ),
            "Texts read as what they meant (share of the oracle's gain on those; on the others):\n\n"
            + _table(earned, earned.understood, HEARD),
            *(
                f"By intent, {part}: return of blind and oracle, and what readers add to blind's:\n\n"
                + _by_intent(earned, part)
                for part in HELD_OUT
                if earned.judged(PAIR, part)
            ),
            _verdict(earned),
        ),
        rows=tuple(_rows(earned)),
        draw=lambda figure: _draw(figure, earned),
    )


def _table(earned: Earned, cell: Callable[[str, str], str], parts: Sequence[str] = PARTS) -> str:
    names = list(earned.values["held out"])
    rows = [[cell(name, part) for part in parts] for name in names]
    return table(["arm", *parts], [[name, *row] for name, row in zip(names, rows, strict=True)])


def _by_intent(earned: Earned, part: str) -> str:
    found, held = earned.values[part], texts_of(part)
    blind = found[earned.reference(part)]
    readers = [name for name in found if name not in (BLIND, TRAINED_BLIND, ORACLE)]
    rows = []
    for intent in NAMES:
        picked = [place for place, item in enumerate(held) if item.intent == intent]
        mean = {name: float(values[:, picked].mean()) for name, values in found.items()}
        base = float(blind[:, picked].mean())
        gains = [f"{mean[name] - base:+.3f}" for name in (ORACLE, *readers)]
        rows.append([intent, f"{base:.3f}", *gains])
    return table(["intent", BLIND, ORACLE, *readers], rows)


def _verdict(earned: Earned) -> str:
    told_of = []
    for parts in (HELD_OUT, *((part,) for part in (*HELD_OUT, NEW))):
        name = parts[0] if len(parts) == 1 else "both together"
        if not earned.judged(PAIR, *parts):
            told_of.append(f"{name} not judged yet")
            continue
        found = earned.share(PAIR, *parts)
        met = "met" if found.mean >= GOAL else "not met"
        told_of.append(f"{name} **{met}**: {PAIR} has {told(found, 2)}")
    return (
        f"Goal: at least {GOAL:.0%} of the oracle's gain on wordings that no training saw. "
        + "; ".join(told_of)
        + "."
    )


def _rows(earned: Earned) -> list[Row]:
    rows: list[Row] = []
    for part, found in earned.values.items():
        for arm, values in found.items():
            for seed, texts in enumerate(values.mean(axis=-1), start=1):
                for place, (item, value) in enumerate(zip(texts_of(part), texts, strict=True)):
                    rows.append(
                        {
                            "arm": arm,
                            "seed": seed,
                            "part": part,
                            "text": place,
                            "intent": item.intent,
                            "return": round(float(value), 4),
                        }
                    )
    return rows


def _draw(figure: Figure, earned: Earned) -> None:
    names = [name for name in earned.values["held out"] if name not in (BLIND, TRAINED_BLIND)]
    panels = figure.subplots(1, len(HEARD), sharey=True)
    for axes, part in zip(panels, HEARD, strict=True):
        shares = {name: earned.share(name, part) for name in names if earned.judged(name, part)}
        plots.points(axes, shares, "share of the oracle's gain")
        axes.axvline(GOAL, color="tab:green", linestyle="--", linewidth=0.8)
        axes.axvline(0.0, color="grey", linewidth=0.8)
        axes.set_title(part)


def _held(file: str) -> str:
    """How many texts, and how new they are."""
    found = wordings(file)
    new = unheard(found, (*written(), *grown(GROWN, 0)))
    return f"{len(found)} ({new:.0%} of their words are in no training text)"
