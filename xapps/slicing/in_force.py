"""In force: actors tell through the shared data layer which quotas they have put in force, so that a critic knows.

KPM reports do not say which quotas held while they were measured, and nobody but the one who sent them knows.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oran.errors import SdlError
from oran.logs import get_logger
from oran.sdl import Sdl
from oran.slices import RrmPolicyRatio, SNssai
from xapps.slicing.cell import CellLoop
from xapps.slicing.control import Policy
from xapps.slicing.originals import cell_text
from xapps.slicing.quiet import Quiet

NAMESPACE = "ranloop.slicing.in_force"
REMEMBERED = 8

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """The quotas of a cell, since when (Unix time), and which controller decided them."""

    policy: Policy
    since_s: float
    controller: str

    def to_json(self) -> bytes:
        """As it is stored."""
        ratios = {str(item.slice): [item.dedicated, item.min, item.max] for item in self.policy}
        return json.dumps({"ratios": ratios, "since_s": self.since_s, "controller": self.controller}).encode()

    @classmethod
    def parse(cls, octets: bytes, slices: tuple[SNssai, ...]) -> "Told":
        """Read what `to_json` wrote; raises ValueError for anything else."""
        try:
            raw = json.loads(octets)
            policy = tuple(RrmPolicyRatio(name, *map(int, raw["ratios"][str(name)])) for name in slices)
            return cls(policy, float(raw["since_s"]), str(raw["controller"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise ValueError(f"no quotas in force: {error!r:.100}") from error


class Teller:
    """An actor's side: `tell` returns at once, `run` writes."""

    def __init__(self, sdl: Sdl) -> None:
        self._sdl = sdl
        self._told: dict[str, Policy] = {}
        self._due: dict[str, bytes] = {}
        self._woken = asyncio.Event()
        self._quiet = Quiet(_log)

    def tell(self, loop: CellLoop, time_s: float) -> None:
        """Say what is in force in a cell, where that is news."""
        key = _key(loop)
        if self._told.get(key) != loop.policy:
            self._told[key] = loop.policy
            self._due[key] = Told(loop.policy, time_s, loop.controller.name).to_json()
            self._woken.set()

    async def run(self) -> None:
        """Write what is due, for ever; a store that fails is tried again with the next news."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, {}
            try:
                await self._sdl.set(NAMESPACE, due)
            except SdlError as error:
                self._due = due | self._due
                self._quiet.warning("quotas_not_told", "sdl", reason=str(error))

    async def withdraw(self) -> None:
        """Say nothing more of the cells: their original quotas are back."""
        try:
            await self._sdl.delete(NAMESPACE, list(self._told))
        except SdlError as error:
            self._quiet.warning("quotas_not_withdrawn", "sdl", reason=str(error))


class Reader:
    """The critic's side: `run` reads what actors tell of `cells`, twice in a period."""

    def __init__(self, sdl: Sdl, period_s: float, cells: Callable[[], Iterable[CellLoop]]) -> None:
        self._sdl = sdl
        self._period_s = period_s
        self._cells = cells
        self._known: dict[str, deque[Told]] = {}
        self._quiet = Quiet(_log)

    def recall(self, loop: CellLoop, time_s: float) -> Told | None:
        """What was in force in the period that ends at a Unix time; None where no actor has said."""
        middle_s = time_s - self._period_s / 2
        known = self._known.get(_key(loop), ())
        found = next((told for told in reversed(known) if told.since_s <= middle_s), None)
        if found is None:
            self._quiet.warning("quotas_unknown", loop.node, reason="no actor tells them: is --redis the actors'?")
        return found

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await asyncio.sleep(self._period_s / 2)
            await self._read()

    async def _read(self) -> None:
        loops = {_key(loop): loop for loop in self._cells()}
        if not loops:
            return
        try:
            found = await self._sdl.get(NAMESPACE, list(loops))
        except SdlError as error:
            self._quiet.warning("quotas_not_read", "sdl", reason=str(error))
            return
        for key in self._known.keys() - found.keys():
            del self._known[key]
        for key, octets in found.items():
            try:
                told = Told.parse(octets, loops[key].slices)
            except ValueError as error:
                self._quiet.warning("quotas_unreadable", key, reason=str(error))
                continue
            known = self._known.setdefault(key, deque(maxlen=REMEMBERED))
            if not known or known[-1] != told:
                known.append(told)


def _key(loop: CellLoop) -> str:
    return f"{loop.node}/{cell_text(loop.cell)}"
