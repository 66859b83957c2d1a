"""The pages of money: what a manager reads, and where each figure leads."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.costs.ledger.ledger import Ledger, Unread
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import Selection
from dashboard.core.errors import AccessDenied
from dashboard.readings import Reading
from dashboard.ui import spend_table
from dashboard.ui.chart import to_csv
from dashboard.ui.spend_controls import ALL
from tests.core.costs.receipts import NOW as MADE
from tests.core.costs.receipts import endpoint, line, many, run
from tests.views.conftest import Open, links, text

HOURS = timedelta(hours=1)
Kept = Callable[..., None]


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """keep(receipt, …): the account has cost exactly these, as seen on 21 November 2026 at noon."""
    monkeypatch.setattr("dashboard.state.now", lambda: MADE)

    def these(*receipts: Receipt, **told: object) -> None:
        book = Ledger(receipts, MADE, **told)
        monkeypatch.setattr(state, "ledger", lambda aws: Reading(book, MADE))

    return these


def month() -> list[Receipt]:
    """Three weeks of runs of two projects, an endpoint that serves, and one sample."""
    days = [MADE.replace(hour=1) - timedelta(days=n) for n in range(1, 20)]
    runs = [run(f"run-{n}", day, 1, "0.50", project="AB"[n % 2], owner="ada") for n, day in enumerate(days)]
    return [
        *runs,
        run("ec2-run", days[0], 2, "0.40", platform="EC2", project="A"),
        endpoint("serving", MADE - 10 * HOURS),
        run("example", days[0], 1, "99", nature=Nature.SAMPLE),
    ]


def query(test: AppTest, label: str) -> dict[str, str]:
    """The query of the page link with this label."""
    found = [told for name, _, told in links(test) if name.replace("\\", "") == label]
    assert found, [name for name, _, _ in links(test)]
    return {name: values[0] for name, values in parse_qs(found[0], keep_blank_values=True).items()}


def address(test: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in test.query_params.items()}


def cells(test: AppTest) -> list[dict[str, object]]:
    frame = next(one.value for one in test.dataframe if "Receipt" in one.value)
    return frame.to_dict("records")


def test_spend_reads_top_down(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs")
    said = text(test)
    # 19 runs at $0.50, one at $0.80, and ten hours at $0.24
    for words in (
        "Month to date",
        "$12.70",
        "Forecast, November",
        "Change",
        "By service",
        "Three largest",
        "simulated",
    ):
        assert words in said
    assert said.index("Month to date") < said.index("By service") < said.index("Receipts")
    assert not test.exception


def test_a_first_look_is_of_the_account_s_own_money_and_samples_have_their_own_page(visit: Open, aws, keep: Kept):
    keep(*month())
    assert "$99" not in text(visit(aws, "costs"))
    sample = visit(aws, "costs", of="sample")
    assert "$99.00" in text(sample)
    assert "$12.70" not in text(sample)
    assert [row["Receipt"] for row in cells(sample)] == ["example"]


def test_an_account_with_samples_only_shows_them(visit: Open, aws, keep: Kept):
    keep(run("example", MADE - 5 * HOURS, 1, "99", nature=Nature.SAMPLE))
    assert "$99.00" in text(visit(aws, "costs"))


def test_the_sum_opens_to_receipts_that_add_up_to_it(visit: Open, aws, keep: Kept):
    keep(*month())
    asked = query(visit(aws, "costs"), "Open 21 receipts")
    opened = visit(aws, "receipt", **asked)
    assert "Sum of 21 receipts: <strong>$12.70</strong>" in text(opened)
    assert sum(Decimal(str(row["Cost"])) for row in cells(opened)) == Decimal("12.7")


def test_the_forecast_opens_to_what_stands_and_to_the_days_of_the_rest(visit: Open, aws, keep: Kept):
    keep(*month(), endpoint("forgotten", MADE - 2 * HOURS, each="0.5"))
    page = visit(aws, "costs")
    asked = query(page, "Open what makes it")
    opened = visit(aws, "receipt", **asked)
    assert not opened.exception
    said = text(opened)
    for words in ("Spent so far", "forgotten", "$0.50/h for", "unless it is stopped", "All that comes and goes"):
        assert words in said
    receipts = [link for link in links(opened) if link[1] == "receipt"]
    assert any("receipt=endpoint" in where for _, _, where in receipts)
    assert "which stands at $0.50/h" in text(page)  # and what to do names it


def test_a_group_opens_to_its_own_receipts(visit: Open, aws, keep: Kept):
    keep(*month())
    page = visit(aws, "costs", by="project")
    asked = query(page, "$4.50")
    assert asked["project"] == "B"
    opened = visit(aws, "receipt", **asked)
    assert "Sum of 9 receipts: <strong>$4.50</strong>" in text(opened)
    assert {row["Project"] for row in cells(opened)} == {"B"}


def test_the_change_opens_to_what_it_is_compared_to(visit: Open, aws, keep: Kept):
    before = run("october", MADE - timedelta(days=31), 1, "3")
    keep(*month(), before)
    page = visit(aws, "costs")
    assert "+$9.70 (+323 %)" in text(page)
    opened = visit(aws, "receipt", **query(page, "Open what changed"))
    assert "<h1>+$9.70</h1>" in text(opened)
    assert "1 to 21 November 2026 against 1 to 21 October 2026 (UTC)" in text(opened)
    assert re.search(r'title="\$9\.7(0*)">All of it: <strong>\+\$9\.70<', text(opened))
    gone = query(opened, "−$3.00")
    assert (gone["receipt"], gone["period"]) == ("run:october", "2026-10-01..2026-10-21")
    then = visit(aws, "receipt", **query(opened, "$3.00"))
    assert [row["Receipt"] for row in cells(then)] == ["october"]
    now = visit(aws, "receipt", **query(opened, "$12.70"))
    assert "Sum of 21 receipts: <strong>$12.70</strong>" in text(now)


def test_a_group_s_change_opens_to_both_of_its_sums(visit: Open, aws, keep: Kept):
    keep(*month(), run("october", MADE - timedelta(days=31), 1, "3", project="B"))
    page = visit(aws, "costs", by="project")
    opened = visit(aws, "receipt", **query(page, "+$1.50"))
    assert "<h1>+$1.50</h1>" in text(opened)  # $4.50 against $3.00
    assert "project B, 1 to 21 November 2026 against" in text(opened)
    assert query(opened, "−$3.00")["receipt"] == "run:october"
    assert [told for name, _, told in links(opened) if "run%3Arun-" in told and name.replace("\\", "") == "+$0.50"]


def test_the_largest_open_to_their_lines(visit: Open, aws, keep: Kept):
    keep(*month())
    page = visit(aws, "costs")
    asked = next(parse_qs(told) for name, _, told in links(page) if "2" in name and "receipt=endpoint" in told)
    asked = {name: values[0] for name, values in asked.items()}
    assert asked["receipt"].startswith("endpoint:serving@")
    opened = text(visit(aws, "receipt", **asked))
    for said in ("serving", "10 instance-hours", "$0.24/h", "$2.400000", "a price list, 2026-11-01"):
        assert said in opened


def test_a_receipt_shows_what_aws_answered_and_leads_to_its_run_and_back(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "receipt", receipt="run:ec2-run", of="simulated", period="2026-11", by="project", project="A")
    assert "BillableTimeInSeconds" in text(test)
    assert query(test, "Open the run") == {"run": "ec2-run"}
    back = query(test, "Receipts of November 2026")
    assert back == {"of": "simulated", "period": "2026-11", "by": "project", "project": "A"}


def test_a_receipt_over_two_months_says_its_part_in_one(visit: Open, aws, keep: Kept):
    long = endpoint("long", MADE.replace(month=10, day=31, hour=0), MADE.replace(day=2, hour=0), "1")
    keep(long)
    test = visit(aws, "receipt", receipt=long.key, period="2026-10")
    assert "$24.00 of it in October 2026" in text(test)
    assert "$48.00" in text(test)


def test_a_tuning_job_is_the_sum_of_its_trials(visit: Open, aws, keep: Kept):
    trials = [run(f"search-{n}", MADE - 3 * HOURS, 1, "0.50", parent="search") for n in (1, 2)]
    keep(*trials)
    test = visit(aws, "receipt", receipt="run:search")
    assert "$1.00: the sum of 2 trials" in text(test)
    assert query(test, "$0.50") == {"receipt": "run:search-1"}


def test_a_receipt_that_is_not_there_says_what_to_do(visit: Open, aws, keep: Kept):
    keep(*month())
    said = text(visit(aws, "receipt", receipt="run:nothing"))
    assert "There is no receipt run:nothing" in said
    assert "Open Spend" in said


def test_no_query_leads_to_spend(visit: Open, aws, keep: Kept):
    keep(*month())
    assert "Month to date" in text(visit(aws, "receipt"))


def test_a_sum_of_which_nothing_is_known_is_unknown_and_not_nothing(visit: Open, aws, keep: Kept):
    keep(run("odd", MADE - 3 * HOURS, 1, None))
    spend, opened = visit(aws, "costs"), visit(aws, "receipt", of="simulated")
    assert not spend.exception
    assert not opened.exception
    assert "Month to date" in text(spend)
    assert text(spend).count('<p class="kn-figure-value">unknown</p>') >= 2  # the sum and its change
    assert "Nothing was spent" not in text(spend)
    assert "<h1>unknown</h1>" in text(opened)
    assert "$0.00" not in text(opened)


def test_the_csv_is_the_view_with_all_digits(visit: Open, aws, keep: Kept):
    keep(*month(), run("=cmd()", MADE - 3 * HOURS, 1, "0.123456789"))
    test = visit(aws, "costs", by="project", project="A")
    assert "=cmd()" not in [row["Receipt"] for row in cells(test)]
    book = state.ledger(aws).value
    everything = Selection.parse({}, MADE, Nature.SIMULATED)
    rows = list(csv.DictReader(io.StringIO(to_csv(spend_table.plain(book.of(everything), everything)))))
    assert len(rows) == 22
    assert sum(Decimal(row["amount"]) for row in rows) == book.total(everything).amount
    evil = next(row for row in rows if row["receipt"] == "run:=cmd()")
    assert evil["name"] == "'=cmd()"  # no spreadsheet runs it
    assert Decimal(evil["amount"]) == Decimal("0.123456789")
    assert {row["money"] for row in rows} == {"simulated"}


def test_the_controls_are_the_address(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs", of="simulated", period="2026-10-23..2026-11-21", by="owner")
    assert test.selectbox(key="spend-period").value == "last 30 days"
    test.selectbox(key="spend-period").set_value("last month").run()
    assert address(test)["period"] == "2026-10"
    assert address(test)["by"] == "owner"
    assert "Nothing was spent in October 2026." in text(test)
    test.selectbox(key="spend-period").set_value("last 12 months").run()
    assert address(test)["period"] == "2025-12-01..2026-11-21"
    test.selectbox(key="spend-by").set_value("project").run()
    assert "By project" in text(test)
    test.selectbox(key="spend-only-project").set_value("B").run()
    assert address(test)["project"] == "B"
    assert "$4.50" in text(test)
    test.selectbox(key="spend-only-project").set_value(ALL).run()
    assert "project" not in test.query_params


def test_a_project_named_all_is_one_project(visit: Open, aws, keep: Kept):
    keep(run("a", MADE - HOURS, 1, "1.00", project="all"), run("b", MADE - HOURS, 1, "2.00", project="B"))
    test = visit(aws, "costs", of="simulated")
    test.selectbox(key="spend-only-project").set_value("all").run()
    assert address(test)["project"] == "all"
    assert "$1.00" in text(test)
    assert test.selectbox(key="spend-only-project").options == ["all projects", "B", "all"]


def test_a_name_in_the_address_is_shown_as_it_is(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs", of="simulated", instance="*x* ![i](http://e/p.png) $a$")
    assert test.button(key="spend-without-instance").label == r"Only \*x\* \!\[i\]\(http\://e/p.png\) \$a\$"


def test_days_of_one_s_own_can_be_chosen(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs")
    test.selectbox(key="spend-period").set_value("other days").run()
    test.date_input(key="spend-days").set_value(
        (MADE.date() - timedelta(days=3), MADE.date() - timedelta(days=2))
    ).run()
    assert address(test)["period"] == "2026-11-18..2026-11-19"
    assert "$1.00" in text(test)


def test_days_of_one_s_own_end_with_another_address(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs")
    test.selectbox(key="spend-period").set_value("other days").run()
    assert len(test.date_input) == 1
    test.query_params["period"] = "2025-12-01..2026-11-21"
    test.run()
    assert test.selectbox(key="spend-period").value == "last 12 months"
    assert not test.date_input


def test_a_link_that_was_cut_short_still_opens(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs", of="nonsense", period="2026-99", by="", sort="cost", p="x")
    assert "$12.70" in text(test)
    assert not test.exception


def test_what_an_address_asks_for_and_nobody_knows_is_said_in_a_line(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs", of="gold", period="garbage", by="zebra")
    said = "The address asks for the money gold and the period garbage and the grouping zebra, which is not known here"
    assert said in text(test)
    assert "$12.70" in text(test)
    assert said in text(visit(aws, "receipt", of="gold", period="garbage", by="zebra"))
    assert "The address asks for" not in text(visit(aws, "costs", of="simulated", period="2026-11", by="owner"))


def test_real_money_is_what_is_listed(visit: Open, aws, keep: Kept):
    keep(*month(), run("paid", MADE - HOURS, 1, "7", nature=Nature.LISTED))
    said = text(visit(aws, "costs", of="real"))
    assert "$7.00" in said
    assert "$12.70" not in said
    assert "The address asks for" not in said


@pytest.mark.parametrize("period", ["0001-01", "9999-12", "0001-01-01..9999-12-31", "99999999d", "2100-12"])
def test_days_at_the_ends_of_the_calendar_open_the_page(visit: Open, aws, keep: Kept, period: str):
    keep(*month())
    for place in ("costs", "receipt"):
        test = visit(aws, place, period=period)
        assert not test.exception
        assert "a fault in Kennel" not in text(test)


def test_a_month_that_has_not_begun_says_so(visit: Open, aws, keep: Kept):
    keep(*month())
    said = text(visit(aws, "costs", period="2027-05"))
    assert "May 2027, which has not begun, 0 receipts" in said
    assert "May 2027 has not begun." in said
    assert "Nothing was spent" not in said
    assert "so far" not in said.split("Budget")[0]


def test_one_kept_group_can_be_let_go(visit: Open, aws, keep: Kept):
    keep(*month())
    test = visit(aws, "costs", service="EC2")
    assert "$0.80" in text(test)
    next(one for one in test.button if one.label == "Only EC2").click().run()
    assert "$12.70" in text(test)


def test_an_account_that_cost_nothing_teaches_the_next_step(visit: Open, empty, keep: Kept):
    keep()
    test = visit(empty, "costs")
    assert "No receipt yet." in text(test)
    assert ("Train a model", "train", "") in [(a, b.split("/")[-1], c) for a, b, c in links(test)]


def test_what_could_not_be_read_is_said_and_the_page_stands(visit: Open, aws, keep: Kept):
    denied = AccessDenied("notebooks cannot be read", "the role lacks a right", "ask for it")
    keep(*month(), unread=(Unread("Notebooks", denied),))
    said = text(visit(aws, "costs"))
    assert "$12.70" in said
    assert "Not in any sum: Notebooks: not allowed." in said
    assert "ask for it" in said
    assert "Not in any sum" not in text(visit(aws, "receipt", receipt="run:ec2-run"))


def test_what_is_still_being_read_is_said(visit: Open, aws, keep: Kept):
    keep(is_complete=False)
    assert "reading" in text(visit(aws, "costs"))


def test_an_unknown_price_is_unknown_on_every_page(visit: Open, aws, keep: Kept):
    odd = run("odd", MADE - 3 * HOURS, 1, None)
    keep(odd, run("fine", MADE - 3 * HOURS))
    page = text(visit(aws, "costs"))
    assert "1 of unknown cost" in page
    receipt = text(visit(aws, "receipt", receipt="run:odd"))
    assert "unknown: no price for instances" in receipt
    assert "$0.00" not in receipt


def test_odd_times_and_names_do_not_break_a_page(visit: Open, aws, keep: Kept):
    zero = run("zero", MADE - 3 * HOURS, 0)
    evil = replace(run("<b>evil</b>", MADE - 3 * HOURS), project="<script>alert(1)</script>", owner="$x$ [y](z)")
    future = run("future", MADE + 40 * HOURS)
    keep(zero, evil, future)
    test = visit(aws, "costs", by="project")
    assert not test.exception
    assert "<script>" not in text(test)
    assert not visit(aws, "receipt", receipt="run:<b>evil</b>").exception


def test_many_receipts_come_in_pages_and_in_the_asked_order(visit: Open, aws, keep: Kept):
    book = many(300, days=20)
    keep(*book.receipts)
    first = cells(visit(aws, "receipt", period="30d"))
    assert len(first) == 25
    assert [row["Cost"] for row in first] == sorted((row["Cost"] for row in first), reverse=True)
    second = cells(visit(aws, "receipt", period="30d", p="2"))
    assert second[0]["Cost"] <= first[-1]["Cost"]
    newest = cells(visit(aws, "receipt", period="30d", sort="newest"))
    assert [row["Started"] for row in newest] == sorted((row["Started"] for row in newest), reverse=True)


def test_what_is_known_in_part_is_at_least_so_much_and_what_is_missing_is_named(visit: Open, aws, keep: Kept):
    missing = line(MADE - 3 * HOURS, MADE - 2 * HOURS, None, what="spot instances")
    keep(run("part", MADE - 3 * HOURS, extra=(missing,)), run("fine", MADE - 3 * HOURS, 1, "0.10"))
    page = visit(aws, "costs")
    said = text(page)
    assert '<p class="kn-figure-value">at least $0.46</p>' in said
    assert "2 receipts, 1 known in part" in said
    assert "Not in these sums, because unknown: spot instances of 1 receipt (no price for spot instances)." in said
    assert {row["Note"] for row in cells(page)} == {"", "at least: without spot instances"}
    assert query(page, "at least $0.36")["receipt"] == "run:part"
    opened = text(visit(aws, "receipt", **query(page, "Open 2 receipts")))
    assert "<h1>at least $0.46</h1>" in opened
    assert "Sum of 2 receipts, 1 known in part: <strong>at least $0.46</strong>" in opened
    one = text(visit(aws, "receipt", receipt="run:part"))
    assert '<p class="kn-figure-value">at least $0.36</p>' in one
    assert "Not in the sum: spot instances (no price for spot instances)" in one


def test_a_tuning_job_is_one_line_everywhere_and_the_file_has_its_trials(visit: Open, aws, keep: Kept):
    trials = [run(f"search-{n}", MADE - 3 * HOURS, 1, "0.50", parent="search") for n in (1, 2)]
    keep(*trials, run("alone", MADE - 3 * HOURS, 1, "0.90"))
    page = visit(aws, "costs")
    assert "$1.90" in text(page)
    assert [(row["Receipt"], row["Cost"]) for row in cells(page)] == [("search", 1.0), ("alone", 0.9)]
    assert "2 trials together" in {row["Note"] for row in cells(page)}
    largest = [told for _, _, told in links(page) if "receipt=run" in told]
    assert "receipt=run%3Asearch&" in largest[0]
    assert not [told for told in largest if "search-1" in told]
    opened = visit(aws, "receipt", **query(page, "$1.00"))
    assert "$1.00: the sum of 2 trials" in text(opened)
    book = state.ledger(aws).value
    everything = Selection.parse({}, MADE, Nature.SIMULATED)
    rows = spend_table.plain(book.of(everything), everything)
    assert [row["trial_of"] for row in rows] == ["", "search", "search"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("1.9")


def test_a_run_that_waited_says_how_much_of_its_time_passed_before_its_instances_began(visit: Open, aws, keep: Kept):
    waited = run("waited", MADE - 2 * HOURS, 1, "0.50")
    keep(replace(waited, started=waited.started - timedelta(seconds=90)))
    assert "1 min 30 s of it before its instances began" in text(visit(aws, "receipt", receipt="run:waited"))
    keep(waited)
    assert "before its instances began" not in text(visit(aws, "receipt", receipt="run:waited"))
