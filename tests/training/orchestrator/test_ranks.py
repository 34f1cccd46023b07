from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.orchestrator import ranks
from training.orchestrator.errors import StageError


def place(patch: pytest.MonkeyPatch, number: int, count: int) -> None:
    patch.setattr(ranks, "count", lambda: count)
    patch.setattr(ranks, "number", lambda: number)


@given(st.integers(1, 50), st.integers(1, 9), st.integers(1, 5))
def test_every_row_is_one_rank_s_and_all_do_as_many_micro_batches(rows: int, size: int, count: int) -> None:
    seen: list[int] = []
    turns: list[int] = []
    for number in range(count):
        with pytest.MonkeyPatch.context() as patch:
            place(patch, number, count)
            parts = list(ranks.micro_batches(np.arange(rows), size))
        assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
        assert all(1 <= len(part.rows) <= size for part in parts)
        assert {part.weight for part in parts} <= {0.0, float(count)}
        seen += [row for part in parts if part.weight for row in part.rows]
        turns.append(len(parts))
    assert sorted(seen) == list(range(rows))
    assert len(set(turns)) == 1


def test_one_rank_does_all_itself() -> None:
    parts = list(ranks.micro_batches("abcde", 2))
    assert [part.rows for part in parts] == ["ab", "cd", "e"]
    assert ranks.shared([1, 2], lambda own: [2 * item for item in own]) == [2, 4]
    assert ranks.from_first(lambda: 5) == 5
    assert ranks.mean(1.0, 3.0) == (1.0, 3.0)


def test_fewer_tasks_than_ranks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    place(monkeypatch, 0, 4)
    with pytest.raises(StageError, match="at least one"):
        ranks.shared([1, 2], lambda own: list(own))


def test_parts_of_rows_are_even_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def gathered(own: list[int]) -> list[int]:
        return own

    monkeypatch.setattr(ranks, "gather_object", gathered)
    found = []
    for number in range(3):
        place(monkeypatch, number, 3)

        def own(rows: Sequence[int]) -> list[int]:
            return list(rows)

        found.append(ranks.shared(list(range(8)), own))
    assert [row for part in found for row in part] == list(range(8))
    assert {len(part) for part in found} == {2, 3}


def test_what_is_not_cut_learns_itself_and_is_copied_as_it_is() -> None:
    network, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert ranks.to_learn(network) is network
    ranks.refresh(network, network)
    ranks.copied(zip(network.parameters(), other.parameters(), strict=True))
    assert torch.equal(network.weight, other.weight)
