"""Search over training jobs and tuning jobs: every operator, any combination, any order, also in a full account."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_aws.protocol import Caller, ServiceError
from local_aws.services.sagemaker_search import Search
from local_aws.store import Store
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws import many_runs
from tests.local_aws.sagemaker_world import bucket, channel, client, finished, refused, training_request, unique
from tests.local_aws.tuning_world import prepare, tuned, tuning_request

CALLER = Caller("123456789012", "us-east-1", "key", "arn")
UNTIL = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """200 trainings of ten days, twenty a day, without a server."""
    state = tmp_path_factory.mktemp("state")
    many_runs.fill(state, 200, until=UNTIL, days=10)
    return Search(Store(state))


def found(account: Search, *filters: tuple[str, ...], **params: Any) -> list[dict[str, Any]]:
    """The jobs that satisfy filters (name, value) or (name, operator, value)."""
    asked: dict[str, Any] = {"Resource": "TrainingJob", "MaxResults": 100, **params}
    if filters:
        asked["SearchExpression"] = {"Filters": [_filter(*one) for one in filters]}
    return [one["TrainingJob"] for one in account.search(asked, CALLER)["Results"]]


def _filter(name: str, *rest: str) -> dict[str, str]:
    match rest:
        case ("Exists" | "NotExists",):
            return {"Name": name, "Operator": rest[0]}
        case (operator, value):
            return {"Name": name, "Operator": operator, "Value": value}
        case (value,):
            return {"Name": name, "Value": value}
        case _:
            return {"Name": name}


def everything(account: Search) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = []
    params: dict[str, Any] = {"Resource": "TrainingJob", "MaxResults": 70}
    while True:
        answer = account.search(params, CALLER)
        jobs += [one["TrainingJob"] for one in answer["Results"]]
        if "NextToken" not in answer:
            return jobs
        params["NextToken"] = answer["NextToken"]


def tag(job: dict[str, Any], key: str) -> str:
    return next(one["Value"] for one in job["Tags"] if one["Key"] == key)


def metric(job: dict[str, Any], name: str) -> float:
    return float(next(one["Value"] for one in job["FinalMetricDataList"] if one["MetricName"] == name))


NEWEST_DAY = "2026-02-28T00:00:00"
DAY = datetime(2026, 2, 28, tzinfo=UTC)
CASES = [
    (("TrainingJobStatus", "Failed"), lambda job: job["TrainingJobStatus"] == "Failed"),
    (("TrainingJobStatus", "NotEquals", "Completed"), lambda job: job["TrainingJobStatus"] != "Completed"),
    (("TrainingJobStatus", "In", "Failed, Stopped"), lambda job: job["TrainingJobStatus"] in ("Failed", "Stopped")),
    (("TrainingJobName", "Contains", "many-0001"), lambda job: "many-0001" in job["TrainingJobName"]),
    (("CreationTime", "GreaterThan", NEWEST_DAY), lambda job: job["CreationTime"] > DAY),
    (("CreationTime", "LessThanOrEqualTo", NEWEST_DAY), lambda job: job["CreationTime"] <= DAY),
    (("Metrics.valid:accuracy", "GreaterThan", "0.5"), lambda job: metric(job, "valid:accuracy") > 0.5),
    (
        ("HyperParameters.learning_rate", "LessThan", "0.001"),
        lambda job: float(job["HyperParameters"]["learning_rate"]) < 0.001,
    ),
    (("HyperParameters.batch_size", "32"), lambda job: job["HyperParameters"]["batch_size"] == "32"),
    (("Tags.project", "dogs"), lambda job: tag(job, "project") == "dogs"),
    (("Tags.kennel:made-by", "Exists"), lambda job: True),
    (
        ("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "2"),
        lambda job: job["ResourceConfig"]["InstanceCount"] >= 2,
    ),
    (
        ("ResourceConfig.InstanceType", "ml.g4dn.xlarge"),
        lambda job: job["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge",
    ),
    (("EnableManagedSpotTraining", "true"), lambda job: job["EnableManagedSpotTraining"]),
    (("FailureReason", "Exists"), lambda job: "FailureReason" in job),
    (("FailureReason", "NotExists"), lambda job: "FailureReason" not in job),
    (("ModelArtifacts.S3ModelArtifacts", "Exists"), lambda job: "ModelArtifacts" in job),
    (("TrainingTimeInSeconds", "LessThan", "600"), lambda job: job["TrainingTimeInSeconds"] < 600),
    (("InputDataConfig.ChannelName", "code"), lambda job: True),
    (("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "/cats/"), lambda job: False),
]


@pytest.mark.parametrize(("one", "holds"), CASES, ids=[" ".join(one) for one, _ in CASES])
def test_a_filter_finds_what_satisfies_it_and_nothing_else(account: Search, one: tuple[str, ...], holds: Any) -> None:
    wanted = {job["TrainingJobName"] for job in everything(account) if holds(job)}
    answer = account.search(
        {"Resource": "TrainingJob", "MaxResults": 100, "SearchExpression": {"Filters": [_filter(*one)]}}, CALLER
    )
    assert answer["TotalHits"] == {"Value": len(wanted), "Relation": "EqualTo"}
    assert {result["TrainingJob"]["TrainingJobName"] for result in answer["Results"]} <= wanted


def test_an_integer_compares_hyperparameters_as_integers_as_documented(account: Search) -> None:
    assert not found(account, ("HyperParameters.learning_rate", "GreaterThan", "0"))
    assert found(account, ("HyperParameters.learning_rate", "GreaterThan", "0.0"))


def test_expressions_combine(account: Search) -> None:
    dogs, failed = _filter("Tags.project", "dogs"), _filter("TrainingJobStatus", "Failed")
    jobs = everything(account)
    both = [job for job in jobs if tag(job, "project") == "dogs" and job["TrainingJobStatus"] == "Failed"]
    either = [job for job in jobs if tag(job, "project") == "dogs" or job["TrainingJobStatus"] == "Failed"]

    def hits(**expression: Any) -> int:
        asked = {"Resource": "TrainingJob", "SearchExpression": expression}
        return int(account.search(asked, CALLER)["TotalHits"]["Value"])

    assert hits(Filters=[dogs, failed]) == len(both) > 0
    assert hits(Filters=[dogs, failed], Operator="Or") == len(either)
    assert hits(SubExpressions=[{"Filters": [dogs]}, {"Filters": [failed]}], Operator="Or") == len(either)
    assert hits(Filters=[failed], SubExpressions=[{"Filters": [dogs, failed], "Operator": "Or"}]) == hits(
        Filters=[failed]
    )


def test_nested_filters_are_about_one_element(account: Search) -> None:
    def hits(name: str, place: str) -> int:
        nested = {
            "NestedPropertyName": "InputDataConfig",
            "Filters": [
                {"Name": "InputDataConfig.ChannelName", "Value": name},
                {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Contains", "Value": place},
            ],
        }
        asked = {"Resource": "TrainingJob", "SearchExpression": {"NestedFilters": [nested]}}
        return int(account.search(asked, CALLER)["TotalHits"]["Value"])

    assert hits("training", "data/dogs") == 200
    assert hits("code", "data/dogs") == 0, "the channel code is another element than the one with the dogs"


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize(
    "sort", ["CreationTime", "TrainingJobName", "Metrics.train:loss", "FailureReason", "TrainingTimeInSeconds"]
)
def test_pages_go_through_everything_once_in_order(account: Search, sort: str, order: str) -> None:
    params: dict[str, Any] = {"Resource": "TrainingJob", "MaxResults": 30, "SortBy": sort, "SortOrder": order}
    pages = []
    while True:
        answer = account.search(params, CALLER)
        pages.append([one["TrainingJob"] for one in answer["Results"]])
        if "NextToken" not in answer:
            break
        params["NextToken"] = answer["NextToken"]
    assert [len(page) for page in pages] == [30] * 6 + [20]
    jobs = [job for page in pages for job in page]
    assert len({job["TrainingJobName"] for job in jobs}) == 200
    values = [
        metric(job, sort.removeprefix("Metrics.")) if sort.startswith("Metrics") else job.get(sort, "") for job in jobs
    ]
    assert values == sorted(values, reverse=order == "Descending")


def test_the_default_is_what_changed_last_first(account: Search) -> None:
    times = [job["LastModifiedTime"] for job in found(account)]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (("Colour", "blue"), "Unknown property name Colour"),
        (("ResourceConfig.Colour", "blue"), "Unknown property name ResourceConfig.Colour"),
        (("TrainingJobName", "GreaterThan", "a"), "not for text properties"),
        (("CreationTime", "Contains", "2026"), "only for text properties"),
        (("CreationTime", "GreaterThan", "yesterday"), "needs a time such as"),
        (("Metrics.loss", "GreaterThan", "small"), "needs a number"),
        (("TrainingJobName",), "needs a Value"),
        (("ResourceConfig", "x"), "not a single value"),
    ],
)
def test_what_cannot_be_searched_is_refused(account: Search, one: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ServiceError, match=sentence) as told:
        found(account, one)
    assert told.value.code == "ValidationException"


def test_other_resources_and_too_many_filters_are_refused(account: Search) -> None:
    with pytest.raises(ServiceError, match="not Endpoint"):
        account.search({"Resource": "Endpoint"}, CALLER)
    parts = [{"Filters": [_filter("TrainingJobStatus", "Failed")] * 20}] * 3
    with pytest.raises(ServiceError, match="50 filters"):
        account.search({"Resource": "TrainingJob", "SearchExpression": {"SubExpressions": parts}}, CALLER)


def test_clients_read_the_same_as_from_a_description(embedded: Embedded) -> None:
    """The answer is written by hand, so AWS's client is asked what it makes of it."""
    bucket(embedded)
    prepare(embedded)
    sagemaker, name, tuning = client(embedded, "sagemaker"), unique(), unique()
    tags = [{"Key": "project", "Value": "dögs"}]
    sagemaker.create_training_job(**training_request(name, InputDataConfig=[channel()], Tags=tags))
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(tuning, most=1, parallel=1, script="echo loss=1"))
    finished(sagemaker, name)
    tuned(sagemaker, tuning)

    def only(resource: str, value: str) -> dict[str, Any]:
        filters = [{"Name": f"{resource}Name", "Operator": "Equals", "Value": value}]
        (one,) = sagemaker.search(Resource=resource, SearchExpression={"Filters": filters})["Results"]
        told: dict[str, Any] = one[resource]
        return told

    job, described = only("TrainingJob", name), sagemaker.describe_training_job(TrainingJobName=name)
    assert job.pop("Tags") == tags
    assert {member: described[member] for member in job} == job
    assert {"CreationTime", "SecondaryStatusTransitions", "BillableTimeInSeconds", "InputDataConfig"} <= set(job)
    found = only("HyperParameterTuningJob", tuning)
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    assert found.pop("Tags") == []
    assert found["BestTrainingJob"] == described["BestTrainingJob"]
    assert {member: described[member] for member in found} == found
    assert refused(sagemaker.search, Resource="TrainingJob", SortBy="Nothing")[0] == "ValidationException"


MANY = 10_000
CALLS = 3


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Embedded, list[str]]]:
    """A server with MANY trainings of 30 days, and their names, oldest first."""
    state: Path = tmp_path_factory.mktemp("full")
    names = many_runs.fill(state, MANY, until=time.time())
    aws = start_embedded(state)
    yield aws, names
    stop_embedded(aws)


def work(aws: Embedded, call: Callable[[], object]) -> float:
    """Seconds of processor time that the server spends on a call: what it costs, however busy this machine is."""

    def spent() -> float:
        fields = Path(f"/proc/{aws.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = spent()
    for _ in range(CALLS):
        call()
    return (spent() - before) / CALLS


def test_of_ten_thousand_trainings_a_search_reads_those_that_it_tells(full: tuple[Embedded, list[str]]) -> None:
    aws, names = full
    sagemaker = client(aws, "sagemaker")
    week = datetime.fromtimestamp(time.time() - 7 * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    filters = [{"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": week}]
    page = {"Resource": "TrainingJob", "MaxResults": 100, "SortBy": "CreationTime", "SortOrder": "Descending"}

    def search(**asked: Any) -> tuple[list[dict[str, Any]], int]:
        told = sagemaker.search(**page, **asked)
        return [one["TrainingJob"] for one in told["Results"]], told["TotalHits"]["Value"]

    newest, hits = search(SearchExpression={"Filters": filters})
    assert [one["TrainingJobName"] for one in newest] == names[:-101:-1]
    assert hits == pytest.approx(MANY * 7 / 30, abs=2)
    narrow = [*filters, {"Name": "TrainingJobStatus", "Value": "Failed"}, {"Name": "Tags.project", "Value": "dogs"}]
    failed, few = search(SearchExpression={"Filters": narrow})
    assert 0 < few < hits / 3
    assert {one["TrainingJobStatus"] for one in failed} == {"Failed"}
    assert all({"Key": "project", "Value": "dogs"} in one["Tags"] for one in failed)
    hour = datetime.fromtimestamp(time.time() - 3_600, UTC)
    listed = sagemaker.list_training_jobs(LastModifiedTimeAfter=hour, MaxResults=100)["TrainingJobSummaries"]
    assert {one["TrainingJobName"] for one in listed} <= set(names[-100:])
    assert names[-1] in {one["TrainingJobName"] for one in listed}

    each = work(aws, lambda: [sagemaker.describe_training_job(TrainingJobName=name) for name in names[-100:]])
    assert work(aws, lambda: search(SearchExpression={"Filters": narrow})) < each, "less than its page one by one"
    assert work(aws, lambda: sagemaker.list_training_jobs(LastModifiedTimeAfter=hour, MaxResults=100)) < each
