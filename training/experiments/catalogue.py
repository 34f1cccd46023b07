"""Catalogue: all experiments by name."""

from training.experiments.experiment import Experiment
from training.experiments.latency import LATENCY
from training.experiments.orchestrators import ORCHESTRATORS
from training.experiments.reinforced import REINFORCED
from training.experiments.robustness import ROBUSTNESS
from training.experiments.run import ExperimentError
from training.experiments.scale import SCALE
from training.experiments.table1 import TABLE1, TABLE1_RATES
from training.experiments.tokens import TOKENS
from training.experiments.words import WORDS

EXPERIMENTS = {
    item.name: item
    for item in (TABLE1, TABLE1_RATES, TOKENS, ROBUSTNESS, LATENCY, SCALE, WORDS, ORCHESTRATORS, REINFORCED)
}


def find(name: str) -> Experiment:
    """An experiment; ExperimentError lists what there is."""
    if name not in EXPERIMENTS:
        raise ExperimentError(f"experiment is {name!r}; it must be one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
