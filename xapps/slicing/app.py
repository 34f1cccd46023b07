"""The slicing xApp: KPM indications in, slice quotas out, steered by A1 policies and kept by the RIC platform.

An indication is decoded, observed, decided on, guarded and answered by a control in one synchronous stretch, so
that nothing comes in between (budget: 10 ms from the last octet read to the last written). All else, such as
finding nodes and keeping subscriptions, happens beside it in `upkeep`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from oran.a1.errors import A1Error
from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import RicControlAcknowledge, RicControlFailure
from oran.e2.errors import DecodeError
from oran.logs import get_logger
from oran.rest import JsonObject, RestServer, serve
from oran.rmr.errors import TransportClosed
from oran.rmr.message import RmrMessage
from oran.rmr.transport import Transport
from oran.rmr.types import (
    A1_POLICY_REQ,
    A1_POLICY_RESP,
    RIC_CONTROL_ACK,
    RIC_CONTROL_FAILURE,
    RIC_INDICATION,
)
from oran.sdl import MemorySdl, Sdl
from xapps.slicing.actuation import Actuator
from xapps.slicing.cell import Decision
from xapps.slicing.config import Role, XappConfig
from xapps.slicing.endpoints import make_app
from xapps.slicing.errors import ReportError
from xapps.slicing.fleet import ControlledCell, Fleet
from xapps.slicing.guard import Reason
from xapps.slicing.intake import Intake
from xapps.slicing.metrics import XappMetrics
from xapps.slicing.model_metrics import CritiqueMetrics, ModelMetrics
from xapps.slicing.originals import Originals
from xapps.slicing.oversight import Oversight
from xapps.slicing.policies import PolicyStore
from xapps.slicing.quiet import Quiet
from xapps.slicing.reload import Reload, first_model, folder_of
from xapps.slicing.restoration import Restoration
from xapps.slicing.succession import Succession
from xapps.slicing.upkeep import Upkeep

MESSAGES_PER_TURN = 16
"""Messages handled before the other tasks of the loop get their turn."""

NAME = "ranloop-slicing"

_log = get_logger(__name__)


class SlicingXapp:
    """One xApp over one RMR transport, which it starts and stops.

    `descriptor` is what the application manager and `/ric/v1/config` are told; `control_port` tells the port for
    route tables once the transport runs; `sdl` keeps original quotas and subscription ids over a crash. Raises
    SettingsError where the controller is `learned` and its model cannot be used.
    """

    def __init__(
        self,
        config: XappConfig,
        transport: Transport,
        *,
        descriptor: JsonObject | None = None,
        sdl: Sdl | None = None,
        control_port: Callable[[], int] = lambda: 0,
    ) -> None:
        self.config = config
        self.transport = transport
        self.policies = PolicyStore(config.promises, config.plmn_digits, handler_id=NAME)
        self._sdl = sdl = sdl or MemorySdl()
        originals = Originals(sdl, config.snssais)
        self.models = self._models()
        """The models of the controller `learned`."""
        self._reload = None if self.models is None else Reload(config, self.models, lambda: self.policies.words)
        self.fleet = Fleet(config, originals, self.models)
        self.oversight = Oversight(config, sdl, self.fleet, self.models)
        self.metrics = XappMetrics(
            self.fleet.loops, lambda: self.policies.promises, self._gauges, self._totals, time.monotonic
        )
        if self.models is not None:
            self.metrics.registry.register(ModelMetrics(self.models))
        if self.oversight.critique is not None:
            self.metrics.registry.register(CritiqueMetrics(self.oversight.critique))
        self._restoration = Restoration(originals, self.fleet)
        self.actuator = Actuator(
            config,
            self.fleet,
            send=transport.send,
            count=self.metrics.control,
            original_found=self._restoration.keep,
        )
        self._intake = Intake(self.fleet, self.metrics)
        self._descriptor = descriptor or {}
        self._control_port = control_port
        self._quiet = Quiet(_log)
        self._upkeep: Upkeep | None = None
        self._server: RestServer | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._handlers: dict[int, Callable[[RmrMessage], None]] = {
            RIC_INDICATION: self._on_indication,
            RIC_CONTROL_ACK: self._on_answer,
            RIC_CONTROL_FAILURE: self._on_answer,
            A1_POLICY_REQ: self._on_policy,
        }

    def _models(self) -> Succession | None:
        """The models that decide or, for a critic, judge; a critic takes each new one at once."""
        config, judge = self.config, self.config.role is Role.CRITIC
        if config.controller != "learned" and not (judge and (config.model or folder_of(config).is_dir())):
            return None
        periods = 0 if judge else config.shadow_periods
        return Succession(first_model(config), periods, lambda: len(self.fleet.cells()))

    @property
    def ready(self) -> bool:
        """Whether messages can be routed and the RIC platform answers."""
        return self.transport.ready and self._upkeep is not None and self._upkeep.platform_up

    @property
    def http_address(self) -> str:
        """Host and port of the HTTP server, empty before start."""
        return self._server.address if self._server is not None else ""

    async def start(self) -> None:
        """Listen and begin; the RIC need not be there yet. Raises OSError when a port or file is not to be had."""
        self.oversight.open()
        try:
            await self.transport.start()
            upkeep = Upkeep(self.config, self.fleet, self.actuator, self.transport, self._sdl)
            app = make_app(
                more=[*upkeep.notification_routes, *(self._reload.routes() if self._reload is not None else ())],
                ready=lambda: self.ready,
                metrics=self.metrics.text,
                descriptor=lambda: upkeep.descriptor,
            )
            self._server = await serve(app, self.config.listen_host, self.config.http_port)
            upkeep.begin(self._descriptor, http_port=self._server.port, control_port=self._control_port())
        except BaseException:
            await self._close()
            raise
        self._upkeep = upkeep
        self._tasks = [
            asyncio.create_task(self._receive(), name="xapp-receive"),
            asyncio.create_task(self._watch(), name="xapp-watch"),
            asyncio.create_task(upkeep.run(), name="xapp-upkeep"),
        ]
        if self.models is not None and self._reload is not None:
            self._tasks.append(asyncio.create_task(self._reload.run(), name="xapp-reload"))
            self._tasks.append(asyncio.create_task(self.models.follow(), name="xapp-shadow"))
        self._tasks += [asyncio.create_task(task, name="xapp-oversight") for task in self.oversight.tasks()]
        _log.info("xapp_started", http=self.http_address, controller=self.config.controller)

    async def stop(self) -> None:
        """Give the original quotas back, unsubscribe, deregister, close. A second call does nothing."""
        upkeep, self._upkeep = self._upkeep, None
        if upkeep is not None:
            # From here on indications are passed over, so that no decision undoes what is restored.
            beside = self._tasks[1:]
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            # Before the subscriptions end: the answers are routed by them.
            await self._restoration.run(self.actuator)
            await self.oversight.withdraw()
            await upkeep.end_subscriptions()
            await upkeep.close()
        await self._close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def handle(self, message: RmrMessage) -> None:
        """Act on one RMR message. Whatever is wrong with it is counted and logged, and nothing is raised."""
        handler = self._handlers.get(message.mtype)
        if handler is None:
            self._drop("unexpected_type", message, f"RMR message type {message.mtype}")
            return
        try:
            handler(message)
        except DecodeError as error:
            self._drop("undecodable", message, str(error))
        except ReportError as error:
            self._drop(error.reason, message, str(error))
        except A1Error as error:
            self._drop("policy_unreadable", message, error.reason)
        except Exception as error:
            self._drop("internal_error", message, repr(error))
            _log.exception("internal_error")

    def _on_indication(self, message: RmrMessage) -> None:
        if self._upkeep is None:
            return
        reading = self._intake.read(message, self._upkeep.subscriptions.find(message.meid, message.sub_id))
        if reading is None:
            return
        cell, kpis = reading
        now_s, time_s = time.monotonic(), time.time()
        told = self.oversight.before(cell.loop, time_s)
        decision = cell.loop.on_report(kpis, self.policies.targets, now_s=now_s, time_s=time_s)
        if self.config.role is not Role.CRITIC:
            self.actuator.put_in_force(cell, decision.policy, now_s)
        if message.received_s:
            self.metrics.latency.observe(time.perf_counter() - message.received_s)
        self._count(cell, decision)
        self.oversight.after(cell.loop, decision, told, time_s)

    def _count(self, cell: ControlledCell, decision: Decision) -> None:
        """Count a decision, after its control has left."""
        self.metrics.decisions.inc()
        self.metrics.intervened(decision.reasons)
        if Reason.CONTROLLER in decision.reasons:
            self.metrics.controller_errors.inc()
            self._quiet.warning("controller_failed", cell.loop.node, reason=cell.loop.error)

    def _on_answer(self, message: RmrMessage) -> None:
        pdu = decode(message.payload)
        if not isinstance(pdu, RicControlAcknowledge | RicControlFailure):
            raise ReportError("unexpected_pdu", type(pdu).__name__)
        if self.actuator.answered(message.meid, pdu, time.monotonic()) is None:
            raise ReportError("unexpected_answer", message.meid)

    def _on_policy(self, message: RmrMessage) -> None:
        _, answer = self.policies.handle(message.payload)
        if self._reload is not None:
            self._reload.wake()
        result = self.transport.reply(message, A1_POLICY_RESP, answer)
        if not result:
            self._quiet.warning("policy_status_not_sent", message.source, reason=result.value)

    def _drop(self, reason: str, message: RmrMessage, detail: str) -> None:
        self.metrics.drop(reason)
        self._quiet.warning("message_dropped", reason, meid=message.meid, detail=detail[:300])

    async def _receive(self) -> None:
        """Handle messages until the transport stops."""
        handled = 0
        with contextlib.suppress(TransportClosed):
            while True:
                self.handle(await self.transport.receive())
                handled += 1
                if handled % MESSAGES_PER_TURN == 0:
                    await asyncio.sleep(0)

    async def _watch(self) -> None:
        """Each period: look after cells that fell silent, controls without answer, and the experience file."""
        while True:
            await asyncio.sleep(self.config.period_s)
            now_s = time.monotonic()
            try:
                for cell in self.fleet.cells():
                    self._look_after(cell, now_s)
                self.actuator.expire(now_s)
            except Exception:
                _log.exception("watch_failed")
            self.oversight.flush()

    def _look_after(self, cell: ControlledCell, now_s: float) -> None:
        """Hold a silent cell's quotas, and after long bring the static ones back."""
        decision = cell.loop.on_silence(self.policies.targets, now_s)
        if decision is not None and self.config.role is not Role.CRITIC:
            self.metrics.intervened(decision.reasons)
            if Reason.STATIC in decision.reasons:
                self.actuator.put_in_force(cell, decision.policy, now_s)

    async def _close(self) -> None:
        await self.transport.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
        self.oversight.close()

    def _gauges(self) -> dict[str, float]:
        upkeep = self._upkeep
        return {
            "nodes": self.fleet.nodes,
            "cells": len(self.fleet.cells()),
            "subscriptions": 0 if upkeep is None else len(upkeep.subscriptions.active),
            "a1_policies": len(self.policies),
            "controls_outstanding": self.actuator.outstanding,
            "ready": float(self.ready),
            "dry_run": float(self.config.dry_run),
        }

    def _totals(self) -> dict[str, dict[str, float]]:
        counters = self.transport.counters
        totals: dict[str, dict[str, float]] = {
            "rmr_messages": {"received": counters.received, "sent": counters.sent},
            "rmr_dropped": dict(counters.dropped),
        }
        if self._upkeep is not None:
            made = self._upkeep.subscriptions.counters
            totals["subscription_events"] = {
                "created": made.created,
                "deleted": made.deleted,
                "lost": made.lost,
                "stale_deleted": made.stale_deleted,
                **{f"failed_{reason}": count for reason, count in made.failed.items()},
            }
        return totals
