"""Schema: the form of an answer as JSON schema, for servers that hold a model to one.

    {"thought": "...", "delay": "B", "throughput": "A", "BER": "1e-6", "plan": {"numerology": 1, ...}}

It admits every link chain whose parameters lie in their ranges; rules between parameters no schema tells. The code
rate is a text in it, for xgrammar, with which vLLM holds models to schemas, would have 0.9 written in 17 digits.
"""

import json

from oran.rest import JsonObject, RequestError, parse_json
from rapps.orchestrator.grammar import ANSWER, REFLECT, TARGETS, THINK, values
from rapps.orchestrator.legal import ORDER
from rapps.orchestrator.reading import Reading
from rapps.orchestrator.sizing import SIZED
from twin.link.catalogue import PARAMETERS, Parameter

PLAN = (*ORDER, *(name for name in SIZED if name not in ORDER))
"""The parameters of a plan: who answers in numbers says how often blocks are sent too."""
_TEXTS = ("code_rate",)


def schema(reading: Reading) -> JsonObject:
    """The form of an answer to a text: targets are letters of its quantities, or how strict they are taken."""
    targets: JsonObject = {target.name: _one_of(tuple(values(reading, target))) for target in TARGETS}
    plan = _object({name: _parameter(PARAMETERS[name]) for name in PLAN})
    return _object({"thought": {"type": "string"}, **targets, "plan": plan})


def answer(text: str, reading: Reading) -> str:
    """A text in this form as `rapps.orchestrator.answer` reads answers; any other text as it is."""
    import jsonschema

    try:
        told = parse_json(text)
    except RequestError:
        return text
    if not isinstance(told, dict) or not jsonschema.Draft202012Validator(schema(reading)).is_valid(told):
        return text
    # The thought is left out, for it could pass for the answer.
    demand = "; ".join(f"{target.name} {told[target.name]}" for target in TARGETS)
    plan = told["plan"]
    assert isinstance(plan, dict)
    chain = json.dumps({name: float(str(value)) if name in _TEXTS else value for name, value in plan.items()})
    return f"{THINK[0]}Demand: {demand}{THINK[1]}{REFLECT[0]}{REFLECT[1]}{ANSWER[0]}{chain}{ANSWER[1]}"


def _parameter(parameter: Parameter) -> JsonObject:
    if parameter.name in _TEXTS:
        return _one_of(tuple(map(str, parameter.values)))
    if parameter.choices:
        return _one_of(parameter.values)
    return {"type": "integer", "minimum": parameter.low, "maximum": parameter.high}


def _one_of(options: tuple[str | int | float, ...]) -> JsonObject:
    return {"enum": [*options]}


def _object(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }
