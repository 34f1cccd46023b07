"""`ranloop demo`: the closed loop on the wire, in three phases on one machine.

Static quotas, then the controller on the same cells, users and traffic, then an A1 policy that tightens URLLC. The
RIC, the nodes and the xApp are processes of their own and speak E2AP, RMR and REST over loopback; each may be
killed while the demo runs and is started again. What is shown and scored is what the nodes truly delivered.
"""

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from oran.a1.slice_sla import POLICY_TYPE, TYPE_ID
from oran.sla import SliceSla
from ranloop.errors import RanloopError
from ranloop.kpi_log import KpiLog
from ranloop.phases import Phase
from ranloop.processes import Process
from ranloop.report import write_report
from ranloop.stack import Stack
from ranloop.table import View
from twin.network.scenario import Scenario

WARM_UP_S = 3.0
POLL_S = 0.25
URLLC_SST = 2
POLICY_ID = "tight-urllc"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoConfig:
    """What the demo runs; the radio and the traffic are those of the default scenario."""

    nodes: int = 6
    ues: int = 200
    period_ms: int = 100
    seed: int = 1
    phase_s: float = 30.0
    policy_s: float = 12.0
    reference: str = "static"
    trace: Path | None = None
    out: Path = Path("out/demo")

    def scenario(self) -> Scenario:
        """The default scenario with these numbers; raises RanloopError for one that is out of range."""
        try:
            substep_s = min(Scenario().substep_s, self.period_ms / 1e3)
            return Scenario(cells=self.nodes, ues=self.ues, step_s=self.period_ms / 1e3, substep_s=substep_s)
        except ValueError as error:
            raise RanloopError(str(error)) from error

    def command(self) -> str:
        """The command line that makes this demo again."""
        trace = f" --trace {self.trace}" if self.trace else ""
        return (
            f"ranloop demo --nodes {self.nodes} --ues {self.ues} --period-ms {self.period_ms} --seed {self.seed} "
            f"--seconds {self.phase_s:g} --reference {self.reference}{trace}"
        )


@dataclass(slots=True)
class Demo:
    """One run of the demo."""

    config: DemoConfig
    events: list[str] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)
    _running: list[Process] = field(default_factory=list)

    def run(self, *, as_json: bool = False) -> dict[str, object]:
        """Run all phases, write the report and print the summary; RanloopError says what failed."""
        config, scenario = self.config, self.config.scenario()
        out = config.out
        out.mkdir(parents=True, exist_ok=True)
        for old in (*out.glob("*.jsonl"), *out.glob("*.log"), *out.glob("*.ready")):
            old.unlink()
        scenario.save(out / "scenario.json")
        stack = Stack(out)
        view = View(scenario.slas, quiet=as_json)
        try:
            with view:
                self._start(stack.ric())
                self._reference(stack, scenario, view)
                self._controlled(stack, scenario, view)
        finally:
            self._stop_all()
        summary = self._summary()
        report = out / "report.html"
        write_report(
            report,
            self.phases,
            introduction=self._introduction(scenario),
            command=config.command(),
            events=self.events,
        )
        (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        print(json.dumps(summary)) if as_json else view.conclude(self.phases, report)
        return summary

    def _reference(self, stack: Stack, scenario: Scenario, view: View) -> None:
        log = self._loop(stack, scenario, self.config.reference)
        self._watch(self.config.phase_s, log, view, self.config.reference, scenario.slas)
        self.phases.append(log.phase(self.config.reference, scenario.slas))
        self._stop("xapp", "nodes")

    def _controlled(self, stack: Stack, scenario: Scenario, view: View) -> None:
        log = self._loop(stack, scenario, "demand")
        self._watch(self.config.phase_s, log, view, "controlled", scenario.slas)
        self.phases.append(log.phase("controlled", scenario.slas))
        steps = min(phase.steps for phase in self.phases)
        self.phases = [phase.first(steps) for phase in self.phases]
        start = len(log.steps)
        tight = self._tighten(stack, scenario)
        self._watch(self.config.policy_s, log, view, "A1 policy", tight, start)
        self.phases.append(log.phase("A1 policy", tight, start))

    def _loop(self, stack: Stack, scenario: Scenario, controller: str) -> KpiLog:
        """Start the nodes, at time zero of their seed, and the xApp."""
        config = self.config
        path = config.out / f"{controller}.jsonl"
        self._start(stack.xapp(controller=controller, period_ms=config.period_ms), wait=False)
        trace = (f"--trace={config.trace}",) if config.trace else ()
        scenario_file = f"--scenario={config.out / 'scenario.json'}"
        quotas = f"--quotas={'hard' if controller == 'hard' else 'static'}"
        self._start(
            stack.nodes(scenario_file, f"--seed={config.seed}", f"--kpi-log={path}", quotas, *trace), wait=False
        )
        for process in self._running:
            process.ready()
        return KpiLog(path, warm_up=round(WARM_UP_S / scenario.step_s))

    def _watch(
        self, seconds: float, log: KpiLog, view: View, name: str, slas: tuple[SliceSla, ...], start: int = 0
    ) -> None:
        """Show the phase until it has recorded its seconds, starting again what dies."""
        wanted = start + round(seconds / log.step_s)
        deadline = time.monotonic() + 3 * seconds + 30
        while len(log.steps) < wanted:
            if time.monotonic() > deadline:
                raise RanloopError(
                    f"the phase {name!r} recorded {len(log.steps) - start} of {wanted - start} steps in "
                    f"{3 * seconds + 30:.0f} s; see the logs in {self.config.out}"
                )
            for process in self._running:
                if event := process.watch():
                    self._event(event)
            log.poll()
            done = (len(log.steps) - start) / (wanted - start)
            phase = log.phase(name, slas, start) if len(log.steps) > start else None
            view.show(name, done, phase, self._running, self.events)
            time.sleep(POLL_S)

    def _tighten(self, stack: Stack, scenario: Scenario) -> tuple[SliceSla, ...]:
        """Put the A1 policy that tightens URLLC's delay; returns the promises that hold from then on."""
        old = next(sla for sla in scenario.slas if sla.slice.sst == URLLC_SST and sla.delay_s)
        assert old.delay_s is not None
        new = replace(old, delay_s=old.delay_s * 0.6)
        assert new.delay_s is not None
        slice_id: dict[str, object] = {"sst": new.slice.sst, "plmnId": {"mcc": "001", "mnc": "01"}}
        if new.slice.sd is not None:
            slice_id["sd"] = f"{new.slice.sd:06x}"
        policy = {
            "scope": {"sliceId": slice_id},
            "sliceSlaObjectives": {"maxDlPacketDelayPerUe": new.delay_s * 1e3},
            "intentText": "Remote control of cranes begins: keep URLLC quick, video may wait.",
        }
        types = f"{stack.a1_url}/policytypes/{TYPE_ID}"
        self._put(types, POLICY_TYPE, 201)
        self._put(f"{types}/policies/{POLICY_ID}", policy, 202)
        status = self._enforced(f"{types}/policies/{POLICY_ID}/status")
        self._event(f"A1 policy: URLLC delay at most {new.delay_s * 1e3:g} ms, status {status}")
        return tuple(new if sla is old else sla for sla in scenario.slas)

    def _put(self, url: str, body: object, expected: int) -> None:
        import httpx

        answer = httpx.put(url, json=body, timeout=5)
        if answer.status_code != expected:
            raise RanloopError(f"PUT {url} answered {answer.status_code}: {answer.text}")

    def _enforced(self, url: str) -> str:
        """Wait until the xApp has answered; the policy's status."""
        import httpx

        deadline, status = time.monotonic() + 5, "?"
        while time.monotonic() < deadline:
            status = str(httpx.get(url, timeout=5).json().get("enforceStatus"))
            if status == "ENFORCED":
                break
            time.sleep(0.1)
        return status

    def _start(self, process: Process, *, wait: bool = True) -> None:
        process.start()
        self._running.append(process)
        if wait:
            process.ready()

    def _stop(self, *names: str) -> None:
        for process in [item for item in self._running if item.name in names]:
            process.stop()
            self._running.remove(process)

    def _stop_all(self) -> None:
        self._stop("xapp")
        self._stop("nodes")
        self._stop(*[process.name for process in self._running])

    def _event(self, text: str) -> None:
        self.events.append(f"{time.monotonic() - self._began_s:6.1f} s  {text}")

    def _introduction(self, scenario: Scenario) -> str:
        return (
            f"{scenario.cells} DUs, {scenario.ues} UEs, control every {self.config.period_ms} ms, load factor "
            f"{scenario.load_factor:g}, seed {self.config.seed}. The phases {self.phases[0].name!r} and "
            "'controlled' run on the same cells, users, fading and traffic. The A1 policy comes after them, on "
            "the traffic that follows, and its phase is scored by the tighter promise to URLLC."
        )

    def _summary(self) -> dict[str, object]:
        names = [sla.name or str(sla.slice) for sla in self.phases[0].slas]

        def shares(phase: Phase) -> dict[str, float]:
            return dict(zip(("all", *names), map(_rounded, phase.shares()), strict=True))

        before = replace(self.phases[1], slas=self.phases[2].slas)
        return {
            "seed": self.config.seed,
            "steps": self.phases[0].steps,
            "satisfaction": {phase.name: shares(phase) for phase in self.phases},
            "gain": _rounded(self.phases[1].shares()[0] - self.phases[0].shares()[0]),
            "tight_promise_before_policy": shares(before),
            "restarts": sum("started again" in event for event in self.events),
        }


def _rounded(value: float) -> float:
    return round(value, 4)
