"""A cell as its E2 node controls it: the RRM policy ratios in force, and who is served."""

from collections.abc import Mapping

import numpy as np

from oran.e2.ccc.messages import Cause
from oran.slices import RrmPolicyRatio, SNssai, static_ratios, to_policy, valid
from twin.e2node.errors import PolicyRefused


class Cell:
    """RRM policy ratios per slice in whole percent, and the UEs served.

    `ratios` [slices, 3] holds dedicated, min, max in the order of `slices`; `reset` returns to `default`, which is
    the static policy unless given.
    """

    def __init__(self, slices: tuple[SNssai, ...], default: np.ndarray | None = None) -> None:
        self.slices = slices
        self.default = static_ratios(len(slices)) if default is None else default
        to_policy(slices, self.default)
        self.ratios = self.default.copy()
        self.changes = 0
        self.ue_ids: frozenset[int] = frozenset()

    @property
    def policy(self) -> tuple[RrmPolicyRatio, ...]:
        """The ratios in force."""
        return to_policy(self.slices, self.ratios)

    def ratio_of(self, slice_id: SNssai) -> RrmPolicyRatio | None:
        """One slice's ratios in force; None for a slice the cell does not have."""
        return next((item for item in self.policy if item.slice == slice_id), None)

    def change(self, ratios: Mapping[SNssai, tuple[int, int, int]]) -> None:
        """Put (dedicated, min, max) of some slices in force, all or none; PolicyRefused says why not."""
        unknown = [item for item in ratios if item not in self.slices]
        if unknown or not ratios:
            names = ", ".join(map(str, unknown)) or "none named"
            raise PolicyRefused(
                f"slices the cell does not have: {names}", dict.fromkeys(unknown, Cause.NOT_AVAILABLE)
            )
        fresh = self.ratios.copy()
        for name, values in ratios.items():
            fresh[self.slices.index(name)] = values
        unordered = [
            name for name, values in ratios.items() if not bool(valid(np.array([values], dtype=np.float64)))
        ]
        if unordered:
            raise PolicyRefused(
                f"{', '.join(map(str, unordered))}: 0 <= dedicated <= min <= max <= 100 is broken",
                dict.fromkeys(unordered, Cause.SEMANTIC_ERROR),
            )
        if not bool(valid(fresh)):
            raise PolicyRefused(
                f"the slices' min would sum to {fresh[:, 1].sum():g}; at most 100 can be promised",
                dict.fromkeys(ratios, Cause.SEMANTIC_ERROR),
            )
        self.ratios = fresh
        self.changes += 1

    def reset(self) -> None:
        """Return to the default ratios."""
        self.ratios = self.default.copy()
