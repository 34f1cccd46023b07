"""Evaluate: what a link chain delivers on some equipment, and what it takes, by any tier.

T0 answers from tables, in columns. Its interval stands for what the tables may be off: the bit error rates 0.3 dB
up and down. T1 runs the chain up to its LLRs on a probe and tells from it what thousands of channels would give;
its interval is what chance makes of both. T2 decodes. In all tiers a block's transmissions see independent
channels, and the delay is the hardware model's timeline at the mean number of transmissions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from twin.link import hardware, mutual_information
from twin.link.blocks import Blocks, blocks
from twin.link.catalogue import Code, Transmitter
from twin.link.equipment import Equipment, EquipmentGrid, EquipmentState, check
from twin.link.fades import Fades
from twin.link.ldpc import redundancy
from twin.link.ldpc.awgn import mean_errors
from twin.link.plan import ChainGrid, LinkChain, Plan, code_of
from twin.link.qos import Result, Results, Tier
from twin.link.shaping import shaped
from twin.link.tables import kinds, look_up
from twin.link.tail import extrapolated, floored, mean_transmissions

MARGIN_DB = 0.3
"""What T0's tables may be off at most, by the validation report."""
MOST_TRANSMISSIONS = 4
RESAMPLES = 50
"""Bit error rates with the channels drawn anew, the first as they are."""
NORMAL_95 = 1.96
LEAST_BER = 1e-300
_POLAR = code_of(Code.POLAR)
_DEEPTX = code_of(Transmitter.DEEPTX)


def evaluate(
    plan: Plan | LinkChain,
    equipment: EquipmentState,
    tier: Tier = Tier.T0,
    *,
    seed: int = 0,
    looks: int = 1,
    most_blocks: int = 20_000,
) -> Result:
    """What a plan delivers and takes; the same seed gives the same answer.

    Raises PlanError for a plan beyond the equipment. T1 looks at so many times its channels and PRBs: four looks
    halve what chance makes of its answer. `most_blocks` bounds T2.
    """
    chain = plan.link_chain if isinstance(plan, Plan) else plan
    check(chain, equipment)
    if looks < 1:
        raise ValueError(f"looks is {looks}; it must be at least 1")
    if tier is Tier.T0:
        return evaluate_batch(ChainGrid.of((chain,)), equipment).row(0)
    if tier is Tier.T1:
        return _by_chain(chain, equipment, seed, looks)
    return _by_monte_carlo(chain, equipment, seed, most_blocks)


def evaluate_batch(chains: ChainGrid, equipment: Equipment, *, low_end: bool = True) -> Results:
    """T0's answers to many chains, all of which their equipment can run.

    Without `low_end`, the lower end of the bit error rate, which no reward looks at, is the bit error rate itself:
    that takes two thirds of the time.
    """
    offsets_db = (0.0, -MARGIN_DB, MARGIN_DB) if low_end else (0.0, -MARGIN_DB)
    told, worse, *better = _by_tables(chains, equipment, offsets_db)
    low = (better or [told])[0].ber
    return _results(chains, blocks(chains), equipment, told, ber_low=low, ber_high=worse.ber, tier=Tier.T0)


def evaluate_worst(chains: ChainGrid, equipment: Equipment) -> Results:
    """T0's answers at the lower end of the SNR, where nothing is better than `evaluate_batch` says.

    Its intervals have no width, and it takes a third of the time.
    """
    (told,) = _by_tables(chains, equipment, (-MARGIN_DB,))
    return _results(chains, blocks(chains), equipment, told, ber_low=told.ber, ber_high=told.ber, tier=Tier.T0)


def worst_ber(chains: ChainGrid, equipment: Equipment) -> np.ndarray:
    """The upper end of T0's bit error rate after all transmissions [chains], which is a small part of an answer.

    As `evaluate_batch` tells it, but that there no transmission makes it worse, whatever the tables' grain.
    """
    cut, copies = blocks(chains), chains.repetition * chains.harq_transmissions
    grid = EquipmentGrid.over(equipment, len(chains))
    fades = _fades(chains, grid, grid.resource_element_snr_db(chains) - MARGIN_DB)
    block, bit = _by_copies(chains, cut, fades, copies)
    ber: np.ndarray = np.maximum(bit, floored(block) / cut.k)
    return ber


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What becomes of blocks, [chains] each."""

    failed: np.ndarray
    """Blocks that fail after all transmissions."""
    transmissions: np.ndarray
    ber: np.ndarray
    extrapolated: np.ndarray


def _by_tables(chains: ChainGrid, equipment: Equipment, offsets_db: Sequence[float]) -> list[Outcome]:
    """The fate of blocks at the SNRs that chains see and so much off it, all in one go."""
    rows = np.tile(np.arange(len(chains)), len(offsets_db))
    every, grid = chains.take(rows), EquipmentGrid.over(equipment, len(chains)).take(rows)
    snr_db = grid.resource_element_snr_db(every) + np.repeat(offsets_db, len(chains))
    outcome = _outcome(every, blocks(every), _fades(every, grid, snr_db))
    parts = [np.split(getattr(outcome, field.name), len(offsets_db)) for field in fields(Outcome)]
    return [Outcome(*part) for part in zip(*parts, strict=True)]


def rate_curve(
    chain: LinkChain, equipment: EquipmentState, snr_db: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a chain makes of each SINR of a resource element, by T0: for the network twin.

    Information bits sent per data resource element over all layers and transmissions, the share of blocks that all
    of the chain's transmissions do not get through, and the processing delay in s, [SNRs] each.
    """
    one = ChainGrid.of((chain,))
    many = one.take(np.zeros(len(snr_db), dtype=np.intp))
    cut = blocks(many)
    grid = EquipmentGrid.over(equipment, len(many))
    outcome = _outcome(many, cut, _fades(many, grid, np.asarray(snr_db, dtype=float)))
    sent = cut.count * cut.k / hardware.data_resource_elements(many)
    efficiency: np.ndarray = sent / (many.repetition * outcome.transmissions)
    delay_s = hardware.processing_delay_s(many, equipment.compute_flops, outcome.transmissions)
    return efficiency, outcome.failed, delay_s


def _fades(chains: ChainGrid, equipment: EquipmentGrid, snr_db: np.ndarray) -> Fades:
    """The fades of chains by the tables."""
    square = _square_fades(chains, equipment, snr_db)
    learnt = chains.transmitter == _DEEPTX
    return square.shifted(lambda ends: _shaped(chains, ends)) if learnt.any() else square


def _shaped(chains: ChainGrid, snr_db: np.ndarray) -> np.ndarray:
    """Mutual information, by BPSK's SNR in dB [chains, n], of each chain's points, from that of square QAM."""
    return mutual_information.to_snr_db(shaped(chains, mutual_information.from_snr_db(snr_db)))


def _square_fades(chains: ChainGrid, equipment: EquipmentGrid, snr_db: np.ndarray) -> Fades:
    """The same, were all constellations square QAM."""
    alike = kinds(chains, equipment)
    if len(alike) <= 1:
        return Fades.of_chains(look_up(chains, equipment), snr_db)
    parts = [Fades.of_chains(look_up(chains.take(rows), equipment.take(rows)), snr_db[rows]) for rows in alike]
    low_db, high_db = np.empty((2, len(chains), parts[0].low_db.shape[1]))
    for rows, part in zip(alike, parts, strict=True):
        low_db[rows], high_db[rows] = part.low_db, part.high_db
    return Fades(low_db, high_db, parts[0].weight)


def _outcome(chains: ChainGrid, cut: Blocks, fades: Fades) -> Outcome:
    """Blocks' fate over channels."""
    left, wrong = np.zeros((2, len(chains), MOST_TRANSMISSIONS))
    for turn in range(int(chains.harq_transmissions.max(initial=1))):
        # Those that send no more keep what they have.
        rows = np.flatnonzero(chains.harq_transmissions > turn)
        some, size = chains.take(rows), cut.take(rows)
        block, bit = _by_copies(some, size, fades.take(rows), some.repetition * (turn + 1))
        left[rows, turn:], wrong[rows, turn:] = floored(block)[:, None], bit[:, None]
    last = chains.harq_transmissions - 1
    # More transmissions never hurt, whatever the tables' grain.
    left = np.minimum.accumulate(left, axis=1)
    used = np.where(np.arange(MOST_TRANSMISSIONS) < last[:, None], left, 0.0)
    rows = np.arange(len(chains))
    failed = left[rows, last]
    # Every failed block has a wrong bit at least, those of the floor too.
    bit_errors = np.maximum(np.minimum.accumulate(wrong, axis=1)[rows, last], failed / cut.k)
    transmissions = mean_transmissions(np.concatenate((used, np.zeros((len(chains), 1))), axis=1))
    return Outcome(failed, transmissions, bit_errors, extrapolated(failed))


def _by_copies(chains: ChainGrid, cut: Blocks, fades: Fades, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean block and bit error rates of so many copies [chains] over channels, [chains] each."""
    found = np.empty((2, len(chains)))
    for several in (False, True):
        rows = np.flatnonzero((copies > 1) == several)
        if not len(rows):
            continue
        own, some = copies[rows], fades.take(rows)
        spread = some.copies(own) if several else some
        rates = _by_code(chains.take(rows), cut.take(rows), spread, own)
        found[:, rows] = [spread.mean(rate) for rate in rates]
    return found[0], found[1]


def _by_code(chains: ChainGrid, cut: Blocks, fades: Fades, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Block and bit error rates of so many copies [chains] of blocks in each cell, [chains, cells] each.

    Copies of LDPC blocks carry other bits of the code word until all of them were sent. What is sent again comes
    in other places of the points, so that bits that come so often have so many times the SNR.
    """
    polar = chains.code == _POLAR
    rate, gain_db = redundancy.combined(cut.k, cut.n, copies)
    rate = np.where(polar, cut.k / cut.n, rate)[:, None]
    gain_db = np.where(polar, 10.0 * np.log10(copies), gain_db)[:, None]
    low_db, high_db, k = fades.low_db + gain_db, fades.high_db + gain_db, cut.k[:, None].astype(float)
    if not polar.any():
        return mean_errors(low_db, high_db, k, rate)
    found = np.empty((2, *low_db.shape))
    for rows, kind in ((~polar, Code.LDPC), (polar, Code.POLAR)):
        found[:, rows] = mean_errors(low_db[rows], high_db[rows], k[rows], rate[rows], kind)
    return found[0], found[1]


def _results(
    chains: ChainGrid,
    cut: Blocks,
    equipment: Equipment,
    outcome: Outcome,
    *,
    ber_low: np.ndarray,
    ber_high: np.ndarray,
    tier: Tier,
) -> Results:
    delivered = cut.count * cut.k * (1.0 - outcome.failed)
    return Results(
        delay_s=hardware.processing_delay_s(chains, equipment.compute_flops, outcome.transmissions),
        throughput_bps=delivered / hardware.air_time_s(chains, outcome.transmissions),
        ber=outcome.ber,
        ber_low=ber_low,
        ber_high=ber_high,
        extrapolated=outcome.extrapolated,
        prb_slots=chains.prbs * chains.repetition * outcome.transmissions,
        power_w=hardware.power_w(chains),
        antennas=hardware.antennas(chains),
        compute_flops=hardware.required_flops(chains),
        tier=tier,
    )


def _by_chain(chain: LinkChain, equipment: EquipmentState, seed: int, looks: int) -> Result:
    """T1: the chain's own LLRs on a probe, put as a function of what a PRB carries, over thousands of channels."""
    from twin.link.chain.link import Setup
    from twin.link.chain.tiers import fading_information

    one = ChainGrid.of((chain,))
    cut = blocks(one)
    seen, parts = fading_information(Setup.of(chain, equipment), chain.prbs, seed, looks)
    # What so many channels say is uncertain: resample them.
    picks = np.random.default_rng(seed).integers(0, len(seen), (RESAMPLES, len(seen)))
    times = np.stack([np.bincount(pick, minlength=len(seen)) for pick in picks])
    times[0] = 1
    fades = Fades.stack([_fades_of(seen, times), *map(_fades_of, parts)])
    rows = np.zeros(len(fades.low_db), dtype=np.intp)
    every = _outcome(one.take(rows), cut.take(rows), fades)
    outcome = Outcome(*(getattr(every, field.name)[:1] for field in fields(Outcome)))
    low, high = _interval(every.ber[:RESAMPLES], every.ber[RESAMPLES:])
    answers = _results(one, cut, equipment, outcome, ber_low=low, ber_high=high, tier=Tier.T1)
    return answers.row(0)


def _fades_of(seen: np.ndarray, times: np.ndarray | None = None) -> Fades:
    """The fades of what slots get over channels [channels], each seen so often [rows, channels], or once."""
    times = np.ones((1, len(seen)), dtype=int) if times is None else times
    return Fades.of_channels(mutual_information.to_snr_db(np.sort(seen)), times)


def _interval(resampled: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the first of bit error rates with channels drawn anew, and those by all but each part.

    What chance makes of the channels and of the PRBs that the receiver is run on adds up in logarithms.
    """
    ber = np.log(np.maximum(resampled, LEAST_BER))
    by_channels = np.maximum((-1.0, 1.0) * (np.quantile(ber[1:], (0.025, 0.975)) - ber[0]), 0.0)
    by_receiver = NORMAL_95 * np.sqrt(len(parts) - 1) * np.log(np.maximum(parts, LEAST_BER)).std()
    low, high = np.exp((-1.0, 1.0) * np.hypot(by_channels, by_receiver))
    return resampled[:1] * low, np.minimum(resampled[:1] * high, 1.0)


def _by_monte_carlo(chain: LinkChain, equipment: EquipmentState, seed: int, most_blocks: int) -> Result:
    """T2: count wrong bits."""
    from twin.link.chain.tiers import monte_carlo

    one = ChainGrid.of((chain,))
    counted = monte_carlo(chain, equipment, seed=seed, most_blocks=most_blocks)
    low, high = counted.ber_interval()
    ber = counted.bit_errors / (counted.blocks * counted.information_bits)
    resolved = counted.failed > 0
    if not resolved:
        # Below what was counted the table's tail says more, within the bound that no failure sets.
        ber = min(float(evaluate_batch(one, equipment).ber[0]), high)
    outcome = Outcome(
        failed=np.array([counted.bler]),
        transmissions=np.array([counted.transmissions / counted.blocks]),
        ber=np.array([ber]),
        extrapolated=np.array([not resolved]),
    )
    answers = _results(
        one,
        blocks(one),
        equipment,
        outcome,
        ber_low=np.array([min(low, ber)]),
        ber_high=np.array([high]),
        tier=Tier.T2,
    )
    return answers.row(0)


def snr_for(equipment: EquipmentState, chain: LinkChain, resource_element_snr_db: float) -> float:
    """The equipment's `snr_db` at which a chain sees this SNR per resource element."""
    return equipment.snr_db + resource_element_snr_db - float(equipment.resource_element_snr_db(chain))
