"""The subscription manager: from an xApp's REST request to subscriptions at an E2 node, and back by notification.

One REST subscription holds one E2 subscription for each of its details. The RIC's requestor id is always 123 and
the instance id, which is the sub_id of indications in RMR, tells E2 subscriptions apart. Nothing is kept over a
restart: xApps subscribe anew.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import (
    RicRequestId,
    RicSubscriptionDeleteFailure,
    RicSubscriptionDeleteRequest,
    RicSubscriptionDeleteRequired,
    RicSubscriptionDeleteResponse,
    RicSubscriptionFailure,
    RicSubscriptionRequest,
    RicSubscriptionResponse,
)
from oran.e2.errors import EncodeError
from oran.logs import get_logger
from oran.rest import JsonObject, JsonValue, RequestError
from oran.ric.config import RicConfig
from oran.ric.counters import RicCounters
from oran.ric.errors import SubscriptionFailed
from oran.ric.nodes import Node, NodeRegistry
from oran.ric.notifier import Notifier
from oran.ric.subscription_request import Detail, SubscriptionRequest
from oran.ric.termination import SubscriptionAnswer

log = get_logger(__name__)

REQUESTOR_ID = 123
MAX_INSTANCE_ID = 65_535


class Routes(Protocol):
    """Where indications and control answers of a subscription go."""

    def add_subscription(self, instance: int, rmr_address: str) -> None:
        """Route a subscription to an xApp."""
        ...

    def remove_subscription(self, instance: int) -> None:
        """Forget a subscription."""
        ...


class _State(Enum):
    PENDING = "pending"
    MADE = "made"
    ENDED = "ended"


@dataclass(slots=True, eq=False)
class E2Subscription:
    """One subscription at a node; `notice` is what the xApp was told last about it."""

    instance: int
    node: str
    function_id: int
    detail: Detail
    state: _State = _State.PENDING
    sent: bool = False
    answer: asyncio.Future[SubscriptionAnswer] | None = None
    notice: JsonObject | None = None


@dataclass(slots=True, eq=False)
class Subscription:
    """What an xApp asked for in one request."""

    id: str
    request: SubscriptionRequest
    parts: list[E2Subscription] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def settled(self) -> bool:
        """Whether no part waits for the node any more."""
        return all(part.state is not _State.PENDING for part in self.parts)


class SubscriptionManager:
    """Makes, ends and lists subscriptions. `start` before use, `stop` at the end."""

    def __init__(self, config: RicConfig, nodes: NodeRegistry, routes: Routes, counters: RicCounters) -> None:
        self._config = config
        self._nodes = nodes
        self._routes = routes
        self._counters = counters
        self._subscriptions: dict[str, Subscription] = {}
        self._by_contents: dict[SubscriptionRequest, Subscription] = {}
        self._by_instance: dict[int, E2Subscription] = {}
        self._last_instance = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._notifier = Notifier(config, counters)

    async def start(self) -> None:
        """Be ready to notify xApps."""
        await self._notifier.start()

    async def stop(self) -> None:
        """End all procedures; nodes notice the loss of their association."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._notifier.stop()

    @property
    def active(self) -> int:
        """E2 subscriptions that nodes have admitted."""
        return sum(part.state is _State.MADE for part in self._by_instance.values())

    def subscribe(self, request: SubscriptionRequest) -> Subscription:
        """Begin to subscribe, or recognise a retransmission; raises RequestError 404, 400 or 503."""
        node = self._nodes.get(request.meid)
        if node is None or not node.connected:
            raise RequestError(503, f"no E2 connection with {request.meid}")
        known = self._by_contents.get(request.contents)
        if request.subscription_id:
            named = self._subscriptions.get(request.subscription_id)
            if named is None:
                raise RequestError(404, f"there is no subscription {request.subscription_id}")
            if named is not known:
                raise RequestError(400, f"subscription {named.id} has other contents: delete it first")
        if known is not None:
            self._notify_again(known)
            return known
        if len(self._by_instance) + len(request.details) > self._config.max_subscriptions:
            raise RequestError(503, f"all {self._config.max_subscriptions} subscriptions are in use")
        subscription = Subscription(uuid.uuid4().hex[:27], request)
        for detail in request.details:
            subscription.parts.append(self._allocate(request, detail))
        self._subscriptions[subscription.id] = subscription
        self._by_contents[request.contents] = subscription
        self._spawn(self._establish(subscription), subscription)
        return subscription

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; the node is told in the background. Raises RequestError 404.

        OSC lists subscriptions by their instance numbers, with which nothing can be ended there. Here it can, so
        that a restarted xApp gets rid of what it has left behind.
        """
        subscription = self._subscriptions.get(subscription_id)
        if subscription is not None:
            self._forget(subscription)
            for part in subscription.parts:
                self._end_at_node(part)
            return
        number = int(subscription_id) if subscription_id.isdecimal() and len(subscription_id) <= 5 else 0
        instance = self._by_instance.get(number)
        if instance is None or instance.state is not _State.MADE:
            raise RequestError(404, f"there is no subscription {subscription_id[:64]}")
        self._end_at_node(instance)
        self._sweep()

    def list(self) -> list[JsonValue]:
        """Every E2 subscription as submgr lists it."""
        return [
            {
                "SubscriptionId": part.instance,
                "Meid": part.node,
                "ClientEndpoint": [subscription.request.client.rmr_address],
                "SubscriptionInstances": [],
            }
            for subscription in self._subscriptions.values()
            for part in subscription.parts
            if part.state is _State.MADE
        ]

    def answered(self, node: Node, answer: SubscriptionAnswer) -> None:
        """Hand a node's answer to the procedure that waits for it."""
        part = self._by_instance.get(answer.request_id.instance)
        if part is None or not _is_awaited(part, node, answer):
            self._counters.drop("subscription_answer_unexpected")
        elif part.answer is not None and not part.answer.done():
            part.answer.set_result(answer)

    def node_lost(self, node: Node) -> None:
        """Drop all subscriptions of a node that has forgotten them; xApps that still wait are told."""
        self._drop(lambda part: part.node == node.name, f"E2 connection with {node.name} lost")

    def functions_deleted(self, node: Node, function_ids: frozenset[int]) -> None:
        """Drop the subscriptions to RAN functions a node has withdrawn."""
        self._drop(
            lambda part: part.node == node.name and part.function_id in function_ids,
            f"RAN function withdrawn by {node.name}",
        )

    def delete_required(self, node: Node, message: RicSubscriptionDeleteRequired) -> None:
        """End the subscriptions a node wants ended; the xApp is not told (as in OSC), the count tells."""
        for item in message.subscriptions:
            part = self._by_instance.get(item.request_id.instance)
            if part is None or part.node != node.name or part.state is not _State.MADE:
                self._counters.drop("delete_required_unknown")
                continue
            self._counters.drop("subscription_ended_by_node")
            log.warning(
                "subscription_ended_by_node", node=node.name, instance=part.instance, cause=str(item.cause)
            )
            self._end_at_node(part)
        self._sweep()

    def _allocate(self, request: SubscriptionRequest, detail: Detail) -> E2Subscription:
        instance = self._last_instance
        while True:
            instance = instance % MAX_INSTANCE_ID + 1
            if instance not in self._by_instance:
                break
        self._last_instance = instance
        part = E2Subscription(instance, request.meid, request.function_id, detail)
        self._by_instance[instance] = part
        return part

    async def _establish(self, subscription: Subscription) -> None:
        for part in subscription.parts:
            event_id = part.detail.event_id
            notice: JsonObject = {"XappEventInstanceId": event_id, "E2EventInstanceId": part.instance}
            notice |= {"ErrorCause": "", "ErrorSource": "", "TimeoutType": ""}
            try:
                notice["ErrorCause"] = await self._make(subscription.request, part)
                if notice["ErrorCause"]:
                    notice["ErrorSource"] = "E2Node"
                self._counters.subscriptions_made += 1
            except SubscriptionFailed as error:
                self._counters.subscriptions_failed += 1
                log.warning("subscription_failed", node=part.node, xapp_event=event_id, reason=str(error))
                notice |= {"E2EventInstanceId": 0, "ErrorCause": str(error)}
                notice |= {"ErrorSource": error.source, "TimeoutType": error.timeout_type}
            part.notice = notice
            self._spawn(self._notify(subscription, notice), subscription)
        self._sweep()

    async def _make(self, request: SubscriptionRequest, part: E2Subscription) -> str:
        """Subscribe at the node; what it did not admit, if anything. Raises SubscriptionFailed."""
        directives = request.directives
        message = RicSubscriptionRequest(
            RicRequestId(REQUESTOR_ID, part.instance),
            request.function_id,
            part.detail.event_trigger,
            part.detail.actions,
        )
        if directives is None or directives.routed:
            self._routes.add_subscription(part.instance, request.client.rmr_address)
        try:
            answer = await self._procedure(part, encode(message), request)
        except EncodeError as error:
            self._release(part)
            raise SubscriptionFailed(f"E2 RICSubscriptionRequest pack failure: {error}", source="ASN1") from None
        except TimeoutError:
            self._end_at_node(part)
            raise SubscriptionFailed("E2 RICSubscriptionResponse timeout", timeout_type="E2-Timeout") from None
        except SubscriptionFailed:
            self._release(part)
            raise
        if isinstance(answer, RicSubscriptionFailure):
            self._release(part)
            raise SubscriptionFailed(f"RICSubscriptionFailure. E2NodeCause: {answer.cause}", source="E2Node")
        assert isinstance(answer, RicSubscriptionResponse)
        part.state = _State.MADE
        return "; ".join(f"action {item.action_id} not admitted: {item.cause}" for item in answer.not_admitted)

    async def _procedure(
        self, part: E2Subscription, pdu: bytes, request: SubscriptionRequest | None = None
    ) -> SubscriptionAnswer:
        """Send a request and wait for the node's answer; raises TimeoutError, SubscriptionFailed."""
        timeout_s, tries = self._config.e2_timeout_s, self._config.e2_retries + 1
        if request is not None and request.directives is not None:
            directives = request.directives
            timeout_s = directives.timeout_s
            tries = tries if directives.retries is None else directives.retries + 1
        answer = part.answer = asyncio.get_running_loop().create_future()
        try:
            for attempt in range(tries):
                node = self._nodes.get(part.node)
                if node is None or not node.connected:
                    raise SubscriptionFailed(f"E2 connection with {part.node} lost", source="E2Node")
                part.sent = node.send(pdu) or part.sent
                try:
                    async with asyncio.timeout(timeout_s):
                        return await asyncio.shield(answer)
                except TimeoutError:
                    log.info("subscription_unanswered", node=part.node, instance=part.instance, attempt=attempt)
            raise TimeoutError
        finally:
            answer.cancel()
            if part.answer is answer:
                part.answer = None

    def _end_at_node(self, part: E2Subscription) -> None:
        """Begin to delete a subscription at its node; its instance id stays taken until that is over."""
        if part.state is _State.ENDED:
            return
        part.state = _State.ENDED
        if part.sent:
            self._spawn(self._delete(part))
        else:
            self._release(part)

    async def _delete(self, part: E2Subscription) -> None:
        message = RicSubscriptionDeleteRequest(RicRequestId(REQUESTOR_ID, part.instance), part.function_id)
        try:
            await self._procedure(part, encode(message))
        except (TimeoutError, SubscriptionFailed, EncodeError) as error:
            self._counters.drop("delete_unanswered")
            log.info("subscription_delete_unanswered", node=part.node, instance=part.instance, reason=str(error))
        finally:
            self._release(part)

    def _drop(self, concerns: Callable[[E2Subscription], bool], reason: str) -> None:
        for part in [part for part in self._by_instance.values() if concerns(part)]:
            if part.answer is not None and not part.answer.done():
                part.answer.set_exception(SubscriptionFailed(reason, source="E2Node"))
            if part.state is _State.MADE:
                self._counters.drop("subscription_lost")
                self._release(part)
        self._sweep()

    def _release(self, part: E2Subscription) -> None:
        part.state = _State.ENDED
        if self._by_instance.get(part.instance) is part:
            del self._by_instance[part.instance]
            self._routes.remove_subscription(part.instance)

    def _sweep(self) -> None:
        """Forget what has no living part, so that the same request subscribes anew."""
        for subscription in list(self._subscriptions.values()):
            if all(part.state is _State.ENDED for part in subscription.parts):
                self._remove(subscription)

    def _forget(self, subscription: Subscription) -> None:
        self._remove(subscription)
        for task in list(subscription.tasks):
            task.cancel()

    def _remove(self, subscription: Subscription) -> None:
        self._subscriptions.pop(subscription.id, None)
        contents = subscription.request.contents
        if self._by_contents.get(contents) is subscription:
            del self._by_contents[contents]

    def _notify_again(self, subscription: Subscription) -> None:
        if subscription.settled:
            for part in subscription.parts:
                if part.notice is not None:
                    self._spawn(self._notify(subscription, part.notice), subscription)

    async def _notify(self, subscription: Subscription, notice: JsonObject) -> None:
        body: JsonObject = {"SubscriptionId": subscription.id, "SubscriptionInstances": [notice]}
        await self._notifier.send(subscription.request.client.notification_url, body)

    def _spawn(self, work: Coroutine[None, None, None], subscription: Subscription | None = None) -> None:
        task = asyncio.create_task(work)
        for tasks in (self._tasks, subscription.tasks if subscription is not None else set()):
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def _is_awaited(part: E2Subscription, node: Node, answer: SubscriptionAnswer) -> bool:
    """Whether a node's answer is to our request, and to the kind of request that is under way."""
    ends = isinstance(answer, RicSubscriptionDeleteResponse | RicSubscriptionDeleteFailure)
    mine = answer.request_id.requestor == REQUESTOR_ID and part.node == node.name
    return mine and part.answer is not None and ends == (part.state is _State.ENDED)
