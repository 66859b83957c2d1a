"""What the sources of training/ use of other packages, read without running them."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

TRAINING = ROOT / "training"


@dataclass(frozen=True)
class Use:
    """A dotted name that a file uses, such as torch.nn.functional.linear, and the line that uses it."""

    name: str
    where: str


def uses(source: str, file: str = "") -> Iterator[Use]:
    """Every module that the source imports, and every name that it takes from one, dotted and in full."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield Use(alias.name, f"{file}:{node.lineno}")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield Use(f"{node.module}.{alias.name}", f"{file}:{node.lineno}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := _dotted(node, known)):
            yield Use(name, f"{file}:{node.lineno}")


def _dotted(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, known)):
        return f"{owner}.{node.attr}"
    return ""


def missing(name: str, names: dict[str, set[str]]) -> str:
    """The part of a dotted name that the packages listed in `names` do not have; "" when they have it.

    Only modules are listed: what hangs on a class or a value is not looked at, nor are other packages.
    """
    parts = name.split(".")
    if parts[0] not in names:
        return ""
    module = parts[0]
    for part in parts[1:]:
        if part not in names[module]:
            return "" if part.startswith("_") else f"{module}.{part}"
        module = f"{module}.{part}"
        if module not in names:
            return ""
    return ""


def imported(module: str, seen: set[str] | None = None) -> set[str]:
    """Modules of training/ that running `module` can import, itself included; lazy imports count."""
    seen = set() if seen is None else seen
    if module in seen:
        return seen
    seen.add(module)
    for use in uses((TRAINING / f"{module}.py").read_text("utf-8")):
        package, _, rest = use.name.partition(".")
        first = rest.partition(".")[0]
        if package == "training" and (TRAINING / f"{first}.py").exists():
            imported(first, seen)
    return seen


def foreign(modules: set[str]) -> dict[str, str]:
    """Packages from outside Python that these modules of training/ import, with a line that does."""
    found = {}
    for module in modules:
        path: Path = TRAINING / f"{module}.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                package = name.partition(".")[0]
                beside = (TRAINING / f"{package}.py").exists()  # the flat imports of a model archive
                if package != "training" and package not in sys.stdlib_module_names and not beside:
                    found[package] = f"training/{module}.py:{getattr(node, 'lineno', 0)}"
    return found
