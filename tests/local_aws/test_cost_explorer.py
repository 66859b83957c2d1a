"""Cost Explorer's answers over a journal that is written by hand: days, groups, filters, pages, tags, refusals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.costs.prices import PriceBook
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.billing import Bill
from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.services.billing_meters import Meters
from local_aws.services.billing_tags import CostTags
from local_aws.services.cost_explorer import CostExplorer
from local_aws.store import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
SERVICE = {"Type": "DIMENSION", "Key": "SERVICE"}
COST = "UnblendedCost"
SAGEMAKER, EC2 = "Amazon SageMaker", "Amazon Elastic Compute Cloud - Compute"
# what ml.m5.large and m5.large cost an hour in us-east-1, and m5.large in ap-south-1 (AWS's lists of 2026-07)
ML, PLAIN, INDIA = Decimal("0.115"), Decimal("0.096"), Decimal("0.101")


def at(day: int, hour: float = 0, month: int = 11) -> float:
    return (datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour)).timestamp()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Two trainings (one over midnight), instances in two regions, one request; tags project and owner."""
    kept = Journal(Store(tmp_path))
    dogs, cats = {"project": "dogs", "owner": "ada"}, {"project": "cats"}
    kept.add(Usage(Used.TRAINING, "t1", "us-east-1", at(3, 10), "ml.m5.large", 2, at(3, 11), 3600, tags=dogs))
    kept.add(Usage(Used.TRAINING, "t2", "us-east-1", at(4, 23), "ml.m5.large", 1, at(5, 1), 7200, tags=cats))
    kept.add(Usage(Used.INSTANCE, "i1", "us-east-1", at(5), "m5.large", 1, at(5, 10), 36000, at(5), tags=dogs))
    kept.add(Usage(Used.INSTANCE, "i2", "ap-south-1", at(30, month=10), "m5.large", 1, at(30, 1, 10), 3600, tags={}))
    kept.add(Usage(Used.REQUEST, "r1", "us-east-1", at(6, 1), ended=at(6, 1)))
    return kept


@pytest.fixture
def tags(tmp_path: Path) -> CostTags:
    return CostTags(Store(tmp_path))


@pytest.fixture
def ce(journal: Journal, tags: CostTags) -> CostExplorer:
    now = NOW.timestamp
    bill = Bill(journal, tags, prices=PriceBook.load, now=now)
    return CostExplorer(journal, tags, bill, Meters(journal, now=now), now=now, groups=3)


def ask(ce: CostExplorer, start: str = "2026-11-01", end: str = "2026-12-01", **more: Any) -> dict[str, Any]:
    asked = {"TimePeriod": {"Start": start, "End": end}, "Granularity": "MONTHLY", "Metrics": [COST]}
    return ce.get_cost_and_usage(asked | more, CALLER)


def groups(answer: dict[str, Any], metric: str = COST) -> dict[tuple[str, ...], Decimal]:
    """Each group's amount over all of the answer."""
    found: dict[tuple[str, ...], Decimal] = {}
    for result in answer["ResultsByTime"]:
        for group in result["Groups"]:
            keys = tuple(group["Keys"])
            found[keys] = found.get(keys, Decimal(0)) + Decimal(group["Metrics"][metric]["Amount"])
    return found


def refusal(ce: CostExplorer, **more: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        ask(ce, **more)
    return caught.value.code, caught.value.message


def test_a_part_of_a_month_is_that_part_also_by_month(ce: CostExplorer) -> None:
    """The first training, and the hour of the second that lies before midnight; not the instance of the 5th."""
    (result,) = ask(ce, "2026-11-02", "2026-11-05")["ResultsByTime"]
    assert result["TimePeriod"] == {"Start": "2026-11-02", "End": "2026-11-05"}
    assert Decimal(result["Total"][COST]["Amount"]) == 3 * ML


def test_a_month_is_the_sum_of_what_was_used_in_it(ce: CostExplorer) -> None:
    (result,) = ask(ce)["ResultsByTime"]
    assert Decimal(result["Total"][COST]["Amount"]) == 2 * ML + 2 * ML + 10 * PLAIN + Decimal("0.01")
    assert result["Total"][COST]["Unit"] == "USD"
    assert result["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-12-01"}
    assert result["Groups"] == []


def test_groups_add_up_to_the_total(ce: CostExplorer) -> None:
    found = groups(ask(ce, GroupBy=[SERVICE]))
    assert found == {(SAGEMAKER,): 4 * ML, (EC2,): 10 * PLAIN, ("AWS Cost Explorer",): Decimal("0.01")}


def test_days_are_utc_and_an_interval_over_midnight_is_in_both(ce: CostExplorer) -> None:
    days: dict[str, dict[str, str]] = {}
    asked: dict[str, Any] = {"start": "2026-11-03", "end": "2026-11-07", "Granularity": "DAILY", "GroupBy": [SERVICE]}
    first = ask(ce, **asked)
    for one in first["ResultsByTime"] + ask(ce, **asked, **token(first))["ResultsByTime"]:
        for group in one["Groups"]:
            days.setdefault(one["TimePeriod"]["Start"], {})[group["Keys"][0]] = group["Metrics"][COST]["Amount"]
    assert days == {
        "2026-11-03": {SAGEMAKER: "0.23"},
        "2026-11-04": {SAGEMAKER: "0.115"},
        "2026-11-05": {SAGEMAKER: "0.115", EC2: "0.96"},
        "2026-11-06": {"AWS Cost Explorer": "0.01"},
    }


def token(answer: dict[str, Any]) -> dict[str, str]:
    return {"NextPageToken": answer["NextPageToken"]}


def test_a_day_without_use_costs_nothing_and_is_there(ce: CostExplorer) -> None:
    answer = ask(ce, "2026-11-08", "2026-11-10", Granularity="DAILY")
    assert [one["Total"][COST]["Amount"] for one in answer["ResultsByTime"]] == ["0", "0"]


def test_pages_hold_every_group_once(ce: CostExplorer) -> None:
    asked = {
        "start": "2026-10-01",
        "Granularity": "DAILY",
        "GroupBy": [SERVICE, {"Type": "DIMENSION", "Key": "REGION"}],
    }
    whole: dict[tuple[str, ...], Decimal] = {}
    answer = ask(ce, **asked)
    for _ in range(3):
        for keys, amount in groups(answer).items():
            whole[keys] = whole.get(keys, Decimal(0)) + amount
        if "NextPageToken" not in answer:
            break
        answer = ask(ce, **asked, **token(answer))
    assert whole == {
        (SAGEMAKER, "us-east-1"): 4 * ML,
        (EC2, "us-east-1"): 10 * PLAIN,
        (EC2, "ap-south-1"): INDIA,
        ("AWS Cost Explorer", "us-east-1"): Decimal("0.01"),
    }
    assert "NextPageToken" not in answer


def test_a_token_of_another_question_is_refused(ce: CostExplorer) -> None:
    asked: dict[str, Any] = {"start": "2026-10-01", "Granularity": "DAILY", "GroupBy": [SERVICE]}
    answer = ask(ce, **asked)
    assert refusal(ce, **(asked | {"Granularity": "MONTHLY"}), **token(answer))[0] == "RequestChangedException"
    assert refusal(ce, **asked, NextPageToken="nonsense")[0] == "InvalidNextTokenException"


def test_quantities_have_their_unit_and_mixed_ones_have_none(ce: CostExplorer) -> None:
    both = {"Metrics": [COST, "UsageQuantity"]}
    usage = {"Type": "DIMENSION", "Key": "USAGE_TYPE"}
    answer = ask(ce, GroupBy=[usage], **both)
    told = {group["Keys"][0]: group["Metrics"]["UsageQuantity"] for group in answer["ResultsByTime"][0]["Groups"]}
    assert told == {
        "USE1-Train:ml.m5.large": {"Amount": "4", "Unit": "Hrs"},
        "BoxUsage:m5.large": {"Amount": "10", "Unit": "Hrs"},
        "USE1-APIRequest": {"Amount": "1", "Unit": "Requests"},
    }
    assert ask(ce, **both)["ResultsByTime"][0]["Total"]["UsageQuantity"] == {"Amount": "15", "Unit": "N/A"}


def test_every_kind_of_cost_is_the_same_without_discounts(ce: CostExplorer) -> None:
    names = ["AmortizedCost", "BlendedCost", "NetAmortizedCost", "NetUnblendedCost", COST]
    total = ask(ce, Metrics=names)["ResultsByTime"][0]["Total"]
    assert len({total[name]["Amount"] for name in names}) == 1
    code, message = refusal(ce, Metrics=["NormalizedUsageAmount"])
    assert code == "ValidationException"
    assert "NormalizedUsageAmount" in message


@pytest.mark.parametrize(
    ("expression", "amount"),
    [
        ({"Dimensions": {"Key": "SERVICE", "Values": [SAGEMAKER]}}, 4 * ML),
        ({"Dimensions": {"Key": "SERVICE", "Values": [SAGEMAKER, "AWS Cost Explorer"]}}, 4 * ML + Decimal("0.01")),
        ({"Not": {"Dimensions": {"Key": "SERVICE", "Values": [SAGEMAKER]}}}, 10 * PLAIN + Decimal("0.01")),
        ({"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["m5.large"]}}, 10 * PLAIN),
        ({"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["ML."], "MatchOptions": ["STARTS_WITH"]}}, Decimal(0)),
        (
            {
                "Dimensions": {
                    "Key": "INSTANCE_TYPE",
                    "Values": ["ML."],
                    "MatchOptions": ["STARTS_WITH", "CASE_INSENSITIVE"],
                }
            },
            4 * ML,
        ),
        ({"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["999999999999"]}}, Decimal(0)),
        ({"Dimensions": {"Key": "PURCHASE_TYPE", "Values": ["On Demand Instances"]}}, 10 * PLAIN),
        (
            {
                "And": [
                    {"Dimensions": {"Key": "REGION", "Values": ["us-east-1"]}},
                    {
                        "Or": [
                            {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["BoxUsage:m5.large"]}},
                            {
                                "Dimensions": {
                                    "Key": "USAGE_TYPE",
                                    "Values": ["APIRequest"],
                                    "MatchOptions": ["CONTAINS"],
                                }
                            },
                        ]
                    },
                ]
            },
            10 * PLAIN + Decimal("0.01"),
        ),
    ],
)
def test_filters(ce: CostExplorer, expression: dict[str, Any], amount: Decimal) -> None:
    assert Decimal(ask(ce, Filter=expression)["ResultsByTime"][0]["Total"][COST]["Amount"]) == amount


def test_tags_count_from_their_activation_on(ce: CostExplorer, tags: CostTags) -> None:
    by_project = [{"Type": "TAG", "Key": "project"}]
    assert set(groups(ask(ce, GroupBy=by_project))) == {("project$",)}
    tags.set("project", active=True, now=at(5))
    assert groups(ask(ce, GroupBy=by_project)) == {
        ("project$",): 2 * ML + ML + Decimal("0.01"),  # before that day, and what carries none
        ("project$cats",): ML,
        ("project$dogs",): 10 * PLAIN,
    }
    dogs = {"Tags": {"Key": "project", "Values": ["dogs"]}}
    assert Decimal(ask(ce, Filter=dogs)["ResultsByTime"][0]["Total"][COST]["Amount"]) == 10 * PLAIN
    without = {"Tags": {"Key": "project", "MatchOptions": ["ABSENT"]}}
    assert Decimal(ask(ce, Filter=without)["ResultsByTime"][0]["Total"][COST]["Amount"]) == 3 * ML + Decimal("0.01")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"start": "2026-11-21", "end": "2026-11-21"}, "Start date (and hour) should be before end date (and hour)"),
        ({"end": "2026-12-02"}, "end date past the beginning of next month"),
        ({"start": "2026-11-22"}, "current date"),
        ({"start": "2025-08-01"}, "14 months"),
        ({"start": "2026-11-01T00:00:00Z"}, "yyyy-MM-dd"),
        ({"start": "2026-11-31"}, "2026-11-31"),
        ({"Granularity": "HOURLY"}, "yyyy-MM-ddTHH:mm:ssZ"),
        ({"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z", "Granularity": "HOURLY"}, "14 days"),
        ({"Metrics": []}, "metric"),
        ({"GroupBy": [SERVICE, SERVICE]}, "twice"),
        ({"GroupBy": [SERVICE] * 3}, "limit of 2"),
        ({"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}]}, "AZ"),
        ({"GroupBy": [{"Type": "COST_CATEGORY", "Key": "x"}]}, "COST_CATEGORY"),
        ({"Filter": {"CostCategories": {"Key": "x", "Values": ["y"]}}}, "CostCategories"),
        ({"Filter": {"Dimensions": {"Key": "TENANCY", "Values": ["y"]}}}, "TENANCY"),
        ({"Filter": {"And": [{"Dimensions": {"Key": "SERVICE", "Values": ["y"]}}]}}, "And"),
        (
            {
                "Filter": {
                    "Dimensions": {"Key": "SERVICE", "Values": ["y"]},
                    "Not": {"Dimensions": {"Key": "SERVICE", "Values": ["y"]}},
                }
            },
            "one root",
        ),
        ({"Filter": {"Dimensions": {"Key": "SERVICE", "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}}}, "GREATER"),
        ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["y"], "MatchOptions": ["ROUGHLY"]}}}, "ROUGHLY"),
        ({"BillingViewArn": "arn:aws:billing::123456789012:billingview/primary"}, "BillingViewArn"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(ce: CostExplorer, more: dict[str, Any], said: str) -> None:
    code, message = refusal(ce, **more)
    assert code == "ValidationException"
    assert said in message


def test_hours_of_the_last_two_weeks(ce: CostExplorer, journal: Journal) -> None:
    journal.add(Usage(Used.TRAINING, "t9", "us-east-1", at(20, 10.5), "ml.m5.large", 1, at(20, 12), 5400))
    answer = ask(ce, "2026-11-20T10:00:00Z", "2026-11-20T13:00:00Z", Granularity="HOURLY")
    assert [one["Total"][COST]["Amount"] for one in answer["ResultsByTime"]] == ["0.0575", "0.115", "0"]
    assert answer["ResultsByTime"][0]["TimePeriod"]["Start"] == "2026-11-20T10:00:00Z"


def test_a_month_is_estimated_until_some_days_after_it(ce: CostExplorer) -> None:
    answer = ask(ce, "2026-10-01")
    assert [one["Estimated"] for one in answer["ResultsByTime"]] == [False, True]


def test_what_has_no_price_is_named_beside_the_answer(ce: CostExplorer, journal: Journal) -> None:
    journal.add(Usage(Used.INSTANCE, "i9", "us-east-1", at(9), "x99.large", 1, at(9, 1), 3600))
    answer = ask(ce, GroupBy=[SERVICE])
    (told,) = answer["DimensionValueAttributes"]
    assert told == {"Value": EC2, "Attributes": {"withoutPrice": "BoxUsage:x99.large in us-east-1"}}
    assert groups(answer)[(EC2,)] == 10 * PLAIN


def test_the_values_of_a_dimension(ce: CostExplorer) -> None:
    period = {"Start": "2026-11-01", "End": "2026-12-01"}
    found = ce.get_dimension_values({"TimePeriod": period, "Dimension": "SERVICE"}, CALLER)
    assert [one["Value"] for one in found["DimensionValues"]] == sorted([SAGEMAKER, EC2, "AWS Cost Explorer"])
    assert (found["ReturnSize"], found["TotalSize"]) == (3, 3)
    some = ce.get_dimension_values({"TimePeriod": period, "Dimension": "SERVICE", "SearchString": "sage"}, CALLER)
    assert [one["Value"] for one in some["DimensionValues"]] == [SAGEMAKER]
    first = ce.get_dimension_values({"TimePeriod": period, "Dimension": "SERVICE", "MaxResults": 2}, CALLER)
    assert (first["ReturnSize"], first["TotalSize"], "NextPageToken" in first) == (2, 3, True)
    with pytest.raises(ServiceError, match="RESERVATIONS"):
        ce.get_dimension_values({"TimePeriod": period, "Dimension": "SERVICE", "Context": "RESERVATIONS"}, CALLER)


def test_the_tags_on_a_bill_are_the_active_ones(ce: CostExplorer, tags: CostTags) -> None:
    period = {"Start": "2026-11-01", "End": "2026-12-01"}
    assert ce.get_tags({"TimePeriod": period}, CALLER)["Tags"] == []
    tags.set("project", active=True, now=at(1))
    assert ce.get_tags({"TimePeriod": period}, CALLER)["Tags"] == ["project"]
    assert ce.get_tags({"TimePeriod": period, "TagKey": "project"}, CALLER)["Tags"] == ["", "cats", "dogs"]


def test_tags_are_listed_activated_and_taken_back(ce: CostExplorer) -> None:
    listed = ce.list_cost_allocation_tags({}, CALLER)["CostAllocationTags"]
    assert [(one["TagKey"], one["Status"]) for one in listed] == [("owner", "Inactive"), ("project", "Inactive")]
    on = {"CostAllocationTagsStatus": [{"TagKey": "project", "Status": "Active"}]}
    for _ in range(2):  # twice is once
        assert ce.update_cost_allocation_tags_status(on, CALLER) == {"Errors": []}
    (active,) = ce.list_cost_allocation_tags({"Status": "Active"}, CALLER)["CostAllocationTags"]
    assert active["TagKey"] == "project"
    assert active["LastUpdatedDate"] == "2026-11-21T12:00:00Z"
    assert active["LastUsedDate"] == "2026-11-01T00:00:00Z"
    off = {"CostAllocationTagsStatus": [{"TagKey": "project", "Status": "Inactive"}]}
    ce.update_cost_allocation_tags_status(off, CALLER)
    assert ce.list_cost_allocation_tags({"Status": "Active"}, CALLER)["CostAllocationTags"] == []


def test_a_tag_that_nothing_carries_cannot_be_activated(ce: CostExplorer) -> None:
    asked = {
        "CostAllocationTagsStatus": [
            {"TagKey": "project", "Status": "Active"},
            {"TagKey": "colour", "Status": "Active"},
        ]
    }
    with pytest.raises(ServiceError, match="Tag keys not found: colour"):
        ce.update_cost_allocation_tags_status(asked, CALLER)
    assert ce.list_cost_allocation_tags({"Status": "Active"}, CALLER)["CostAllocationTags"] == []
