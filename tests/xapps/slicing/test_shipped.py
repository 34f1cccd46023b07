"""The package that comes with the xApp: small, whole, and fit for cells and slices that it was not trained on."""

import numpy as np
import pytest

from oran.model_package import load
from xapps.slicing.actor import SHIPPED, Actor
from xapps.slicing.config import DESCRIPTOR
from xapps.slicing.config import load as load_config
from xapps.slicing.reload import first_model
from xapps.slicing.schema import KIND
from xapps.slicing.state import FEATURES, KINDS

MOST_OCTETS = 1_000_000


def test_it_is_small_and_tells_how_it_was_made_and_how_good_it_is() -> None:
    manifest, files = load(SHIPPED, kind=KIND)
    assert sum(map(len, files.values())) < MOST_OCTETS
    assert manifest.training["method"] == "branching"
    assert len(manifest.commit) == 40
    assert {"return", "satisfaction"} <= set(manifest.metrics)


def test_the_learned_controller_takes_it_unless_another_is_named() -> None:
    config, _ = load_config(DESCRIPTOR, {}, {"controller": "learned"})
    model = first_model(config)
    assert model.manifest == Actor.load(SHIPPED, config.slice_names).manifest
    assert model.reference is not None


@pytest.mark.parametrize("slices", range(1, 9))
def test_it_serves_any_number_of_slices_and_cells(slices: int) -> None:
    actor = Actor.load(SHIPPED, tuple(map(str, range(slices))))
    for cells in (1, 7):
        share = actor.share(np.random.default_rng(slices).random((cells, slices, len(FEATURES))))
        assert share.shape == (cells, slices)
        np.testing.assert_allclose(share.sum(axis=-1), 1.0, atol=1e-5)


def test_the_order_of_slices_does_not_matter() -> None:
    actor = Actor.load(SHIPPED, ("a", "b", "c"))
    seen = np.random.default_rng(1).random((5, 3, len(FEATURES)))
    order = [2, 0, 1]
    np.testing.assert_allclose(actor.share(seen[:, order]), actor.share(seen)[:, order], atol=1e-5)


def test_features_at_the_ends_of_their_range_are_decided_too() -> None:
    actor = Actor.load(SHIPPED, ("a", "b", "c"))
    ends = np.array(np.meshgrid(*[(0.0, 1.0)] * 3)).reshape(3, -1).T
    seen = np.full((len(ends), 3, len(FEATURES)), 0.5)
    seen[:, :, KINDS.index("need")] = ends
    assert np.isfinite(actor.share(seen)).all()
