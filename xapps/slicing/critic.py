"""Critic: the value of all cells' states and shares together, by a package's `critic.onnx`.

A value is in units of what a cell earns in a period: the slicing reward of `oran.sla` and, where training added
it, the manifest's `satisfaction_weight` for promises kept.
"""

import numpy as np

from oran.model_package import Manifest, PackageError
from xapps.slicing.errors import ModelError
from xapps.slicing.onnx_model import OnnxModel
from xapps.slicing.schema import CRITIC
from xapps.slicing.state import FEATURES

MOST = 1e6
_INPUTS = {"state": "tensor(float)", "share": "tensor(float)"}


class Critic:
    """The critic of a model; raises PackageError where it does not do what it should for so many slices."""

    def __init__(self, manifest: Manifest, data: bytes, slices: int) -> None:
        self.gamma = _number(manifest, "gamma", 0.0)
        """Discount factor of a control interval."""
        self._kept = _number(manifest, "satisfaction_weight", 0.0)
        self._network = OnnxModel(CRITIC, data, _INPUTS, "value")
        cells = manifest.training["cells"]
        assert isinstance(cells, int)
        try:
            self.value(np.full((cells, slices, len(FEATURES)), 0.5), np.full((cells, slices), 1.0 / slices))
        except ModelError as error:
            raise PackageError(f"{manifest.name} {manifest.version}: {error}") from None

    def value(self, seen: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The values of cells [cells] for features [cells, slices, FEATURES] and shares [cells, slices].

        Raises ModelError where the network fails or gives no finite number for each cell.
        """
        value = self._network({"state": seen[None], "share": share[None]}).astype(np.float64)
        if value.shape != (1, len(seen)) or not np.isfinite(value).all():
            raise ModelError(f"{CRITIC} gives {value.shape} for {len(seen)} cells, or numbers that are not finite")
        found: np.ndarray = value[0]
        return found

    def earned(self, reward: float, satisfaction: float) -> float:
        """What a cell earns by its reward and satisfaction."""
        return reward + self._kept * satisfaction


def _number(manifest: Manifest, name: str, default: float) -> float:
    value = manifest.training.get(name, default)
    if not isinstance(value, int | float) or not -MOST <= value <= MOST:
        raise PackageError(f"training.{name} is {value!r:.40}; it must be a number of at most {MOST:g}")
    return float(value)
