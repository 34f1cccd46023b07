"""Branched: an agent trained by branching, from a first policy by soft actor-critic, evaluated as all others."""

import json
from dataclasses import asdict, dataclass, replace
from time import perf_counter, process_time

from training.experiments.run import Result, Task
from training.experiments.trained import BASE, Evaluate, as_it_is, keep
from training.slicing.branching_rounds import PRESETS, Branching, Rounds, agent_of, policy_of, start_of
from training.slicing.config import Config
from training.slicing.train import CHECKPOINT, CONFIG, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class ByBranching:
    """The work of the arm; its own configuration says how many episodes there are, not the experiment."""

    branching: Branching = PRESETS["cpu"]
    base: Config = BASE
    evaluate: Evaluate = as_it_is

    def __call__(self, task: Task) -> Result:
        """Train, or go on with that, keep the agent instead of the futures, and evaluate."""
        branching = replace(self.branching, seed=task.seed)
        config = start_of(self.base, branching)
        began_s, cpu_s = perf_counter(), process_time()
        training = Training(config, task.folder / "start")
        first = training.run().cpu().eval()
        folder = task.folder / "branching"
        sac = agent_of(config, Rounds(branching, training.scenario, policy_of(first), folder).run())
        spent = {"wall_s": round(perf_counter() - began_s, 1), "cpu_s": round(process_time() - cpu_s, 1)}
        scores = self.evaluate(sac, sac.config)
        (task.folder / CONFIG).write_text(json.dumps(asdict(sac.config), indent=1), encoding="utf-8")
        keep(sac, task.folder)
        for path in (task.folder / "start" / CHECKPOINT, *folder.glob("futures-*.pt")):
            path.unlink(missing_ok=True)
        return {
            "method": branching.flat(),
            "training": spent,
            "scores": {name: score.plain() for name, score in scores.items()},
        }
