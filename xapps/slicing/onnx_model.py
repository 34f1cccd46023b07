"""ONNX model: a network run by onnxruntime on one core, its inputs and outputs checked by name and type."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from oran.model_package import PackageError
from xapps.slicing.errors import ModelError

_TYPES: Mapping[str, type[np.generic]] = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class OnnxModel:
    """A network of several inputs and one output. Raises PackageError where it is not the one described.

    `inputs` gives the type of each input that it must take, and no others; `output` is the name of what it gives.
    """

    def __init__(self, file: str, data: bytes, inputs: Mapping[str, str], output: str) -> None:
        self.file = file
        self._output = output
        self._session = _session(file, data)
        found = {item.name: item.type for item in self._session.get_inputs()}
        if found != dict(inputs):
            raise PackageError(f"{file} takes {found!r:.300}; {dict(inputs)} is wanted")
        given = [item.name for item in self._session.get_outputs()]
        if output not in given:
            raise PackageError(f"{file} gives {', '.join(given)[:200]}; {output} is wanted")
        self._types = {name: _TYPES[kind] for name, kind in found.items()}

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        """Run the network; raises ModelError where it fails."""
        typed = {name: np.ascontiguousarray(feeds[name], dtype=kind) for name, kind in self._types.items()}
        try:
            (given,) = self._session.run([self._output], typed)
        except Exception as error:
            raise ModelError(f"{self.file} fails: {str(error)[:300]}") from None
        return np.asarray(given)


def _session(file: str, data: bytes) -> Any:
    """A session on one core: a cell's network is too small for more to pay, and other cells wait their turn."""
    try:
        import onnxruntime
    except ImportError:
        raise PackageError(f"{file} needs onnxruntime: pip install 'ranloop[xapp]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    there = onnxruntime.get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in there]
    try:
        return onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:
        raise PackageError(f"{file} is no network that onnxruntime runs: {str(error)[:300]}") from None
