"""Proofs: which tasks are feasible at a higher tier of the twin, shown by a chain that meets the demand there.

Of random chains that meet the demand at T0, those with most room to spare are asked about again. A task that none
of them proves may still be feasible.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.orchestrator.tasks import heldout
from training.orchestrator.tasks.feasibility import Answers, Problem, roomiest
from training.orchestrator.twin_pool import Question, TwinPool
from twin.link.qos import Tier

TRIES = 3
TASKS_AT_ONCE = 32


def prove(
    tasks: Sequence[Problem], tier: Tier, pool: TwinPool, answers: Answers, *, tries: int = TRIES
) -> Iterator[bool]:
    """Tell of each task in turn whether one of so many chains proves it; what is known already is not asked.

    A task of which the pool lost a chain is not kept as unproven, so that it is asked about another time.
    """
    for start in range(0, len(tasks), TASKS_AT_ONCE):
        part = tasks[start : start + TASKS_AT_ONCE]
        _prove([task for task in part if answers.proven(task, tier) is None], tier, pool, answers, tries)
        yield from (answers.proven(task, tier) is True for task in part)


def _prove(tasks: Sequence[Problem], tier: Tier, pool: TwinPool, answers: Answers, tries: int) -> None:
    """Ask about the first chain of every task, then about the second of those not proven yet, and so on."""
    left = [(task, roomiest(task, tries)) for task in tasks]
    lost: set[int] = set()
    for place in range(tries):
        asked = [(task, chains) for task, chains in left if chains is not None and place < len(chains)]
        questions = [
            Question(chains=chains.take(slice(place, place + 1)), demand=task.demand, equipment=task.equipment)
            for task, chains in asked
        ]
        proven = set()
        for (task, _), verdict in zip(asked, pool.ask(questions, tier), strict=True):
            if verdict.met[0]:
                answers.keep_proof(task, tier, True)
                proven.add(id(task))
            elif verdict.lost[0]:
                lost.add(id(task))
        left = [(task, chains) for task, chains in left if id(task) not in proven]
    for task, _ in left:
        if id(task) not in lost:
            answers.keep_proof(task, tier, False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prove held-out tasks, or some of them drawn at random."""
    parser = argparse.ArgumentParser(description="Show which held-out tasks are feasible at a tier of the twin.")
    parser.add_argument("--tier", type=Tier, default=Tier.T1, help="t1 or t2")
    parser.add_argument("--limit", type=int, help="so many tasks, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of that draw")
    parser.add_argument("--workers", type=int, default=1, help="processes that ask the twin")
    parser.add_argument("--answers", type=Path, default=Path("out/orchestrator/oracle.jsonl"))
    options = parser.parse_args(arguments)
    tasks = heldout.tasks()
    if options.limit is not None:
        tasks = tuple(random.Random(options.seed).sample(tasks, min(options.limit, len(tasks))))
    proven, explicit = 0, 0
    with TwinPool(workers=options.workers) as pool:
        answers = Answers(options.answers)
        for number, (task, good) in enumerate(
            zip(tasks, prove(tasks, options.tier, pool, answers), strict=True), 1
        ):
            proven, explicit = proven + good, explicit + (good and task.explicit)
            if number % TASKS_AT_ONCE == 0 or number == len(tasks):
                print(f"{proven} of {number} proven at {options.tier}, {explicit} of them explicit", flush=True)


if __name__ == "__main__":
    main()
