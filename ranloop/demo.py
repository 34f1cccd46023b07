"""`ranloop demo`: the closed loop on the wire, in phases on one machine.

Static quotas, then each controller on the same cells, users and traffic, then an A1 policy that tightens URLLC,
under the last one. The RIC, the nodes and the xApp are processes of their own and speak E2AP, RMR and REST over
loopback; each may be killed while the demo runs and is started again. What is shown and scored is what the nodes
truly delivered.
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
from xapps.slicing.controllers import NAMES

WARM_UP_S = 3.0
POLL_S = 0.25
URLLC_SST = 2
POLICY, POLICY_ID = "A1 policy", "tight-urllc"


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
    controllers: tuple[str, ...] = ("learned",)
    trace: Path | None = None
    out: Path = Path("out/demo")

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in NAMES:
                raise RanloopError(f"controller is {name!r}; it must be one of {', '.join(NAMES)}")
        if not self.controllers or len(set(self.names)) < len(self.names):
            raise RanloopError(
                f"controllers are {', '.join(self.controllers) or 'none'} beside the reference {self.reference}; "
                "name at least one, and none twice"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The phases that are compared, by what decides the quotas."""
        return (self.reference, *self.controllers)

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
        chosen = "".join(f" --controller {name}" for name in self.controllers)
        return (
            f"ranloop demo --nodes {self.nodes} --ues {self.ues} --period-ms {self.period_ms} --seed {self.seed} "
            f"--seconds {self.phase_s:g} --reference {self.reference}{chosen}{trace}"
        )


@dataclass(slots=True)
class Demo:
    """One run of the demo."""

    config: DemoConfig
    events: list[str] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)
    _running: list[Process] = field(default_factory=list)

    def run(self, *, as_json: bool = False, tell: bool = True) -> dict[str, object]:
        """Run all phases, write the report and, where `tell`, print the summary; RanloopError says what failed."""
        config, scenario = self.config, self.config.scenario()
        out = config.out
        out.mkdir(parents=True, exist_ok=True)
        for old in (*out.glob("*.jsonl"), *out.glob("*.log"), *out.glob("*.ready")):
            old.unlink()
        scenario.save(out / "scenario.json")
        stack = Stack(out)
        view = View(scenario.slas, quiet=as_json or not tell)
        try:
            with view:
                self._start(stack.ric())
                for name in config.names:
                    self._stop("xapp", "nodes")
                    log = self._loop(stack, scenario, name)
                    self._watch(config.phase_s, log, view, name, scenario.slas)
                    self.phases.append(log.phase(name, scenario.slas))
                steps = min(phase.steps for phase in self.phases)
                self.phases = [phase.first(steps) for phase in self.phases]
                self._policy(stack, scenario, view, log)
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
        if tell:
            print(json.dumps(summary)) if as_json else view.conclude(self.phases, report)
        return summary

    def _policy(self, stack: Stack, scenario: Scenario, view: View, log: KpiLog) -> None:
        """The phase under the A1 policy: the last controller goes on."""
        start = len(log.steps)
        tight = self._tighten(stack, scenario)
        self._watch(self.config.policy_s, log, view, POLICY, tight, start)
        self.phases.append(log.phase(POLICY, tight, start))

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
            f"{scenario.load_factor:g}, seed {self.config.seed}. The phases {', '.join(self.config.names)} "
            "run on the same cells, users, fading and traffic. The A1 policy comes after them, on the traffic "
            "that follows, and its phase is scored by the tighter promise to URLLC."
        )

    def _summary(self) -> dict[str, object]:
        names = [sla.name or str(sla.slice) for sla in self.phases[0].slas]

        def shares(phase: Phase) -> dict[str, float]:
            return dict(zip(("all", *names), map(_rounded, phase.shares()), strict=True))

        *compared, policy = self.phases
        first, last = compared[0], compared[-1]
        return {
            "seed": self.config.seed,
            "steps": first.steps,
            "satisfaction": {phase.name: shares(phase) for phase in self.phases},
            "return": {phase.name: _rounded(phase.reward()) for phase in self.phases},
            "gain": {phase.name: _rounded(phase.shares()[0] - first.shares()[0]) for phase in compared[1:]},
            "min_percent": {
                phase.name: dict(zip(names, map(_rounded, phase.mean_min_percent()), strict=True))
                for phase in self.phases
            },
            "tight_promise_before_policy": shares(replace(last, slas=policy.slas)),
            "restarts": sum("started again" in event for event in self.events),
        }


def _rounded(value: float) -> float:
    return round(value, 4)
