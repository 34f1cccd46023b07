"""Program: a plan as a short program against the twin's API, the form in which an orchestrator may answer.

    link = twin.link(numerology=1, prbs=24)
    link.encode(code="ldpc", code_rate=0.5)
    ...
    twin.slice(slice="1-000001", delay_s=0.01)
    twin.transmit(link)

`twin.link.sandbox` runs such programs and gives the plan back: run(render(plan)) == plan.
"""

from twin.link.catalogue import SLICE_FIELDS, STEPS
from twin.link.plan import Plan


def render(plan: Plan) -> str:
    """The program of a plan: one call for each step of the catalogue, in its order, every parameter by name."""
    values = plan.link_chain.model_dump(mode="json")
    lines = []
    for step in STEPS:
        arguments = {parameter.name: values[parameter.name] for parameter in step.parameters}
        if step is STEPS[0]:
            lines.append(f"link = {_call('twin.link', arguments)}")
        else:
            lines.append(_call(f"link.{step.name}", arguments))
    policy = plan.slice_policy.model_dump(mode="json")
    lines.append(_call("twin.slice", {name: policy[name] for name in SLICE_FIELDS if policy[name] is not None}))
    lines.append("twin.transmit(link)")
    return "\n".join(lines) + "\n"


def _call(function: str, arguments: dict[str, object]) -> str:
    written = ", ".join(f"{name}={_literal(value)}" for name, value in arguments.items())
    return f"{function}({written})"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
