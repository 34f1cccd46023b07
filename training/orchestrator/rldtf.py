"""RLDTF: reinforcement learning from digital twin feedback (section III-C of the RLDTF paper).

PPO whose reward is the twin's word on the answered chain. Three models: the policy, a critic of the same backbone
with a value head, and a reference that is copied from the policy every so many steps and else stays. What is
reinforced are choices that the grammar left open. Advantages come from the critic (the paper), from the other
answers to the same task, or from the twin (`training.orchestrator.advantages`); the paper's token weights go with
any.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rapps.orchestrator.decoding import Sample
from training.orchestrator import advantages, ranks, sensitivity
from training.orchestrator.asking import Asked
from training.orchestrator.audit import disagreement
from training.orchestrator.errors import OrchestratorError, StageError
from training.orchestrator.feedback import Feedback
from training.orchestrator.lm import Lm
from training.orchestrator.losses import losses, scale_of
from training.orchestrator.policy import Decided, Models
from training.orchestrator.rollout import Rollout
from training.orchestrator.sensitivity import Weighting
from training.orchestrator.supervised import CURVE, Row, Tell, autocast, keep, resume, write_rows
from training.orchestrator.tasks.task import Task
from training.orchestrator.validation import BestBy

Advantage = Literal["critic", "group", "twin"]
BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class RldtfConfig:
    """How to reinforce; OrchestratorError for values that cannot be."""

    steps: int = 100
    tasks: int = 32
    """Tasks of a step."""
    each: int = 8
    """Answers to each."""
    temperature: float = 1.0
    advantage: Advantage = "twin"
    least: float = 0.002
    """Likelihood below which the twin is not asked about an option for its advantages."""
    floor: float = 0.05
    """Likelihood that options which the twin was asked about have at least in its advantages: what has become
    rare, and would be better for the task at hand, is to come back."""
    weighting: Weighting | None = None
    """The paper's token weights, or none."""
    learning_rate: float = 5e-5
    critic_rate: float = 2e-4
    last_rate: float = 0.1
    """Share of the learning rates that is left at the end; they fall evenly."""
    minibatches: int = 4
    epochs: int = 1
    micro_batch: int = 64
    clip: float = 0.2
    discount: float = 1.0
    trace: float = 0.95
    value_weight: float = 0.5
    entropy_weight: float = 0.0
    kl_weight: float = 0.05
    anchor_weight: float = 0.5
    """The same for choices of which advantages say nothing."""
    resync_every: int = 25
    critic_warm_up: int = 5
    """Steps in which the critic learns alone."""
    stop_kl: float = 0.2
    """A step ends early when the policy is so far from what it sampled with, in nats a choice."""
    gradient_clip: float = 1.0
    bf16: bool = True
    audit_every: int = 0
    """Steps from one audit by the twin's tier T1 to the next (`training.orchestrator.audit`); 0: none."""
    audit: int = 8
    """Complete answers that are audited, at most."""
    best_by: BestBy = "validated"
    """Which figure of the validation tells the best policy."""
    validate_every: int = 10
    checkpoint_every: int = 10

    def __post_init__(self) -> None:
        for name in ("steps", "tasks", "minibatches", "epochs", "micro_batch", "resync_every"):
            if not getattr(self, name) >= 1:
                raise OrchestratorError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.audit_every < 0 or self.audit < 1:
            raise OrchestratorError("audit_every must be at least 0 and audit at least 1")
        if self.each < 2:
            raise OrchestratorError(f"each is {self.each}; a group has at least 2 answers")
        if not (0 < self.learning_rate < 1 and 0 < self.clip < 1 and self.temperature > 0):
            raise OrchestratorError("learning_rate and clip must lie in 0..1, temperature above 0")
        if not 0 < self.last_rate <= 1:
            raise OrchestratorError(f"last_rate is {self.last_rate}; it must lie in 0..1")


class Rldtf:
    """The training of one model in place."""

    def __init__(
        self,
        lm: Lm,
        config: RldtfConfig,
        asked: Asked,
        tasks: Callable[[int], Sequence[Task]],
        folder: Path,
        seed: int,
    ) -> None:
        self.lm, self.config, self.asked, self.tasks = lm, config, asked, tasks
        self.folder, self.seed = folder, seed
        if config.tasks % ranks.count():
            raise StageError(f"tasks is {config.tasks}; it must be a multiple of the {ranks.count()} processes")
        self.accelerator = ranks.accelerator(config.micro_batch, config.gradient_clip)
        self.models = Models(ranks.to_learn(lm.network), critic=config.advantage == "critic")
        learning = [item for item in self.models.policy.parameters() if item.requires_grad]
        groups = [{"params": learning, "lr": config.learning_rate}]
        if self.models.critic is not None:
            groups.append({"params": list(self.models.critic.parameters()), "lr": config.critic_rate})
        optimiser = torch.optim.AdamW(groups, weight_decay=0.0)
        self.learner, self.optimiser = self.accelerator.prepare(self.models, optimiser)
        self.rates = [group["lr"] for group in optimiser.param_groups]

    def run(self, validate: Callable[[Lm], Row], tell: Tell | None = None) -> list[Row]:
        """Reinforce to the end and leave the best policy by what is validated in the folder's BEST."""
        begin, curve = resume(self.accelerator, self.folder, self.config.steps)
        measure = self.config.best_by
        if curve:
            # The curve does not know what the policy was worth that all began with, which may still be the best.
            best = validate(Lm.load(self.folder / BEST, self.lm.held))[measure]
        else:
            best = self._validated(validate, {}, -math.inf)[measure]
        for step in range(begin, self.config.steps):
            row = {"step": step + 1.0, **self._step(step)}
            if (step + 1) % self.config.validate_every == 0 or step + 1 == self.config.steps:
                row = self._validated(validate, row, best)
                best = max(best, row[measure])
            curve.append(row)
            if tell:
                tell(row)
            if (step + 1) % self.config.checkpoint_every == 0 and step + 1 < self.config.steps:
                keep(self.accelerator, self.folder, step + 1, curve)
        write_rows(self.folder / CURVE, curve)
        return curve

    def _validated(self, validate: Callable[[Lm], Row], row: Row, best: float) -> Row:
        self._ready()
        found = validate(self.lm)
        if found[self.config.best_by] > best and ranks.number() == 0:
            self.lm.save(self.folder / BEST)
        return row | found

    def _step(self, step: int) -> Row:
        config = self.config
        if step and step % config.resync_every == 0:
            self.models.resynchronise()
        share = 1.0 - (1.0 - config.last_rate) * step / config.steps
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * share
        rollout = self.rollout(step)
        begin = time.perf_counter()
        figures = self._learn(rollout, step)
        return rollout.figures | figures | {"learn_s": time.perf_counter() - begin}

    def _ready(self) -> None:
        """Have what is sampled from be what has learnt."""
        self.models.eval()
        ranks.refresh(self.lm.network, self.models.policy.network)

    def rollout(self, step: int) -> Rollout:
        """Sample answers, ask the twin, and find what each choice was worth; ranks share the tasks."""
        self._ready()
        return Rollout.join(ranks.shared(self.tasks(step), lambda own: [self._rollout(own, step)]))

    def _rollout(self, tasks: Sequence[Task], step: int) -> Rollout:
        config, rank = self.config, ranks.number()
        draw = np.random.default_rng((self.seed, step, 1_000 + rank) if rank else (self.seed, step))
        begin, lost = time.perf_counter(), self.asked.twin.lost.total()
        samples = self.asked.sample(
            self.lm, tasks, config.each, config.temperature, seed=int(draw.integers(2**62))
        )
        sampled = time.perf_counter()
        told = self.asked.feedback(tasks, samples)
        twin_s = time.perf_counter() - sampled
        begin_score = time.perf_counter()
        old, values, reference = self._scored(samples)
        score_s = time.perf_counter() - begin_score
        begin_advantage = time.perf_counter()
        advantage, returns = self._advantage(tasks, samples, told, old, values)
        advantage_s = time.perf_counter() - begin_advantage if config.advantage == "twin" else 0.0
        begin_weights = time.perf_counter()
        weight, heavy = self._weights(tasks, samples, told, draw)
        weights_s = time.perf_counter() - begin_weights if config.weighting else 0.0
        if config.audit_every and (step + 1) % config.audit_every == 0:
            apart = np.random.default_rng((self.seed, step, 2))
            heavy |= disagreement(self.asked, tasks, samples, told, config.audit, apart)
        figures = {
            "lost": float(self.asked.twin.lost.total() - lost),
            "length": float(np.mean([len(sample.ids) for sample in samples])),
            "sample_s": sampled - begin,
            "score_s": score_s,
            "twin_s": twin_s + advantage_s + weights_s,
        }
        return Rollout(samples, told, old, reference, values, advantage, returns, weight, figures | heavy)

    @torch.no_grad()
    def _scored(self, samples: Sequence[Sample]) -> tuple[list[Tensor], list[np.ndarray], list[Tensor]]:
        """What policy, critic and reference think of each answer's decisions."""
        old: list[Tensor] = []
        values: list[np.ndarray] = []
        reference: list[Tensor] = []
        for start in range(0, len(samples), self.config.micro_batch):
            part = samples[start : start + self.config.micro_batch]
            decided = Decided.of(self.lm, part)
            sizes = [len(sample.decisions) for sample in part]
            with autocast(self.accelerator, self.config.bf16):
                likely, worth = self.learner(decided)
                before, _ = self.learner(decided, reference=True)
            worth = torch.zeros(len(likely)) if worth is None else worth
            old += likely.float().cpu().split(sizes)
            reference += before.float().cpu().split(sizes)
            values += [item.cpu().numpy() for item in worth.float().split(sizes)]
        return old, values, reference

    def _advantage(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        told: Feedback,
        old: Sequence[Tensor],
        values: Sequence[np.ndarray],
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Advantages of options, and returns, of each answer's decisions."""
        config = self.config
        if config.advantage == "critic":
            over = advantages.gae(told.rewards, values, discount=config.discount, trace=config.trace)
        else:
            group = advantages.group(told.rewards, config.each)
            over = [np.full(len(sample.decisions), own) for sample, own in zip(samples, group, strict=True)]
        returns = [own + value for own, value in zip(over, values, strict=True)]
        if config.advantage == "twin":
            return self._counterfactual(tasks, samples, old), returns
        return [advantages.chosen(sample, own) for sample, own in zip(samples, over, strict=True)], returns

    def _counterfactual(
        self, tasks: Sequence[Task], samples: Sequence[Sample], old: Sequence[Tensor]
    ) -> list[np.ndarray]:
        """Advantages by the twin, weighed by how likely their options are."""
        shares = [_shares(rows, sample) for rows, sample in zip(old, samples, strict=True)]
        worths = advantages.worths(tasks, samples, shares, self.config.least, self.asked.judge)
        found = []
        for worth, share in zip(worths, shares, strict=True):
            weight = np.maximum(share, self.config.floor)
            known = np.isfinite(worth).any()
            found.append(
                advantages.counterfactual(worth, weight) * weight if known else np.full_like(share, np.nan)
            )
        return found

    def _weights(
        self, tasks: Sequence[Task], samples: Sequence[Sample], told: Feedback, draw: np.random.Generator
    ) -> tuple[list[np.ndarray], Row]:
        how = self.config.weighting
        if how is None:
            return [np.ones(len(sample.decisions)) for sample in samples], {}
        known = np.flatnonzero(told.known)
        found = {}
        for row in draw.choice(known, size=min(how.answers, len(known)), replace=False).tolist():
            task, reward = tasks[row // self.config.each], float(told.rewards[row])
            own = sensitivity.sensitivity(self.lm, task, samples[row], reward, how, self.asked.judge, draw)
            if own is not None:
                found[row] = own
        return sensitivity.of_decisions(samples, found, how), sensitivity.by_class(list(found.values()))

    def _learn(self, rollout: Rollout, step: int) -> Row:
        """Updates on minibatches, until done or the policy has gone too far."""
        config = self.config
        learnt = rollout.learnt
        self.models.train()
        scale = scale_of([rollout.advantage[row] for row in learnt])
        rows = []
        draw = np.random.default_rng((self.seed, step, 1))
        orders = [draw.permutation(learnt) for _ in range(config.epochs)]
        for picked in (part for order in orders for part in np.array_split(order, config.minibatches)):
            if not len(picked):
                continue
            rows.append(self._update(rollout, picked, scale, alone=step < config.critic_warm_up))
            if rows[-1]["kl_step"] > config.stop_kl:
                break
        if not all(math.isfinite(row["loss"]) for row in rows):
            raise StageError("the loss is no number; take a smaller learning_rate, or float32 (bf16: false)")
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}

    def _update(self, rollout: Rollout, picked: np.ndarray, scale: float, *, alone: bool) -> Row:
        """One step of the optimiser, by eqs. 6-9; `alone` teaches the critic only, where there is one."""
        config = self.config
        total = sum(len(rollout.samples[row].decisions) for row in picked)
        sums: dict[str, float] = {}
        for part in ranks.micro_batches(picked.tolist(), config.micro_batch):
            decided = Decided.of(self.lm, [rollout.samples[row] for row in part.rows])
            with ranks.accumulating(self.accelerator, self.learner, part.last):
                with autocast(self.accelerator, self.config.bf16):
                    likely, worth = self.learner(decided, alone=alone)
                found = losses(rollout, part.rows, decided, likely.float(), worth, scale=scale, clip=config.clip)
                policy = found["policy"] - config.entropy_weight * found["entropy"]
                policy = policy + config.kl_weight * found["kl"] + config.anchor_weight * found["anchor"]
                if alone and worth is not None:
                    policy = policy * 0.0
                loss = policy + config.value_weight * found["value"]
                self.accelerator.backward(loss * part.weight / total)
            for name, value in (found | {"loss": loss}).items():
                sums[name] = sums.get(name, 0.0) + part.weight * float(value.detach())
        self.accelerator.clip_grad_norm_(self.learner.parameters(), config.gradient_clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return {name: value / total for name, value in zip(sums, ranks.mean(*sums.values()), strict=True)}


def _shares(likely: Tensor, sample: Sample) -> np.ndarray:
    """Likelihoods of an answer's options [decisions, options], from their logarithms with those of others."""
    most = max(len(item.allowed) for item in sample.decisions)
    shares: np.ndarray = likely[:, :most].exp().cpu().double().numpy()
    return shares
