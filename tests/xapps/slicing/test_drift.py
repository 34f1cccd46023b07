import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.model_package import PackageError
from xapps.slicing.drift import Drift, Reference, reference_of
from xapps.slicing.state import FEATURES, KINDS

DRAW = np.random.default_rng(7)
TRAINED = np.round(DRAW.beta(2, 5, (400, 6, 3, len(FEATURES))), 2)
TRAINED[..., KINDS.index("drop")] = 0.0  # a feature that never moved


def drift_of(rows: np.ndarray) -> dict[str, float]:
    drift = Drift(Reference.parse(reference_of(TRAINED)))
    for row in rows:
        drift.see(row)
    return drift.index()


def test_what_was_trained_on_does_not_drift() -> None:
    rows = TRAINED.reshape(-1, 3, len(FEATURES))
    assert max(drift_of(DRAW.permutation(rows)[:600]).values()) < 0.05


def test_a_feature_that_moved_stands_out_and_the_others_do_not() -> None:
    rows = DRAW.permutation(TRAINED.reshape(-1, 3, len(FEATURES)))[:600].copy()
    rows[..., KINDS.index("need")] = 1.0 - rows[..., KINDS.index("need")]
    rows[..., KINDS.index("drop")] = 0.3
    found = drift_of(rows)
    assert found["need"] > 0.5
    assert found["qos"] < 0.05
    assert found["drop"] > 0.5


def test_nothing_is_said_of_a_few_rows() -> None:
    assert drift_of(TRAINED[0]) == {}


@given(st.binary(max_size=60) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_bytes_are_a_reference_or_an_error(noise: bytes | str) -> None:
    octets = noise if isinstance(noise, bytes) else noise.encode()
    with pytest.raises(PackageError):
        Reference.parse(octets)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ({"sun": {"edges": [], "shares": [1]}}, "no feature"),
        ({"need": {"edges": [0.5, 0.5], "shares": [0.5, 0.25, 0.25]}}, "do not rise"),
        ({"need": {"edges": [0.5], "shares": [1.0]}}, "2 shares"),
        ({"need": {"edges": [0.5], "shares": [0.5, 0.9]}}, "sum to 1"),
    ],
)
def test_a_reference_that_makes_no_sense_is_refused(reference: object, reason: str) -> None:
    with pytest.raises(PackageError, match=reason):
        Reference.parse(json.dumps(reference).encode())
