"""Grammar: the part of Python that an orchestration may use, and the limits on its size.

What is allowed is listed here; everything else is refused, with its line, even where it would never run.
"""

import ast

from twin.link.errors import SandboxRefusal

MAX_SOURCE = 10_000
MAX_DEPTH = 40
MAX_TEXT = 500
MAX_NUMBER = 1e15

_ALLOWED: tuple[type[ast.AST], ...] = (
    *(ast.Module, ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Pass, ast.Break, ast.Continue),
    *(ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.keyword, ast.Subscript, ast.List, ast.Tuple, ast.Dict),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.expr_context),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not),
    *(ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_WORDS = {
    ast.Import: "import",
    ast.ImportFrom: "import",
    ast.While: "a while loop (use: for ... in range(...))",
    ast.FunctionDef: "defining a function",
    ast.AsyncFunctionDef: "defining a function",
    ast.ClassDef: "defining a class",
    ast.Lambda: "lambda",
    ast.NamedExpr: "assigning inside an expression (:=)",
    ast.JoinedStr: "an f-string",
    ast.Try: "try",
    ast.TryStar: "try",
    ast.Raise: "raise",
    ast.With: "with",
    ast.Delete: "del",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Assert: "assert",
    ast.Await: "await",
    ast.AsyncFor: "an async loop",
    ast.AsyncWith: "an async with",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Starred: "unpacking with *",
    ast.Slice: "a slice",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Return: "return",
    ast.Match: "match",
}


def parse(source: str) -> ast.Module:
    """Parse a program and check every part of it; SandboxRefusal names the line and the reason."""
    if len(source) > MAX_SOURCE:
        raise SandboxRefusal(0, f"the program has {len(source)} characters; it must have at most {MAX_SOURCE}")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise SandboxRefusal(error.lineno or 0, f"this is no Python: {error.msg[:80]}") from None
    except (RecursionError, MemoryError):
        raise SandboxRefusal(0, "this is nested too deeply to be parsed") from None
    except ValueError as error:
        raise SandboxRefusal(0, f"this cannot be parsed: {error}") from None
    level: list[tuple[ast.AST, int]] = [(tree, 0)]
    for _ in range(MAX_DEPTH):
        below: list[tuple[ast.AST, int]] = []
        for node, line in level:
            line = getattr(node, "lineno", line)
            _admit(node, line)
            below += [(child, line) for child in ast.iter_child_nodes(node)]
        level = below
    if level:
        raise SandboxRefusal(level[0][1], f"this is nested too deeply; at most {MAX_DEPTH} levels are allowed")
    return tree


def _admit(node: ast.AST, line: int) -> None:
    if not isinstance(node, _ALLOWED):
        word = _WORDS.get(type(node), type(node).__name__)
        raise SandboxRefusal(line, f"{word} is not allowed")
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name.startswith("_"):
            raise SandboxRefusal(line, f"the name {brief(name)} is not allowed: it starts with an underscore")
    if isinstance(node, ast.Constant):
        check_scalar(node.value, line)


def check_scalar(value: object, line: int) -> None:
    """Refuse a value that is no scalar, or too large."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise SandboxRefusal(line, f"a text has {len(value)} characters; at most {MAX_TEXT} are allowed")
    elif isinstance(value, int | float):
        if not abs(value) <= MAX_NUMBER:
            raise SandboxRefusal(line, f"a number is too large; at most {MAX_NUMBER:g} is allowed")
    elif value is not None:
        raise SandboxRefusal(line, f"a value of the kind {type(value).__name__} is not allowed")


def brief(name: str) -> str:
    """A name in quotes, short enough for a message."""
    return repr(name if len(name) <= 40 else f"{name[:37]}...")
