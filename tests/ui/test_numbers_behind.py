"""Behind every chart stand its numbers: whoever cannot see it, or wants them, finds a table or a file of them."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

UI = ROOT / "dashboard" / "ui"
DRAWS = {("chart", "panel"), ("chart", "learning"), ("looking", "charts"), ("st", "plotly_chart")}
DRAWS_FOR_OTHERS = {"chart.py", "looking.py"}
"""What others draw with: the numbers are theirs to show."""
WITH_A_TABLE = {("chart", "table"), ("chart", "behind")}


def calls(file: Path) -> set[tuple[str, str]]:
    """Every call of a module's or object's member, as ("chart", "panel"); ("", "dataframe") of whatever else."""
    return {
        (node.func.value.id if isinstance(node.func.value, ast.Name) else "", node.func.attr)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def draws(file: Path) -> bool:
    """Whether it draws a chart; what does not even name a way to draw is not taken apart."""
    return any(f"{owner}.{way}(" in file.read_text() for owner, way in DRAWS) and bool(calls(file) & DRAWS)


DRAWING = [file for file in sorted(UI.glob("*.py")) if file.name not in DRAWS_FOR_OTHERS and draws(file)]


def test_the_modules_that_draw_are_found() -> None:
    assert {"usage.py", "endpoint_live.py", "spend_chart.py", "security.py"} <= {file.name for file in DRAWING}


@pytest.mark.parametrize("file", DRAWING, ids=lambda file: file.name)
def test_a_module_that_draws_also_shows_the_numbers(file: Path) -> None:
    called = calls(file)
    has_table = called & WITH_A_TABLE or any(name == "dataframe" for _, name in called)
    assert has_table, f"{file.name} draws a chart, and has no table of its numbers"
