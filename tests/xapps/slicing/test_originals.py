import pytest

from oran.errors import SdlError
from oran.sdl import MemorySdl
from oran.slices import RrmPolicyRatio
from tests.xapps.slicing.cells import CELL, NODE, THREE
from xapps.slicing.originals import NAMESPACE, Knowledge, Originals, cell_text

POLICY = tuple(RrmPolicyRatio(name, 0, low, 90) for name, low in zip(THREE, (20, 50, 30), strict=True))


class BrokenSdl(MemorySdl):
    """A store that is down."""

    async def set_if(self, namespace: str, key: str, old: bytes | None, new: bytes) -> bool:
        raise SdlError("down")

    async def set(self, namespace: str, values: object) -> None:
        raise SdlError("down")

    async def delete(self, namespace: str, keys: object) -> None:
        raise SdlError("down")


async def test_quotas_survive_a_crash_and_are_forgotten_once_restored() -> None:
    sdl = MemorySdl()
    first = Originals(sdl, THREE)
    assert await first.begin(NODE, CELL) == (Knowledge.FRESH, ())
    await first.keep(NODE, CELL, POLICY)
    second = Originals(sdl, THREE)
    assert await second.begin(NODE, CELL) == (Knowledge.KNOWN, POLICY)
    await second.done(NODE, CELL)
    assert await Originals(sdl, THREE).begin(NODE, CELL) == (Knowledge.FRESH, ())


async def test_a_crash_before_the_node_told_leaves_them_lost() -> None:
    sdl = MemorySdl()
    await Originals(sdl, THREE).begin(NODE, CELL)
    assert await Originals(sdl, THREE).begin(NODE, CELL) == (Knowledge.LOST, ())


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"null", b'{"1-000001": [0, 50, 10]}', b"\xff", b'{"1-000001": 3}']
)
async def test_what_cannot_be_read_is_lost(octets: bytes) -> None:
    sdl = MemorySdl()
    await sdl.set(NAMESPACE, {f"{NODE}/{cell_text(CELL)}": octets})
    assert await Originals(sdl, THREE).begin(NODE, CELL) == (Knowledge.LOST, ())


async def test_a_store_that_is_down_stops_nothing() -> None:
    originals = Originals(BrokenSdl(), THREE)
    assert await originals.begin(NODE, None) == (Knowledge.FRESH, ())
    await originals.keep(NODE, None, POLICY)
    await originals.done(NODE, None)
