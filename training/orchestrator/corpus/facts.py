"""Facts: what the link twin says of chains, in varied sentences.

Equipments are those of training; link chains are drawn at random, or one parameter of a chain takes all its
values. All figures are answers of tier T0 to two digits. A seed gives the same facts as long as the tables stay.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np

from training.orchestrator.corpus.figures import LEAST_BER, counted, ratio, said_ber, said_delay, said_rate
from training.orchestrator.tasks import equipment as equipments
from twin.link.catalogue import PARAMETERS, ChannelClass, Estimator, Parameter, Precoder, Transmitter
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.evaluate import evaluate_batch
from twin.link.plan import ChainGrid, LinkChain, code
from twin.link.qos import Qos
from twin.link.space import Space, concatenate

EACH = 8
"""Facts of a document."""
_DRAWN = 6
"""Chains drawn for each that is told of."""
_DEAD = 0.1
"""A bit error rate above this is that of a link over which next to nothing comes."""
_WORTH_SAYING = 0.05
"""Smaller differences are not told of, relatively."""
_SWEPT = (
    *("modulation", "code_rate", "code", "prbs", "numerology", "harq_transmissions", "repetition"),
    *("rx_antennas", "estimator", "detector", "tx_power_dbm"),
)
_KEPT = ("numerology", "prbs", "modulation", "code_rate", "layers", "tx_power_dbm")
"""What is told of a chain one parameter of which changes."""
_CHANNELS = {
    ChannelClass.AWGN: "a channel without fading (AWGN)",
    ChannelClass.TDL_A: "a channel without line of sight (TDL-A)",
    ChannelClass.TDL_C: "another channel without line of sight (TDL-C)",
    ChannelClass.TDL_D: "a channel with line of sight (TDL-D)",
}


def documents(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Titles and texts with `count` facts in all."""
    for number in range(-(-count // EACH)):
        wanted = min(EACH, count - number * EACH)
        yield f"facts-{number:05d}", _document(wanted, seed, number)


def _document(count: int, seed: int, number: int) -> str:
    draw = random.Random(f"facts {seed} {number}")
    state, chains = _drawn(count, draw)
    swept = _swept(chains.chain(0), state, draw) if draw.random() < 0.5 else None
    told = _of_chains(chains, state, draw) if swept is None else _of_sweep(*swept, state, draw)
    title = draw.choice(("What the twin says of a link", "Links on one equipment", "Measured on the twin"))
    text = "\n\n".join((of_equipment(state, draw), *told))
    return f"# {title}: draw {number} of seed {seed}\n\n{text}\n"


def _drawn(count: int, draw: random.Random) -> tuple[EquipmentState, ChainGrid]:
    """An equipment and so many chains, most of them neither dead nor without errors: chance draws few such."""
    while True:
        state = equipments.drawn("training", draw)
        try:
            chains = Space.of(state).sample(_DRAWN * count, np.random.default_rng(draw.getrandbits(64)))
        except PlanError:
            # An equipment that can run next to no chain.
            continue
        ber = evaluate_batch(chains, state).ber
        edge, safe, dead = ber > LEAST_BER, ber <= LEAST_BER, ber > _DEAD
        kinds = (np.flatnonzero(edge & ~dead), np.flatnonzero(safe), np.flatnonzero(dead))
        rows = np.concatenate(
            [kind[:most] for kind, most in zip(kinds, (count, count // 3, count // 6), strict=True)]
        )
        if len(rows) >= count:
            return state, chains.take(rows[-count:])


def of_equipment(state: EquipmentState, draw: random.Random) -> str:
    """An equipment in sentences."""
    snr = draw.choice(
        (
            f"an SNR of {state.snr_db:g} dB",
            f"an SNR of {state.snr_db:g} dB (a power ratio of {ratio(state.snr_db)})",
            f"a signal {ratio(state.snr_db)} times as strong as the noise, which is {state.snr_db:g} dB,",
        )
    )
    antennas = " and ".join(
        (counted(state.tx_antennas, "transmit antenna"), counted(state.rx_antennas, "receive antenna"))
    )
    prbs, compute = counted(state.free_prbs, "PRB"), f"{state.compute_flops:.1e} operations per second"
    told = [
        draw.choice(
            (
                f"The receiver sees {snr} over {_CHANNELS[state.channel]}.",
                f"Over {_CHANNELS[state.channel]}, with {snr} the following was found.",
                f"There is {snr} over {_CHANNELS[state.channel]}.",
            )
        ),
        draw.choice(
            (
                f"The equipment has {prbs} free, {antennas}, and computes {compute}.",
                f"Free are {prbs} and {compute}; there are {antennas}.",
            )
        ),
    ]
    if state.channel is not ChannelClass.AWGN:
        spread_ns = state.delay_spread_s * 1e9
        told.append(f"The delay spread is {spread_ns:.0f} ns and the Doppler shift {state.doppler_hz:.0f} Hz.")
    return " ".join([*told, "Figures are those of the twin's tables, to two digits."])


def _of_chains(chains: ChainGrid, state: EquipmentState, draw: random.Random) -> list[str]:
    """What each chain delivers."""
    results, snr_db = evaluate_batch(chains, state), state.resource_element_snr_db(chains)
    told = []
    for row in range(len(chains)):
        subject = _of_chain(chains.chain(row), draw)
        said = draw.choice(_SAID).format(chain=subject, **_quantities(results.row(row).qos))
        told.append(
            said[:1].upper() + said[1:] + draw.choice(_SNRS).format(snr=snr_db[row], ratio=ratio(snr_db[row]))
        )
    return told


_SAID = (
    "with {chain}, the throughput is {rate}, the mean delay {delay} and the bit error rate {ber}.",
    "with {chain}, bits arrive at {rate} after {delay}, and the bit error rate is {ber}.",
    "with {chain}, one gets a bit error rate {of_ber}, {rate} and a delay of {delay}.",
    "a link with {chain} delivers {rate} at a bit error rate {of_ber}; a block takes {delay} on average.",
    "a link with {chain} has a mean delay of {delay}, a throughput of {rate} and a bit error rate {of_ber}.",
    "{chain}: such a chain carries {rate} after {delay} and leaves a bit error rate {of_ber}.",
    "a throughput of {rate}, a delay of {delay} and a bit error rate {of_ber} come of {chain}.",
)
_SNRS = (
    "",
    " Over its bandwidth and with its power, a resource element has an SNR of {snr:.1f} dB.",
    " Its resource elements see {snr:.1f} dB, so {ratio} times as much signal as noise.",
)


def _quantities(qos: Qos) -> dict[str, str]:
    least = qos.ber < LEAST_BER
    unsure = " (extrapolated)" if qos.extrapolated and not least else ""
    return {
        "rate": said_rate(qos.throughput_bps),
        "delay": said_delay(qos.delay_s),
        "ber": said_ber(qos.ber) + unsure,
        "of_ber": f"{'' if least else 'of '}{said_ber(qos.ber)}{unsure}",
    }


def _of_chain(chain: LinkChain, draw: random.Random) -> str:
    """A chain in words: how it sends first, the rest in any order."""
    head = [
        f"{chain.modulation.value} at code rate {chain.code_rate:g}",
        f"{counted(chain.prbs, 'PRB')} of numerology {chain.numerology}",
    ]
    receiver = f"{chain.estimator.value} estimation with {chain.detector.value} detection"
    rest = [
        f"{chain.tx_power_dbm} dBm",
        f"the {chain.code.value} code",
        "DeepRx as receiver" if chain.estimator is Estimator.DEEPRX else receiver,
        counted(chain.rx_antennas, "receive antenna"),
    ]
    if chain.layers > 1 or draw.random() < 0.3:
        rest.append(counted(chain.layers, "layer"))
    if chain.transmitter is Transmitter.DEEPTX:
        rest.append("DeepTx points")
    if chain.precoder is Precoder.SVD:
        rest.append(f"SVD precoding over {chain.tx_antennas} antennas")
    if chain.harq_transmissions > 1:
        rest.append(f"at most {chain.harq_transmissions} transmissions of a block")
    if chain.repetition > 1:
        rest.append(f"every block in {chain.repetition} slots")
    draw.shuffle(rest)
    return f"{', '.join([*head, *rest[:-1]])} and {rest[-1]}"


def _swept(chain: LinkChain, state: EquipmentState, draw: random.Random) -> tuple[Parameter, ChainGrid] | None:
    """A parameter and chains that differ in it alone, in order; None where there are too few that run."""
    parameter = PARAMETERS[draw.choice(_SWEPT)]
    name, values = parameter.name, list(parameter.values)
    if not parameter.choices and len(values) > EACH:
        values = sorted(draw.sample(values, EACH), key=float)
    one = ChainGrid.of((chain,))
    grid = concatenate([one.with_(**{name: code(name, value)}) for value in values])
    grid = grid.take(grid.consistent() & fits(grid, state))
    return (parameter, grid) if len(grid) > 1 else None


def _of_sweep(parameter: Parameter, chains: ChainGrid, state: EquipmentState, draw: random.Random) -> list[str]:
    """What each value of a parameter delivers, and which is best in what."""
    results = evaluate_batch(chains, state)
    told = [chains.chain(row).model_dump(mode="json") for row in range(len(chains))]
    name = parameter.name
    values = [f"{name} {one[name]}{' dBm' if parameter.unit == 'dBm' else ''}" for one in told]
    same = [f"{field} {told[0][field]}" for field in _KEPT if field != name]
    return [
        f"Now {name} alone is changed, while {', '.join(same[:-1])} and {same[-1]} stay as they are.",
        *(
            draw.choice(_OF_VALUE).format(value=value, **_quantities(results.row(row).qos))
            for row, value in enumerate(values)
        ),
        *_best(values, -results.throughput_bps, "carries the most"),
        *_best(values, np.maximum(results.ber, LEAST_BER), "has the fewest bit errors"),
        *_best(values, results.delay_s, "has the shortest delay"),
    ]


_OF_VALUE = (
    "At {value} the bit error rate is {ber}, the throughput {rate} and the delay {delay}.",
    "A chain with {value} gives {rate}, {delay} and a bit error rate {of_ber}.",
    "With {value} one has {rate} at a bit error rate {of_ber} after {delay}.",
)


def _best(values: Sequence[str], measures: np.ndarray, what: str) -> Iterator[str]:
    """Which value has the smallest measure, where it is worth saying."""
    first, second = np.sort(measures)[:2]
    if second - first > _WORTH_SAYING * abs(second):
        yield f"Of these, {values[int(np.argmin(measures))]} {what}."
