"""The drawing for paper is whole: every amount has its place in it, and text stays text."""

import base64
import re
from decimal import Decimal
from xml.etree import ElementTree

from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.statement import statement
from dashboard.ui import paper_chart
from dashboard.ui.figures_spend import Limit
from tests.core.costs.receipts import NOW, ledger, many
from tests.ui.test_figures_spend import NOVEMBER, month


def whole(svg: str) -> None:
    """It is one well-formed document."""
    ElementTree.fromstring(svg)  # noqa: S314 – our own drawing, no document from outside


def bottoms(svg: str) -> list[float]:
    return [float(y) + float(height) for y, height in re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)]


def test_bars_stand_on_the_ground_and_within_the_drawing():
    made = month()
    svg = paper_chart.bars(made.series, str)
    whole(svg)
    days = sum(1 for step in made.series.steps for amount in step.amounts if amount)
    assert svg.count("<rect") == days + len(made.series.groups)
    assert max(bottoms(svg)) == paper_chart.HEIGHT - paper_chart.BOTTOM


def test_the_cone_and_the_limit_are_drawn_and_named():
    made = month()
    limit = Limit("budget", Decimal(40))
    svg = paper_chart.adding_up(made.series, NOW, str, forecast=made.ahead, limit=limit)
    whole(svg)
    assert svg.count("<polygon") == len(made.series.groups) + 1
    assert "budget $40.00" in svg
    assert "about $" in svg
    assert "nan" not in svg


def test_a_year_and_nothing_at_all_draw_too():
    year = statement(many(50), Selection(month().selection.nature, Period.parse("12m", NOW), By.SERVICE))
    whole(paper_chart.bars(year.series, str))
    nothing = statement(ledger(), Selection(year.selection.nature, NOVEMBER))
    whole(paper_chart.adding_up(nothing.series, NOW, str))
    whole(paper_chart.bars(nothing.series, str))


def test_names_are_escaped():
    svg = paper_chart.bars(month().series, lambda group: f"<{group}>")
    whole(svg)
    assert "&lt;" in svg


def test_the_picture_holds_the_drawing():
    drawing = paper_chart.bars(month().series, str)
    picture = paper_chart.picture(drawing, 'most on "Monday"')
    coded = picture.split("base64,")[1].split('"')[0]
    assert base64.b64decode(coded).decode() == drawing
    assert 'alt="most on &quot;Monday&quot;"' in picture
