"""The configuration endpoint: chains are checked, taken over, taken back, and visibly move a slice's KPIs."""

from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest
import pytest_asyncio

from oran import kpi
from oran.rest import serve
from twin.e2node.cell import Cell
from twin.e2node.link_chains import LinkChains, curve_of, link_chains_app
from twin.e2node.simulation import Simulation
from twin.link.plan import LinkChain
from twin.network.curve import RateCurve
from twin.network.scenario import Scenario

SCENARIO = Scenario(cells=2, ues=24)
EMBB = str(SCENARIO.snssais[0])
ROBUST = {"numerology": 1, "prbs": 24, "modulation": "qpsk", "code_rate": 0.2, "rx_antennas": 2}


def simulation() -> Simulation:
    return Simulation(SCENARIO, [Cell(SCENARIO.snssais) for _ in range(SCENARIO.cells)], seed=3)


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[tuple[httpx.AsyncClient, list[tuple[int, RateCurve | None]]]]:
    applied: list[tuple[int, RateCurve | None]] = []
    chains = LinkChains(SCENARIO.snssais, lambda index, curve: applied.append((index, curve)))
    server = await serve(link_chains_app(chains), "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        yield client, applied
    await server.stop()


Endpoint = tuple[httpx.AsyncClient, list[tuple[int, RateCurve | None]]]


async def test_a_chain_is_taken_over_shown_and_taken_back(endpoint: Endpoint) -> None:
    client, applied = endpoint
    assert (await client.get("/link-chains")).json() == dict.fromkeys(map(str, SCENARIO.snssais))
    answer = await client.put(f"/link-chains/{EMBB}", json=ROBUST)
    assert answer.status_code == 200
    assert answer.json()[EMBB]["modulation"] == "qpsk"
    assert (await client.delete(f"/link-chains/{EMBB}")).status_code == 204
    assert [index for index, _ in applied] == [0, 0]
    assert applied[0][1] is not None
    assert applied[1][1] is None


@pytest.mark.parametrize(
    ("slice_text", "chain", "status", "words"),
    [
        ("9", ROBUST, 404, "no slice"),
        (EMBB, {**ROBUST, "prbs": 400}, 422, "prbs"),
        (EMBB, {**ROBUST, "layers": 4}, 422, "layers"),
        (EMBB, {**ROBUST, "surprise": 1}, 422, "surprise"),
        (EMBB, {**ROBUST, "transmitter": "deeptx", "modulation": "16qam"}, 422, "deeptx"),
        (EMBB, {}, 422, "missing"),
        (EMBB, [1], 400, "object"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    endpoint: Endpoint, slice_text: str, chain: object, status: int, words: str
) -> None:
    client, applied = endpoint
    answer = await client.put(f"/link-chains/{slice_text}", json=chain)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert not applied


def test_curves_rise_with_the_sinr_and_with_a_better_receiver() -> None:
    plain = curve_of(LinkChain(**{**ROBUST, "modulation": "16qam", "code_rate": 0.5, "estimator": "ls"}))
    better = curve_of(LinkChain(**{**ROBUST, "modulation": "16qam", "code_rate": 0.5, "estimator": "lmmse"}))
    for curve in (plain, better):
        goodput = [curve.goodput(snr_db) for snr_db in curve.snr_db]
        assert goodput == sorted(goodput)
        assert goodput[0] < 0.01
        assert goodput[-1] == pytest.approx(2.0, rel=0.02)
    assert better.bler[60] <= plain.bler[60]
    assert sum(better.bler) < sum(plain.bler) - 1.0


def test_a_change_of_chain_moves_that_slices_kpis_and_no_others_for_the_worse() -> None:
    def throughput(changed: bool) -> np.ndarray:
        running = simulation()
        totals = np.zeros(len(SCENARIO.snssais))
        for step in range(30):
            if changed and step == 5:
                running.set_link(0, curve_of(LinkChain(**ROBUST)))
            samples = running.advance()
            if step >= 10:
                totals += sum(sample.slices[kpi.RLC_VOLUME_DL] for sample in samples)
        return totals

    as_is, robust = throughput(changed=False), throughput(changed=True)
    assert robust[0] < 0.8 * as_is[0]
    # The others get what they got before, or the PRBs that became free.
    assert (robust[1:] > 0.9 * as_is[1:]).all()
    assert np.isfinite(robust).all()
