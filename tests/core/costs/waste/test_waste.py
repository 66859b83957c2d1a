"""Sums of waste: each thing once, each nature by itself, unknown never 0; and what endpoints' use amounts to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.aws import Account
from dashboard.core.costs import charges
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import hourly
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste.endpoint_use import Use
from dashboard.core.costs.waste.sweep_endpoints import Judge
from dashboard.core.costs.waste.waste import Act, Finding, Kind, Sweep, Thing, ordered, together
from dashboard.core.serving.model import Endpoint, EndpointStatus

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
BOOK = PriceBook.load()
DAY = timedelta(days=1)
ACCOUNT = Account("work", "eu-west-1", "210987654321", False, True)


def finding(name="dogs", kind=Kind.EXPIRED, gb=30, nature=Nature.LISTED, volume="gp3"):
    lines = charges.volume(BOOK, "us-east-1", gb=gb, started=NOW - DAY, ended=NOW, kind=volume)
    return Finding(kind, Thing.VOLUME, name, nature, (), lines)


def test_a_day_of_a_volume_is_its_share_of_a_month():
    assert round(finding(gb=30).per_day, 9) == round(Decimal("0.08") * 30 * 24 / 730, 9)


def test_a_thing_with_two_reasons_is_wasted_once():
    twice = [finding("a", Kind.EXPIRED, gb=10), finding("a", Kind.LOOSE_VOLUME, gb=30), finding("b", gb=5)]
    wasted = together(twice)
    assert (wasted.things, wasted.unknown) == (2, 0)
    assert wasted.per_day == finding(gb=30).per_day + finding(gb=5).per_day


def test_an_unknown_sum_is_said_and_not_counted_as_nothing():
    odd = finding("odd", volume="io2")
    assert odd.per_day is None
    assert "io2" in odd.why
    wasted = together([odd, finding("a")])
    assert (wasted.things, wasted.unknown, wasted.per_day) == (2, 1, finding("a").per_day)
    assert [one.name for one in ordered([odd, finding("a", gb=1), finding("b", gb=2)])] == ["b", "a", "odd"]


def test_natures_are_never_added():
    sweep = Sweep((finding("a"), finding("b", nature=Nature.SAMPLE)), NOW)
    assert sweep.natures == (Nature.LISTED, Nature.SAMPLE)
    assert sweep.wasted(Nature.LISTED).things == 1
    assert sweep.wasted(Nature.SIMULATED).per_day == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(Kind)), st.integers(0, 500)), max_size=12))
def test_more_findings_are_never_less_waste(parts):
    found = [finding(name, kind, gb) for name, kind, gb in parts]
    sums = [together(found[:number]).per_day for number in range(len(found) + 1)]
    assert sums == sorted(sums)
    assert all(one >= 0 for one in sums)


def test_the_day_behind_a_finding_adds_up_to_it():
    one = finding()
    receipt = one.one_day
    assert receipt.amount == one.per_day
    assert sum(receipt.by_day().values()) == one.per_day


@pytest.mark.parametrize(
    ("busiest", "needed"), [(None, 1), (0.0, 1), (0.7, 1), (0.71, 2), (1.4, 2), (1.41, 3), (7.0, 10)]
)
def test_instances_are_needed_for_the_busiest_minutes(busiest, needed):
    assert Use(10, NOW, busiest).needed == needed


# --- one endpoint, judged -------------------------------------------------------------------------------------


def endpoint(count=1, age=timedelta(days=3), **tags):
    marks = {"kennel:made-by": "kennel", **{name.replace("_", ":"): value for name, value in tags.items()}}
    price = hourly(BOOK, "endpoint", "ml.m5.large", "us-east-1", count)
    return Endpoint("dogs", EndpointStatus.IN_SERVICE, "ml.m5.large", count, "m", NOW - age, price, tags=marks)


def judge(use=None, minimums=None, scheduled=None, idle=DAY):
    return Judge(BOOK, "us-east-1", True, NOW, idle, use, minimums or {}, scheduled or {})


def kinds(found):
    return [one.kind for one in found]


def test_an_endpoint_past_its_time_is_found_however_much_it_is_asked():
    late = endpoint(kennel_expires="2026-11-21T18:00:00Z")
    (found,) = judge({"dogs": Use(100, NOW, 0.1)}).findings(late)
    assert found.kind is Kind.EXPIRED
    assert found.per_day == Decimal("0.115") * 24
    assert found.acts == (Act.DELETE, Act.SCHEDULE, Act.KEEP)
    assert "21 Nov 2026, 18:00 UTC" in found.evidence[0].what
    assert found.receipt == f"endpoint:dogs@{int((NOW - timedelta(days=3)).timestamp())}"
    assert judge({"dogs": Use(100, NOW)}).findings(endpoint(kennel_expires="2026-11-21T19:00:00Z")) == []


def test_what_is_past_its_time_says_whether_somebody_asks_it_and_since_when_it_is_there():
    late = endpoint(kennel_expires="2026-11-21T18:00:00Z")
    (asked,) = judge({"dogs": Use(2, NOW, 0.1)}).findings(late)
    assert "asked 2 times in 14 days, last before 21 Nov 2026, 18:30 UTC" in asked.evidence[1].what
    assert "made on 18 Nov 2026, 18:30 UTC" in asked.evidence[-1].what, "a moment grows no older while it is read"
    young = endpoint(age=timedelta(minutes=5), kennel_expires="2026-11-21T18:00:00Z")
    (unasked,) = judge({}).findings(young)
    assert "nobody asked it" in unasked.evidence[1].what
    (unread,) = judge(None).findings(late)
    assert "ask" not in " ".join(one.what for one in unread.evidence), "what was not read is not said"


def test_an_endpoint_that_nobody_asks_is_found_after_a_while():
    assert kinds(judge({}).findings(endpoint())) == [Kind.IDLE_ENDPOINT]
    assert judge({}).findings(endpoint(age=timedelta(hours=23))) == [], "it had no chance to be asked yet"
    assert kinds(judge({}, idle=timedelta(hours=1)).findings(endpoint(age=timedelta(hours=2)))) == [Kind.IDLE_ENDPOINT]
    asked = Use(7, NOW - timedelta(hours=23))
    assert judge({"dogs": asked}).findings(endpoint()) == []
    (quiet,) = judge({"dogs": replace(asked, last=NOW - timedelta(hours=24))}).findings(endpoint())
    assert "since 20 Nov 2026, 18:30 UTC" in quiet.evidence[0].what


def test_what_could_not_be_read_is_no_evidence():
    assert judge(None).findings(endpoint()) == [], "without CloudWatch nobody knows whether it was asked"


def test_a_serverless_endpoint_costs_nothing_while_nobody_asks_it():
    serverless = replace(endpoint(kennel_expires="2026-11-21T18:00:00Z"), instance_type="", count=0)
    (found,) = judge({}).findings(serverless)
    assert found.kind is Kind.EXPIRED, "it is past its time all the same"
    assert found.per_day is None
    assert "serverless" in found.why
    assert judge({}).findings(replace(serverless, tags={})) == []


def test_more_instances_than_the_busiest_minutes_need():
    use = {"dogs": Use(500, NOW, 0.2)}
    (found,) = judge(use).findings(endpoint(count=3))
    assert (found.kind, found.wanted, found.acts) == (Kind.OVERSIZED, 1, (Act.SHRINK,))
    assert found.per_day == Decimal("0.115") * 24 * 2, "two of three are too many"
    assert judge({"dogs": Use(500, NOW, 1.9)}).findings(endpoint(count=3)) == []
    assert judge(use).findings(endpoint(count=1)) == []


def test_auto_scaling_is_judged_by_its_minimum():
    use = {"dogs": Use(500, NOW, 0.2)}
    assert judge(use, {"dogs": 1}).findings(endpoint(count=3)) == [], "it grew by itself, and will shrink by itself"
    (found,) = judge(use, {"dogs": 2}).findings(endpoint(count=3))
    assert found.per_day == Decimal("0.115") * 24
    assert "at least 2" in found.evidence[1].what


def test_what_kennel_did_not_make_is_shown_and_not_touched():
    foreign = replace(endpoint(), tags={})
    (found,) = judge({}).findings(foreign)
    assert not found.is_kennels
    assert found.acts == ()


def test_one_that_a_schedule_deletes_says_so():
    when = NOW + timedelta(hours=4)
    (found,) = judge({}, scheduled={"dogs": when}).findings(endpoint())
    assert found.scheduled == when
    assert found.acts == (Act.DELETE, Act.UNSCHEDULE)


# --- schedules ------------------------------------------------------------------------------------------------


def test_a_schedule_is_found_by_the_endpoints_name_however_long_it_is():
    long = ["a" * 63, "a" * 62 + "b"]
    names = {waste_schedule.name_of(name) for name in ("dogs", *long)}
    assert len(names) == 3
    assert all(len(name) <= 64 for name in names)


def test_a_schedule_says_what_it_does_and_goes_afterwards():
    asked = waste_schedule.request("dogs", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), ACCOUNT)
    assert asked["ScheduleExpression"] == "at(2026-11-22T01:02:03)"
    assert asked["ActionAfterCompletion"] == "DELETE"
    assert asked["Target"]["RoleArn"] == "arn:aws:iam::210987654321:role/KennelScheduler"
    assert waste_schedule.due({**asked, "State": "ENABLED"}) == datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    assert waste_schedule.due({**asked, "State": "DISABLED"}) is None
    assert waste_schedule.due({"ScheduleExpression": "rate(1 day)", "State": "ENABLED"}) is None


def test_the_role_may_delete_kennels_endpoints_and_nothing_else():
    statements = waste_schedule.policy(ACCOUNT)["Statement"]
    assert {one["Action"] for one in statements} == {"sagemaker:DeleteEndpoint"}
    assert all("aws:ResourceTag/kennel:" in str(one["Condition"]) for one in statements)
    assert waste_schedule.trust(ACCOUNT)["Statement"][0]["Condition"]["StringEquals"] == {
        "aws:SourceAccount": "210987654321"
    }
