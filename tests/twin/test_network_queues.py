"""Queues: first in first out, delays measured exactly, bits conserved."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from twin.network import queues
from twin.network.queues import Work
from twin.network.scenario import MMTC, Scenario

HISTORY = 150


def tensor(value: float) -> Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def empty(budget: int = HISTORY) -> queues.Queues:
    item = replace(MMTC, delay_budget_s=budget * 0.01, buffer_bit=1e9)
    return queues.empty(Scenario(cells=1, ues=1, slices=(item,)), 1, torch.device("cpu"))


def work(
    state: queues.Queues | None = None, budget: int = HISTORY, buffer_bit: float = math.inf, substeps: int = 10
) -> Work:
    return Work(state or empty(budget), torch.tensor([buffer_bit], dtype=torch.float64), substeps)


def run(plan: list[tuple[float, float]]) -> tuple[list[float], float]:
    """Bits that leave in each substep of (arrivals, capacity), and their summed delay."""
    box = work(substeps=len(plan))
    left = []
    for come, capacity in plan:
        box.arrive(tensor(come))
        left.append(box.serve(tensor(capacity)).left_bit.item())
    return left, box.finish()[2].item()


def test_data_served_as_it_comes_does_not_wait() -> None:
    left, delay = run([(100.0, 100.0)] * 3)
    assert left == [100, 100, 100]
    assert delay == 0


def test_data_that_waits_two_substeps_is_two_substeps_older() -> None:
    left, delay = run([(100.0, 0.0), (0.0, 0.0), (0.0, 100.0)])
    assert left == [0, 0, 100]
    assert delay == pytest.approx(200.0)


def test_the_oldest_bit_tells_its_age() -> None:
    box = work()
    ages = []
    for come, capacity in ((100.0, 0.0), (100.0, 0.0), (0.0, 150.0), (5.0, 50.0), (0.0, 0.0)):
        box.arrive(tensor(come))
        ages.append(box.age(0).item())
        box.serve(tensor(capacity))
    assert ages == [0, 1, 2, 2, 1]
    state, backlog, _ = box.finish()
    assert backlog.item() == 5
    later = work(state)
    later.arrive(tensor(0.0))
    assert later.age(0).item() == 2


def test_a_backlog_drained_fast_delays_new_data_little() -> None:
    """100 old bits and 100 new ones against a service of 300: drained at 1/2, areas by hand."""
    _, delay = run([(100.0, 0.0), (100.0, 300.0)])
    # Old: leave at 1/3 x position on average 1/6, came at -1/2. New in the first half: mean wait (1/3 + 0) / 2.
    assert delay == pytest.approx(100 * (1 / 6 + 1 / 2) + 50 * (1 / 3) / 2)


def test_steady_overload_makes_the_queue_and_the_delay_grow() -> None:
    totals = [run([(100.0, 80.0)] * count)[1] for count in range(1, 11)]
    delays = [(later - earlier) / 80 for earlier, later in itertools.pairwise(totals)]
    assert all(later > earlier for earlier, later in itertools.pairwise(delays))
    # Bits served in substep k came, on average, 0.2 (k + 0.5) substeps before they left.
    assert delays[-1] == pytest.approx(0.2 * 9.5)


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
    assert box.finish()[2].item() == pytest.approx(0, abs=1e-9), "what expired has not left"


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
    state = empty(budget)
    plain: list[list[float]] = []  # [substep of arrival, bits]
    for start in range(0, len(plan), 4):
        chunk = plan[start : start + 4]
        box = work(state, budget, limit, len(chunk))
        low, high, total = 0.0, 0.0, 0.0
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
            oldest = next((when for when, bits in plain if bits > 1e-3), None)
            if oldest is not None and all(bits == 0 or bits > 1e-3 for _, bits in plain):
                assert box.age(0).item() == number - oldest
            served = box.serve(tensor(capacity))
            left = capacity
            for item in plain:
                out = min(item[1], left)
                item[1] -= out
                left -= out
                low += out * max(number - item[0] - 1, 0)
                high += out * (number - item[0] + 1)
            assert served.left_bit.item() >= 0
            total += served.left_bit.item()
        state, backlog, delay = box.finish()
        slack = 1e-6 * (1 + high)
        assert low - slack <= delay.item() <= high + slack
        assert delay.item() <= total * budget + slack
        assert backlog.item() == pytest.approx(sum(bits for _, bits in plain), abs=1e-3)
        assert backlog.item() >= 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40), st.integers(1, 12))
def test_delays_do_not_depend_on_where_steps_end(plan: list[tuple[int, int]], substeps: int) -> None:
    """The summed delay is that of one long step, and that of the fluid queue by fine integration."""
    whole = run([(float(come), float(capacity)) for come, capacity in plan])[1]
    state, total = empty(), 0.0
    for start in range(0, len(plan), substeps):
        chunk = plan[start : start + substeps]
        box = work(state, substeps=len(chunk))
        for come, capacity in chunk:
            box.arrive(tensor(float(come)))
            box.serve(tensor(float(capacity)))
        state, _, delay = box.finish()
        total += delay.item()
    assert total == pytest.approx(whole, abs=1e-6)


def test_a_step_leaves_the_state_it_began_from_untouched() -> None:
    state = empty()
    before = state.curves[0].clone()
    box = work(state)
    box.arrive(tensor(5.0))
    box.serve(tensor(1.0))
    box.finish()
    assert torch.equal(state.curves[0], before)
