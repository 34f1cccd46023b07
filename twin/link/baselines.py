"""Baselines: other ways to find a link chain for a demand, each with the same number of questions to the twin.

`random_search` draws chains; `adapt` is rule-based link adaptation (AMC) with an outer loop; `bayes` is Bayesian
optimisation. Their optimality gap is `oracle(...).reward - search.reward`, never below 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.link import hardware
from twin.link.catalogue import Code, Detector, Estimator, Precoder, Transmitter
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState, fits
from twin.link.errors import PlanError
from twin.link.gaussian_process import GaussianProcess
from twin.link.oracle import Evaluate, table_twin
from twin.link.plan import CODES, ChainGrid, LinkChain
from twin.link.reward import DEFAULT_WEIGHTS, RewardWeights, deviations, rewards, use_share_of
from twin.link.space import Space, concatenate

POOL = 2_000
"""Random chains that Bayesian optimisation chooses its next question from."""
FIRST_QUESTIONS = 8
STEP_UP_DB, STEP_DOWN_DB = 1.0, 0.5
GAP_DB = 3.0
"""How far from capacity the rule expects a modulation and code to work (implementation loss and fading)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search found: the best chain, its reward, and the best reward after each question [questions]."""

    chain: LinkChain
    reward: float
    history: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A demand on an equipment, the reward's weights and the twin to ask (`evaluate_batch` when none is given)."""

    demand: Demand
    equipment: EquipmentState
    weights: RewardWeights = DEFAULT_WEIGHTS
    evaluate: Evaluate | None = None

    def ask(self, chains: ChainGrid) -> tuple[np.ndarray, np.ndarray]:
        """Rewards [chains] and deviations [chains, 3] of chains that fit."""
        results = (self.evaluate or table_twin())(chains, self.equipment)
        share = use_share_of(chains, self.equipment) if self.weights.use else 0.0
        errors = deviations(results.delay_s, results.throughput_bps, results.ber_high, self.demand)
        return rewards(results, self.demand, self.weights, use_share=share), errors


def random_search(task: Task, *, budget: int, seed: int) -> Search:
    """Ask about `budget` random chains."""
    chains = Space.of(task.equipment).sample(_asked(budget), np.random.default_rng(seed))
    return _found(chains, task.ask(chains)[0])


def bayes(task: Task, *, budget: int, seed: int) -> Search:
    """Bayesian optimisation: the next question is the chain of highest expected improvement.

    A Gaussian process of the reward is fitted to all answers so far; candidates are random chains and neighbours
    of the best one.
    """
    rng = np.random.default_rng(seed)
    space = Space.of(task.equipment)
    pool = space.sample(_asked(budget) + POOL, rng)
    asked = pool.take(slice(min(budget, FIRST_QUESTIONS)))
    values = task.ask(asked)[0]
    pool = pool.take(slice(len(asked), None))
    while len(asked) < budget:
        best = int(np.argmax(values))
        candidates = concatenate((pool, space.neighbours(asked.take(slice(best, best + 1)), POOL, rng)))
        process = GaussianProcess.fit(_features(asked), values)
        gain = process.expected_improvement(_features(candidates), float(values[best]))
        top = int(np.argmax(gain))
        question = candidates.take(slice(top, top + 1))
        asked = concatenate((asked, question))
        values = np.append(values, task.ask(question)[0])
    return _found(asked, values)


def adapt(task: Task, *, budget: int) -> Search:
    """Rule-based link adaptation (AMC) with an outer loop.

    The rule knows LMMSE receivers, LDPC, all receive antennas, full power and HARQ. Of its chains that keep the
    delay it takes one whose modulation and code the SNR carries with a margin, on the fewest PRBs that give the
    throughput. After an answer with too many bit errors the margin grows by a step, otherwise it shrinks by a
    smaller one, as in outer-loop link adaptation. PlanError when no chain of the rule fits.
    """
    chains = _rule_chains(task.equipment)
    asked: list[ChainGrid] = []
    values: list[float] = []
    margin_db = 0.0
    for _ in range(_asked(budget)):
        chain = _rule(chains, task, margin_db)
        reward, errors = task.ask(chain)
        asked.append(chain)
        values.append(float(reward[0]))
        margin_db += STEP_UP_DB if errors[0, 2] > 0 else -STEP_DOWN_DB
    return _found(concatenate(asked), np.array(values))


def _rule_chains(equipment: EquipmentState) -> ChainGrid:
    """The chains that the rule chooses from: numerology, PRBs, layers, modulation and code."""
    axes: dict[str, Sequence[object]] = dict(Space.of(equipment).axes)
    layers = axes["layers"]
    axes |= {
        "code": [Code.LDPC],
        "transmitter": [Transmitter.QAM],
        "precoder": [Precoder.NONE],
        "estimator": [Estimator.LMMSE],
        "detector": [Detector.LMMSE],
        "tx_antennas": layers,
        "rx_antennas": axes["rx_antennas"][-1:],
        "tx_power_dbm": axes["tx_power_dbm"][-1:],
        "harq_transmissions": [4],
        "repetition": [1],
    }
    chains = ChainGrid.product(**axes)
    chains = chains.take(chains.consistent() & fits(chains, equipment))
    if not len(chains):
        raise PlanError("plan", "", "no chain of the rule fits the equipment")
    return chains


def _rule(chains: ChainGrid, task: Task, margin_db: float) -> ChainGrid:
    """The chain that the rule chooses at a margin [1]."""
    demand, equipment = task.demand.tightened(), task.equipment
    diversity = (chains.rx_antennas - chains.layers + 1) / chains.layers
    snr_db = equipment.resource_element_snr_db(chains) + 10.0 * np.log10(diversity)
    carried = np.log2(1.0 + 10.0 ** ((snr_db - GAP_DB - margin_db) / 10.0))
    efficiency = chains.bits_per_symbol * chains.rate
    bits = hardware.data_resource_elements(chains) * chains.layers * efficiency
    throughput_bps = bits / hardware.air_time_s(chains, 1.0)
    delay_s = hardware.processing_delay_s(chains, equipment.compute_flops, 1.0)
    # By falling weight: keep the delay, decode, give the throughput, spare spectrum, layers and short slots.
    keys = (
        np.maximum(np.log(delay_s / demand.max_delay_s), 0.0),
        np.maximum(efficiency - carried, 0.0),
        np.maximum(np.log(demand.min_throughput_bps / throughput_bps), 0.0),
        chains.reference_prbs,
        chains.layers,
        chains.numerology,
    )
    first = int(np.lexsort(keys[::-1])[0])
    return chains.take(slice(first, first + 1))


def _features(chains: ChainGrid) -> np.ndarray:
    """Chains as points [chains, features] for a kernel: sizes on logarithmic scales, modules as indicators."""
    columns = [
        chains.numerology / 3.0,
        np.log2(chains.prbs) / 4.0,
        chains.rate * 2.0,
        chains.bits_per_symbol / 4.0,
        np.log2(chains.layers),
        np.log2(chains.tx_antennas) / 2.0,
        np.log2(chains.rx_antennas) / 2.0,
        chains.tx_power_dbm / 15.0,
        chains.harq_transmissions / 3.0,
        np.log2(chains.repetition) / 2.0,
    ]
    for field in ("code", "transmitter", "precoder", "estimator", "detector"):
        columns += [(getattr(chains, field) == code) * 0.5 for code in range(len(CODES[field]))]
    return np.stack(columns, axis=1)


def _found(chains: ChainGrid, values: np.ndarray) -> Search:
    top = int(np.argmax(values))
    history = tuple(np.maximum.accumulate(values).tolist())
    return Search(chain=chains.chain(top), reward=float(values[top]), history=history)


def _asked(budget: int) -> int:
    if not 1 <= budget <= 100_000:
        raise ValueError(f"budget is {budget}; it must lie in 1..100000 questions to the twin")
    return budget
