"""Evaluation: tiers agree on what can be checked, answers move the right way, and what is not there is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.link.link_cases import BASE, EQUIPMENT, equipments
from twin.link import mutual_information
from twin.link.blocks import blocks, blocks_of
from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentGrid
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate, evaluate_batch, rate_curve
from twin.link.fades import Fades
from twin.link.ldpc.awgn import mean_errors
from twin.link.plan import ChainGrid, LinkChain
from twin.link.qos import Tier
from twin.link.space import Space, concatenate

CHAIN = LinkChain(**{**BASE, "rx_antennas": 2})


def snr_db(chain: LinkChain, level_db: float) -> float:
    """The equipment's SNR at which a chain sees this one per resource element."""
    return level_db - float(replace(EQUIPMENT, snr_db=0.0).resource_element_snr_db(chain))


@given(equipment=equipments, seed=st.integers(0, 99))
@settings(max_examples=10)
def test_blocks_fill_a_slot_and_no_more(equipment: object, seed: int) -> None:
    assert hasattr(equipment, "free_prbs")
    chains = Space.of(EQUIPMENT).sample(200, np.random.default_rng(seed))
    cut = blocks(chains)
    sent = chains.prbs * 144 * chains.layers * chains.bits_per_symbol
    assert (cut.count * cut.n <= sent).all()
    assert (cut.k >= 1).all()
    assert (cut.k < cut.n).all()
    np.testing.assert_allclose(cut.k / cut.n, chains.rate, rtol=0.08)


def test_code_blocks_are_of_the_standards_sizes() -> None:
    assert blocks_of(LinkChain(**{**BASE, "prbs": 51, "modulation": "qpsk"})) == (1, 7344, 14688)
    count, k, _ = blocks_of(LinkChain(**{**BASE, "prbs": 275, "modulation": "256qam", "code_rate": 0.9}))
    assert count * k <= 275 * 144 * 8 * 0.9
    assert k <= 8448
    assert blocks_of(LinkChain(**{**BASE, "code": "polar"}))[1] <= 1024


@pytest.mark.parametrize("tier", [Tier.T0, Tier.T1])
def test_k_best_of_many_points_gets_nothing_through_where_lmmse_does(tier: Tier) -> None:
    """At low SNRs it follows too few of them to tell bits; T0's tables once gave it what LMMSE has."""
    parts: dict[str, object] = {"layers": 2, "tx_antennas": 2, "rx_antennas": 2, "repetition": 8}
    parts |= {"modulation": "64qam", "code_rate": 0.1}
    linear, kbest = (LinkChain(**{**BASE, **parts, "detector": kind}) for kind in ("lmmse", "kbest"))
    equipment = replace(EQUIPMENT, snr_db=snr_db(linear, 0.0))
    through, lost = (evaluate(chain, equipment, tier, seed=1).qos for chain in (linear, kbest))
    assert through.ber_high < 1e-3
    assert lost.ber_low > 0.1


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_at_t0_more_power_never_gives_more_errors_whatever_the_receiver(seed: int) -> None:
    chains = Space.of(EQUIPMENT).sample(100, np.random.default_rng(seed))
    errors = [
        evaluate_batch(chains, replace(EQUIPMENT, snr_db=level)).ber for level in np.arange(-30.0, 40.0, 1.0)
    ]
    assert (np.diff(errors, axis=0) <= 1e-12).all()


@pytest.mark.parametrize("tier", [Tier.T0, Tier.T1])
def test_more_power_gives_fewer_errors_and_more_throughput(tier: Tier) -> None:
    answers = [
        evaluate(CHAIN, replace(EQUIPMENT, snr_db=snr_db(CHAIN, level)), tier, seed=3).qos
        for level in (0, 6, 12, 24)
    ]
    errors, rates = [item.ber for item in answers], [item.throughput_bps for item in answers]
    assert errors == sorted(errors, reverse=True)
    assert rates == sorted(rates)
    assert all(item.ber_low <= item.ber <= item.ber_high for item in answers)
    assert all(item.tier is tier for item in answers)
    assert answers[-1].throughput_bps == pytest.approx(24 * 144 * 4 * 0.5 / 0.5e-3, rel=0.01)


@pytest.mark.parametrize(("channel", "level_db"), [(ChannelClass.AWGN, 4.0), (ChannelClass.TDL_A, 9.0)])
def test_t1_tells_what_chance_makes_of_its_answer_and_looks_make_it_less(
    channel: ChannelClass, level_db: float
) -> None:
    """The interval once told what the channels' sample makes of it, and nothing of the receiver's noise."""
    chain = LinkChain(**{**BASE, "code": "polar", "rx_antennas": 2, "harq_transmissions": 2})
    equipment = replace(EQUIPMENT, snr_db=snr_db(chain, level_db), channel=channel)

    def told(looks: int, seeds: range) -> tuple[float, float]:
        qos = [evaluate(chain, equipment, Tier.T1, seed=seed, looks=looks).qos for seed in seeds]
        ber, high = np.log10([(one.ber, one.ber_high) for one in qos]).T
        return float(ber.std(ddof=1)), float((high - ber).mean()) / 1.96

    scattered, own = told(1, range(10))
    assert 1e-11 < evaluate(chain, equipment, Tier.T1).qos.ber < 1e-2
    assert 0.02 < scattered < 1.0
    assert scattered == pytest.approx(own, rel=0.6)
    _, of_four = told(4, range(6))
    assert of_four == pytest.approx(own / 2, rel=0.4)


def test_harq_and_repetition_help_at_a_price() -> None:
    poor = replace(EQUIPMENT, snr_db=snr_db(CHAIN, 4.0))
    plain = evaluate(CHAIN, poor).qos
    harq = evaluate(CHAIN.model_copy(update={"harq_transmissions": 4}), poor).qos
    repeated = evaluate(CHAIN.model_copy(update={"repetition": 4}), poor).qos
    assert harq.ber < plain.ber / 5
    assert repeated.ber < plain.ber / 5
    assert harq.delay_s > plain.delay_s
    assert harq.throughput_bps > repeated.throughput_bps


def test_answers_below_what_was_resolved_are_flagged() -> None:
    good = evaluate(CHAIN, replace(EQUIPMENT, channel=ChannelClass.AWGN, snr_db=40.0)).qos
    assert good.extrapolated
    assert 0 < good.ber < 1e-9
    assert not evaluate(CHAIN, replace(EQUIPMENT, snr_db=snr_db(CHAIN, 2.0))).qos.extrapolated


def test_a_batch_says_what_single_plans_say() -> None:
    state = replace(EQUIPMENT, has_deeprx=True)
    chains = Space.of(state).sample(60, np.random.default_rng(4))
    together = evaluate_batch(chains, state)
    for row in range(0, 60, 7):
        alone = evaluate(chains.chain(row), state)
        assert alone.qos.ber == pytest.approx(together.row(row).qos.ber, rel=1e-6)
        assert alone.use.prb_slots == pytest.approx(together.row(row).use.prb_slots)


def test_chains_on_equipment_of_their_own_get_the_answers_of_each() -> None:
    states = [
        replace(
            EQUIPMENT,
            channel=channel,
            snr_db=6.0 + 3 * place,
            compute_flops=10.0 ** (12 + place / 3),
            has_deeprx=True,
        )
        for place, channel in enumerate(ChannelClass)
    ]
    grids = [Space.of(state).sample(9, np.random.default_rng(place)) for place, state in enumerate(states)]
    together = evaluate_batch(concatenate(grids), EquipmentGrid.of(states, [9] * len(states)))
    for place, (state, grid) in enumerate(zip(states, grids, strict=True)):
        own, alone = together.take(slice(9 * place, 9 * place + 9)), evaluate_batch(grid, state)
        for name in ("delay_s", "throughput_bps", "ber", "ber_low", "ber_high", "prb_slots"):
            np.testing.assert_allclose(getattr(own, name), getattr(alone, name), rtol=1e-9)


def test_without_its_low_end_an_answer_is_else_the_same() -> None:
    chains = Space.of(EQUIPMENT).sample(40, np.random.default_rng(1))
    whole, upper = (evaluate_batch(chains, EQUIPMENT, low_end=told) for told in (True, False))
    assert (whole.ber_low < whole.ber).any()
    np.testing.assert_array_equal(upper.ber_low, upper.ber)
    for name in ("delay_s", "throughput_bps", "ber", "ber_high"):
        np.testing.assert_allclose(getattr(upper, name), getattr(whole, name), rtol=1e-9)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PlanError, match="free PRBs"):
        evaluate(LinkChain(**{**BASE, "prbs": 200}), EQUIPMENT)


def test_a_curve_rises_and_keeps_the_chains_timeline() -> None:
    grid = np.arange(-15.0, 40.0, 1.0)
    efficiency, failed, delay_s = rate_curve(CHAIN, replace(EQUIPMENT, channel=ChannelClass.AWGN), grid)
    assert (np.diff(efficiency * (1 - failed)) >= -1e-9).all()
    assert efficiency[-1] * (1 - failed[-1]) == pytest.approx(2.0, rel=0.01)
    assert (delay_s > 0).all()


def test_two_copies_that_both_fade_are_rarer_than_one_by_its_square() -> None:
    snr_db = mutual_information.to_snr_db(np.linspace(0.1, 0.9, 11)[None])
    one = Fades(snr_db, snr_db, np.full(11, 1 / 11))

    def gmi(fades: Fades) -> np.ndarray:
        return mutual_information.from_snr_db(fades.low_db)

    two = one.copies(np.array([2]))
    assert float(two.weight.sum()) == pytest.approx(1.0)
    assert float(two.mean(gmi(two))[0]) == pytest.approx(0.5, abs=1e-3)
    assert float(two.mean(gmi(two) <= 0.11)[0]) == pytest.approx(1 / 121)
    four = one.copies(np.array([4]))
    assert float(four.mean(gmi(four) <= 0.11)[0]) == 0.0
    assert float(four.mean(gmi(four))[0]) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("order", [1.0, 2.0, 8.0])
@pytest.mark.parametrize("copies", [2, 6, 16])
def test_copies_fade_together_as_rarely_as_their_sum_does(order: float, copies: int) -> None:
    """What follows power sums up over Rayleigh fading copies to what is gamma distributed."""
    gamma = pytest.importorskip("scipy.stats").gamma
    share = (np.arange(2000) + 0.5) / 2000
    carried_db = mutual_information.to_snr_db(0.1 * gamma.ppf(share, order) / order)[None]
    told = Fades(carried_db, carried_db, np.full(2000, 1 / 2000)).copies(np.array([copies]))
    information = mutual_information.from_snr_db(told.low_db[0]) / 0.1
    rising = np.argsort(information)
    seen = np.cumsum(told.weight[rising])
    for chance in (0.3, 0.1, 0.01):
        found = information[rising][np.searchsorted(seen, chance)]
        exact = gamma.ppf(chance, copies * order) / (copies * order)
        assert -0.6 < 10.0 * np.log10(found / exact) < 0.1


def test_quantiles_of_a_fading_link_give_the_error_rate_of_its_channels() -> None:
    draw = np.random.default_rng(1)
    # Rayleigh fading over three antennas, mean 0 dB: an order of diversity that the two lowest quantiles show.
    snr_db = 10.0 * np.log10(draw.gamma(3.0, 1 / 3.0, (1, 400_000)))
    fades = Fades.of_channels(np.sort(snr_db[0]), np.ones_like(snr_db, dtype=int))
    for threshold_db in (-9.0, -6.0, -4.0, -1.0):
        needed = mutual_information.from_snr_db(np.array(threshold_db))
        told, _ = mean_errors(fades.low_db, fades.high_db, np.array([[6000.0]]), needed[None, None])
        direct, _ = mean_errors(snr_db, snr_db, np.array([[6000.0]]), needed[None, None])
        assert float(fades.mean(told)[0]) == pytest.approx(float(direct.mean()), rel=0.06)


def test_the_mean_over_a_range_is_that_of_its_points() -> None:
    k, rate = np.array(1272.0), np.array(0.5)
    for low, high in ((-1.5, 2.0), (0.1, 0.2), (3.0, 9.0), (0.5, 0.5)):
        points = np.linspace(low, high, 4001)
        told = mean_errors(np.array(low), np.array(high), k, rate)
        each = mean_errors(points, points, k, rate)
        assert float(told[0]) == pytest.approx(float(each[0].mean()), rel=1e-3, abs=1e-12)
        assert 0 <= float(told[1]) <= float(told[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"modulation": "qpsk", "estimator": "ls"},
        {"modulation": "16qam", "estimator": "lmmse"},
        {"modulation": "64qam", "estimator": "lmmse", "layers": 2, "tx_antennas": 2},
        {"modulation": "16qam", "estimator": "deeprx", "detector": "deeprx", "prbs": 6},
    ],
)
def test_the_tiers_agree_where_blocks_fail_now_and_then(changes: dict[str, object]) -> None:
    chain = LinkChain(**{**BASE, "rx_antennas": 2, **changes})
    state = replace(EQUIPMENT, has_deeprx=True, compute_flops=1e14)
    level = {"qpsk": 3.0, "16qam": 9.0, "64qam": 19.0}[str(chain.modulation)]
    state = replace(state, snr_db=snr_db(chain, level))
    counted = evaluate(chain, state, Tier.T2, most_blocks=300).qos
    delivered = counted.throughput_bps / (evaluate(chain, replace(state, snr_db=70.0)).qos.throughput_bps)
    assert 0.3 < delivered < 0.99
    for tier in (Tier.T0, Tier.T1):
        answer = evaluate(chain, state, tier).qos
        assert answer.throughput_bps == pytest.approx(counted.throughput_bps, rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"code": "polar", "code_rate": 0.6, "modulation": "64qam", "estimator": "lmmse"},
        {"code": "polar", "code_rate": 0.2, "modulation": "16qam", "estimator": "ls"},
        {"code_rate": 0.7, "modulation": "64qam", "estimator": "lmmse"},
        {"code_rate": 0.1, "modulation": "qpsk", "estimator": "ls"},
    ],
)
def test_the_tiers_agree_on_copies(changes: dict[str, object]) -> None:
    """Eight of them, of which one alone tells next to nothing: where T0 sees them get through, others do too."""
    chain = LinkChain(**{**BASE, **changes, "prbs": 6, "repetition": 8})
    whole = evaluate(chain, replace(EQUIPMENT, channel=ChannelClass.AWGN, snr_db=80.0)).qos.throughput_bps

    def through(level_db: float, tier: Tier) -> float:
        state = replace(EQUIPMENT, channel=ChannelClass.AWGN, snr_db=snr_db(chain, level_db))
        return evaluate(chain, state, tier, most_blocks=64).qos.throughput_bps / whole

    edge_db = next(float(level) for level in np.arange(-14.0, 10.0, 0.25) if through(level, Tier.T0) > 0.5)
    for tier in Tier:
        assert through(edge_db - 1.0, tier) < 0.2
        assert through(edge_db + 1.0, tier) > 0.8


def test_chance_says_little_of_blocks_that_are_sent_again() -> None:
    """Over many copies bit errors fall by a decade within a tenth of a decibel, and plans stand just there."""
    parts = {"code": "polar", "code_rate": 0.1, "modulation": "16qam", "estimator": "ls", "detector": "zf"}
    chain = LinkChain(**{**BASE, **parts, "repetition": 8, "harq_transmissions": 2})
    edge = replace(EQUIPMENT, channel=ChannelClass.AWGN, snr_db=snr_db(chain, -5.5))
    decades = np.log10([evaluate(chain, edge, Tier.T1, seed=seed).qos.ber for seed in range(8)])
    assert np.abs(decades + 5.0).max() < 1.0
    assert decades.std() < 0.4


def test_answers_have_one_row_for_each_chain() -> None:
    assert len(evaluate_batch(ChainGrid.of((CHAIN, CHAIN)), EQUIPMENT)) == 2


def test_a_hopeless_chain_delivers_nothing_and_not_less() -> None:
    chains = Space.of(EQUIPMENT).sample(400, np.random.default_rng(2))
    told = evaluate_batch(chains, replace(EQUIPMENT, snr_db=-40.0))
    assert (told.throughput_bps >= 0.0).all()
    assert (told.ber <= 0.5).all()
