"""Queues: first in first out, delays measured exactly, bits conserved."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from twin.network import queues
from twin.network.queues import Work
from twin.network.scenario import MMTC, Scenario

HISTORY = 150
ONE = Scenario(cells=1, ues=1, slices=(MMTC,))


def tensor(value: float) -> Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def work(
    state: queues.Queues | None = None, budget: int = HISTORY, buffer_bit: float = math.inf, substeps: int = 10
) -> Work:
    state = state or queues.empty(ONE, 1, torch.device("cpu"))
    return Work(state, torch.tensor([budget]), torch.tensor([buffer_bit], dtype=torch.float64), substeps)


def test_data_served_as_it_comes_does_not_wait() -> None:
    box = work()
    for _ in range(3):
        box.arrive(tensor(100.0))
        served = box.serve(tensor(100.0))
        assert served.left_bit.item() == 100
        assert served.delay.item() == 0
        assert served.emptied.item()


def test_data_that_waits_two_substeps_is_two_substeps_older() -> None:
    box = work()
    box.arrive(tensor(100.0))
    assert box.serve(tensor(0.0)).left_bit.item() == 0
    box.arrive(tensor(0.0))
    box.serve(tensor(0.0))
    box.arrive(tensor(0.0))
    assert box.age().item() == 2
    served = box.serve(tensor(100.0))
    assert served.delay.item() == pytest.approx(200.0)


def test_a_backlog_drained_fast_delays_new_data_little() -> None:
    """100 old bits and 100 new ones against a service of 300: drained at 1/2, areas by hand."""
    box = work()
    box.arrive(tensor(100.0))
    box.serve(tensor(0.0))
    box.arrive(tensor(100.0))
    served = box.serve(tensor(300.0))
    # Old: leave at 1/3 x position on average 1/6, came at -1/2. New in the first half: mean wait (1/3 + 0) / 2.
    assert served.delay.item() == pytest.approx(100 * (1 / 6 + 1 / 2) + 50 * (1 / 3) / 2)


def test_steady_overload_makes_the_queue_and_the_delay_grow() -> None:
    box = work()
    delays = []
    for _ in range(10):
        box.arrive(tensor(100.0))
        served = box.serve(tensor(80.0))
        delays.append((served.delay / served.left_bit).item())
    assert all(later > earlier for earlier, later in itertools.pairwise(delays))
    # Bits served in substep k came, on average, 0.2 (k + 0.5) substeps before they left.
    assert delays[9] == pytest.approx(0.2 * 9.5)


def test_old_data_expires_at_its_budget_and_not_before() -> None:
    box = work(budget=3)
    _, dropped = box.arrive(tensor(100.0))
    box.serve(tensor(0.0))
    drops = [dropped.item()]
    for _ in range(4):
        waiting, dropped = box.arrive(tensor(0.0))
        drops.append(dropped.item())
        box.serve(tensor(0.0))
    assert drops == [0, 0, 0, 100, 0]
    assert waiting.item() == 0


def test_a_full_buffer_refuses_what_does_not_fit() -> None:
    box = work(buffer_bit=150.0)
    box.arrive(tensor(100.0))
    box.serve(tensor(0.0))
    waiting, dropped = box.arrive(tensor(100.0))
    assert (waiting.item(), dropped.item()) == (150, 50)


substep = st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))


@given(st.lists(substep, min_size=1, max_size=60), st.integers(1, HISTORY), st.floats(1e3, 1e7))
def test_bits_are_conserved_and_never_late(plan: list[tuple[float, float]], budget: int, limit: float) -> None:
    """Against a queue of single substeps' arrivals kept as a plain list, across steps of 4 substeps."""
    state = queues.empty(ONE, 1, torch.device("cpu"))
    plain: list[list[float]] = []  # [substep of arrival, bits]
    for start in range(0, len(plan), 4):
        chunk = plan[start : start + 4]
        box = work(state, budget, limit, len(chunk))
        for number, (come, capacity) in enumerate(chunk, start):
            expected_drop = sum(bits for when, bits in plain if when <= number - budget)
            plain = [item for item in plain if item[0] > number - budget]
            room = limit - sum(bits for _, bits in plain)
            admitted = min(come, max(room, 0.0))
            expected_drop += come - admitted
            plain.append([number, admitted])
            waiting, dropped = box.arrive(tensor(come))
            assert dropped.item() == pytest.approx(expected_drop, abs=1e-3)
            assert waiting.item() == pytest.approx(sum(bits for _, bits in plain), abs=1e-3)
            served = box.serve(tensor(capacity))
            left = capacity
            low, high = 0.0, 0.0
            for item in plain:
                out = min(item[1], left)
                item[1] -= out
                left -= out
                low += out * max(number - item[0] - 1, 0)
                high += out * (number - item[0] + 1)
            slack = 1e-6 * (1 + high)
            assert low - slack <= served.delay.item() <= high + slack
            assert served.left_bit.item() >= 0
            assert served.delay.item() <= served.left_bit.item() * budget + slack
        state, backlog = box.finish()
        assert backlog.item() == pytest.approx(sum(bits for _, bits in plain), abs=1e-3)
        assert backlog.item() >= 0


def test_a_step_leaves_the_state_it_began_from_untouched() -> None:
    state = queues.empty(ONE, 1, torch.device("cpu"))
    before = state.arrived_bit.clone()
    box = work(state)
    box.arrive(tensor(5.0))
    box.serve(tensor(1.0))
    box.finish()
    assert torch.equal(state.arrived_bit, before)
