"""No deed is forgotten: every place in the pages' code that makes one is in the table, and the table names no other."""

import ast
from collections import Counter
from collections.abc import Iterator

from dashboard.core.costs.waste.waste import Act
from dashboard.core.notebooks.plan import Deed as NotebookDeed
from dashboard.core.serving.functions.plan import About
from tests.conftest import ROOT
from tests.faults.deeds import DEEDS, ELSEWHERE

PAGES = ROOT / "dashboard"
GUARDS = {"carry_out", "at_once", "_carry_out"}
THE_WAY_ITSELF = {"confirm.at_once", "confirm._act"}
"""What all of them go through."""
KINDS = {
    "function_plan.draw": set(About),
    "notebook_plan.draw": set(NotebookDeed),
    "waste_dialogs._draw": set(Act),
}
"""The varieties of what one place makes."""


def sites() -> Iterator[str]:
    """The functions of pages that make an action of a dialog, or carry something out at once."""
    for file in sorted([*PAGES.glob("ui/*.py"), *PAGES.glob("views/*.py"), PAGES / "app.py"]):
        for node in ast.parse(file.read_text()).body:
            for function in (node, *(node.body if isinstance(node, ast.ClassDef) else ())):
                if isinstance(function, ast.FunctionDef) and any(makes(one) for one in ast.walk(function)):
                    yield f"{file.stem}.{function.name}"


def makes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    clicked = [ast.unparse(one.value).rpartition(".")[2] for one in node.keywords if one.arg == "on_click"]
    name = ast.unparse(node.func)
    return name.rpartition(".")[2] == "Action" or name == "deed.carry_out" or bool(GUARDS.intersection(clicked))


def test_every_deed_is_in_the_table() -> None:
    found, known = set(sites()) - THE_WAY_ITSELF, {one.at for one in DEEDS} | set(ELSEWHERE)
    assert len(found) > 40  # or the walk sees nothing
    assert found - known == set(), "no fault meets these"
    assert known - found == set(), "these make no deed any more"
    assert not {one.at for one in DEEDS} & set(ELSEWHERE)


def test_every_variety_of_a_deed_is_in_the_table() -> None:
    for at, kinds in KINDS.items():
        assert kinds == {one.kind for one in DEEDS if one.at == at}, at


def test_deeds_have_names_of_their_own() -> None:
    assert max(Counter(one.name for one in DEEDS).values()) == 1
