from decimal import Decimal

import pytest

from dashboard.core.errors import AlreadyExists, InvalidInput, Refused
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.rollout import Guard, Rollout, Shift
from dashboard.core.serving.source import Source
from dashboard.core.serving.update import Change, Kind, plan_update, update
from tests.core.serving.made import BOOK, asked, endpoint
from tests.core.serving.scripted import Scripted, check

MODEL = Source("s3://bucket/runs/cats/output/model.tar.gz", "cats", run="cats")
REPLACE = Change(Kind.REPLACE, "main", MODEL)


def plan(one, change=REPLACE, rollout=Rollout(), order="t", config=None, aws=None):  # noqa: B008 - frozen
    told = {"EndpointConfigName": one.config_name, "ProductionVariants": config or [asked()]}
    aws = aws or Scripted(DescribeEndpointConfig=told)
    return plan_update(aws, one, change, rollout, prices=BOOK, token=order)


def requests(made):
    for call in made.calls:
        check(call.service, call.operation, call.parameters)
    return {call.operation: call.parameters for call in made.calls}


def test_another_model_takes_the_place_of_the_one_that_serves():
    one = endpoint(asked(count=3))
    made = plan(one, rollout=Rollout(Shift.CANARY, 10, 300, guard=Guard(5, 0.5)))
    sent = requests(made)
    assert [call.operation for call in made.calls] == [
        "CreateModel",
        "CreateEndpointConfig",
        "PutMetricAlarm",
        "PutMetricAlarm",
        "UpdateEndpoint",
    ]
    assert sent["CreateModel"]["PrimaryContainer"]["ModelDataUrl"] == MODEL.uri
    (variant,) = sent["CreateEndpointConfig"]["ProductionVariants"]
    assert (variant["ModelName"], variant["InitialInstanceCount"]) == (sent["CreateModel"]["ModelName"], 3)
    assert sent["UpdateEndpoint"]["RetainAllVariantProperties"] is True
    alarms = [
        one["AlarmName"] for one in sent["UpdateEndpoint"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    ]
    assert alarms == [call.parameters["AlarmName"] for call in made.calls if call.operation == "PutMetricAlarm"]
    assert {"Key": "kennel:replaces", "Value": "dogs-config"} in sent["CreateEndpointConfig"]["Tags"]
    assert {"Key": "kennel:run", "Value": "cats"} in sent["CreateModel"]["Tags"]
    compile(made.code, "update.py", "exec")


def test_both_fleets_cost_for_as_long_as_requests_go_over():
    made = plan(endpoint(asked(count=2)), rollout=Rollout(Shift.LINEAR, 50, 900, 900))
    assert (made.before.amount, made.after.amount) == (Decimal("0.230"), Decimal("0.230"))
    assert made.extra == Decimal("0.230") / 2  # two waits of a quarter of an hour


def test_what_else_the_configuration_has_is_kept():
    told = {"EndpointConfigName": "dogs-config", "ProductionVariants": [asked()], "KmsKeyId": "alias/dogs"}
    sent = requests(plan(endpoint(), aws=Scripted(DescribeEndpointConfig=told)))
    assert sent["CreateEndpointConfig"]["KmsKeyId"] == "alias/dogs"


def test_a_second_variant_comes_beside_and_one_goes():
    change = Change(Kind.BESIDE, "other", MODEL, "ml.m5.xlarge", 1, 0.25)
    made = plan(endpoint(), change)
    sent = requests(made)
    names = [each["VariantName"] for each in sent["CreateEndpointConfig"]["ProductionVariants"]]
    assert names == ["main", "other"]
    assert "DeploymentConfig" not in sent["UpdateEndpoint"]  # guardrails want the same variants
    assert made.after.amount == Decimal("0.345")
    assert made.extra is None
    both = endpoint(asked("main"), asked("other"))
    sent = requests(plan(both, Change(Kind.REMOVE, "other"), config=[asked("main"), asked("other")]))
    assert "CreateModel" not in sent
    assert [each["VariantName"] for each in sent["CreateEndpointConfig"]["ProductionVariants"]] == ["main"]


def test_a_serverless_endpoint_goes_over_at_once():
    made = plan(endpoint(asked(kind="")), config=[asked(kind="")])
    assert "DeploymentConfig" not in requests(made)["UpdateEndpoint"]
    assert any("at once" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("variant", Change(Kind.REPLACE, "nobody", MODEL)),
        ("variant", Change(Kind.BESIDE, "main", MODEL, "ml.m5.large")),
        ("variant", Change(Kind.BESIDE, "two words", MODEL, "ml.m5.large")),
        ("weight", Change(Kind.BESIDE, "other", MODEL, "ml.m5.large", weight=-1.0)),
        ("instance_type", Change(Kind.BESIDE, "other", MODEL, "m5.large")),
        ("count", Change(Kind.BESIDE, "other", MODEL, "ml.m5.large", 0)),
        ("model", Change(Kind.REPLACE, "main")),
    ],
)
def test_a_bad_field_is_refused_by_name(field, change):
    with pytest.raises(InvalidInput) as caught:
        plan(endpoint(), change)
    assert caught.value.field == field


def test_the_last_variant_stays_and_a_changing_endpoint_is_left_alone():
    with pytest.raises(Refused, match="is the only one"):
        plan(endpoint(), Change(Kind.REMOVE, "main"))
    with pytest.raises(Refused, match="updating"):
        plan(endpoint(status=EndpointStatus.UPDATING))
    with pytest.raises(Refused, match="beside a serverless"):
        plan(endpoint(asked(kind="")), Change(Kind.BESIDE, "other", MODEL, "ml.m5.large"))


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        (Rollout(guard=Guard(None)), "nothing is watched"),
        (Rollout(keep=0), "no time in which an alarm"),
        (Rollout(keep=30), "whole minutes"),
    ],
)
def test_what_would_watch_nothing_is_said(rollout, said):
    assert any(said in warning for warning in plan(endpoint(), rollout=rollout).warnings)


def account(status="InService", config="dogs-config", **more):
    endpoint = {"EndpointName": "dogs", "EndpointStatus": status, "EndpointConfigName": config, **more}
    return Scripted(
        DescribeEndpoint=endpoint, CreateModel={}, CreateEndpointConfig={}, PutMetricAlarm={}, UpdateEndpoint={}
    )


def test_it_is_sent_in_order_after_looking_again():
    aws = account()
    update(aws, plan(endpoint()))
    assert aws.names == ["DescribeEndpoint", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm", "UpdateEndpoint"]


def test_sent_twice_it_is_one_update():
    made = plan(endpoint())
    for aws in (
        account(config=made.config_name),
        account("Updating", PendingDeploymentSummary={"EndpointConfigName": made.config_name}),
    ):
        update(aws, made)
        assert aws.names == ["DescribeEndpoint"]


def test_what_an_interruption_left_is_completed():
    aws = account()
    aws.answers |= {"CreateModel": AlreadyExists("there"), "CreateEndpointConfig": AlreadyExists("there")}
    update(aws, plan(endpoint()))
    assert aws.names[-1] == "UpdateEndpoint"


def test_an_endpoint_that_something_else_changes_is_not_updated():
    aws = account("Updating")
    with pytest.raises(Refused, match="cannot be updated now"):
        update(aws, plan(endpoint()))
    assert aws.names == ["DescribeEndpoint"]
