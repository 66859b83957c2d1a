"""The receipt of a run: what AWS told × what the price book says, also where AWS tells odd things."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import GRAIN, Expectation, Nature, Receipt, Service
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Capacity, Platform, Run, RunKind, RunStatus
from tests.core.runs.made import NOW, run

PRICES = PriceBook.load()
LISTED = Decimal("0.408")  # ml.c5.2xlarge in us-east-1
HOUR = timedelta(hours=1)


def receipt(one: Run) -> Receipt:
    return run_receipt(one, PRICES, "us-east-1", NOW, is_embedded=True)


def test_every_figure_of_it_can_be_defended() -> None:
    cost = receipt(run(instance_count=2, tags={"project": "p", "owner": "o"}))
    (line, *_) = cost.lines
    assert line.quantity is not None
    assert line.price is not None
    assert line.quantity == Decimal(663) * 2 / 3600
    assert line.price.amount == LISTED
    assert line.price.source
    assert line.price.date
    assert cost.amount == (LISTED * 663 * 2 / 3600).quantize(Decimal("1E-12"))
    facts = {fact.member: (fact.operation, fact.value) for fact in cost.facts}
    assert facts["BillableTimeInSeconds"] == ("DescribeTrainingJob", "663")
    assert facts["ResourceConfig.InstanceCount"] == ("DescribeTrainingJob", "2")
    sized = {fact.member: fact.value for fact in receipt(run(volume_gb=30)).facts}
    assert sized["ResourceConfig.VolumeSizeInGB"] == "30", "the line of its storage is computed from it"
    assert (cost.project, cost.owner, cost.service, cost.nature) == ("p", "o", Service.TRAINING, Nature.SIMULATED)
    assert cost.key == "run:dogs-1"


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.STOPPED, RunStatus.OUT_OF_TIME, RunStatus.COMPLETED])
def test_however_it_ended_it_costs_what_was_billed(status: RunStatus) -> None:
    assert receipt(run(status=status)).amount == receipt(run()).amount


def test_spot_says_what_it_saved() -> None:
    cost = receipt(run(capacity=Capacity.SPOT, training_seconds=900, billable_seconds=300, instance_count=2))
    assert cost.saving == LISTED * 600 * 2 / 3600
    assert "of 900 s" in cost.lines[0].how
    on_ec2 = run(platform=Platform.EC2, instance_type="m5.large", billable_seconds=3600, capacity=Capacity.SPOT,
                 spot_price=Decimal("0.04"), volume_gb=30)  # fmt: skip
    assert receipt(on_ec2).saving == Decimal("0.096") - Decimal("0.04")
    half = replace(on_ec2, billable_seconds=1800)
    assert receipt(half).saving == (Decimal("0.096") - Decimal("0.04")) / 2
    assert receipt(run()).saving is None
    assert receipt(run(status=RunStatus.TRAINING, capacity=Capacity.SPOT)).saving is None  # not told before its end


def test_without_a_told_end_the_last_change_is_the_end() -> None:
    cost = receipt(run(ended=None, created=NOW - 10 * HOUR))
    assert cost.ended == cost.lines[0].ended == NOW - 10 * HOUR + timedelta(seconds=683)
    assert cost.amount == receipt(run()).amount


def test_a_trial_says_whose_it_is() -> None:
    assert receipt(run(parent="search")).parent == "search"
    assert receipt(run()).parent == ""


def test_what_was_expected_stands_on_it() -> None:
    tags = {"kennel:expected-cost": "0.07", "kennel:expected-most": "0.41", "kennel:expected-seconds": "600"}
    assert receipt(run(tags=tags)).expected == Expectation(Decimal("0.07"), Decimal("0.41"), 600.0)


def test_storage_without_a_price_is_missing_and_not_free() -> None:
    cost = receipt(run(volume_gb=30))
    assert cost.amount == receipt(run()).amount
    assert [line.what for line in cost.missing] == ["storage of SageMaker instances"]
    known = run_receipt(run(volume_gb=30), PRICES, "eu-west-1", NOW, is_embedded=True)
    assert not [line for line in known.missing if line.what == "storage of SageMaker instances"]


def test_a_tuning_job_has_no_receipt_of_its_own() -> None:
    with pytest.raises(ValueError, match="trials"):
        receipt(run(kind=RunKind.TUNING))


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"ended": NOW - 3 * HOUR}, "its end lies before its start"),
        ({"ended": None}, "no time of its end"),
        ({"started": NOW + HOUR, "ended": NOW + 2 * HOUR}, "in the future"),
    ],
)
def test_odd_times_are_bounded_and_said(odd: dict[str, object], said: str) -> None:
    cost = receipt(run(**odd))
    assert any(said in note for note in cost.notes)
    assert cost.amount == (LISTED * 663 / 3600).quantize(Decimal("1E-12"))  # what AWS bills counts
    assert all(line.started <= line.ended for line in cost.lines)
    assert cost.ended is not None
    assert cost.ended >= cost.started
    assert sum(cost.by_day().values()) == cost.amount


def test_without_what_aws_bills_nothing_is_invented() -> None:
    cost = receipt(run(status=RunStatus.FAILED, billable_seconds=None, started=None))
    assert cost.amount is None
    assert "no billable seconds" in cost.missing[0].why_unknown
    on_ec2 = receipt(run(platform=Platform.EC2, instance_type="m5.large", billable_seconds=None, ended=None))
    assert on_ec2.amount is None
    assert "not known" in on_ec2.missing[0].why_unknown
    spot = receipt(run(platform=Platform.EC2, instance_type="m5.large", capacity=Capacity.SPOT))
    assert spot.amount == spot.lines[1].amount.quantize(GRAIN) > 0
    assert spot.is_least
    assert not spot.is_comparable  # what is known of it is no cost of a run
    assert "not recorded" in spot.missing[0].why_unknown


def test_zero_seconds_cost_nothing_and_what_has_no_price_is_unknown() -> None:
    assert receipt(run(billable_seconds=0)).amount == 0
    assert receipt(run(billable_seconds=-5)).amount == 0
    unknown = receipt(run(instance_type="ml.u9.none"))
    assert unknown.amount is None
    assert "no price for ml.u9.none" in unknown.missing[0].why_unknown


RUNS = st.builds(
    run,
    status=st.sampled_from([RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.STOPPED, RunStatus.TRAINING]),
    platform=st.just(Platform.SAGEMAKER),
    instance_count=st.integers(1, 20),
    billable_seconds=st.one_of(st.none(), st.integers(-10, 10**6)),
    training_seconds=st.one_of(st.none(), st.integers(0, 10**6)),
    capacity=st.sampled_from(Capacity),
    volume_gb=st.one_of(st.none(), st.integers(0, 100)),
    started=st.one_of(st.none(), st.integers(-(10**6), 10**5).map(lambda s: NOW + timedelta(seconds=s))),
    ended=st.one_of(st.none(), st.integers(-(10**6), 10**5).map(lambda s: NOW + timedelta(seconds=s))),
)


@settings(deadline=None)
@given(RUNS)
def test_whatever_aws_tells_the_sum_is_no_less_than_nothing_and_the_quote_is_the_same(one: Run) -> None:
    cost = receipt(one)
    assert cost.amount is None or cost.amount >= 0
    assert cost.saving is None or cost.saving >= 0
    assert cost.amount is None or sum(cost.by_day().values()) == cost.amount
    quoted = run_cost(one, PRICES, "us-east-1", NOW).amount
    assert (quoted is None) is (cost.amount is None or not cost.is_comparable)
    if quoted is not None and cost.amount is not None:
        assert abs(quoted - cost.amount) < Decimal("1E-11")


@settings(deadline=None)
@given(RUNS, st.integers(1, 5))
def test_more_time_or_more_instances_never_cost_less(one: Run, more: int) -> None:
    before = receipt(one).amount
    wider = receipt(replace(one, instance_count=one.instance_count + more)).amount
    assert (before is None) is (wider is None)
    assert before is None or wider is None or wider >= before
    if one.billable_seconds is not None:
        longer = receipt(replace(one, billable_seconds=one.billable_seconds + more)).amount
        assert before is None or longer is None or longer >= before


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))])
def test_times_from_the_ends_of_the_calendar_are_not_split_into_two_thousand_years(zone: tzinfo) -> None:
    first, last = datetime(1, 1, 1, tzinfo=zone), datetime(9999, 12, 31, tzinfo=zone)
    cost = receipt(run(created=first, started=first, ended=last))
    assert cost.amount == receipt(run()).amount
    assert sum("before AWS" in note or "more than clocks differ" in note for note in cost.notes) == 2
    assert max(cost.by_day()) <= NOW.date()


def test_a_receipt_says_how_its_time_was_read_and_what_it_would_be_otherwise() -> None:
    marks = {"kennel:sample": "true", "kennel:replay": "1", "kennel:replay-may-be-sum": "true"}
    two = run(instance_count=2, capacity=Capacity.SPOT, training_seconds=1353, billable_seconds=577, tags=marks)
    assert receipt(two).notes[-1] == (
        "22 min 33 s is read as wall time; if it is the two added up, it is 11 min 16 s and $0.0654"
    )


def test_a_receipt_says_that_its_features_came_from_a_cache() -> None:
    assert "the cache of an earlier run" in receipt(run(metrics={"features:from-cache": 1.0})).notes[-1]
    assert receipt(run(metrics={"features:from-cache": 0.0})).notes == ()


def test_times_that_aws_tells_keep_their_fractions_so_that_seconds_can_be_checked() -> None:
    began = NOW - timedelta(seconds=7.7)
    facts = {one.member: one.value for one in receipt(run(started=began, ended=NOW)).facts}
    assert facts["TrainingStartTime"] == "2026-11-21T11:59:52.300+00:00"
    assert facts["TrainingEndTime"] == "2026-11-21T12:00:00+00:00"
