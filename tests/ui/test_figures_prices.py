"""What spot cost, as a sentence and as a band."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.price_cache import SpotDay
from dashboard.ui.figures_prices import finding, spot_range

FIRST = date(2026, 11, 1)


def days(*ranges: tuple[str, str]) -> list[SpotDay]:
    return [
        SpotDay("c5.2xlarge", FIRST + timedelta(days=number), Decimal(lowest), Decimal(highest))
        for number, (lowest, highest) in enumerate(ranges)
    ]


@pytest.mark.parametrize(
    ("ranges", "listed", "said"),
    [
        (
            [("0.13", "0.14"), ("0.14", "0.153")],
            "0.34",
            "Spot c5.2xlarge cost $0.13 to $0.153/h over 2 days: 55 % to 62 % below on demand",
        ),
        ([("0.174", "0.174")], "0.34", "Spot c5.2xlarge cost $0.174/h over 1 day: 49 % below on demand"),
        ([("0.174", "0.174")], None, "Spot c5.2xlarge cost $0.174/h over 1 day"),
        (
            [("0.4", "0.5")],
            "0.34",
            "Spot c5.2xlarge cost $0.40 to $0.50/h over 1 day: dearer than on demand at times",
        ),
        ([], "0.34", "No spot price of c5.2xlarge is known"),
    ],
)
def test_the_finding(ranges, listed, said):
    assert finding("c5.2xlarge", days(*ranges), Decimal(listed) if listed else None) == said


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_band_begins_at_zero_and_holds_the_list_price(is_dark):
    figure = spot_range(days(("0.13", "0.14"), ("0.14", "0.153")), Decimal("0.34"), is_dark=is_dark)
    assert [list(trace.y) for trace in figure.data] == [[0.13, 0.14], [0.14, 0.153]]
    low, high = figure.layout.yaxis.range
    assert low == 0
    assert high > 0.34
    assert "spot $0.13/h to $0.14/h" in figure.data[1].hovertemplate.replace("%{text}", figure.data[1].text[0])
    assert any("on demand" in one.text for one in figure.layout.annotations)


def test_without_a_list_price_there_is_no_line_for_it():
    figure = spot_range(days(("0.13", "0.14")), None)
    assert not figure.layout.shapes
    assert [one.text for one in figure.layout.annotations] == ["spot"]
