"""Recordings made from the twin without a RIC, quicker than live: material for benchmarks and experiments."""

import numpy as np

from oran.e2.e2ap.messages import RicIndication, RicRequestId
from oran.nodes import NodeInfo
from ranloop.errors import RecordingError
from ranloop.recorder import RecordConfig, subscriptions_for
from ranloop.recording import RecordedNode, Recording
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.functions import ran_functions
from twin.e2node.reports import Reporter
from twin.e2node.sample import CellSample

START_S = 1_700_000_000.0
"""When such a recording is said to have begun, so that the same seed gives the same octets."""


def record_twin(
    *,
    nodes: int,
    ues_per_node: int,
    steps: int,
    reports: str = "cell",
    measurements: tuple[str, ...] = (),
    period_ms: int = 100,
    seed: int = 1,
) -> Recording:
    """Simulate under static quotas and keep the reports of each step; `reports` is cell or ue.

    Every node reports exactly `ues_per_node` UEs: where the network serves more or fewer in a cell, UEs are left
    out or repeated under new ids. The same arguments give the same recording. Raises RecordingError for arguments
    out of range.
    """
    import torch

    from twin.e2node.simulation import Simulation
    from twin.network.errors import ScenarioError
    from twin.network.scenario import Scenario

    if reports not in ("cell", "ue") or steps < 1 or ues_per_node < 1:
        raise RecordingError("give reports as cell or ue, and at least one step and one UE per node")
    torch.set_num_threads(1)
    try:
        scenario = Scenario(cells=nodes, ues=max(3, nodes * ues_per_node), step_s=period_ms / 1e3)
    except ScenarioError as error:
        raise RecordingError(str(error)) from error
    configs = [NodeConfig(du=du, slices=scenario.snssais, step_ms=period_ms) for du in range(1, nodes + 1)]
    simulation = Simulation(scenario, [Cell(scenario.snssais) for _ in configs], seed=seed)
    reporters = [_reporter(config, reports, measurements, period_ms) for config in configs]
    found: list[list[tuple[float, RicIndication]]] = [[] for _ in configs]
    for step in range(1, steps + 1):
        end_s = START_S + step * scenario.step_s
        for index, sample in enumerate(simulation.advance()):
            for header, message in reporters[index].add(_exactly(sample, ues_per_node), end_s):
                sn = len(found[index]) % 65_536
                request_id = RicRequestId(123, index + 1)
                found[index].append(
                    (end_s, RicIndication(request_id, configs[index].kpm_id, 1, header, message, sn))
                )
    return Recording(
        tuple(
            RecordedNode(config.node_id, ran_functions(config), tuple(items))
            for config, items in zip(configs, found, strict=True)
        )
    )


def _reporter(config: NodeConfig, reports: str, measurements: tuple[str, ...], period_ms: int) -> Reporter:
    """What the recorder would have subscribed to."""
    asked = RecordConfig(
        subscription_url="",
        e2mgr_url="",
        reports=reports,
        slices=config.slices,
        period_ms=period_ms,
        measurements=measurements,
    )
    (spec,) = subscriptions_for(asked, NodeInfo(config.name, True, ran_functions(config)))
    return Reporter(config, spec.event_trigger, spec.actions[0].definition)


def _exactly(sample: CellSample, ues: int) -> CellSample:
    """The sample with so many UEs, numbered from 1; a cell without any keeps none."""
    count = len(sample.ue_ids)
    if count == 0:
        return sample
    chosen = np.arange(ues) % count
    values = {name: column[chosen] for name, column in sample.ues.items()}
    ids = np.arange(1, ues + 1)
    return CellSample(sample.period_s, sample.slices, sample.cell, ids, sample.ue_slices[chosen], values)
