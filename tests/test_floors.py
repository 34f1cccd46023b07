"""The floors of the house: each package imports only from floors below it (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "oran": set(),
    "twin": {"oran"},
    "xapps": {"oran"},
    "rapps": {"oran", "twin"},
    "training": {"twin", "xapps", "rapps", "oran"},
    "ranloop": {"training", "twin", "xapps", "rapps", "oran"},
}
TORCH_FREE = ("oran", "xapps", "rapps")
SHY = {
    "torch",
    "onnxruntime",
    "starlette",
    "uvicorn",
    "httpx",
    "redis",
    "jsonschema",
    "ricxappframe",
    "structlog",
    "tokenizers",
}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


def runtime_imports(tree: ast.Module) -> set[str]:
    """What is imported by importing the module: not inside functions, not under TYPE_CHECKING."""
    names: set[str] = set()
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= imports(ast.Module([node], []))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            pending.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    return names


@pytest.mark.parametrize("package", [name for name in ALLOWED if (ROOT / name).is_dir()])
def test_a_floor_imports_only_from_below(package: str) -> None:
    for path in sources(package):
        roots = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
        above = roots & set(ALLOWED) - ALLOWED[package] - {package}
        assert not above, f"{path.relative_to(ROOT)} imports {', '.join(sorted(above))}"


@pytest.mark.parametrize("package", [name for name in TORCH_FREE if (ROOT / name).is_dir()])
def test_serving_floors_never_name_torch_and_load_heavy_libraries_late(package: str) -> None:
    for path in sources(package):
        tree = ast.parse(path.read_text())
        assert "torch" not in {name.split(".")[0] for name in imports(tree)}, path
        if path.name == "__main__.py":
            continue
        early = {name.split(".")[0] for name in runtime_imports(tree)} & SHY
        assert not early, f"{path.relative_to(ROOT)} loads {', '.join(sorted(early))} on import"


def test_importing_the_xapp_loads_nothing_heavy() -> None:
    code = "import sys, xapps.slicing.app; print(*sorted(m.split('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not SHY & set(run.stdout.split())


def test_packages_hold_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for package in ALLOWED:
        for path in sources(package):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[module] = runtime_imports(ast.parse(path.read_text()))
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done or module not in graph:
            return
        for name in graph[module]:
            visit(name, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())
