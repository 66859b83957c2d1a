"""On paper a table has every column, values as people read them, and says when rows are left out."""

from datetime import datetime, timedelta

import pytest

from dashboard.ui import paper_table


def test_every_column_is_printed_in_its_order_and_numbers_to_the_right():
    made = paper_table.table(
        [{"Choice": "EC2 t2.micro", "Cost": 0.0245, "hidden": 1}], {"Choice": "", "Cost": "${:.4f}"}
    )
    assert made.index("<th>Choice</th>") < made.index('<th class="kn-number">Cost</th>')
    assert '<td>EC2 t2.micro</td><td class="kn-number">$0.0245</td>' in made
    assert "hidden" not in made
    assert "kn-on-paper" in made


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        (None, "${:.4f}", "–"),
        ("", "", "–"),
        (0, "{}", "0"),
        (timedelta(minutes=88, seconds=24), "", "1 h 28 min"),
        (datetime(2026, 11, 21, 20, 15), "", "2026-11-21 20:15"),
        (91.25, "{:.1f} %", "91.2 %"),
    ],
)
def test_values_are_written_as_people_read_them(value, form, said):
    assert paper_table.cell(value, form) == said


def test_text_from_outside_stays_text():
    assert "<b>" not in paper_table.table([{"Run": "<b>"}], {"Run": ""})


def test_rows_that_are_left_out_are_counted():
    rows = [{"Run": str(number)} for number in range(paper_table.MOST + 1)]
    made = paper_table.table(rows, {"Run": ""})
    assert made.count("<tr>") == paper_table.MOST + 1
    assert "The first 40 of 41 rows" in made
    assert "<caption>" not in paper_table.table(rows[:-1], {"Run": ""})
