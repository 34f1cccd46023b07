"""Notes of the subscriptions in force, kept in the SDL so that an xApp finds its own after a crash."""

from oran.errors import SdlError
from oran.logs import get_logger
from oran.sdl import Sdl

_log = get_logger(__name__)

NAMESPACE = "ranloop.subscriptions"


class SubscriptionNotes:
    """REST ids of one xApp's subscriptions, told apart by its RMR endpoint.

    They are a help and no condition: a store that fails is logged and passed over.
    """

    def __init__(self, sdl: Sdl, endpoint: str) -> None:
        self._sdl = sdl
        self._prefix = f"{endpoint}/"

    async def add(self, subscription_id: str, meid: str) -> None:
        """Note a subscription in force."""
        try:
            await self._sdl.set(NAMESPACE, {self._prefix + subscription_id: meid.encode()})
        except SdlError as error:
            _log.warning("subscription_not_noted", subscription_id=subscription_id, reason=str(error))

    async def remove(self, subscription_id: str) -> None:
        """Strike out a subscription that has ended."""
        try:
            await self._sdl.delete(NAMESPACE, [self._prefix + subscription_id])
        except SdlError as error:
            _log.warning("subscription_note_stays", subscription_id=subscription_id, reason=str(error))

    async def read(self) -> set[str]:
        """The REST ids noted."""
        try:
            keys = await self._sdl.keys(NAMESPACE)
        except SdlError as error:
            _log.warning("subscription_notes_unread", reason=str(error))
            return set()
        return {key.removeprefix(self._prefix) for key in keys if key.startswith(self._prefix)}
