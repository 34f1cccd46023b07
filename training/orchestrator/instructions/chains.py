"""Chains: questions about whole link chains, answered by the twin, its rules and the equipment's limits.

Equipments are those of training.
"""

import random
from functools import lru_cache

import numpy as np

from training.orchestrator.corpus.figures import LEAST_BER, said_ber, said_delay, said_rate
from training.orchestrator.instructions.instruction import Instruction
from training.orchestrator.tasks import equipment as equipments
from twin.link.catalogue import PARAMETERS, ChannelClass
from twin.link.equipment import LIMITS, EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_batch
from twin.link.plan import CODES, COLUMNS, RULES, ChainGrid, code
from twin.link.qos import Results
from twin.link.space import Space, concatenate

SOURCE = "chains"
_DRAWN = 64
_POOL = 4_096
_CLEARLY = 5.0
"""By what factor error rates differ that are compared."""
_DEAD = 0.1
_ALWAYS = ("numerology", "prbs", "code", "code_rate", "modulation", "layers", "tx_power_dbm", "rx_antennas")
"""What is told of a chain even where it has the default."""


def lower_error_rate(draw: random.Random) -> Instruction:
    """Which of two values of a parameter has fewer bit errors."""
    while True:
        state, chains = _sample(draw)
        name = draw.choice(COLUMNS)
        values = draw.sample(list(PARAMETERS[name].values), 2)
        pairs = [chains.with_(**{name: code(name, value)}) for value in values]
        good = np.logical_and.reduce([pair.consistent() & fits(pair, state) for pair in pairs])
        if not good.any():
            continue
        ber = evaluate_batch(concatenate([pair.take(good) for pair in pairs]), state).ber.reshape(2, -1)
        low, high = np.sort(np.maximum(ber, LEAST_BER), axis=0)
        rows = np.flatnonzero((low < _DEAD) & (high > _CLEARLY * low))
        if len(rows):
            break
    first, second = (float(error_rate) for error_rate in ber[:, rows[0]])
    chain = _described(pairs[0].take(good), int(rows[0]), without=name)
    return Instruction(
        question=f"The channel is {state.channel.value} with an SNR of {state.snr_db:g} dB. A chain has {chain}. "
        f"Has it fewer bit errors with {name} {values[0]} or with {name} {values[1]}?",
        reasoning=f"By the twin's tables {values[0]} has {said_ber(first)} and {values[1]} {said_ber(second)}.",
        answer=f"{name} {values[0] if first < second else values[1]}",
        source=SOURCE,
    )


def what_is_missed(draw: random.Random) -> Instruction:
    """Which targets of a demand a chain misses."""
    while True:
        state, chains = _sample(draw)
        results = evaluate_batch(chains, state)
        rows = np.flatnonzero((results.ber > LEAST_BER) & (results.ber < _DEAD))
        if len(rows):
            break
    found = _measures(results, int(rows[0]))
    delay_s, rate_bps, ber = (float(f"{value * draw.choice((0.3, 0.5, 2.0, 4.0)):.0e}") for value in found)
    misses = {
        "delay": found[0] > delay_s,
        "throughput": found[1] < rate_bps,
        "bit error rate": found[2] > ber,
    }
    delays, rates, errors = (said_delay(found[0]), said_rate(found[1]), said_ber(found[2]))
    return Instruction(
        question=f"Asked are {said_delay(delay_s)} at most, {said_rate(rate_bps)} at least and a bit error rate "
        f"of {said_ber(ber)} at most. The twin says {delays}, {rates} and {errors}. What is missed?",
        reasoning=f"{delays} is {_compared(found[0], delay_s)} {said_delay(delay_s)}, {rates} is "
        f"{_compared(found[1], rate_bps)} {said_rate(rate_bps)}, and {errors} is {_compared(found[2], ber)} "
        f"{said_ber(ber)}.",
        answer=" and ".join(name for name, missed in misses.items() if missed) or "nothing",
        source=SOURCE,
    )


def broken_rule(draw: random.Random) -> Instruction:
    """Which rule a contradictory chain breaks, if any."""
    wanted = draw.choice((None, *RULES))
    while True:
        chains = _pool_rows(draw)
        for name in draw.sample(COLUMNS, 2):
            values = [code(name, value) for value in PARAMETERS[name].values]
            chains = chains.with_(**{name: np.array(draw.choices(values, k=len(chains)))})
        broken = np.array([rule.broken(chains) for rule in RULES])
        good = broken.sum(axis=0) == (wanted is not None)
        if wanted is not None:
            good &= broken[RULES.index(wanted)]
        if good.any():
            break
    row = int(np.flatnonzero(good)[0])
    values_of = _values(chains, row)
    if wanted is None:
        reasoning = "Layers, antennas and precoder fit together, and so do the receiver and the constellation."
    else:
        reasoning = f"Step {wanted.step}: {wanted.field} is {values_of[wanted.field]}, but {wanted.text}."
    told = ", ".join(f"{field} {value}" for field, value in values_of.items())
    return Instruction(
        question=f"Which parameter of this chain contradicts the others? {told}",
        reasoning=reasoning,
        answer=wanted.field if wanted is not None else "none",
        source=SOURCE,
    )


def exceeded_limit(draw: random.Random) -> Instruction:
    """What a chain asks for that the equipment does not have."""
    limit = draw.choice([limit for limit in LIMITS if limit.field in _COUNTED])
    while True:
        chains, state = _pool_rows(draw), equipments.drawn("training", draw)
        over = np.array([other.exceeded(chains, state) for other in LIMITS])
        good = over[LIMITS.index(limit)] & (over.sum(axis=0) == 1)
        if good.any():
            break
    row = int(np.flatnonzero(good)[0])
    needed, available = float(limit.needed(chains)[row]), float(limit.available(state))
    values = _values(chains, row)
    told = ", ".join(f"{field} {values[field]}" for field in _COUNTED)
    return Instruction(
        question=f"There are {state.free_prbs} free PRBs, {state.tx_antennas} transmit and {state.rx_antennas} "
        f"receive antennas and {state.max_tx_power_dbm:g} dBm. What does this chain have too much of? {told}",
        reasoning=f"{limit.text.format(needed=needed, available=available)}.",
        answer=limit.field,
        source=SOURCE,
    )


_COUNTED = ("numerology", "prbs", "tx_antennas", "rx_antennas", "tx_power_dbm")
"""What limits of counts and power are about."""


def _sample(draw: random.Random) -> tuple[EquipmentState, ChainGrid]:
    """An equipment of training and chains that it can run."""
    while True:
        state = equipments.drawn("training", draw)
        try:
            return state, Space.of(state).sample(_DRAWN, np.random.default_rng(draw.getrandbits(64)))
        except PlanError:
            # An equipment that can run next to no chain.
            continue


@lru_cache
def _pool() -> ChainGrid:
    """Chains that break no rule, of an equipment that can run any."""
    everything = EquipmentState(
        free_prbs=275,
        tx_antennas=4,
        rx_antennas=4,
        compute_flops=1e18,
        max_tx_power_dbm=46,
        channel=ChannelClass.AWGN,
        snr_db=20,
        delay_spread_s=0,
        doppler_hz=0,
        has_deeprx=True,
        has_deeptx=True,
    )
    return Space.of(everything).sample(_POOL, np.random.default_rng(0))


def _pool_rows(draw: random.Random) -> ChainGrid:
    return _pool().take(np.array(draw.choices(range(_POOL), k=4 * _DRAWN)))


def _values(chains: ChainGrid, row: int) -> dict[str, str | int | float]:
    """Every parameter of a row, whether the row is consistent or not."""
    coded = {name: int(getattr(chains, name)[row]) for name in COLUMNS}
    return {name: CODES[name][value] if name in CODES else value for name, value in coded.items()}


def _described(chains: ChainGrid, row: int, *, without: str) -> str:
    """What matters of a row: some parameters always, others where they are not at their default."""
    told = (
        f"{name} {value}"
        for name, value in _values(chains, row).items()
        if name != without and (name in _ALWAYS or value != PARAMETERS[name].default)
    )
    return ", ".join(told)


def _measures(results: Results, row: int) -> tuple[float, float, float]:
    return float(results.delay_s[row]), float(results.throughput_bps[row]), float(results.ber[row])


def _compared(found: float, asked: float) -> str:
    return "above" if found > asked else "below"


GENERATORS = (lower_error_rate, what_is_missed, broken_rule, exceeded_limit)
