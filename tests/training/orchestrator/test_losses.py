import numpy as np
import pytest

from training.orchestrator.losses import scale_of


def test_options_of_equal_worth_do_not_count_though_rounding_tells_them_apart() -> None:
    told = np.array([[0.3, -0.4], [0.0, 0.0]])
    rounded = told + np.array([[0.0, 0.0], [1e-16, -1e-16]])
    assert scale_of([told]) == pytest.approx(0.5)
    assert scale_of([rounded]) == scale_of([told])


def test_without_any_advantage_nothing_is_divided_by_nought() -> None:
    assert scale_of([np.zeros((3, 2))]) > 0.0
