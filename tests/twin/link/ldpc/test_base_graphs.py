import numpy as np
import pytest

from twin.link.ldpc.base_graphs import LIFTING_SIZES, base_graph, lifting_set


@pytest.mark.parametrize(("number", "rows", "columns", "entries"), [(1, 46, 68, 316), (2, 42, 52, 197)])
def test_graphs_have_the_dimensions_of_the_standard(number: int, rows: int, columns: int, entries: int) -> None:
    graph = base_graph(number)
    assert (graph.rows, graph.columns, len(graph.row)) == (rows, columns, entries)
    assert graph.info_columns == {1: 22, 2: 10}[number]
    assert graph.shift.shape == (8, entries)
    assert ((graph.shift >= 0) & (graph.shift < 384)).all()
    assert (np.diff(graph.row) >= 0).all()


@pytest.mark.parametrize("number", [1, 2])
def test_the_core_is_dual_diagonal_and_each_row_below_has_a_parity_bit_of_its_own(number: int) -> None:
    graph = base_graph(number)
    first = graph.info_columns
    entries = {
        (row, column): index for index, (row, column) in enumerate(zip(graph.row, graph.column, strict=True))
    }
    for row in range(3):
        for place in (entries[row, first + 1 + row], entries[row + 1, first + 1 + row]):
            assert (graph.shift[:, place] == 0).all()
    for row in range(4, graph.rows):
        own = first + row
        assert (graph.column == own).sum() == 1
        assert (graph.shift[:, entries[row, own]] == 0).all()
        assert (graph.column[graph.row == row] <= own).all()


def test_lifting_sizes_are_the_standards() -> None:
    assert len(LIFTING_SIZES) == 51
    assert (LIFTING_SIZES[0], LIFTING_SIZES[-1]) == (2, 384)
    assert [lifting_set(size) for size in (2, 384, 7, 15, 208, 240)] == [0, 1, 3, 7, 6, 7]
