"""Reload: new model packages are found in the watched folder, or named over HTTP, and proposed while all runs on.

Reading and trying a package takes its time, as does taking in the operator's words. Both happen in a thread.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oran.logs import get_logger
from oran.model_package import PackageError
from oran.rest import JsonObject, RequestError, guarded, json_answer, read_object
from xapps.slicing import prompt
from xapps.slicing.actor import SHIPPED, Actor
from xapps.slicing.config import XappConfig
from xapps.slicing.errors import ModelError, SettingsError
from xapps.slicing.quiet import Quiet
from xapps.slicing.schema import ACTOR
from xapps.slicing.succession import Succession

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

MOST_FILES = 32

_log = get_logger(__name__)

Signature = frozenset[tuple[str, int, int]]
"""A folder's files by name, size and time of change in ns."""


def folder_of(config: XappConfig) -> Path:
    """The folder of the model package that is configured."""
    return Path(config.model) if config.model else SHIPPED


def first_model(config: XappConfig) -> Actor:
    """The model to begin with; raises SettingsError that says what to change."""
    folder = folder_of(config)
    if not folder.is_dir():
        advice = "give --model DIR, or another --controller"
        raise SettingsError(f"controller 'learned': there is no model package at {folder}; {advice}")
    try:
        return Actor.load(folder, config.slice_names)
    except PackageError as error:
        raise SettingsError(f"controller 'learned': {error}") from error


class Reload:
    """Keeps a succession supplied with models, and its models informed of `words`."""

    def __init__(self, config: XappConfig, succession: Succession, words: Callable[[], str]) -> None:
        self.succession = succession
        self._config = config
        self._words = words
        self._folder = folder_of(config)
        self._known = self._looked = signature(self._folder)
        self._woken = asyncio.Event()
        self._quiet = Quiet(_log)

    def wake(self) -> None:
        """The operator's words may have changed."""
        self._woken.set()

    async def run(self) -> None:
        """Watch the folder and pass words on, for ever."""
        while True:
            try:
                async with asyncio.timeout(self._config.model_check_s):
                    await self._woken.wait()
            except TimeoutError:
                await self._look()
            self._woken.clear()
            await self._inform()

    async def load(self, folder: Path) -> None:
        """Verify a package and propose its model; raises PackageError, and then all stays as it was."""
        try:
            candidate = await asyncio.to_thread(Actor.load, folder, self._config.slice_names)
            await asyncio.to_thread(candidate.hear, self._words())
        except (PackageError, ModelError) as error:
            self.succession.refuse(str(error))
            raise PackageError(str(error)) from error
        self.succession.propose(candidate)
        self.wake()

    async def _look(self) -> None:
        """Load what lies in the folder when it is new and has been the same at two looks: all of it is there."""
        found = await asyncio.to_thread(signature, self._folder)
        settled = found == self._looked
        self._looked = found
        if settled and found and found != self._known:
            self._known = found
            # The succession notes a refusal.
            with contextlib.suppress(PackageError):
                await self.load(self._folder)

    async def _inform(self) -> None:
        words = prompt.plain(self._words())
        for actor in self.succession.actors:
            if actor.words == words:
                continue
            try:
                await asyncio.to_thread(actor.hear, words)
            except ModelError as error:
                self._quiet.warning("words_not_heard", str(actor), reason=str(error))

    def status(self) -> JsonObject:
        """The models in memory and what became of the last candidate."""
        chain = self.succession
        shadow = chain.shadow
        return {
            "running": _told(chain.running),
            "before": None if chain.before is None else _told(chain.before),
            "shadow": None if shadow is None else {**_told(shadow.actor), "decisions": shadow.decisions},
            "shadow_difference": chain.difference,
            "events": dict(chain.events),
            "reason": chain.reason,
        }

    def routes(self) -> "list[Route]":
        """GET /model tells the status, POST /model {"folder": ...} loads, POST /model/rollback goes back."""
        from starlette.routing import Route

        async def tell(request: "Request") -> "Response":
            return json_answer(self.status())

        async def load(request: "Request") -> "Response":
            folder = (await read_object(request)).get("folder")
            if not isinstance(folder, str) or not folder:
                raise RequestError(400, 'the body must be {"folder": DIR}, a folder on the xApp\'s machine')
            try:
                await self.load(Path(folder))
            except (PackageError, ValueError) as error:
                raise RequestError(422, str(error)) from None
            return json_answer(self.status(), 202)

        async def roll_back(request: "Request") -> "Response":
            if not self.succession.roll_back():
                raise RequestError(409, "there is no model before the running one")
            self.wake()
            return json_answer(self.status())

        return [
            Route("/model", guarded(tell)),
            Route("/model", guarded(load), methods=["POST"]),
            Route("/model/rollback", guarded(roll_back), methods=["POST"]),
        ]


def signature(folder: Path) -> Signature:
    """What a folder's files look like from outside; empty where there are none, or too many."""
    try:
        stats = [(item.name, item.stat()) for item in folder.iterdir()]
    except OSError:
        return frozenset()
    return frozenset((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats[: MOST_FILES + 1])


def _told(actor: Actor) -> JsonObject:
    told = actor.manifest
    return {
        "name": told.name,
        "version": told.version,
        "commit": told.commit,
        "twin_version": told.twin_version,
        "sha256": told.files[ACTOR],
        "words": actor.words,
        "metrics": {name: [item.value, item.low, item.high] for name, item in told.metrics.items()},
    }
