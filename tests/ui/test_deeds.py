"""Whatever a page changes in an account goes through `deed.carry_out`: read from the code itself.

A function of the core changes an account if it sends an operation that does, or a planned call, or uses a function
that does. A page may hand such a function over to `Action(…)` or `deed.carry_out(…)`, and use it nowhere else.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dashboard.core.aws_writes import changes
from tests.conftest import ROOT

DASHBOARD = ROOT / "dashboard"
GUARDS = {"Action", "carry_out", "at_once", "role_deed.question"}
"""What is handed over to these is carried out as a deed: the last makes an Action of it."""
NOT_AN_ACCOUNTS = {"AssumeRole", "Invoke"}
"""Keys for a moment; and a function that answers a photo somebody classifies, which is no action."""
NOBODYS = {
    "dashboard.sample_account",  # filled by Kennel itself at a first start, by nobody's click
    "dashboard.core.trail",  # the undo, which is handed over as any other plan
}


@dataclass
class Function:
    """A function, or a module's own lines: what it names, and which of that it hands over to be carried out."""

    name: str
    bare: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    sends: bool = False


def module_of(file: Path) -> str:
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imported(tree: ast.Module) -> dict[str, str]:
    """What each name of a module stands for: "dashboard.core.runs.watch.stop_many"."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions and methods; methods by their own name, since it is not known of what class a value is."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def is_guard(node: ast.Call) -> bool:
    """Whether what this call is given is carried out as a deed: a button's, too, whose `on_click` is that."""
    clicked = next((dotted(one.value) for one in node.keywords if one.arg == "on_click"), "")
    names = (dotted(node.func), clicked)
    return any(name in GUARDS or name.rpartition(".")[2].removeprefix("_") in GUARDS for name in names)


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := dotted(node.value)):
        return f"{inner}.{node.attr}"
    return ""


class Reader(ast.NodeVisitor):
    """Reads one function."""

    def __init__(self, module: str, names: dict[str, str], own: set[str], function: Function, cls: str) -> None:
        self.module, self.names, self.own, self.function, self.cls = module, names, own, function, cls
        self.is_guarded = False
        self.nested: dict[str, ast.AST] = {}
        self.handed: set[str] = set()

    def read(self, node: ast.AST) -> None:
        for inner in ast.walk(node):
            if inner is not node and isinstance(inner, ast.FunctionDef):
                self.nested[inner.name] = inner
            if isinstance(inner, ast.Call) and is_guard(inner):
                for given in [*inner.args, *(one.value for one in inner.keywords)]:
                    self.handed |= {dotted(each) for each in ast.walk(given) if isinstance(each, ast.Name)}
        # a function that is put into a variable first: `do: Callable[[], str] = partial(…)`, then Action(label, do)
        for inner in ast.walk(node):
            target = inner.target if isinstance(inner, ast.AnnAssign) else None
            if isinstance(inner, ast.Assign) and len(inner.targets) == 1:
                target = inner.targets[0]
            if target is not None and dotted(target) in self.handed and getattr(inner, "value", None) is not None:
                self.names_in(inner.value, guarded=True)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before, self.is_guarded = self.is_guarded, self.is_guarded or node.name in self.handed
        self.generic_visit(node)
        self.is_guarded = before

    def visit_Call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        if name.rpartition(".")[2] in ("call", "pages") and len(node.args) >= 2:
            told = node.args[1]
            if isinstance(told, ast.Constant):
                self.function.sends |= changes(str(told.value)) and told.value not in NOT_AN_ACCOUNTS
            elif isinstance(told, ast.Attribute) and told.attr == "operation":
                self.function.sends = True
        if is_guard(node):
            self.note(name)
            before, self.is_guarded = self.is_guarded, True
            for given in [*node.args, *(one.value for one in node.keywords)]:
                self.visit(given)
            self.is_guarded = before
            return
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.note(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if name := dotted(node):
            self.note(name)
        else:
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not (len(node.targets) == 1 and dotted(node.targets[0]) in self.handed):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if dotted(node.target) not in self.handed and node.value is not None:
            self.visit(node.value)

    def names_in(self, node: ast.AST, *, guarded: bool) -> None:
        before, self.is_guarded = self.is_guarded, guarded
        self.visit(node)
        self.is_guarded = before

    def note(self, name: str) -> None:
        first, _, rest = name.partition(".")
        if first == "self" and self.cls:
            full = f"{self.module}.{self.cls}.{rest}"
        elif first in self.own:
            full = f"{self.module}.{name}"
        elif first in self.names:
            full = f"{self.names[first]}.{rest}" if rest else self.names[first]
        else:
            return
        (self.function.guarded if self.is_guarded else self.function.bare).add(full)


@cache
def functions() -> dict[str, Function]:
    """Every function of the dashboard by its whole name; a module's own lines by the module's."""
    found: dict[str, Function] = {}
    again: dict[str, str] = {}
    for file in sorted(DASHBOARD.rglob("*.py")):
        tree, module = ast.parse(file.read_text()), module_of(file)
        names = imported(tree)
        again |= {f"{module}.{name}": full for name, full in names.items()}
        own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        for name, node in top(tree):
            one = found.setdefault(f"{module}.{name}", Function(f"{module}.{name}"))
            Reader(module, names, own, one, name.rpartition(".")[0]).read(node)
        lines = found.setdefault(module, Function(module))
        rest = ast.Module([node for node in tree.body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))], [])
        Reader(module, names, own, lines, "").read(rest)
    for one in found.values():  # what a module imports is that module's too: state.measure is measure_readings.measure
        one.bare = {resolved(name, again) for name in one.bare}
        one.guarded = {resolved(name, again) for name in one.guarded}
    return found


def resolved(name: str, again: dict[str, str]) -> str:
    for _ in range(5):
        if name not in again:
            return name
        name = again[name]
    return name


def is_page(name: str) -> bool:
    return name.startswith(("dashboard.ui.", "dashboard.views.", "dashboard.app"))


def is_nobodys(name: str) -> bool:
    return name.startswith(tuple(NOBODYS))


@cache
def changing() -> frozenset[str]:
    """The functions beneath the pages that change an account."""
    there = {name: one for name, one in functions().items() if not is_page(name) and not is_nobodys(name)}
    found = {name for name, one in there.items() if one.sends}
    while True:
        more = {name for name, one in there.items() if name not in found and (one.bare | one.guarded) & found}
        if not more:
            return frozenset(found)
        found |= more


@cache
def bare() -> dict[str, set[str]]:
    """The functions of pages that change an account themselves, each with what of it does."""
    pages = {name: one for name, one in functions().items() if is_page(name) and name != "dashboard.ui.deed.carry_out"}
    found: dict[str, set[str]] = defaultdict(set)
    for name, one in pages.items():
        found[name] |= one.bare & changing()
    while True:
        guilty = {name for name, why in found.items() if why}
        more = {name: one.bare & guilty - found[name] - {name} for name, one in pages.items()}
        if not any(more.values()):
            return {name: why for name, why in found.items() if why}
        for name, why in more.items():
            found[name] |= why


def handed_over() -> set[str]:
    return {name for one in functions().values() for name in one.guarded}


def test_the_walk_sees_what_changes_an_account() -> None:
    """Or the test below could not fail."""
    assert {
        "dashboard.core.runs.watch.stop_many",
        "dashboard.core.runs.launch.launch",
        "dashboard.core.serving.scaling.apply.apply",
        "dashboard.core.costs.budgets.plan.carry_out",
        "dashboard.core.iam.replace.undo.apply",
        "dashboard.core.serving.feedback.keep",
    } <= changing()
    assert not {"dashboard.core.runs.listing.read", "dashboard.readings.where"} & changing()


def test_what_a_page_changes_it_carries_out_as_a_deed() -> None:
    given = handed_over()
    wrong = [f"{name}: {', '.join(sorted(why))}" for name, why in sorted(bare().items()) if name not in given]
    assert not wrong, "without deed.carry_out:\n" + "\n".join(wrong)


def test_a_helper_of_that_name_carries_out_a_deed() -> None:
    """The walk believes `confirm.at_once` and every function called `_carry_out`: so each of them is one."""
    believed = ("dashboard.ui.confirm.at_once", "._carry_out")
    named = [one for name, one in functions().items() if is_page(name) and name.endswith(believed)]
    assert named
    assert all("dashboard.ui.deed.carry_out" in one.bare | one.guarded for one in named)
