"""Settings: the same arms in several settings, such as splits or sizes, each with a board of its own."""

from collections.abc import Mapping, Sequence

from training.experiments.board import Board
from training.experiments.page import Row, table, told
from training.experiments.verdicts import sign

Boards = Mapping[str, Board]
"""Boards by setting."""


def arms_of(boards: Boards) -> tuple[str, ...]:
    """All arms, in order of first appearance."""
    return tuple(dict.fromkeys(arm for found in boards.values() for arm in found.arms))


def rows(boards: Boards, label: str) -> tuple[Row, ...]:
    """All rows, each with its setting under a label."""
    return tuple({label: setting, **row} for setting, found in boards.items() for row in found.rows())


def returns(boards: Boards) -> str:
    """The return of each arm in each setting, as a table."""
    cells = [
        [arm, *(told(found.iqm(arm, "reward")) if arm in found.arms else "-" for found in boards.values())]
        for arm in arms_of(boards)
    ]
    return table(["arm", *boards], cells)


def above_and_below(boards: Boards, arm: str, other: str) -> tuple[list[str], list[str]]:
    """In which settings an arm's return is above another's beyond chance, and in which below."""
    signs = {
        setting: sign(found.gain(arm, other, "reward"))
        for setting, found in boards.items()
        if {arm, other} <= set(found.arms)
    }
    above, below = ([setting for setting in signs if signs[setting] == way] for way in (1, -1))
    return above, below


def named(some: Sequence[str], boards: Boards, what: str) -> str:
    """Settings in words."""
    return f"every {what}" if len(some) == len(boards) else "; ".join(some) or f"no {what}"
