"""Twin worker: the process in which `training.orchestrator.twin_pool` asks the link twin.

It is handed one end of a connection, says that it is ready, and answers jobs one by one until the other end is
gone.
"""

import signal
import sys
import warnings
from dataclasses import asdict
from multiprocessing.connection import Connection

import numpy as np

from twin.link.equipment import Equipment, EquipmentGrid
from twin.link.plan import ChainGrid
from twin.link.qos import Results, Tier

Job = tuple[ChainGrid, Equipment, Tier, int, int]
"""Chains that fit their equipment, the tier to ask, its seed, and T1's looks; one chain, on one, where the tier is
not T0."""


def answer(job: Job) -> Results:
    """Ask the twin."""
    from twin.link.evaluate import evaluate, evaluate_batch

    chains, equipment, tier, seed, looks = job
    if tier is Tier.T0 or isinstance(equipment, EquipmentGrid):
        return evaluate_batch(chains, equipment, low_end=False)
    result = evaluate(chains.chain(0), equipment, tier, seed=seed, looks=looks)
    told = asdict(result.qos) | asdict(result.use)
    return Results(**told | {name: np.array([value]) for name, value in told.items() if name != "tier"})


def reason(error: Exception) -> str:
    """Why there is no answer."""
    return f"{type(error).__name__}: {error}"


def main() -> None:
    """Answer until the connection ends; argument: the number of its file."""
    import twin.link.evaluate  # noqa: F401  the tables are loaded before the first job's time runs

    # Ctrl-C is for the process that asks; it closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    with Connection(int(sys.argv[1])) as connection:
        connection.send(None)
        while True:
            try:
                job = connection.recv()
            except EOFError:
                return
            told: Results | str
            try:
                told = answer(job)
            except Exception as error:
                told = reason(error)
            try:
                connection.send(told)
            except OSError:
                return


if __name__ == "__main__":
    main()
