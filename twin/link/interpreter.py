"""Interpreter: runs the small part of Python that an orchestration needs, and nothing else.

A program is parsed and its tree walked here; none of it is ever compiled or executed by Python, so that there is
nothing to escape to: no builtin, no attribute, no object but those named here and in `twin.link.orchestration`.
Steps are counted, so that every program ends soon. Only the standard library is imported, to keep a sandboxed
process small.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from twin.link.errors import SandboxRefusal
from twin.link.grammar import brief, check_scalar, parse
from twin.link.orchestration import Equipment, Method, Orchestration, Twin, attribute, invoke, kind

T = TypeVar("T")

MAX_STEPS = 50_000
"""Parts evaluated; a loop spends them turn by turn."""
MAX_ITEMS = 1_000
MAX_EXPONENT = 64
MAX_DIGITS = 20

_FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": abs,
    "float": float,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "range": range,
    "round": round,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ORDER: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _Break(Exception):
    """A loop is left."""


class _Continue(Exception):
    """A turn of a loop is left."""


def interpret(source: str, equipment: Mapping[str, object] | None = None) -> Orchestration:
    """Run a program and give what it transmits; SandboxRefusal names the line and the reason.

    `equipment` is what `twin.equipment` shows, by field: numbers, names and truth values.
    """
    tree = parse(source)
    twin = Twin(Equipment(equipment or {}))
    run = _Run(twin)
    try:
        run.block(tree.body)
    except (_Break, _Continue):
        raise run.refusal("break and continue stand inside a loop only") from None
    if twin.sent is None:
        raise SandboxRefusal(0, "the program ends without twin.transmit(link)")
    return Orchestration(twin.sent.arguments, twin.policy.arguments, twin.policy.lines | twin.sent.lines)


class _Run:
    """One run of a program: its variables, the steps that it has taken and the line that it is on."""

    def __init__(self, twin: Twin) -> None:
        self.names: dict[str, object] = {"twin": twin}
        self.steps = 0
        self.line = 0

    def spend(self, node: ast.AST, steps: int = 1) -> None:
        self.line = getattr(node, "lineno", self.line)
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise self.refusal(f"the program takes more than {MAX_STEPS} steps")

    def refusal(self, reason: str) -> SandboxRefusal:
        return SandboxRefusal(self.line, reason)

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self.spend(statement)
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                result = self.value(value)
                for target in targets:
                    self.assign(target, result)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self.assign(target, self.arithmetic(op, self.lookup(name), self.value(value)))
            case ast.Expr(value=value):
                self.value(value)
            case ast.If(test=test, body=body, orelse=orelse):
                self.block(body if self.truth(test) else orelse)
            case ast.For(target=target, iter=iterable, body=body, orelse=[]):
                self.loop(target, self.items(self.value(iterable)), body)
            case ast.Pass():
                pass
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case _:
                raise self.refusal("this form of statement is not allowed")

    def loop(self, target: ast.expr, items: Sequence[object], body: Sequence[ast.stmt]) -> None:
        for item in items:
            self.spend(target)
            self.assign(target, item)
            try:
                self.block(body)
            except _Continue:
                continue
            except _Break:
                break

    def assign(self, target: ast.expr, value: object) -> None:
        if isinstance(target, ast.Name):
            if target.id == "twin" or target.id in _FUNCTIONS:
                raise self.refusal(f"{target.id} cannot be assigned to")
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = self.items(value)
            if len(items) != len(target.elts):
                raise self.refusal(f"{len(items)} values cannot be assigned to {len(target.elts)} names")
            for part, item in zip(target.elts, items, strict=True):
                self.assign(part, item)
        else:
            raise self.refusal("only names can be assigned to")

    def value(self, node: ast.expr) -> object:
        self.spend(node)
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.lookup(name)
            case ast.Attribute(value=owner, attr=name):
                return attribute(self.value(owner), name, self.line)
            case ast.Call():
                return self.call(node)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.value(item) for item in self.few(items)]
            case ast.Dict(keys=keys, values=values):
                return {self.key(key): self.value(item) for key, item in zip(self.few(keys), values, strict=True)}
            case ast.Subscript(value=owner, slice=index):
                return self.subscript(self.value(owner), self.value(index))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.truth(test) else orelse)
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(op, self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.truth(operand)
            case ast.UnaryOp(op=sign, operand=operand):
                number = self.number(self.value(operand))
                return -number if isinstance(sign, ast.USub) else number
            case ast.BoolOp(op=ast.And(), values=values):
                return all(self.truth(value) for value in values)
            case ast.BoolOp(values=values):
                return any(self.truth(value) for value in values)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self.compare(self.value(left), ops, comparators)
        raise self.refusal("this form of expression is not allowed")

    def lookup(self, name: str) -> object:
        if name not in self.names:
            raise self.refusal(f"there is no {brief(name)}")
        return self.names[name]

    def call(self, node: ast.Call) -> object:
        if isinstance(node.func, ast.Name) and node.func.id not in self.names:
            name = node.func.id
            if name not in _FUNCTIONS or node.keywords:
                known = ", ".join(_FUNCTIONS)
                raise self.refusal(f"there is no such function {brief(name)}; there are {known}, without names")
            return self.function(name, [self.value(argument) for argument in self.few(node.args)])
        method = self.value(node.func)
        if not isinstance(method, Method):
            raise self.refusal(f"{kind(method)} cannot be called")
        positional = [self.value(argument) for argument in self.few(node.args)]
        named: dict[str, object] = {}
        for keyword in self.few(node.keywords):
            if keyword.arg is None:
                raise self.refusal("unpacking with ** is not allowed")
            named[keyword.arg] = self.value(keyword.value)
        self.line = node.lineno
        return invoke(method, positional, named, self.line)

    def function(self, name: str, arguments: list[object]) -> object:
        if name == "len" and len(arguments) == 1:
            return len(self.items(arguments[0]))
        if name in ("min", "max") and len(arguments) == 1:
            arguments = list(self.items(arguments[0]))
        numbers = [self.number(argument) for argument in arguments]
        if name == "round" and any(abs(digits) > MAX_DIGITS for digits in numbers[1:]):
            raise self.refusal(f"round takes at most {MAX_DIGITS} digits")
        result = self.guarded(lambda: _FUNCTIONS[name](*numbers))
        return self.few(result) if isinstance(result, range) else self.bounded(result)

    def arithmetic(self, op: ast.operator, left: object, right: object) -> object:
        one, other = self.number(left), self.number(right)
        if isinstance(op, ast.Pow) and abs(other) > MAX_EXPONENT:
            raise self.refusal(f"the exponent {other:g} is too large; at most {MAX_EXPONENT} is allowed")
        return self.bounded(self.guarded(lambda: _ARITHMETIC[type(op)](one, other)))

    def compare(self, left: object, ops: Sequence[ast.cmpop], comparators: Sequence[ast.expr]) -> bool:
        for op, comparator in zip(ops, comparators, strict=True):
            right = self.value(comparator)
            if isinstance(op, ast.In | ast.NotIn):
                items = self.items(right)
                self.spend(comparator, len(items))
                sought = self.scalar(left)
                holds = any(sought == self.scalar(item) for item in items) == isinstance(op, ast.In)
            elif isinstance(op, ast.Eq | ast.NotEq):
                holds = (self.scalar(left) == self.scalar(right)) == isinstance(op, ast.Eq)
            else:
                holds = _ORDER[type(op)](self.number(left), self.number(right))
            if not holds:
                return False
            left = right
        return True

    def subscript(self, owner: object, index: object) -> object:
        if isinstance(owner, dict):
            key = self.scalar(index)
            if key not in owner:
                raise self.refusal(f"there is no entry {brief(str(key))}")
            return owner[key]
        items = self.items(owner)
        if isinstance(index, bool) or not isinstance(index, int) or not -len(items) <= index < len(items):
            raise self.refusal(f"this is no place in a list of {len(items)}")
        return items[index]

    def truth(self, node: ast.expr) -> bool:
        return bool(self.scalar(self.value(node)))

    def key(self, node: ast.expr | None) -> object:
        if node is None:
            raise self.refusal("unpacking with ** is not allowed")
        return self.scalar(self.value(node))

    def scalar(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise self.refusal(f"{kind(value)} stands where a number or a name must")

    def number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refusal(f"{kind(value)} stands where a number must")
        return value

    def items(self, value: object) -> Sequence[object]:
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, list | range):
            return value
        raise self.refusal(f"{kind(value)} stands where a list must")

    def few(self, items: Sequence[T]) -> Sequence[T]:
        if len(items) > MAX_ITEMS:
            raise self.refusal(f"there are {len(items)} items; at most {MAX_ITEMS} are allowed")
        return items

    def bounded(self, value: object) -> object:
        check_scalar(value, self.line)
        return value

    def guarded(self, compute: Callable[[], object]) -> object:
        try:
            return compute()
        except (ArithmeticError, TypeError, ValueError) as error:
            raise self.refusal(f"this cannot be computed: {error}") from None
