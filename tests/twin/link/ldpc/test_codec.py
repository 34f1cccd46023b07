import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.link.errors import CodeError
from twin.link.ldpc import LdpcCode, code, decode, encode
from twin.link.ldpc.base_graphs import LIFTING_SIZES
from twin.link.ldpc.validation import against_sionna, received

SIZES = st.integers(12, 2000).flatmap(lambda k: st.tuples(st.just(k), st.integers(int(k / 0.9) + 1, 6 * k)))


def words(made: LdpcCode, blocks: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (blocks, made.k), dtype=np.uint8)


def clean(sent: np.ndarray, strength: float = 8.0) -> np.ndarray:
    return ((2.0 * sent - 1.0) * strength).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(size=SIZES, seed=st.integers(0, 100))
def test_what_is_sent_without_noise_comes_back(size: tuple[int, int], seed: int) -> None:
    made = code(*size)
    bits = words(made, 3, seed)
    decoded, converged = decode(made, clean(encode(made, bits)))
    assert converged.all()
    assert (decoded == bits).all()


@pytest.mark.parametrize("size", LIFTING_SIZES)
@pytest.mark.parametrize("number", [1, 2])
def test_codewords_satisfy_every_check_at_every_lifting(number: int, size: int) -> None:
    rate = {1: 0.8, 2: 0.24}[number]
    sizes = [columns * size for columns in ((22,) if number == 1 else (10, 9, 8, 6)) if columns * size >= 12]
    codes = [code(k, int(k / rate)) for k in sizes if k <= 8448]
    fitting = [made for made in codes if (made.graph.number, made.lifting) == (number, size)]
    if not fitting:
        pytest.skip("the standard has no code of this graph and lifting")
    made = fitting[0]
    k = made.k
    graph, z = made.graph, made.lifting
    whole = LdpcCode(k, graph.columns * z, graph, z)
    bits = words(made, 2)
    word = np.zeros((2, graph.columns * z), dtype=np.uint8)
    word[:, whole.sent()] = encode(whole, bits)
    word[:, : 2 * z] = bits[:, : 2 * z]
    sums = np.zeros((2, graph.rows, z), dtype=np.int64)
    for row, column, shift in zip(graph.row, graph.column, made.shifts, strict=True):
        sums[:, row] += np.roll(word[:, column * z : (column + 1) * z], -shift, axis=1)
    assert (sums % 2 == 0).all()


def test_each_redundancy_version_decodes_and_several_decode_better() -> None:
    made = code(1000, 1300)
    bits = words(made, 60)
    draw = np.random.default_rng(5)
    for rv in (0, 3):
        assert decode(made, clean(encode(made, bits, rv)), rvs=(rv,))[1].all()
    order = (0, 2, 3, 1)
    sent = [clean(encode(made, bits, rv), 1.5) + draw.normal(0, 1.6, (60, 1300)) for rv in order]
    failed = [
        (decode(made, np.stack(sent[:count], axis=1), rvs=order[:count])[0] != bits).any(axis=1).mean()
        for count in (1, 2, 4)
    ]
    assert failed[0] > failed[1] >= failed[2] == 0


def test_repetition_adds_up() -> None:
    made = code(100, 2000)
    bits = words(made, 50)
    sent = encode(made, bits)
    assert (sent[:, :400] == sent[:, len(made.buffer) : len(made.buffer) + 400]).all()
    noisy = clean(sent, 0.4) + np.random.default_rng(3).normal(0, 0.9, sent.shape)
    assert (decode(made, noisy)[0] == bits).all()


def test_block_errors_fall_with_the_snr() -> None:
    rates = []
    for ebn0_db in (0.0, 1.0, 2.0, 3.0):
        bits, llr = received(500, 1000, ebn0_db, 200, seed=2)
        rates.append((decode(code(500, 1000), llr)[0] != bits).any(axis=1).mean())
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 0.9
    assert rates[-1] < 0.02


def test_a_block_decodes_alike_alone_and_beside_others() -> None:
    _, llr = received(100, 250, 1.2, 90, seed=4)
    together, converged = decode(code(100, 250), llr)
    assert 0 < converged.mean() < 1
    for block in (0, 17, 89):
        alone, ok = decode(code(100, 250), llr[block : block + 1])
        assert (alone == together[block]).all()
        assert ok[0] == converged[block]


def test_converged_blocks_are_codewords() -> None:
    made = code(200, 400)
    _, llr = received(200, 400, 1.0, 300, seed=6)
    decoded, converged = decode(made, llr)
    again = encode(made, decoded[converged])
    # A codeword close to what was received is what convergence means; far from it would be chance.
    agreement = ((llr[converged] > 0) == (again == 1)).mean(axis=1)
    assert (agreement > 0.75).all()


@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (11, 30), (9000, 20000), (100, 100), (100, 99), (5000, 50000), (20, 9999)]
)
def test_codes_the_standard_does_not_have_are_refused(k: int, n: int) -> None:
    with pytest.raises(CodeError, match="must"):
        code(k, n)


def test_blocks_of_another_shape_or_with_nan_are_refused() -> None:
    made = code(100, 200)
    for llr in (np.zeros((3, 199)), np.zeros(200), np.zeros((3, 2, 200)), np.full((1, 200), np.nan)):
        with pytest.raises(CodeError):
            decode(made, llr)
    with pytest.raises(CodeError):
        decode(made, np.zeros((1, 200)), iterations=0)
    for bits in (np.zeros((3, 99), np.uint8), np.full((3, 100), 2, np.uint8)):
        with pytest.raises(CodeError):
            encode(made, bits)
    with pytest.raises(CodeError):
        encode(made, np.zeros((1, 100), np.uint8), rv=4)


def test_infinite_beliefs_do_no_harm() -> None:
    made = code(100, 200)
    bits = words(made, 4)
    assert (decode(made, clean(encode(made, bits), np.inf))[0] == bits).all()


def test_nothing_to_decode() -> None:
    decoded, converged = decode(code(100, 200), np.zeros((0, 200)))
    assert decoded.shape == (0, 100)
    assert converged.shape == (0,)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("k", "n"), [(24, 60), (300, 500), (600, 1500), (1272, 2544), (3840, 19000), (8448, 12000)]
)
def test_the_encoder_is_sionnas(k: int, n: int) -> None:
    torch = pytest.importorskip("torch")
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    bits = words(code(k, n), 4)
    theirs = LDPC5GEncoder(k, n)(torch.from_numpy(bits).float(), rv=[0, 1, 2, 3]).numpy()
    for rv in range(4):
        assert (theirs[:, rv] == encode(code(k, n), bits, rv)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("k", "n", "ebn0_db"), [(100, 300, 1.5), (300, 500, 1.75), (1272, 2544, 1.2), (5000, 6000, 2.8)]
)
def test_the_decoder_is_as_good_as_sionnas_belief_propagation(k: int, n: int, ebn0_db: float) -> None:
    found = against_sionna(k, n, ebn0_db, blocks=300)
    assert found.bler <= found.sionna_bler + 3 * found.error
