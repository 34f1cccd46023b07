"""`ranloop ask`: what a service needs, in words, to a plan that the twin has checked."""

import json
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ranloop.errors import RanloopError

if TYPE_CHECKING:
    from rapps.orchestrator.orchestrator import Outcome, Writer
    from twin.link.qos import Tier

_FOR_T1 = ("torch", "numba")
"""What runs a link chain."""


class AskError(RanloopError):
    """A question that cannot be put as asked."""


def ask(
    text: Annotated[str, typer.Argument(help="What the service needs, in plain language.")],
    model: Annotated[
        Path | None,
        typer.Option(
            help="A model package, or the folder of a trained model. Default: the shipped package.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    equipment: Annotated[
        str | None, typer.Option(help="The equipment's state as JSON, instead of the usual one.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="What a plan is to have to spare, instead of the model's own margin.", min=0, max=10),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="Ask a model behind an OpenAI-compatible server instead.", metavar="URL#MODEL"),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="How live links are off the twin's, as JSON.", exists=True, dir_okay=False),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(
            help="Who sizes and checks the plan: t0 (tables) or t1, which runs the chain. "
            "Default: t1 where the twin's packages are installed."
        ),
    ] = None,
    json_line: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which link a service should get on the equipment, and what it then has by the twin."""
    from oran.model_package import PackageError
    from rapps.orchestrator import task
    from rapps.orchestrator.answer import AnswerError
    from rapps.orchestrator.endpoint import EndpointError
    from rapps.orchestrator.orchestrator import ask as asked
    from rapps.orchestrator.task import USUAL_EQUIPMENT, TaskError
    from twin.link.calibration import UNCALIBRATED, Calibration
    from twin.link.errors import LinkError

    told = f'{{"text": {json.dumps(text)}, "equipment": {equipment or "null"}}}'
    try:
        state = task.parse(told).equipment or USUAL_EQUIPMENT
        writer, own_margin = _writer(model) if endpoint is None else _endpoint(endpoint)
        outcome = asked(
            text,
            state,
            writer,
            margin=own_margin if margin is None else margin,
            calibration=UNCALIBRATED if calibration is None else Calibration.read(calibration),
            tier=_tier(tier),
        )
    except (TaskError, LinkError, PackageError, AnswerError, EndpointError) as error:
        raise AskError(str(error)) from error
    typer.echo(json.dumps(_figures(outcome)) if json_line else _words(outcome))


def _tier(told: str | None) -> "Tier":
    """The tier that was told, or the best that can be had."""
    from twin.link.qos import Tier

    lacks = [name for name in _FOR_T1 if find_spec(name) is None]
    if told is None:
        return Tier.T0 if lacks else Tier.T1
    if told not in (Tier.T0, Tier.T1):
        raise AskError(f"tier is {told!r}; it must be t0 or t1")
    if told == Tier.T1 and lacks:
        raise AskError(f"tier t1 takes {' and '.join(lacks)}; install the twin: pip install 'ranloop[twin]'")
    return Tier(told)


def _writer(model: Path | None) -> "tuple[Writer, float]":
    """The shipped model, or another, and its margin; torch is loaded only for a folder that is no package."""
    if model is None:
        from rapps.orchestrator.package import load

        shipped = load()
        return shipped, shipped.margin
    from training.orchestrator.errors import OrchestratorError
    from training.orchestrator.model_entry import writer

    try:
        found = writer(str(model))
    except OrchestratorError as error:
        raise AskError(str(error)) from error
    return found, found.margin


def _endpoint(spec: str) -> "tuple[Writer, float]":
    """A model behind a server, with the margin that models have which tell none."""
    from rapps.orchestrator.budget import USUAL_MARGIN
    from rapps.orchestrator.chat import Chat
    from rapps.orchestrator.endpoint_writer import EndpointWriter

    return EndpointWriter(Chat.of(spec)), USUAL_MARGIN


def _figures(outcome: "Outcome") -> dict[str, object]:
    demand = asdict(outcome.demand)
    demand.pop("margin")
    plan, result = outcome.plan, outcome.result
    return {
        "text": outcome.text,
        "demand": demand,
        "guessed": list(outcome.guessed),
        "plan": None if plan is None else plan.model_dump(mode="json"),
        "qos": None if result is None else asdict(result.qos),
        "use": None if result is None else asdict(result.use),
        "reward": outcome.reward,
        "feasible": outcome.feasible,
        "refusal_reason": outcome.refusal_reason,
        "by_search": outcome.by_search,
    }


def _words(outcome: "Outcome") -> str:
    demand = outcome.demand
    told = {
        "max_delay_s": f"delay at most {demand.max_delay_s * 1e3:g} ms",
        "min_throughput_bps": f"throughput at least {demand.min_throughput_bps / 1e6:g} Mbit/s",
        "max_ber": f"bit error rate at most {demand.max_ber:g}",
    }
    understood = (words + " (guessed)" if field in outcome.guessed else words for field, words in told.items())
    lines = [f"read       {outcome.text}", f"understood {', '.join(understood)}"]
    if outcome.plan is not None and outcome.result is not None:
        chain, qos = outcome.plan.link_chain.model_dump(mode="json"), outcome.result.qos
        lines += [
            f"plan       {', '.join(f'{name} {value}' for name, value in chain.items())}",
            f"slice      {outcome.plan.slice_policy.slice}",
            f"delivers   {qos.delay_s * 1e3:.3g} ms, {qos.throughput_bps / 1e6:.3g} Mbit/s, bit error rate "
            f"{qos.ber:.2g} (at most {qos.ber_high:.2g}), tier {qos.tier.value}",
        ]
    lines.append(f"reward     {outcome.reward:.3f}" + ("  (found by search)" if outcome.by_search else ""))
    if outcome.refusal_reason:
        lines.append(f"refused    {outcome.refusal_reason}")
    return "\n".join(lines)
