"""JSON schemas of A1 policy types: whether one is a schema, and whether a policy obeys it.

Draft 2020-12 unless `$schema` names another. References to other documents are not followed, and a check that
costs too much, by references that multiply, is given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from oran.rest import JsonObject, JsonValue, RequestError

if TYPE_CHECKING:
    from jsonschema import SchemaError, ValidationError
    from jsonschema.protocols import Validator

MAX_STEPS = 50_000
"""Keywords applied while one policy is checked."""
MAX_REASON = 500

Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]
"""A keyword's check as jsonschema calls it, with values of its own untyped interface."""


class _TooCostly(Exception):
    """A check has used up its steps."""


def check_schema(schema: JsonValue) -> None:
    """Raise RequestError 400 unless this is a usable JSON schema."""
    from jsonschema.exceptions import SchemaError as Fault
    from jsonschema.validators import Draft202012Validator, validator_for

    if not isinstance(schema, dict):
        raise RequestError(400, "create_schema must be a JSON object")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except Fault as error:
        raise RequestError(400, f"create_schema is no JSON schema: {_fault(error)}") from None
    except RecursionError:
        raise RequestError(400, "create_schema nests too deep") from None


def check_policy(policy: JsonValue, schema: JsonObject) -> None:
    """Raise RequestError 400 with the most telling fault unless the policy obeys the schema."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(_validator(schema).iter_errors(policy))
    except Unresolvable as failure:
        reason = f"the policy type's schema refers to {failure.ref!r}, which is not in it"
        raise RequestError(400, reason[:MAX_REASON]) from None
    except (_TooCostly, RecursionError, ArithmeticError, re.error):
        raise RequestError(400, "the policy cannot be checked against its type's schema") from None
    if error is not None:
        raise RequestError(400, f"the policy is not valid: {_fault(error)}")


def _validator(schema: JsonObject) -> Validator:
    """A validator for one check that counts its steps and fetches nothing."""
    from jsonschema.validators import Draft202012Validator, extend, validator_for
    from referencing import Registry

    left = MAX_STEPS

    def counted(check: Keyword) -> Keyword:
        def keyword(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Any] | None:
            nonlocal left
            left -= 1
            if left < 0:
                raise _TooCostly
            return check(validator, value, instance, schema)

        return keyword

    draft = validator_for(schema, default=Draft202012Validator)
    counting = extend(draft, {name: counted(check) for name, check in draft.VALIDATORS.items()})  # type: ignore[no-untyped-call]
    validator: Validator = counting(schema, registry=Registry())
    return validator


def _fault(error: SchemaError | ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message}"[:MAX_REASON] if where else error.message[:MAX_REASON]
