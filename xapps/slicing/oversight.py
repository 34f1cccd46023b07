"""Oversight: what an instance does with decisions once their controls have left, by its role.

`all` judges its own decisions and writes them down. An `actor` writes its own down and tells what is in force; a
`critic` reads that, judges it and writes down what the actors did.
"""

from collections.abc import Coroutine

from oran.sdl import Sdl
from xapps.slicing.cell import CellLoop, Decision
from xapps.slicing.config import Role, XappConfig
from xapps.slicing.critique import Critique
from xapps.slicing.experience import ExperienceFile
from xapps.slicing.fleet import Fleet
from xapps.slicing.in_force import Reader, Teller, Told
from xapps.slicing.succession import Succession


class Oversight:
    """The parts that a role has; `all` judges only where `models` decide."""

    def __init__(self, config: XappConfig, sdl: Sdl, fleet: Fleet, models: Succession | None) -> None:
        role = config.role
        self._path = config.experience
        judges = role is Role.CRITIC or (role is Role.ALL and models is not None)
        self.critique = Critique(lambda: len(fleet.cells()), models) if judges else None
        self._teller = Teller(sdl) if role is Role.ACTOR and config.sends else None
        self._reader = Reader(sdl, config.period_s, fleet.loops) if role is Role.CRITIC else None
        self._file: ExperienceFile | None = None

    def open(self) -> None:
        """Open the experience file, where one is configured; raises OSError."""
        if self._path:
            self._file = ExperienceFile(self._path)

    def tasks(self) -> list[Coroutine[None, None, None]]:
        """What is to run all the time."""
        return [part.run() for part in (self._teller, self._reader) if part is not None]

    def before(self, loop: CellLoop, time_s: float) -> Told | None:
        """A report has come: where others control the cell, take over what they have put in force."""
        told = None if self._reader is None else self._reader.recall(loop, time_s)
        if told is not None and told.policy != loop.policy:
            loop.follow(told.policy)
        return told

    def after(self, loop: CellLoop, decision: Decision, told: Told | None, time_s: float) -> None:
        """Judge, tell and write down a decision; of cells whose quotas nobody tells nothing can be said."""
        if self._teller is not None:
            self._teller.tell(loop, time_s)
        if self._reader is not None and told is None:
            return
        if self.critique is not None:
            self.critique.note(decision)
        if self._file is not None:
            if told is None:
                self._file.write(decision, loop.controller.name)
            else:
                self._file.overhear(decision, told)

    def flush(self) -> None:
        """Let readers of the experience file see what was written."""
        if self._file is not None:
            self._file.flush()

    async def withdraw(self) -> None:
        """The original quotas are back: an actor has nothing in force any more."""
        if self._teller is not None:
            await self._teller.withdraw()

    def close(self) -> None:
        """Close the experience file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
