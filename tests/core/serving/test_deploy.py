import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core.aws import Account
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.errors import AlreadyExists, InvalidInput, QuotaExceeded, Refused
from dashboard.core.runs.model import RunStatus
from dashboard.core.serving.deploy import check_free, deploy, free_name, plan_deploy
from dashboard.core.serving.source import Source, SourceKind
from dashboard.core.serving.variant import Serverless
from tests.core.conftest import refusal
from tests.core.runs.made import run
from tests.core.serving.made import endpoint

MODEL = "s3://kennel-123456789012-us-east-1/runs/dogs-1/output/model.tar.gz"
EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "/x/client.json")


def make(prices, model=MODEL, name="dogs", instance_type="ml.m5.large", order="4f2a9c", account=EMBEDDED, **more):
    return plan_deploy(model, name, instance_type, account=account, prices=prices, token=order, **more)


def test_the_requests_are_what_sagemaker_accepts(prices):
    model = botocore.session.Session().get_service_model("sagemaker")
    plan = make(prices)
    assert [operation for operation, _ in plan.requests] == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    for operation, parameters in plan.requests:
        report = ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()


def test_the_plan_says_what_is_made_and_what_it_costs(prices):
    plan = make(prices, count=2)
    assert plan.hourly.amount == Decimal("0.230")
    assert "$0.23/h until it is deleted" in plan.summary
    assert any("$5.52 a day" in warning for warning in plan.warnings)
    container = dict(plan.requests)["CreateModel"]["PrimaryContainer"]
    assert container["ModelDataUrl"] == MODEL
    assert container["Image"] == "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
    (variant,) = dict(plan.requests)["CreateEndpointConfig"]["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 2
    assert variant["ModelName"] == plan.model_name


def test_a_completed_run_can_be_deployed(prices):
    assert make(prices, model=run(artifact_uri=MODEL)).model_uri == MODEL


@pytest.mark.parametrize("status", [RunStatus.TRAINING, RunStatus.FAILED, RunStatus.STOPPED])
def test_a_run_without_a_model_cannot(prices, status):
    with pytest.raises(Refused, match="no model to deploy"):
        make(prices, model=run(status=status))


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("model", {"model": "model.tar.gz"}),
        ("model", {"model": "s3://bucket/runs/dogs-1/"}),
        ("name", {"name": ""}),
        ("name", {"name": "two words"}),
        ("name", {"name": "d" * 64}),
        ("instance_type", {"instance_type": "m5.large"}),
        ("count", {"count": 0}),
        ("count", {"count": 11}),
    ],
)
def test_a_bad_field_is_refused_by_name(prices, field, more):
    with pytest.raises(InvalidInput) as caught:
        make(prices, **more)
    assert caught.value.field == field


def test_a_long_name_still_makes_valid_names(prices):
    plan = make(prices, name="d" * 53 + "-" + "e" * 9)
    for name in (plan.model_name, plan.config_name):
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)


@pytest.mark.parametrize("changed", [{"instance_type": "ml.m5.xlarge"}, {"count": 2}, {"model": MODEL + ".tar.gz"}])
def test_a_plan_that_was_changed_is_another_one_although_the_form_kept_its_token(prices, changed):
    """Else a configuration that an unfinished deployment left would be taken for what was confirmed now."""
    first, second = make(prices), make(prices, **changed)
    assert first.config_name != second.config_name
    assert first.order != second.order
    assert make(prices) == first


def test_an_unknown_price_is_said(prices):
    plan = make(prices, instance_type="ml.inf1.xlarge")
    assert plan.hourly.amount is None
    assert any("cost is unknown" in warning for warning in plan.warnings)
    assert "cost unknown" in plan.summary


def test_the_code_runs_the_same_three_calls(prices):
    plan = make(prices)
    compile(plan.code, "deploy.py", "exec")
    for call in ("create_model(", "create_endpoint_config(", "create_endpoint("):
        assert f"sagemaker.{call}" in plan.code


def test_deploying_makes_model_configuration_and_endpoint(aws, serving, prices):
    plan = make(prices, account=aws.account)
    assert deploy(aws, plan) == "dogs"
    assert set(serving.models) == {plan.model_name}
    assert set(serving.configs) == {plan.config_name}
    assert serving.endpoints["dogs"]["EndpointConfigName"] == plan.config_name
    for arn, tags in serving.tags.items():
        assert {"Key": "kennel:made-by", "Value": "kennel"} in tags, arn


def test_deploying_twice_makes_one(aws, serving, prices):
    plan = make(prices, account=aws.account)
    assert deploy(aws, plan) == deploy(aws, plan) == "dogs"
    assert len(serving.models) == len(serving.configs) == len(serving.endpoints) == 1


def test_an_interrupted_deployment_is_completed(aws, serving, prices):
    plan = make(prices, account=aws.account)
    deploy(aws, plan)
    serving.endpoints.clear()
    deploy(aws, plan)
    assert set(serving.endpoints) == {"dogs"}


def test_a_name_that_another_endpoint_has_is_refused(aws, serving, prices):
    serving.add("dogs")
    before = set(serving.models), set(serving.configs)
    with pytest.raises(AlreadyExists, match="already an endpoint named dogs"):
        deploy(aws, make(prices, account=aws.account))
    assert (set(serving.models), set(serving.configs)) == before


def test_what_was_made_for_an_endpoint_that_aws_refuses_does_not_stay(aws, serving, fake, prices):
    words = "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances."
    fake.on("CreateEndpoint", lambda _: refusal("ResourceLimitExceeded", words))
    with pytest.raises(QuotaExceeded):
        deploy(aws, make(prices, account=aws.account))
    assert serving.models == serving.configs == {}


def test_a_name_that_is_taken_is_told_before_anything_is_sent(prices):
    plan = make(prices)
    check_free(plan, [endpoint(name="cats"), endpoint(tags={"kennel:token": plan.order})])  # the second is its own
    with pytest.raises(AlreadyExists, match="already an endpoint named Dogs"):
        check_free(plan, [endpoint(name="Dogs")])


def test_the_name_that_is_offered_is_free():
    assert free_name("dogs", ["cats"]) == "dogs"
    assert free_name("dogs", ["Dogs", "dogs-2"]) == "dogs-3"
    assert free_name("d" * 63, ["d" * 63]) == "d" * 61 + "-2"


def test_it_says_until_when_it_is_wanted(prices):
    now = datetime(2026, 11, 21, 18, 30, 15, 400, tzinfo=UTC)
    plan = make(prices, keep=Keep.DAY, now=now)
    assert plan.expires == datetime(2026, 11, 22, 18, 30, 15, tzinfo=UTC)
    requests = dict(plan.requests)
    assert {"Key": "kennel:expires", "Value": "2026-11-22T18:30:15Z"} in requests["CreateEndpoint"]["Tags"]
    assert not [tag for tag in requests["CreateModel"]["Tags"] if tag["Key"] == "kennel:expires"], (
        "a model costs nothing"
    )
    later = make(prices, keep=Keep.DAY, now=now + timedelta(minutes=1))
    assert later.order == plan.order, "the same intent a minute later is the same plan"
    assert make(prices, keep=Keep.WEEK, now=now).order != plan.order
    forever = make(prices, keep=Keep.NEVER, now=now)
    assert forever.expires is None
    assert "kennel:expires" not in forever.code


def test_a_serverless_endpoint_has_no_instances_and_no_price_by_the_hour(prices):
    plan = make(prices, serverless=Serverless(3072, 5, 2))
    model = botocore.session.Session().get_service_model("sagemaker")
    for operation, parameters in plan.requests:
        report = ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
    (variant,) = dict(plan.requests)["CreateEndpointConfig"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 5, "ProvisionedConcurrency": 2}
    assert not {"InstanceType", "InitialInstanceCount"} & variant.keys()
    assert plan.hourly.amount is None
    assert "2 kept ready" in plan.summary
    assert plan.order != make(prices, serverless=Serverless(3072, 5)).order != make(prices).order


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("memory", Serverless(1000, 5)),
        ("concurrency", Serverless(1024, 0)),
        ("concurrency", Serverless(1024, 201)),
        ("provisioned", Serverless(1024, 5, 6)),
    ],
)
def test_what_no_serverless_endpoint_can_have_is_refused_by_field(prices, field, asked):
    with pytest.raises(InvalidInput) as caught:
        make(prices, serverless=asked)
    assert caught.value.field == field


def test_a_registered_version_is_noted_on_what_serves_it(prices):
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/dogs/3"
    plan = make(prices, model=Source(MODEL, "dogs version 3", SourceKind.REGISTERED, "dogs-1", package))
    marks = {tag["Key"]: tag["Value"] for tag in dict(plan.requests)["CreateModel"]["Tags"]}
    assert (marks["kennel:package"], marks["kennel:run"]) == (package, "dogs-1")
