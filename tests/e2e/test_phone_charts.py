"""On a phone too the charts of Costs can be read: names under an axis stand apart, nothing is cut at the edge."""

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
