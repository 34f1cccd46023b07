"""Frozen: the one problem that all headline figures are told of, so that none of them is chosen after the fact.

The scenario's content, the networks that count, how long they run and what "eMBB QoS improvement" means were
settled before any headline training, and a test holds them.

eMBB QoS improvement: on each evaluation network the throughput of an eMBB UE with data is averaged over such UEs
in a cell, over cells and over control intervals; the improvement is what that is above the reference's on the same
network, in percent of the reference's mean. Whoever starves the other slices raises it, so that the mean QoS ratio
of each slice, clipped at 1 where its promise is kept, stands beside it: `training.slicing.score` computes both.
"""

import hashlib

from twin.network import library
from twin.network.scenario import Scenario

SCENARIO = "pa_mrl"
SHA256 = "3ce181b557ee06ce704968510164b6f38d300b074f2eda8693f893fd9ce39459"
"""Of the scenario as JSON, every default written out."""
SEEDS = tuple(range(1, 21))
"""The networks that count; training draws its seeds from 10^8 on, tuning from 2,000,000 on."""
STEPS = 200
"""Control intervals of each that count, after the warm-up."""


class FrozenError(RuntimeError):
    """The frozen scenario is not what it was."""


def sha256(scenario: Scenario) -> str:
    """What a scenario's content is held by."""
    return hashlib.sha256(scenario.to_json().encode()).hexdigest()


def scenario() -> Scenario:
    """The frozen scenario; FrozenError where its content has changed."""
    found = library.load(SCENARIO)
    if (told := sha256(found)) != SHA256:
        raise FrozenError(
            f"scenario {SCENARIO} has changed (sha256 {told}): results would not compare with earlier ones"
        )
    return found
