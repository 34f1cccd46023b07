"""References: what stands beside every agent, evaluated once on the frozen networks, for all experiments."""

from collections.abc import Callable

from training.experiments import frozen
from training.experiments.run import Arm, Result, Task
from training.slicing import arms
from training.slicing.comparison import BOUNDS
from training.slicing.environment import Environment
from training.slicing.score import Score, play, play_clairvoyant
from training.slicing.tuning import best_split, tuned_demand
from twin.network.scenario import Scenario
from xapps.slicing.actor import SHIPPED, Actor

HOME = "references"
STATIC, HARD, SPLIT, DEMAND = "static", "hard", "best static", "demand"
SHIPPED_AGENT = "shipped"
TUNED, TUNED_FOR_SATISFACTION = "demand, tuned", "demand, tuned for satisfaction"
CLAIRVOYANT, CLAIRVOYANT_FOR_RETURN = (BOUNDS[figure][0] for figure in ("satisfaction", "reward"))
SPLIT_STEPS, SPLIT_PARTS = 100, 10


def _hard(task: Task) -> Result:
    return _result(_play(arms.hard(_slices())))


def _static(task: Task) -> Result:
    return _result(_play(arms.static(_slices())))


def _split(task: Task) -> Result:
    percent = best_split(frozen.scenario(), SPLIT_STEPS, parts=SPLIT_PARTS)
    return _result(_play(arms.split(percent)), percent=list(percent))


def _demand(task: Task) -> Result:
    return _result(_play(arms.demand()))


def _tuned(task: Task) -> Result:
    config = tuned_demand(frozen.scenario(), "reward")
    return _result(_play(arms.demand(config)), knobs=config.model_dump())


def _tuned_for_satisfaction(task: Task) -> Result:
    config = tuned_demand(frozen.scenario(), "satisfaction")
    return _result(_play(arms.demand(config)), knobs=config.model_dump())


def shipped(scenario: Scenario) -> arms.Policy:
    """The agent that comes with the xApp."""
    return arms.packaged(Actor.load(SHIPPED, tuple(item.name for item in scenario.slices)))


def _shipped(task: Task) -> Result:
    actor = Actor.load(SHIPPED, tuple(item.name for item in frozen.scenario().slices))
    return _result(_play(arms.packaged(actor)), package=str(actor))


def _clairvoyant(task: Task) -> Result:
    return _result(play_clairvoyant(frozen.scenario(), frozen.SEEDS, frozen.STEPS))


def _clairvoyant_for_return(task: Task) -> Result:
    return _result(play_clairvoyant(frozen.scenario(), frozen.SEEDS, frozen.STEPS, aim="return"))


def _play(policy: arms.Policy) -> Score:
    return play(Environment(frozen.scenario(), len(frozen.SEEDS)), policy, frozen.SEEDS, frozen.STEPS)


def _result(score: Score, **more: object) -> Result:
    return {"scores": {"": score.plain()}, **more}


def _slices() -> int:
    return len(frozen.scenario().slices)


def _arm(name: str, about: str, work: Callable[[Task], Result]) -> Arm:
    return Arm(name=name, about=about, work=work, home=HOME, seeds=1)


ARMS = (
    _arm(HARD, "equal shares, nothing lent", _hard),
    _arm(STATIC, "equal minima, everything else lent", _static),
    _arm(SPLIT, f"the fixed minima of highest return, of all in {SPLIT_PARTS} parts, on other networks", _split),
    _arm(DEMAND, "the xApp's heuristic as it ships", _demand),
    _arm(TUNED, "the same, its knobs tuned for return on other networks", _tuned),
    _arm(TUNED_FOR_SATISFACTION, "the same, tuned for satisfaction", _tuned_for_satisfaction),
    _arm(SHIPPED_AGENT, "the agent that comes with the xApp, trained once, by branching", _shipped),
    _arm(CLAIRVOYANT, "knows the future and makes most of satisfaction; no guard", _clairvoyant),
    _arm(CLAIRVOYANT_FOR_RETURN, "knows the future and makes most of return; no guard", _clairvoyant_for_return),
)
