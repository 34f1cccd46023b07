"""A running loop for the tests: RIC, nodes and xApp as processes, watched and restarted as the demo does it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from oran.slices import hard_ratios, valid
from ranloop.kpi_log import KpiLog
from ranloop.processes import Process
from ranloop.stack import HOST, Stack, free_ports

PERIOD_MS = 100
DEADLINE_S = 60.0
"""For whatever must happen: generous, since it is reached only by a failure."""
POLL_S = 0.1
WINDOW_STEPS = 24
"""Steps over which streams are counted."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One scrape. A sample that is not there counts 0."""

    values: dict[tuple[str, frozenset[tuple[str, str]]], float]

    @classmethod
    def of(cls, text: str) -> "Samples":
        families = text_string_to_metric_families(text)
        samples = (sample for family in families for sample in family.samples)
        return cls({(item.name, frozenset(item.labels.items())): item.value for item in samples})

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples that carry these labels."""
        wanted = set(labels.items())
        return sum(value for (found, own), value in self.values.items() if found == name and wanted <= own)

    def has(self, name: str, **labels: str) -> bool:
        """Whether there is such a sample."""
        wanted = set(labels.items())
        return any(found == name and wanted <= own for found, own in self.values)


@dataclass(slots=True)
class NodeProcess:
    """A process with one DU: its name at the RIC, and what it truly did."""

    process: Process
    name: str
    log: KpiLog

    @property
    def steps(self) -> int:
        """Steps since the first start."""
        self.log.poll()
        return len(self.log.steps)

    @property
    def quotas(self) -> np.ndarray:
        """Quotas under which each step ran, [steps, slices, 3]."""
        self.log.poll()
        return np.array([step["quotas"][0] for step in self.log.steps], dtype=np.float64)

    @property
    def default(self) -> np.ndarray:
        """The quotas of a cell that nobody controls; unlike any the xApp decides."""
        return hard_ratios(3)

    def controlled(self) -> bool:
        """Whether the last step ran under quotas that the xApp set."""
        return bool(self.steps) and not np.array_equal(self.quotas[-1], self.default)


@dataclass(slots=True)
class Loop:
    """The processes, and questions to them. Whatever waits starts again what has died."""

    stack: Stack
    ric: Process
    xapp: Process
    nodes: list[NodeProcess]
    events: list[str] = field(default_factory=list)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10, trust_env=False))

    def get(self, url: str) -> httpx.Response:
        """GET over kept connections: a new one for each question would cost more than the loop does."""
        return self.client.get(url)

    @property
    def processes(self) -> list[Process]:
        return [self.ric, *(node.process for node in self.nodes), self.xapp]

    def watch(self) -> None:
        """Start again what has died; stopped processes stay as they are."""
        for process in self.processes:
            if event := process.watch():
                self.events.append(event)

    def until(self, condition: Callable[[], object], what: object, *, watch: bool = True) -> None:
        """Wait for a condition; a server that is down counts as not yet. Unwatched, what has died stays dead.

        `what` is told when it does not come, as it is then.
        """
        deadline = time.monotonic() + DEADLINE_S
        while True:
            if watch:
                self.watch()
            with contextlib.suppress(httpx.TransportError):
                if condition():
                    return
            assert time.monotonic() < deadline, f"in {DEADLINE_S:g} s not: {what}\n{self.told()}"
            time.sleep(POLL_S)

    def kill(self, process: Process) -> int:
        """kill -9; returns how often the process had been started again before."""
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        return process.restarts

    def metrics(self) -> Samples:
        """The xApp's metrics."""
        return Samples.of(self.get(self.stack.metrics_url).text)

    def ric_metrics(self) -> Samples:
        """The RIC's metrics."""
        return Samples.of(self.get(f"http://{HOST}:{self.stack.ric_ports['e2mgr']}/metrics").text)

    def subscriptions(self) -> Counter[str]:
        """How many E2 subscriptions the RIC holds of each node."""
        return Counter(str(item["Meid"]) for item in self.get(self.stack.subscriptions_url).json())

    def running(self, *nodes: NodeProcess) -> bool:
        """Whether these nodes, and no others, report to the xApp and are controlled by it."""
        metrics = self.metrics()
        return (
            metrics("ranloop_ready") == 1
            and metrics("ranloop_nodes") == metrics("ranloop_subscriptions") == len(nodes)
            and self.subscriptions() == Counter(node.name for node in nodes)
            and all(fresh(metrics, node) and node.controlled() for node in nodes)
        )

    def until_running(self, *nodes: NodeProcess) -> None:
        """Wait until the loop is closed over these nodes, by default over all."""
        chosen = nodes or tuple(self.nodes)
        self.until(lambda: self.running(*chosen), f"closed over {[node.name for node in chosen]}")

    def goes_on(self, *nodes: NodeProcess) -> None:
        """Wait until nodes have stepped, and the xApp has decided on them, some times more."""
        steps = {node.name: node.steps for node in nodes}
        decisions = self.metrics()("ranloop_decisions_total")
        self.until(
            lambda: (
                all(node.steps >= steps[node.name] + 5 for node in nodes)
                and self.metrics()("ranloop_decisions_total") >= decisions + 5 * len(nodes)
            ),
            f"{list(steps)} go on",
        )

    def check_single_streams(self) -> None:
        """Each step gives one indication, one decision, and at most one control; none of them goes astray."""

        def counts() -> tuple[float, float, float, float]:
            ric, xapp = self.ric_metrics(), self.metrics()
            return (
                ric("ranloop_ric_indications_total"),
                xapp("ranloop_decisions_total"),
                ric("ranloop_ric_controls_total"),
                xapp("ranloop_dropped_messages_total", reason="unknown_subscription"),
            )

        def steps() -> int:
            return sum(node.steps for node in self.nodes)

        before, first, after = steps(), counts(), steps()
        self.until(lambda: steps() >= after + WINDOW_STEPS * len(self.nodes), "steps to count")
        least = steps() - after
        last = counts()
        most = steps() - before
        indications, decisions, controls, astray = np.subtract(last, first)
        # What is between two sockets when it is counted: a few steps of each node.
        slack = 4 * len(self.nodes)
        assert least - slack <= indications <= most + slack
        assert least - slack <= decisions <= most + slack
        assert controls <= most + slack
        assert astray == 0, self.told()

    def check_quotas(self) -> None:
        """No step of any node ran under quotas that break a rule."""
        for node in self.nodes:
            assert valid(node.quotas).all()

    def told(self) -> str:
        """What is known when something does not happen."""
        logs = "\n".join(f"--- {process.name}\n{process.tail(8)}" for process in self.processes)
        return f"{self.events}\n{logs}"


def fresh(metrics: Samples, node: NodeProcess) -> bool:
    """Whether a node's last report is of late."""
    return metrics.has("ranloop_kpi_age_seconds", node=node.name) and (
        metrics("ranloop_kpi_age_seconds", node=node.name) < 1
    )


@contextlib.contextmanager
def a_loop(
    folder: Path, *, nodes: int = 2, ues: int = 12, xapp: tuple[str, ...] = (), controller: str = "demand"
) -> Iterator[Loop]:
    """A loop of one-DU node processes that is closed when it is handed over; all ends with it, by process id."""
    stack = Stack(folder)
    members = []
    for number in range(1, nodes + 1):
        path = folder / f"node{number}.jsonl"
        arguments = ("--nodes=1", f"--ues={ues}", f"--first-du={number}", f"--period-ms={PERIOD_MS}")
        process = stack.nodes(*arguments, "--quotas=hard", f"--kpi-log={path}", name=f"node{number}")
        members.append(NodeProcess(process, f"gnbd_001_001_00019b_{number:x}", KpiLog(path)))
    loop = Loop(stack, stack.ric(), stack.xapp(*xapp, controller=controller, period_ms=PERIOD_MS), members)
    try:
        for process in loop.processes:
            process.start()
        for process in loop.processes:
            process.ready()
        loop.until_running()
        yield loop
    finally:
        for process in reversed(loop.processes):
            process.stop()
        loop.client.close()


@contextlib.contextmanager
def a_redis(folder: Path) -> Iterator[str | None]:
    """HOST:PORT of a Redis server of our own; None where the program is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    (port,) = free_ports(1)
    options = ["--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        try:
            yield f"{HOST}:{port}"
        finally:
            server.terminate()
