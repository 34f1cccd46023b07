import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.errors import SdlError
from oran.sdl import MemorySdl
from oran.slices import static_ratios, to_policy
from tests.xapps.slicing.cells import CELL, NODE, THREE
from tests.xapps.slicing.loop import until
from xapps.slicing.cell import CellLoop
from xapps.slicing.controllers import create
from xapps.slicing.guard import GuardConfig
from xapps.slicing.in_force import Reader, Teller, Told

POLICY = to_policy(THREE, static_ratios(3))


def loop() -> CellLoop:
    return CellLoop(NODE, CELL, THREE, controller=create("hard"), guard=GuardConfig(), period_s=0.02, cell_prbs=51)


def policy(least: int) -> tuple[object, ...]:
    return (replace(POLICY[0], min=least), *POLICY[1:])


@given(st.integers(0, 33), st.floats(0, 2e9), st.text(max_size=10))
def test_what_is_told_is_read(least: int, since_s: float, controller: str) -> None:
    told = Told(policy(least), since_s, controller)  # type: ignore[arg-type]
    assert Told.parse(told.to_json(), THREE) == told


@given(st.binary(max_size=80))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ValueError, match="no quotas in force"):
        Told.parse(noise, THREE)


async def running(*parts: Callable[[], object]) -> list[asyncio.Task[None]]:
    return [asyncio.ensure_future(part()) for part in parts]  # type: ignore[arg-type]


async def test_a_critic_knows_what_was_in_force_in_a_period() -> None:
    sdl, actors, watched = MemorySdl(), loop(), loop()
    teller, reader = Teller(sdl), Reader(sdl, 0.02, lambda: [watched])
    tasks = await running(teller.run, reader.run)
    assert reader.recall(watched, 100.0) is None
    for least, since_s in ((10, 100.0), (20, 100.1)):
        actors.took_over(policy(least))  # type: ignore[arg-type]
        teller.tell(actors, since_s)
        await until(lambda since_s=since_s: (told := reader.recall(watched, 200.0)) and told.since_s == since_s)
    for time_s, least in ((100.005, None), (100.02, 10), (100.1, 10), (100.12, 20)):
        told = reader.recall(watched, time_s)
        assert (None if told is None else told.policy[0].min) == least
    await teller.withdraw()
    await until(lambda: reader.recall(watched, 200.0) is None)
    for task in tasks:
        task.cancel()


async def test_a_store_that_fails_is_told_later() -> None:
    class Moody(MemorySdl):
        moods = 1

        async def set(self, namespace: str, values: object) -> None:
            if self.moods:
                self.moods -= 1
                raise SdlError("not now")
            await super().set(namespace, values)  # type: ignore[arg-type]

    sdl, one = Moody(), loop()
    teller, reader = Teller(sdl), Reader(sdl, 0.02, lambda: [one])
    tasks = await running(teller.run, reader.run)
    teller.tell(one, 1.0)
    await until(lambda: sdl.moods == 0)
    one.took_over(policy(10))  # type: ignore[arg-type]
    teller.tell(one, 2.0)
    await until(lambda: reader.recall(one, 9.0))
    for task in tasks:
        task.cancel()
