"""The quotas a cell had before this xApp touched it, kept in the shared data layer until they are restored.

A cell is marked before its first control. A mark without quotas means that an earlier run ended before the node
had said them: then nobody knows them any more, and the static quotas take their place.
"""

import json
from enum import Enum

from oran.e2.identity import CellGlobalId, NrCgi
from oran.errors import SdlError
from oran.logs import get_logger
from oran.sdl import Sdl
from oran.slices import RrmPolicyRatio, SNssai

NAMESPACE = "ranloop.slicing.original"

_log = get_logger(__name__)


class Knowledge(Enum):
    """What is known of a cell's original quotas."""

    FRESH = "fresh"
    """Nothing was sent yet: the first outcome will tell them."""
    KNOWN = "known"
    LOST = "lost"


def cell_text(cell: CellGlobalId | None) -> str:
    """A cell as metric label and key: its identity in hexadecimal, empty where a node names no cell."""
    if cell is None:
        return ""
    return f"{cell.nr_cell_id:09x}" if isinstance(cell, NrCgi) else f"{cell.eutra_cell_id:07x}"


class Originals:
    """Reads and writes the marks. A store that fails is logged and passed over."""

    def __init__(self, sdl: Sdl, slices: tuple[SNssai, ...]) -> None:
        self._sdl = sdl
        self._slices = slices

    async def begin(self, node: str, cell: CellGlobalId | None) -> tuple[Knowledge, tuple[RrmPolicyRatio, ...]]:
        """Mark a cell and tell what an earlier run left: nothing, quotas, or a mark without them."""
        key = _key(node, cell)
        try:
            if await self._sdl.set_if(NAMESPACE, key, None, b"{}"):
                return Knowledge.FRESH, ()
            found = (await self._sdl.get(NAMESPACE, [key])).get(key, b"{}")
        except SdlError as error:
            _log.warning("original_quotas_not_marked", node=node, reason=str(error))
            return Knowledge.FRESH, ()
        policy = _read(found, self._slices)
        return (Knowledge.KNOWN, policy) if policy else (Knowledge.LOST, ())

    async def keep(self, node: str, cell: CellGlobalId | None, policy: tuple[RrmPolicyRatio, ...]) -> None:
        """Write down a cell's original quotas."""
        ratios = {str(item.slice): [item.dedicated, item.min, item.max] for item in policy}
        try:
            await self._sdl.set(NAMESPACE, {_key(node, cell): json.dumps(ratios).encode()})
        except SdlError as error:
            _log.warning("original_quotas_not_kept", node=node, reason=str(error))

    async def done(self, node: str, cell: CellGlobalId | None) -> None:
        """Strike out a cell whose quotas are restored."""
        try:
            await self._sdl.delete(NAMESPACE, [_key(node, cell)])
        except SdlError as error:
            _log.warning("original_quotas_still_marked", node=node, reason=str(error))


def _key(node: str, cell: CellGlobalId | None) -> str:
    return f"{node}/{cell_text(cell)}"


def _read(octets: bytes, slices: tuple[SNssai, ...]) -> tuple[RrmPolicyRatio, ...]:
    """Quotas as `keep` wrote them; empty for anything else."""
    try:
        ratios = json.loads(octets)
        return tuple(RrmPolicyRatio(name, *map(int, ratios[str(name)])) for name in slices)
    except (ValueError, KeyError, TypeError) as error:
        if octets != b"{}":
            _log.warning("original_quotas_unreadable", reason=repr(error))
        return ()
