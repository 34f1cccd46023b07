"""The hardware model: operations of each module, and what slots, HARQ and computing add to the delay.

Operations are real additions and multiplications (a complex multiply-add counts 8), stated per resource element,
coded bit or PRB, for the usual algorithm of each module. A platform is one number: the operations per second it
has free. Modules of a block run one after the other on it; a receiver keeps up when a slot's operations fit into a
slot.

The timeline of a block: half a slot of waiting for the next slot (its mean), the slots that carry it, computing,
and for every retransmission one HARQ round trip: the slots that carry it, computing in whole slots, one slot for
the feedback and one for the new grant. All functions take and give columns [chains].
"""

import numpy as np

from twin.link.catalogue import (
    DATA_SYMBOLS_PER_SLOT,
    SUBCARRIERS_PER_PRB,
    SYMBOLS_PER_SLOT,
    Code,
    Detector,
    Estimator,
    Precoder,
    Transmitter,
)
from twin.link.plan import ChainGrid, code_of

COMPLEX_MAC = 8
LDPC_ITERATIONS = 20
LDPC_PER_BIT = 27 * LDPC_ITERATIONS
"""Per coded bit: about 4.5 edges of the base graph, 6 operations each, at the most iterations."""
POLAR_LIST = 8
POLAR_PER_BIT = POLAR_LIST * (6 * 10 + 20)
"""Per coded bit: ten stages of the successive-cancellation tree and the sorting, for each path of the list."""
LMMSE_WINDOW = 24
"""Pilots that the LMMSE estimator weighs for each resource element."""
EP_ITERATIONS = 10
KBEST_PATHS = 64
DEEPRX_WEIGHTS = 67_973
"""Weights of the DeepRx network; a convolution at full resolution uses each once per resource element."""

_POLAR = code_of(Code.POLAR)
_SVD = code_of(Precoder.SVD)
_LMMSE = code_of(Estimator.LMMSE)
_DEEPRX = code_of(Estimator.DEEPRX)
_ZF, _EP, _KBEST = code_of(Detector.ZF), code_of(Detector.EP), code_of(Detector.KBEST)
_DEEPTX = code_of(Transmitter.DEEPTX)


def slot_s(chains: ChainGrid) -> np.ndarray:
    """Duration of a slot [chains] (TS 38.211 4.3.2)."""
    duration_s: np.ndarray = 1e-3 / 2.0**chains.numerology
    return duration_s


def data_resource_elements(chains: ChainGrid) -> np.ndarray:
    """Resource elements of a slot and layer that carry data [chains]."""
    elements: np.ndarray = chains.prbs * (SUBCARRIERS_PER_PRB * DATA_SYMBOLS_PER_SLOT)
    return elements


def operations(chains: ChainGrid) -> dict[str, np.ndarray]:
    """Operations that each module spends on one slot, by module, [chains] each."""
    elements = chains.prbs * float(SUBCARRIERS_PER_PRB * SYMBOLS_PER_SLOT)
    data = data_resource_elements(chains).astype(float)
    coded_bits = data * chains.layers * chains.bits_per_symbol
    deeprx = chains.estimator == _DEEPRX
    polar = chains.code == _POLAR
    return {
        "encode": coded_bits * np.where(polar, 10.0, 10.0 * chains.rate),
        "modulate": coded_bits * 2.0,
        "precode": np.where(chains.precoder == _SVD, _svd(chains, elements), 0.0),
        "ofdm": SYMBOLS_PER_SLOT * (chains.tx_antennas + chains.rx_antennas) * _fft(chains),
        "estimate": np.where(deeprx, elements * 2.0 * DEEPRX_WEIGHTS, elements * _estimate(chains)),
        "detect": np.where(deeprx, 0.0, data * (_detect(chains) + _demap(chains))),
        "decode": coded_bits * np.where(polar, POLAR_PER_BIT, LDPC_PER_BIT),
    }


def required_flops(chains: ChainGrid) -> np.ndarray:
    """Operations per second that keep up with the air interface [chains]."""
    required: np.ndarray = np.sum(list(operations(chains).values()), axis=0) / slot_s(chains)
    return required


def compute_s(chains: ChainGrid, compute_flops: np.ndarray | float) -> np.ndarray:
    """Time to compute one slot on a platform of `compute_flops` operations per second [chains]."""
    duration_s: np.ndarray = required_flops(chains) * slot_s(chains) / compute_flops
    return duration_s


def harq_round_trip_s(chains: ChainGrid, compute_flops: np.ndarray | float) -> np.ndarray:
    """Time from the start of a transmission to the start of the next one of the same block [chains]."""
    return round_trip_s(slot_s(chains), chains.repetition, compute_s(chains, compute_flops))


def processing_delay_s(
    chains: ChainGrid, compute_flops: np.ndarray | float, transmissions: np.ndarray | float
) -> np.ndarray:
    """Delay of a block from its arrival to its decoding [chains].

    `transmissions` is the mean number that a block takes, 1..harq_transmissions.
    """
    return timeline_s(slot_s(chains), chains.repetition, compute_s(chains, compute_flops), transmissions)


def timeline_s(
    slot_s: np.ndarray, repetition: np.ndarray, compute_s: np.ndarray, transmissions: np.ndarray | float
) -> np.ndarray:
    """The delay of a block by its parts, for arrays that broadcast."""
    first_s = (0.5 + repetition) * slot_s + compute_s
    delay_s: np.ndarray = first_s + (transmissions - 1.0) * round_trip_s(slot_s, repetition, compute_s)
    return delay_s


def round_trip_s(slot_s: np.ndarray, repetition: np.ndarray, compute_s: np.ndarray) -> np.ndarray:
    """A HARQ round trip by its parts, for arrays that broadcast."""
    duration_s: np.ndarray = (repetition + np.ceil(compute_s / slot_s) + 2.0) * slot_s
    return duration_s


def air_time_s(chains: ChainGrid, transmissions: np.ndarray | float) -> np.ndarray:
    """Air time that a block takes on average [chains]; other HARQ processes fill its round trips."""
    duration_s: np.ndarray = slot_s(chains) * chains.repetition * transmissions
    return duration_s


def antennas(chains: ChainGrid) -> np.ndarray:
    """Antennas in use, at both ends [chains]."""
    count: np.ndarray = chains.tx_antennas + chains.rx_antennas
    return count


def power_w(chains: ChainGrid) -> np.ndarray:
    """Transmit power [chains]."""
    power: np.ndarray = 10.0 ** (chains.tx_power_dbm / 10.0 - 3.0)
    return power


def _fft(chains: ChainGrid) -> np.ndarray:
    """One FFT: 5 N log2 N, of the power of two that holds the subcarriers."""
    stages = np.ceil(np.log2(chains.prbs * float(SUBCARRIERS_PER_PRB)))
    operations_: np.ndarray = 5.0 * stages * 2.0**stages
    return operations_


def _svd(chains: ChainGrid, elements: np.ndarray) -> np.ndarray:
    """An SVD for each PRB and the weighting of each resource element."""
    small = np.minimum(chains.tx_antennas, chains.rx_antennas)
    large = np.maximum(chains.tx_antennas, chains.rx_antennas)
    decomposition = 13.0 * COMPLEX_MAC * large * small**2
    weighting = COMPLEX_MAC * chains.tx_antennas * chains.layers
    total: np.ndarray = chains.prbs * decomposition + elements * weighting
    return total


def _estimate(chains: ChainGrid) -> np.ndarray:
    """Per resource element: linear interpolation, or a window of pilots and a share in solving the filter."""
    solution = 8.0 / 3.0 * LMMSE_WINDOW**2 / SYMBOLS_PER_SLOT
    lmmse = COMPLEX_MAC * LMMSE_WINDOW + solution
    per_path = np.where(chains.estimator == _LMMSE, 16.0 + lmmse, 16.0)
    total: np.ndarray = per_path * chains.layers * chains.rx_antennas
    return total


def _detect(chains: ChainGrid) -> np.ndarray:
    """Per data resource element: separate the layers."""
    layers, receive = chains.layers.astype(float), chains.rx_antennas.astype(float)
    gram, inverse, apply = receive * layers**2, layers**3, receive * layers
    zf = COMPLEX_MAC * (gram + inverse + apply)
    lmmse = zf + COMPLEX_MAC * layers**2
    axis = 2.0 ** (chains.bits_per_symbol / 2.0)
    ep = lmmse + EP_ITERATIONS * (COMPLEX_MAC * inverse + 20.0 * layers * axis)
    points = 2.0**chains.bits_per_symbol
    # The first layer has one path only, later ones at most KBEST_PATHS, each tried with every point.
    paths = sum(
        (np.minimum(points**layer, KBEST_PATHS) * (layers > layer) for layer in range(4)),
        start=np.zeros(len(chains)),
    )
    kbest = COMPLEX_MAC * (gram + apply) + paths * points * 20.0
    total: np.ndarray = np.select(
        [chains.detector == _ZF, chains.detector == _EP, chains.detector == _KBEST], [zf, ep, kbest], lmmse
    )
    return total


def _demap(chains: ChainGrid) -> np.ndarray:
    """Per data resource element: distances along both axes of a square constellation, or to each learned point."""
    bits = chains.bits_per_symbol
    square = 2.0 * 2.0 ** (bits / 2.0) * (3.0 + bits / 2.0)
    learned = 2.0**bits * (5.0 + bits)
    total: np.ndarray = chains.layers * np.where(chains.transmitter == _DEEPTX, learned, square)
    return total
