import re
from decimal import Decimal

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core.aws import Account
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.runs.code import code_uri
from dashboard.core.runs.plan import TrainingSpec, candidates, plan
from tests.core.runs.made import DOGS, NOW, run

EMBEDDED = Account(
    "embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:4566", "/home/ada/.kennel/aws/client.json"
)
REAL = Account("ada", "eu-west-1", "210987654321", False, False)


def make(prices, account=EMBEDDED, past_runs=(), order="4f2a9c", **spec):
    return plan(
        TrainingSpec(**({"dataset_uri": DOGS} | spec)),
        account=account,
        prices=prices,
        past_runs=past_runs,
        now=NOW,
        token=order,
    )


def test_the_request_is_what_sagemaker_accepts(prices):
    request = make(prices).request
    model = botocore.session.Session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    report = ParamValidator().validate(request, model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_the_request_says_everything_that_was_asked_for(prices):
    made = make(
        prices,
        instance_type="ml.c5.2xlarge",
        learning_rate=0.001,
        batch_size=128,
        epochs=7,
        max_seconds=900,
        name="dogs-7",
    )
    request = made.request
    assert made.name == request["TrainingJobName"] == "dogs-7"
    assert request["RoleArn"] == "arn:aws:iam::123456789012:role/KennelTraining"
    assert request["HyperParameters"] == {"learning_rate": "0.001", "batch_size": "128", "epochs": "7"}
    algorithm = request["AlgorithmSpecification"]
    assert algorithm["ContainerEntrypoint"] == ["/bin/bash", "/opt/ml/input/data/code/start.sh"]
    assert (
        algorithm["TrainingImage"] == "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.10.0-cpu-py313"
    )
    assert algorithm["TrainingInputMode"] == "File"
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in request["InputDataConfig"]}
    assert channels == {"training": DOGS, "code": code_uri(EMBEDDED)}
    assert request["OutputDataConfig"]["S3OutputPath"] == "s3://kennel-123456789012-us-east-1/runs/"
    assert request["ResourceConfig"]["InstanceType"] == "ml.c5.2xlarge"
    assert request["ResourceConfig"]["InstanceCount"] == 1
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 900}
    assert {"Key": "kennel:made-by", "Value": "kennel"} in request["Tags"]
    assert {"Key": "kennel:token", "Value": made.order} in request["Tags"]


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (
            "epoch=3/20 train_loss=0.5312 train_accuracy=0.9012 valid_loss=0.6000 valid_accuracy=0.8800",
            "train:loss",
            "0.5312",
        ),
        (
            "epoch=3/20 train_loss=0.5312 train_accuracy=0.9012 valid_loss=0.6000 valid_accuracy=0.8800",
            "valid:accuracy",
            "0.8800",
        ),
        ("test_loss=0.43 test_accuracy=0.91", "test:accuracy", "0.91"),
    ],
)
def test_sagemaker_will_find_the_metrics_in_the_log(prices, line, name, value):
    definitions = {d["Name"]: d["Regex"] for d in make(prices).request["AlgorithmSpecification"]["MetricDefinitions"]}
    assert re.search(definitions[name], line)[1] == value


def test_planning_again_gives_the_same_plan(prices):
    first, second = make(prices), make(prices)
    assert first == second
    assert first.name.startswith("dogs-")
    assert make(prices, order="another").name != first.name
    assert make(prices, epochs=3).name != first.name
    assert make(prices, max_cost=Decimal(100)).name == first.name


def test_a_learning_rate_is_sent_with_all_of_its_digits(prices):
    assert make(prices, learning_rate=0.012345678).request["HyperParameters"]["learning_rate"] == "0.012345678"


def test_a_name_is_made_from_any_data(prices):
    long = make(prices, dataset_uri=f"s3://bucket/{'Hunde & Katzen, 2026 ' * 5}/").name
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", long)
    assert make(prices, dataset_uri="s3://bucket/ü/").name.startswith("training-")


def test_a_bad_field_is_refused_before_anything_else(prices):
    with pytest.raises(InvalidInput) as caught:
        make(prices, epochs=0)
    assert caught.value.field == "epochs"


def test_the_cost_is_quoted_before_anything_starts(prices):
    made = make(prices, instance_type="ml.c5.2xlarge", max_seconds=7200, past_runs=[run()])
    assert made.expected.seconds == 663
    assert made.worst.amount == Decimal("0.816")
    assert "$0.816" in made.summary


def test_a_cap_refuses_what_could_cost_more(prices):
    with pytest.raises(Refused, match="cap") as caught:
        make(prices, instance_type="ml.c5.2xlarge", max_seconds=7200, max_cost=Decimal("0.80"))
    assert "$0.816" in caught.value.what
    assert "$0.80" in caught.value.why
    assert make(prices, instance_type="ml.c5.2xlarge", max_seconds=7200, max_cost=Decimal("0.82"))


def test_a_cap_refuses_what_has_no_price(prices):
    with pytest.raises(Refused, match="cannot be checked"):
        make(prices, instance_type="ml.inf1.xlarge", max_cost=Decimal(1000))
    assert any("cost is unknown" in warning for warning in make(prices, instance_type="ml.inf1.xlarge").warnings)


def test_nothing_to_warn_of(prices):
    assert make(prices, past_runs=[run(instance_type="ml.m5.large")]).warnings == ()


def test_a_time_limit_below_what_it_took_before_is_warned_of(prices):
    made = make(prices, instance_type="ml.c5.2xlarge", max_seconds=300, past_runs=[run()])
    assert any("11 min 3 s" in warning and "5 min" in warning for warning in made.warnings)


def test_a_gpu_that_would_idle_is_warned_of(prices):
    assert any("GPU" in warning for warning in make(prices, instance_type="ml.g5.xlarge").warnings)


def test_an_estimated_price_is_warned_of(prices):
    made = make(
        prices, account=Account("embedded", "ap-south-1", "123456789012", True, True), instance_type="ml.c5.xlarge"
    )
    assert any("estimate" in warning for warning in made.warnings)


def test_a_read_only_account_is_told_so(prices):
    assert any("read-only" in warning for warning in make(prices, account=REAL).warnings)


def test_the_code_contains_the_request_and_no_secret(prices):
    made = make(prices)
    compile(made.code["boto3"], "launch.py", "exec")
    assert made.name in made.code["boto3"]
    assert "/home/ada/.kennel/aws/client.json" in made.code["boto3"]
    assert "secret_access_key" in made.code["boto3"]  # it reads the key from the file, it does not contain it
    real = make(prices, account=REAL)
    compile(real.code["boto3"], "launch.py", "exec")
    assert 'profile_name="ada"' in real.code["boto3"]
    assert "pytorch-training" in real.code["boto3"]


def test_candidates_are_sorted_by_price_and_know_past_runs(prices):
    rows = candidates(TrainingSpec(DOGS, max_seconds=1800), prices, "us-east-1", past_runs=[run()])
    amounts = [row.hourly.amount for row in rows]
    assert amounts == sorted(amounts)
    of = {row.instance_type: row for row in rows}
    assert of["ml.c5.2xlarge"].expected.seconds == 663
    assert of["ml.c5.2xlarge"].worst.amount == Decimal("0.204")
    assert of["ml.m5.large"].expected.amount is None
    assert of["ml.m5.large"].expected.why_unknown
    assert of["ml.m5.large"].hardware.vcpu == 2


def test_candidates_without_a_price_come_last_and_stay(prices):
    rows = candidates(TrainingSpec(DOGS), prices, "mars-north-1")
    assert rows
    assert all(row.hourly.amount is None and row.hourly.why_unknown for row in rows)
