"""Redundancy: what copies of an LDPC block add to each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.link.errors import CodeError
from twin.link.ldpc.code import code
from twin.link.ldpc.redundancy import RV_ORDER, combined, distinct_bits


@given(k=st.integers(12, 8448), share=st.floats(1.05, 14.0), copies=st.integers(1, 64))
def test_as_many_bits_are_distinct_as_the_codes_own_versions_send(k: int, share: float, copies: int) -> None:
    n = max(k + 1, int(k * share))
    try:
        made = code(k, n)
    except CodeError:
        return
    sent = {int(bit) for copy in range(copies) for bit in made.sent(RV_ORDER[copy % len(RV_ORDER)])}
    assert distinct_bits(np.array([k]), np.array([n]), np.array([copies])) == [len(sent)]


@pytest.mark.parametrize("share", [1.2, 2.0, 5.0, 12.0])
def test_copies_bring_so_much_more_energy_whatever_they_carry(share: float) -> None:
    """Energy for each information bit, which is rate and gain together."""
    k, copies = np.full(9, 1000), np.array([1, 2, 3, 4, 5, 8, 16, 32, 64])
    n = (k * share).astype(int)
    rate, gain_db = combined(k, n, copies)
    np.testing.assert_allclose(10.0 ** (gain_db / 10.0) / rate, copies * n / k)
    assert (np.diff(rate) <= 0).all()
    assert gain_db[0] == pytest.approx(0.0)
