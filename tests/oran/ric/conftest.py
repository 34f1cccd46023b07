"""A live RIC, a node and an xApp."""

from collections.abc import AsyncIterator

import pytest

from oran.ric import NearRtRic
from tests.oran.ric.material import FakeNode, FakeXapp, ric_config


@pytest.fixture
async def ric() -> AsyncIterator[NearRtRic]:
    async with NearRtRic(ric_config()) as running:
        yield running


@pytest.fixture
async def node(ric: NearRtRic) -> AsyncIterator[FakeNode]:
    joined = await FakeNode.join(ric)
    yield joined
    await joined.leave()


@pytest.fixture
async def xapp(ric: NearRtRic) -> AsyncIterator[FakeXapp]:
    started = await FakeXapp.start(ric)
    yield started
    await started.stop()
