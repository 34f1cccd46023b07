"""Restoration: what cells had before the first control is written down, and given back when the xApp stops."""

import asyncio
import time

from oran.logs import get_logger
from xapps.slicing.actuation import Actuator
from xapps.slicing.fleet import ControlledCell, Fleet
from xapps.slicing.originals import Originals

TIMEOUT_S = 2.0
"""How long answers to controls are waited for."""

_log = get_logger(__name__)


class Restoration:
    """Keeps original quotas by `originals` and restores them by `actuator`."""

    def __init__(self, originals: Originals, fleet: Fleet) -> None:
        self._originals = originals
        self._fleet = fleet
        self._keeping: set[asyncio.Task[None]] = set()

    def keep(self, cell: ControlledCell) -> None:
        """Write a cell's original quotas down beside the fast path."""
        keep = self._originals.keep(cell.loop.node, cell.loop.cell, cell.original)
        task = asyncio.get_running_loop().create_task(keep)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def run(self, actuator: Actuator) -> None:
        """Give every cell its original quotas back and wait a while for the answers."""
        # What was sent last must be answered first: answers are told apart by their order only.
        await _answered(actuator)
        restored = [cell for cell in self._fleet.cells() if actuator.restore(cell, time.monotonic())]
        await _answered(actuator)
        await asyncio.gather(*self._keeping)
        for cell in restored:
            if cell.sent is not None:
                await self._originals.done(cell.loop.node, cell.loop.cell)
        if restored:
            _log.info("original_quotas_restored", cells=len(restored))


async def _answered(actuator: Actuator) -> None:
    """Wait until no control waits for an answer, or the time is up."""
    deadline = time.monotonic() + TIMEOUT_S
    while actuator.outstanding and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
        actuator.expire(time.monotonic())
