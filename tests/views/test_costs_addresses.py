"""Whatever an address of the pages of money says, the page opens: what makes no sense is left out."""

import pytest

from tests.core.costs.receipts import many
from tests.views.conftest import Open, text
from tests.views.test_choices import ways  # noqa: F401 - a fixture
from tests.views.test_costs import Kept, keep, month  # noqa: F401 - a fixture

FORMULA, DIGITS = "=cmd|'/C calc'!A0", "9" * 5000


@pytest.mark.parametrize("page", ["costs", "receipt"])
@pytest.mark.parametrize(
    "query",
    [
        {"period": "0001-01-01..9999-12-31"},
        {"period": "9999-12"},
        {"period": "1990-01"},
        {"period": "2099-01-01..2099-12-31"},
        {"period": "nan"},
        {"period": "-1d", "by": "nan", "of": "listed"},
        {"count": "abc"},
        {"count": "NaN", "capacity": "<b>", "instance": FORMULA, "platform": "-1"},
        {"service": "", "project": "\x00", "owner": "'; drop table"},
        {"p": "-1", "sort": "nan"},
        {"p": DIGITS},
        {"p": "٣"},
        {"receipt": "run:../../etc/passwd"},
    ],
    ids=lambda told: str(told)[:60],
)
def test_spend_and_receipts_open(visit: Open, aws, keep: Kept, page: str, query: dict[str, str]):  # noqa: F811
    keep(*month(), *(one for one in many(60, days=20).receipts))
    test = visit(aws, page, **query)
    assert not test.exception
    assert text(test)


@pytest.mark.parametrize(
    "query",
    [
        {"within": "nan", "right": "inf"},
        {"within": "-5", "right": "1e999"},
        {"within": "0", "right": "0"},
        {"by": "nan", "of": "nan", "data": FORMULA, "regions": "mars-1", "instances": "-1"},
        {"runs": f"{FORMULA},,run:none"},
        {"opened": "nan", "instances": DIGITS},
    ],
    ids=lambda told: str(told)[:60],
)
def test_choices_open(ways, visit: Open, query: dict[str, str]):  # noqa: F811
    test = visit(ways, "choices", **query)
    assert not test.exception
    told = text(test).lower()  # the words of the address are in it, as what is not known here
    assert not [odd for odd in ("$nan", "nan s", "nan %", "$inf", "-inf", "inf s", "inf %") if odd in told]
