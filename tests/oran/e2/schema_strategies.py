"""Hypothesis strategies drawn from the declarations of `oran.e2.schema`: every value that a type can code."""

from typing import Any

from hypothesis import strategies as st

from oran.e2 import schema

PRINTABLE = st.sampled_from("ABCXYZabcxyz0189 '()+,-./:=?")
"""Characters of PrintableString."""


def values(kind: schema.Type[Any], depth: int = 3) -> st.SearchStrategy[Any]:
    """Values of a type, whose lists hold few items and whose choices nest at most `depth` deep."""
    strategy = _values(kind, depth)
    assert strategy is not None
    return strategy


def _values(kind: schema.Type[Any], depth: int) -> st.SearchStrategy[Any] | None:
    match kind:
        case schema.Integer(low, high, extensible):
            if low is None or high is None:
                return st.integers(-(2**70), 2**70)
            inside = st.integers(low, high)
            return inside | st.integers(-300, low - 1) if extensible else inside
        case schema.Boolean() | schema.TrueFalse():
            return st.booleans()
        case schema.Real():
            return st.floats(allow_nan=False)
        case schema.Octets(low, high):
            return st.binary(min_size=low, max_size=low + 20 if high is None else high)
        case schema.OctetNumber(size):
            return st.integers(0, 256**size - 1)
        case schema.BitNumber(count):
            return st.integers(0, 2**count - 1)
        case schema.Bits(low, high):
            return st.integers(low, low + 20 if high is None else high).flatmap(
                lambda count: st.tuples(st.integers(0, 2**count - 1), st.just(count))
            )
        case schema.Characters(low, high):
            return st.text(PRINTABLE, min_size=low, max_size=min(low + 20, 200 if high is None else high))
    return _compound(kind, depth)


def _compound(kind: schema.Type[Any], depth: int) -> st.SearchStrategy[Any] | None:
    if isinstance(kind, schema.Enumerated):
        return st.sampled_from(kind.members)
    if isinstance(kind, schema.SequenceOf):
        item = _values(kind.item, depth)
        if item is None:
            return None
        return st.lists(item, min_size=kind.low, max_size=min(kind.low + 2, kind.high)).map(tuple)
    if isinstance(kind, schema.Wrapped):
        return _values(kind.record.components[0].type, depth)
    if isinstance(kind, schema.Record):
        return _record(kind, depth)
    if isinstance(kind, schema.Choice) and depth:
        found = [_values(alternative.type, depth - 1) for alternative in kind.alternatives]
        alternatives = [strategy for strategy in found if strategy is not None]
        return st.one_of(alternatives) if alternatives else None
    return None


def _record(kind: schema.Record[Any], depth: int) -> st.SearchStrategy[Any] | None:
    parts: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for component in kind.components:
        strategy = _values(component.type, depth)
        if component.optional or component.addition:
            if strategy is not None:
                optional[component.attribute] = strategy
        elif strategy is None:
            return None
        else:
            parts[component.attribute] = strategy
    return st.fixed_dictionaries(parts, optional=optional).map(lambda fields: kind.build(**fields))
