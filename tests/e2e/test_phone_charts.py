"""On a phone too Costs can be read: names under an axis stand apart, nothing is cut, no toolbar lies over text."""

from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Kennel, settle

pytestmark = pytest.mark.e2e

CHARTS = """all => all.map(chart => {
  const box = one => { const at = one.getBoundingClientRect(); return [at.left, at.right]; };
  const seen = one => one.getClientRects().length && one.textContent.trim();
  const texts = [...chart.querySelectorAll('.main-svg text')].filter(seen);
  return {
    edge: box(chart),
    names: [...chart.querySelectorAll('.xtick text')].filter(seen).map(one => [one.textContent, ...box(one)]),
    texts: texts.map(one => [one.textContent, ...box(one)]),
  };
})"""


@pytest.mark.parametrize("path", ["costs?of=sample", "costs?of=sample&period=12m", "choices?of=sample", "prices"])
def test_charts_are_read_on_a_phone(browser: Browser, kennel: Kennel, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = context.new_page()
    phone.goto(f"{kennel.url}/{path}")
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    settle(phone)
    drawn = phone.locator("[data-testid=stPlotlyChart] .js-plotly-plot")
    expect(drawn.locator(".xtick").first).to_be_visible()
    expect(drawn.locator(".main-svg text").last).to_be_visible()
    charts: list[dict[str, Any]] = drawn.evaluate_all(CHARTS)
    context.close()
    for chart in charts:
        names = sorted(chart["names"], key=lambda name: name[1])
        assert names, "a chart has nothing under its axis"
        for left, right in pairwise(names):
            assert left[2] < right[1], f"{left[0]} and {right[0]} lie on each other"
        cut = [text for text, low, high in chart["texts"] if low < chart["edge"][0] - 1 or high > chart["edge"][1] + 1]
        assert not cut, f"beside the chart: {cut}"


TABLES = """all => all.map(bar => {
  const element = bar.closest('[data-testid=stElementContainer]');
  const box = one => one.getBoundingClientRect();
  const above = element.previousElementSibling, below = element.nextElementSibling;
  return [
    box(bar).top - (above ? box(above).bottom : box(element.parentElement).top),
    below ? box(below).top - box(element.querySelector('[data-testid=stDataFrame]')).bottom : 0,
  ];
})"""


def test_the_toolbar_of_a_table_lies_over_nothing_where_it_is_always_up(browser: Browser, kennel: Kennel) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(f"{kennel.url}/choices?of=sample")
    expect(phone.get_by_test_id("stElementToolbar").first).to_be_attached()
    settle(phone)
    tables: list[list[float]] = phone.get_by_test_id("stElementToolbar").evaluate_all(TABLES)
    context.close()
    assert tables
    assert min(above for above, _ in tables) >= 0, "it reaches into what stands above the table"
    assert min(below for _, below in tables) >= 0, "the table reaches into what stands below it"
