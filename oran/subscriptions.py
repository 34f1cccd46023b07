"""E2 subscriptions of an xApp: made, kept and ended through the RIC's subscription manager (REST, port 8088).

The manager answers twice: a 201 with a REST id, and a notification with the E2 instance id (the `sub_id` of the
indications), which may arrive before the 201. The notification comes by HTTP, so the xApp mounts `routes()`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from oran import subscription_forms as forms
from oran.e2.e2ap.messages import Action
from oran.errors import SubscriptionError, SubscriptionRefused, SubscriptionTimeout
from oran.logs import get_logger
from oran.rest import JsonObject, RequestError, problem, read_object
from oran.rest_client import Answer, RestClient, RestError
from oran.sdl import Sdl
from oran.subscription_forms import ClientEndpoint, Instance, ListedSubscription, SubscriptionSpec
from oran.subscription_notes import SubscriptionNotes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

__all__ = [
    "ClientEndpoint",
    "ListedSubscription",
    "Subscription",
    "SubscriptionClient",
    "SubscriptionCounters",
    "SubscriptionSpec",
]

_log = get_logger(__name__)

NOTIFICATION_PATH = "/ric/v1/subscriptions/response"
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0
_PATH = "/ric/v1/subscriptions"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription in force; indications carry `instance_id` as their `sub_id` and the node's name as `meid`."""

    subscription_id: str
    instance_id: int
    xapp_instance_id: int
    spec: SubscriptionSpec


@dataclass(slots=True)
class SubscriptionCounters:
    """How often subscriptions were made, failed (by reason), ended, lost, found stale; odd notifications."""

    created: int = 0
    deleted: int = 0
    lost: int = 0
    stale_deleted: int = 0
    unknown_notifications: int = 0
    failed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Backoff:
    """When a subscription that failed may be tried again, in loop time."""

    wait_s: float = FIRST_BACKOFF_S
    not_before_s: float = 0.0


class SubscriptionClient:
    """Subscribes for one xApp.

    With an `sdl` the REST ids in force are noted there, so that after a crash `delete_stale` finds them even where
    the RIC's own list does not tell them.
    """

    def __init__(
        self,
        url: str,
        endpoint: ClientEndpoint,
        *,
        sdl: Sdl | None = None,
        timeout_s: float = 10.0,
        request_timeout_s: float = 5.0,
    ) -> None:
        self.endpoint = endpoint
        self.counters = SubscriptionCounters()
        self._rest = RestClient(url, timeout_s=request_timeout_s)
        self._notes = None if sdl is None else SubscriptionNotes(sdl, endpoint.rmr)
        self._timeout_s = timeout_s
        self._waiting: dict[int, asyncio.Future[Instance]] = {}
        self._making: set[SubscriptionSpec] = set()
        self._active: dict[SubscriptionSpec, Subscription] = {}
        self._by_instance: dict[tuple[str, int], Subscription] = {}
        self._doubted: set[SubscriptionSpec] = set()
        self._backoff: dict[SubscriptionSpec, _Backoff] = {}
        # A random start keeps a restarted xApp's requests from being taken for retransmissions.
        self._next_id = random.randrange(1, 1 << 30)

    @property
    def active(self) -> Mapping[SubscriptionSpec, Subscription]:
        """The subscriptions in force."""
        return self._active

    def find(self, meid: str, sub_id: int) -> Subscription | None:
        """The subscription an indication belongs to; None for one that is not ours."""
        return self._by_instance.get((meid, sub_id))

    def routes(self) -> "list[Route]":
        """The HTTP route for the RIC's notifications, to be mounted at the root of the xApp's application."""
        from starlette.routing import Route

        return [Route(NOTIFICATION_PATH, self._notified, methods=["POST"])]

    async def subscribe(
        self, meid: str, function_id: int, event_trigger: bytes, actions: Collection[Action]
    ) -> Subscription:
        """Subscribe and wait for the node's answer.

        A subscription already in force for the same wish is returned as it is. Raises SubscriptionRefused with the
        cause, SubscriptionTimeout when no notification comes (the half-made subscription is then deleted), and
        SubscriptionError when the manager cannot be reached.
        """
        spec = SubscriptionSpec(meid, function_id, event_trigger, tuple(actions))
        if spec in self._active:
            return self._active[spec]
        if spec in self._making:
            raise SubscriptionError(f"a subscription to {meid} for the same is being made already")
        self._making.add(spec)
        try:
            subscription = await self._subscribe(spec)
        except SubscriptionError as error:
            self.counters.failed[_failure(error)] += 1
            raise
        finally:
            self._making.discard(spec)
        self._active[spec] = self._by_instance[(meid, subscription.instance_id)] = subscription
        self.counters.created += 1
        if self._notes is not None:
            await self._notes.add(subscription.subscription_id, meid)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; one the RIC does not know counts as ended. Raises SubscriptionError."""
        self._forget(subscription.spec)
        await self._delete(subscription.subscription_id)
        self.counters.deleted += 1

    async def unsubscribe_all(self) -> int:
        """End every subscription in force, all at once; returns how many could not be ended."""
        subscriptions = list(self._active.values())
        results = await asyncio.gather(*map(self.unsubscribe, subscriptions), return_exceptions=True)
        for subscription, result in zip(subscriptions, results, strict=True):
            if isinstance(result, BaseException):
                _log.warning("unsubscribe_failed", meid=subscription.spec.meid, reason=str(result))
        return sum(isinstance(result, BaseException) for result in results)

    async def list(self) -> tuple[ListedSubscription, ...]:
        """All subscriptions of the RIC, those of other xApps among them; raises SubscriptionError."""
        answer = await self._request("GET", _PATH)
        if not answer.ok:
            raise SubscriptionError(f"list of subscriptions: {answer.reason}")
        try:
            return forms.listed(answer.body)
        except ValueError as error:
            raise SubscriptionError(str(error)) from error

    async def delete_stale(self) -> int:
        """Delete what an earlier run of this xApp left behind; call it before the first subscription.

        Stale are the RIC's subscriptions to our own RMR endpoint, and the ids noted in the SDL, that we do not
        hold. Returns how many were deleted; raises SubscriptionError when the RIC does not answer.
        """
        ours = {self.endpoint.rmr, f"{self.endpoint.host}:{self.endpoint.rmr_port}"}
        found = {item.subscription_id for item in await self.list() if ours & set(item.endpoints)}
        if self._notes is not None:
            found |= await self._notes.read()
        known = {item.subscription_id for item in self._active.values()}
        known |= {str(item.instance_id) for item in self._active.values()}
        deleted = 0
        for subscription_id in sorted(found - known):
            deleted += await self._delete(subscription_id)
        self.counters.stale_deleted += deleted
        return deleted

    def doubt(self, subscription: Subscription) -> None:
        """Say that a subscription gives no indications: the next `reconcile` makes it anew."""
        if self._active.get(subscription.spec) is subscription:
            self._doubted.add(subscription.spec)

    async def reconcile(
        self, wanted: Collection[SubscriptionSpec], connected: Collection[str] | None = None
    ) -> None:
        """Bring what is in force to what is wanted; call it every few seconds.

        Finds subscriptions that a restarted RIC or a node that left has lost and makes them again, ends those that
        are not wanted any more, and tries failed ones again after a growing wait. `connected` names the nodes that
        are there (None: try all). Failures are counted and logged; raises SubscriptionError only when the RIC does
        not answer at all: then nothing has changed.
        """
        self._drop_lost(await self.list(), connected)
        for spec, subscription in list(self._active.items()):
            if spec not in wanted or spec in self._doubted:
                self._doubted.discard(spec)
                await self._try(self.unsubscribe(subscription), spec)
        for spec in set(self._backoff) - set(wanted):
            del self._backoff[spec]
        now_s = asyncio.get_running_loop().time()
        due = [
            spec
            for spec in dict.fromkeys(wanted)
            if spec not in self._active
            and (connected is None or spec.meid in connected)
            and self._backoff.get(spec, _Backoff()).not_before_s <= now_s
        ]
        await asyncio.gather(*(self._try_subscribe(spec) for spec in due))

    async def close(self) -> None:
        """Give the connections back; subscriptions stay as they are (see `unsubscribe_all`)."""
        await self._rest.close()

    def _drop_lost(self, listed: tuple[ListedSubscription, ...], connected: Collection[str] | None) -> None:
        """Forget what the RIC does not list any more, and what a node that is gone cannot serve."""
        alive = {(item.meid, item.subscription_id) for item in listed}
        for spec, held in list(self._active.items()):
            kept = {(spec.meid, held.subscription_id), (spec.meid, str(held.instance_id))} & alive
            if not kept or (connected is not None and spec.meid not in connected):
                _log.warning("subscription_lost", meid=spec.meid, instance_id=held.instance_id, listed=bool(kept))
                self.counters.lost += 1
                if kept:
                    # The node will return without it, so the RIC must let go of it too.
                    self._doubted.add(spec)
                else:
                    self._forget(spec)

    async def _subscribe(self, spec: SubscriptionSpec) -> Subscription:
        xapp_id, self._next_id = self._next_id, self._next_id % 0x7FFFFFFF + 1
        result: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self._waiting[xapp_id] = result
        rest_id = ""
        try:
            body = forms.request_body(spec, self.endpoint, xapp_id)
            answer = await self._request("POST", _PATH, body)
            if not answer.ok:
                raise SubscriptionRefused(answer.reason)
            rest_id = forms.subscription_id(answer.body)
            if not rest_id:
                raise SubscriptionError("the RIC's answer has no SubscriptionId")
            for instance in forms.instances(answer.body):
                # Some managers repeat the request here with no result yet: only a verdict counts.
                if instance.e2_instance_id or instance.cause:
                    self._settle(instance)
            instance = await asyncio.wait_for(result, self._timeout_s)
            if not instance.e2_instance_id:
                raise SubscriptionRefused(instance.cause or "no cause given")
            return Subscription(rest_id, instance.e2_instance_id, xapp_id, spec)
        except TimeoutError:
            raise SubscriptionTimeout(f"no notification from the RIC within {self._timeout_s:g} s") from None
        finally:
            del self._waiting[xapp_id]
            settled = result.done() and not result.cancelled() and result.result().e2_instance_id
            result.cancel()
            if rest_id and not settled:
                await self._clean_up(rest_id)

    async def _notified(self, request: "Request") -> "Response":
        """Take a notification. Known or not it is answered 200: else the RIC repeats it for minutes."""
        from starlette.responses import Response

        try:
            body = await read_object(request)
        except RequestError as error:
            return problem(error.status, error.reason)
        for instance in forms.instances(body):
            if not self._settle(instance):
                self.counters.unknown_notifications += 1
                _log.info("unknown_notification", instance=str(instance))
        return Response(status_code=200)

    def _settle(self, instance: Instance) -> bool:
        """Hand a result to the subscriber that waits, or note that a subscription in force has failed."""
        waiting = self._waiting.get(instance.xapp_instance_id)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(instance)
            return True
        for spec, held in self._active.items():
            if held.xapp_instance_id == instance.xapp_instance_id:
                if not instance.e2_instance_id:
                    self._doubted.add(spec)
                return True
        return False

    async def _try_subscribe(self, spec: SubscriptionSpec) -> None:
        if await self._try(self.subscribe(spec.meid, spec.function_id, spec.event_trigger, spec.actions), spec):
            self._backoff.pop(spec, None)
            return
        backoff = self._backoff.setdefault(spec, _Backoff())
        backoff.not_before_s = asyncio.get_running_loop().time() + backoff.wait_s * random.uniform(0.8, 1.2)
        backoff.wait_s = min(backoff.wait_s * 2, LONGEST_BACKOFF_S)

    async def _try(self, operation: Awaitable[object], spec: SubscriptionSpec) -> bool:
        try:
            await operation
        except SubscriptionError as error:
            _log.warning("subscription_failed", meid=spec.meid, function_id=spec.function_id, reason=str(error))
            return False
        return True

    def _forget(self, spec: SubscriptionSpec) -> None:
        held = self._active.pop(spec, None)
        self._doubted.discard(spec)
        if held is not None:
            self._by_instance.pop((spec.meid, held.instance_id), None)

    async def _delete(self, subscription_id: str) -> bool:
        """Delete by REST id; false when the RIC does not know it."""
        answer = await self._request("DELETE", f"{_PATH}/{quote(subscription_id, safe='')}")
        if not answer.ok and answer.status != 404:
            raise SubscriptionError(f"delete subscription {subscription_id}: {answer.reason}")
        if self._notes is not None:
            await self._notes.remove(subscription_id)
        return answer.ok

    async def _clean_up(self, subscription_id: str) -> None:
        try:
            await self._delete(subscription_id)
        except SubscriptionError as error:
            _log.warning("half_made_subscription_stays", subscription_id=subscription_id, reason=str(error))

    async def _request(self, method: str, path: str, body: JsonObject | None = None) -> Answer:
        try:
            return await self._rest.request(method, path, body)
        except RestError as error:
            raise SubscriptionError(str(error)) from error


def _failure(error: SubscriptionError) -> str:
    """A short word for the counter."""
    if isinstance(error, SubscriptionRefused):
        return "refused"
    return "timeout" if isinstance(error, SubscriptionTimeout) else "unreachable"
