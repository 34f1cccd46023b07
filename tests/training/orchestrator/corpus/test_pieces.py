"""Pieces together are the text, each short enough, and begin where clauses do."""

from hypothesis import given
from hypothesis import strategies as st

from tests.training.orchestrator.corpus.samples import paragraph
from training.orchestrator.corpus.pieces import pieces

TEXTS = st.text(st.sampled_from("ab. \n#"), max_size=400)


@given(TEXTS, st.integers(1, 60))
def test_pieces_are_the_text_and_fit(text: str, most: int) -> None:
    cut = list(pieces(text, most))
    assert all(0 < len(piece) <= most for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


def test_a_change_in_one_clause_leaves_the_pieces_of_others() -> None:
    texts = [[paragraph(10 * number + part) for part in range(6)] for number in range(5)]
    clauses = ["\n\n".join([f"# {number}", *text]) for number, text in enumerate(texts)]
    before = list(pieces("\n\n".join(clauses), 1_000))
    clauses[1] = clauses[1].replace(
        "# 1", "# 1 With a title that is so long that what follows moves to other pieces"
    )
    after = list(pieces("\n\n".join(clauses), 1_000))
    others = [piece for piece in before if not any(text in piece for text in texts[1])]
    assert len(others) >= 8
    assert set(others) <= set(after) != set(before)
