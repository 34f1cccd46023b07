"""How quick the orchestrator is: a question to the rApp, answers, the twin, and a step of RLDTF, on one core.

The rApp is asked as `ranloop ask` does it, with its proof by T1, and by the tables, as it does without torch; its
search is included where the model's plan misses the demand. Answers by torch are compared with `generate` of
transformers for as many new tokens of the same model, in the same run. Without --model the shipped package is
measured.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from oran.model_package import MANIFEST
from rapps.orchestrator import package
from rapps.orchestrator.grammar import Script
from rapps.orchestrator.onnx_lm import OnnxLm
from rapps.orchestrator.orchestrator import ask
from rapps.orchestrator.package import SHIPPED, ModelWriter
from training.orchestrator import shipping
from training.orchestrator.asking import Asked
from training.orchestrator.lm import Lm
from training.orchestrator.rldtf import Rldtf, RldtfConfig
from training.orchestrator.tasks.generator import draw
from training.orchestrator.tasks.task import Task
from twin.link.evaluate import evaluate_batch
from twin.link.qos import Tier
from twin.link.space import Space

ASKED = Asked()
BATCH = 64


def main() -> None:
    """Measure and print a table, then one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a package, or the folder of a trained model")
    parser.add_argument("--repeat", type=int, default=15, help="questions that are timed one by one")
    parser.add_argument("--steps", type=int, default=2, help="steps of RLDTF that are timed")
    given = parser.parse_args()
    torch.set_num_threads(1)
    lm = Lm.load(given.model)
    lm.network.eval()
    figures = {"parameters_million": round(lm.parameters_million(), 2)}
    figures |= questions(served(given.model, lm), given.repeat) | answers(lm) | twin() | ppo(lm, given.steps)
    for name, value in figures.items():
        print(f"{name:32} {value:12.4g}")
    print(json.dumps(figures))


def served(folder: Path, lm: Lm) -> ModelWriter:
    """The package's model, or that of a folder as a package would hold it."""
    if (folder / MANIFEST).exists():
        return package.load(folder)
    return ModelWriter("measured", OnnxLm(shipping.files_of(lm)), ASKED.margin)


@dataclass
class Timed:
    """A writer, and the seconds of what it wrote."""

    writer: ModelWriter
    name: str = "timed"
    seconds: list[float] = field(default_factory=list)

    def write(self, prompt: str, script: Script) -> str:
        """As the writer does."""
        self.seconds.append(_seconds(partial(self.writer.write, prompt, script)))
        return script.text


def questions(writer: ModelWriter, repeat: int) -> dict[str, float]:
    """Seconds of a question to the rApp, and of the model's part in it."""
    timed, found = Timed(writer), dict[str, float]()
    for name, tier in (("ask", Tier.T1), ("ask_by_tables", Tier.T0)):
        whole = [
            _seconds(partial(ask, task.text, task.equipment, timed, margin=writer.margin, tier=tier))
            for task in _tasks(repeat, 0)
        ]
        found |= {f"{name}_p50_s": round(statistics.median(whole), 4), f"{name}_max_s": round(max(whole), 4)}
    return found | {"ask_model_p50_s": round(statistics.median(timed.seconds), 4)}


def answers(lm: Lm) -> dict[str, float]:
    """Tokens a second of many answers side by side, ours and the peer's."""
    tasks = _tasks(BATCH, 0)
    samples = ASKED.sample(lm, tasks, 1, 1.0, 0)
    ours_s = _seconds(lambda: ASKED.sample(lm, tasks, 1, 1.0, 0))
    tokens = sum(len(sample.ids) for sample in samples)
    length = tokens // len(samples)
    batch = lm.batch([sample.prompt for sample in samples])
    with torch.no_grad():
        peer_s = _seconds(
            lambda: lm.network.generate(  # type: ignore[operator]
                input_ids=batch.ids, attention_mask=batch.mask, min_new_tokens=length, max_new_tokens=length
            )
        )
    return {
        "tokens_per_s": round(tokens / ours_s, 1),
        "generate_tokens_per_s": round(length * len(samples) / peer_s, 1),
        "over_generate": round(peer_s / ours_s * tokens / (length * len(samples)), 2),
    }


def twin() -> dict[str, float]:
    """Link chains that the twin (T0) tells of in a second, by eight and by hundreds."""
    task, found = draw(3), {}
    for count in (8, 500):
        chains = Space.of(task.equipment).sample(count, np.random.default_rng(0))
        evaluate_batch(chains, task.equipment)
        spent_s = _seconds(partial(evaluate_batch, chains, task.equipment))
        found[f"twin_chains_per_s_by_{count}"] = round(count / spent_s, 1)
    return found


def ppo(lm: Lm, steps: int) -> dict[str, float]:
    """Seconds of a step of 256 answers, and what they go to."""
    config = RldtfConfig(steps=steps + 1, validate_every=steps + 1)

    def tasks(step: int) -> list[Task]:
        return _tasks(config.tasks, 1_000 * (step + 1))

    with tempfile.TemporaryDirectory() as folder:
        training = Rldtf(lm, config, ASKED, tasks, Path(folder), seed=0)
        curve = training.run(lambda _: {"validated": 0.0})
    rows = curve[1:]
    names = ("sample_s", "twin_s", "score_s", "learn_s")
    parts = {name: statistics.mean(row[name] for row in rows) for name in names}
    whole = sum(parts.values())
    return {
        "ppo_step_s": round(whole, 3),
        **{f"ppo_{name}": round(value, 3) for name, value in parts.items()},
        "twin_share_of_ppo_step": round(parts["twin_s"] / whole, 4),
    }


def _tasks(count: int, first: int) -> list[Task]:
    return [draw(first + place) for place in range(count)]


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
