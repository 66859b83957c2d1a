"""What a chart, a table or a comparison gives to a spreadsheet."""

import csv
import io

import pytest

from dashboard.ui.chart import to_csv


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=1\r\n"])
def test_text_from_outside_is_no_formula(text):
    rows = read(to_csv([{"owner": text, text: "1"}]))
    told = text.replace("\r", " ")
    assert rows == [{"owner": f"'{told}", f"'{told}": "1"}]


@pytest.mark.parametrize("number", ["-0.0033", "-12", -12, "+1"])
def test_a_number_stays_a_number(number):
    assert read(to_csv([{"cost": number}])) == [{"cost": str(number)}]


def test_what_a_row_lacks_or_does_not_know_is_empty():
    assert read(to_csv([{"run": 'a, "b"', "cost": None}, {"run": "c", "accuracy": 0}])) == [
        {"run": 'a, "b"', "cost": "", "accuracy": ""},
        {"run": "c", "cost": "", "accuracy": "0"},
    ]
