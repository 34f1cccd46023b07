"""Scheduling: PRBs are conserved, policies kept, and water finds its level."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from oran.slices import DEDICATED, MAX, MIN, project
from twin.network.scheduler import _in_order, share_among_slices, share_among_ues, water_level

PRBS = 51
EPS = 1e-6


def tensor(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


needs = st.lists(st.floats(0, 500), min_size=3, max_size=3)
weights = st.lists(st.floats(0.01, 100), min_size=3, max_size=3)
policies = st.lists(st.lists(st.floats(-20, 150), min_size=3, max_size=3), min_size=3, max_size=3)


@given(needs, weights, policies)
def test_slices_keep_every_rule_of_the_policy(
    need: list[float], weight: list[float], policy: list[list[float]]
) -> None:
    wanted, ratios = tensor(need), project(tensor(policy))
    got = share_among_slices(wanted, tensor(weight), ratios, PRBS)
    limit = ratios * PRBS / 100
    assert (got >= -EPS).all()
    assert got.sum() <= PRBS + EPS
    assert (got <= wanted + EPS).all()
    assert (got <= limit[:, MAX] + EPS).all()
    assert (got >= torch.minimum(wanted, limit[:, MIN]) - EPS).all()
    assert (torch.maximum(got, limit[:, DEDICATED]).sum()) <= PRBS + EPS
    left = PRBS - torch.maximum(got, limit[:, DEDICATED]).sum()
    hungry = torch.minimum(wanted, limit[:, MAX]) > got + EPS
    assert left <= EPS or not hungry.any(), "PRBs idle although a slice may and wants to use them"


def test_min_is_lent_while_idle_and_dedicated_is_not() -> None:
    need, weight = tensor([500.0, 0.0, 0.0]), tensor([1.0, 1.0, 1.0])
    lent = tensor([[0, 30, 100], [0, 40, 100], [0, 30, 100]])
    kept = tensor([[0, 30, 100], [40, 40, 100], [0, 30, 100]])
    assert share_among_slices(need, weight, lent, 100)[0] == 100
    assert share_among_slices(need, weight, kept, 100)[0] == 60


def test_unused_prbs_go_by_active_ues() -> None:
    ratios = tensor([[0, 10, 100], [0, 10, 100], [0, 10, 100]])
    got = share_among_slices(tensor([500.0, 500.0, 0.0]), tensor([3.0, 1.0, 1.0]), ratios, 100)
    assert torch.allclose(got, tensor([10 + 60.0, 10 + 20.0, 0.0]))


@given(needs, weights, st.floats(0, 300))
def test_water_level_spends_exactly_what_there_is(need: list[float], weight: list[float], capacity: float) -> None:
    level = water_level(tensor(need), tensor(weight), tensor(capacity))
    spent = torch.minimum(tensor(need), tensor(weight) * level).sum()
    assert abs(spent - min(capacity, sum(need))) < 1e-6 * max(1.0, capacity)


ue = st.tuples(st.floats(0, 50), st.floats(0.01, 100), st.integers(0, 150), st.integers(0, 3))


@given(st.lists(ue, min_size=1, max_size=40), st.lists(st.floats(0, 60), min_size=4, max_size=4))
def test_ues_share_their_groups_capacity(ues: list[tuple[float, float, int, int]], capacity: list[float]) -> None:
    need, weight, urgency, _ = (tensor([column]) for column in zip(*ues, strict=True))
    group = torch.tensor([[item[3] for item in ues]])
    urgent = group >= 2
    got = share_among_ues(need, weight, urgency, urgent, group, tensor([capacity]))
    assert (got >= 0).all()
    assert (got <= need + EPS).all()
    for index, room in enumerate(capacity):
        inside = group == index
        assert abs(got[inside].sum() - min(room, need[inside].sum())) < EPS * 100
        if index < 2:
            level = (got / weight)[inside & (got < need - EPS)]
            assert level.numel() == 0 or (level.max() - level.min()) <= EPS * max(1.0, level.max())
            filled = (got / weight)[inside & (got >= need - EPS)]
            assert level.numel() == 0 or filled.numel() == 0 or filled.max() <= level.min() * (1 + EPS) + EPS
        else:
            served = urgency[inside & (got > EPS)]
            starved = urgency[inside & (need - got > EPS)]
            assert served.numel() == 0 or starved.numel() == 0 or served.min() >= starved.max()


def test_earliest_deadline_serves_the_oldest_first() -> None:
    need = tensor([[5.0, 5.0, 5.0]])
    got = share_among_ues(
        need,
        torch.ones_like(need),
        tensor([[1.0, 9.0, 4.0]]),
        torch.ones(1, 3, dtype=torch.bool),
        torch.zeros(1, 3, dtype=torch.int64),
        tensor([[8.0]]),
    )
    assert got.tolist() == [[0.0, 5.0, 3.0]]


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 2**20))
def test_ues_are_ordered_by_group_then_rank_then_position(ues: int, groups: int, seed: int) -> None:
    made = torch.Generator().manual_seed(seed)
    group = torch.randint(groups, (3, ues), generator=made)
    rank = torch.randint(8, (3, ues), generator=made).to(torch.float64) / 8.0
    group_, order = _in_order(group, rank, groups)
    assert torch.equal(order, (group + rank).argsort(dim=-1, stable=True))
    assert torch.equal(group_, group.gather(-1, order))


def test_a_rank_of_one_stays_in_its_group() -> None:
    group_, order = _in_order(torch.tensor([[0, 1, 0]]), tensor([[1.0, 0.0, 0.5]]), 2)
    assert order.tolist() == [[2, 0, 1]]
    assert group_.tolist() == [[0, 0, 1]]
