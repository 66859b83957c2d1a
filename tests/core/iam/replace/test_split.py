"""A role that several duties share: each gets one of its own, is moved to it, and goes back by one click."""

import json
import threading
from dataclasses import replace

import pytest

from dashboard.core.errors import AccessDenied, NotFound, Refused
from dashboard.core.iam.entities import parse
from dashboard.core.iam.own import own_roles
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.replace import change, prove, standing, undo
from dashboard.core.iam.replace.records import Outcome, Records, What
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.usage import Duty, Use
from tests.core.iam.role_world import ACCOUNT, MANAGED, Faulty, document, proposal, session_of, statement, trust
from tests.local_aws.lambda_world import ask, make, package
from tests.local_aws.sagemaker_world import delete_endpoint, tiny_package, wait_for

SHARED = "SharedByAll"
ARN = f"arn:aws:iam::{ACCOUNT}:role/{SHARED}"
LOG = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group"
APP = """
import os, boto3
def handler(event, context):
    print("asked")
    runtime = boto3.client("sagemaker-runtime")
    return {"size": len(runtime.invoke_endpoint(EndpointName=os.environ["ENDPOINT_NAME"], Body=b"x")["Body"].read())}
"""


def pause(_):
    threading.Event().wait(0.05)


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


@pytest.fixture(scope="module")
def shared(aws, embedded, tmp_path_factory):
    """The role, an endpoint and a function that work as it; their uses."""
    both = trust("sagemaker.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com")
    aws.call("iam", "CreateRole", RoleName=SHARED, AssumeRolePolicyDocument=json.dumps(both))
    for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
        aws.call("iam", "AttachRolePolicy", RoleName=SHARED, PolicyArn=MANAGED + policy)
    sagemaker = aws.client("sagemaker")
    container = {"Image": "kennel/test", "Environment": tiny_package(tmp_path_factory.mktemp("tiny"))}
    aws.call("sagemaker", "CreateModel", ModelName="shared-dogs", PrimaryContainer=container, ExecutionRoleArn=ARN)
    variant = {"VariantName": "A", "ModelName": "shared-dogs", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.call("sagemaker", "CreateEndpointConfig", EndpointConfigName="shared-dogs", ProductionVariants=[variant])
    aws.call("sagemaker", "CreateEndpoint", EndpointName="shared-dogs", EndpointConfigName="shared-dogs")
    wait_for(sagemaker, "shared-dogs", "InService")
    variables = {"Variables": {"ENDPOINT_NAME": "shared-dogs"}}
    function = make(embedded, "shared-infer", package(app=APP), Role=ARN, Environment=variables)
    aws.call("lambda", "PublishVersion", FunctionName=function)
    aws.call("lambda", "CreateAlias", FunctionName=function, Name="live", FunctionVersion="1")
    yield (
        Use(Duty.ENDPOINT, "shared-dogs", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/shared-dogs"),
        Use(Duty.FUNCTION, function, f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"),
    )
    delete_endpoint(sagemaker, "shared-dogs")


def of_endpoint():
    logs = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    spaces = {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}
    return proposal(
        SHARED,
        document(
            statement(*logs, resource=f"{LOG}:/aws/sagemaker/Endpoints/*"),
            statement("cloudwatch:PutMetricData", Condition=spaces),
        ),
        duty=Duty.ENDPOINT,
        policy_name="SharedByAll-endpoint-least",
        new_role="SharedByAll-endpoint",
    )


def of_function(*more):
    return proposal(
        SHARED,
        document(
            statement(
                "sagemaker:InvokeEndpoint", resource=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/shared-dogs"
            ),
            statement("logs:CreateLogStream", "logs:PutLogEvents", resource=f"{LOG}:/aws/lambda/shared-infer:*"),
            *more,
        ),
        duty=Duty.FUNCTION,
        policy_name="SharedByAll-function-least",
        new_role="SharedByAll-function",
        trust=trust("lambda.amazonaws.com"),
    )


def apply(aws, plan, records):
    return list(change.apply(aws, plan, records=records, sleep=pause))


def test_a_function_gets_a_role_of_its_own_with_its_alias_and_goes_back(aws, embedded, shared, tmp_path):
    records = Records(tmp_path / "changes.sqlite")
    plan = change.plan(aws, of_function(), uses=shared)
    assert plan.is_split and plan.button == "Make the role" and [one.by_kennel for one in plan.moves] == [True]
    before = standing.read(aws, SHARED)
    steps = apply(aws, plan, records)
    assert steps[-1].state is State.DONE, steps
    new = f"arn:aws:iam::{ACCOUNT}:role/kennel/SharedByAll-function"
    live = aws.call("lambda", "GetFunctionConfiguration", FunctionName="shared-infer", Qualifier="live")
    assert live["Role"] == new and ask(embedded, "shared-infer", {}, Qualifier="live")["Payload"]["size"] >= 0
    assert standing.read(aws, SHARED).digest == before.digest, "the shared role stays as it was"

    (record,) = records.all(ACCOUNT)
    assert record.what is What.SPLIT and record.new_role == "SharedByAll-function"
    back = list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=pause))
    assert back[-1].state is State.DONE, back
    for qualifier in ({}, {"Qualifier": "live"}):
        assert aws.call("lambda", "GetFunctionConfiguration", FunctionName="shared-infer", **qualifier)["Role"] == ARN
    with pytest.raises(NotFound):
        standing.read(aws, "SharedByAll-function")


def test_an_endpoint_gets_a_role_of_its_own_and_goes_back(aws, shared, tmp_path):
    records = Records(tmp_path / "changes.sqlite")
    steps = apply(aws, change.plan(aws, of_endpoint(), uses=shared), records)
    assert steps[-1].state is State.DONE, steps
    config = aws.call("sagemaker", "DescribeEndpoint", EndpointName="shared-dogs")["EndpointConfigName"]
    (variant,) = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=config)["ProductionVariants"]
    model = aws.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])
    assert model["ExecutionRoleArn"].endswith(":role/kennel/SharedByAll-endpoint")
    (record,) = records.all(ACCOUNT)
    back = list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=pause))
    assert back[-1].state is State.DONE, back
    assert aws.call("sagemaker", "DescribeEndpoint", EndpointName="shared-dogs")["EndpointConfigName"] == "shared-dogs"
    with pytest.raises(NotFound):
        aws.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])


@pytest.mark.parametrize(
    ("operation", "fate"),
    [
        ("CreateRole", "lost"),
        ("AttachRolePolicy", "unsent"),
        ("UpdateFunctionConfiguration", "lost"),
        ("UpdateAlias", "unsent"),
        ("UpdateAlias", "lost"),
    ],
)
def test_whatever_fails_the_function_works_as_the_shared_role_and_nothing_new_is_left(
    aws, shared, tmp_path, operation, fate
):
    records = Records(tmp_path / "changes.sqlite")
    failed = []

    def fails(_, asked):
        if asked == operation and not failed:
            failed.append(asked)
            return fate
        return ""

    plan = change.plan(aws, of_function(), uses=shared)
    steps = apply(aws.failing(fails), plan, records)
    assert failed and steps[-1].undoes and steps[-1].state is State.DONE, steps
    for qualifier in ({}, {"Qualifier": "live"}):
        assert aws.call("lambda", "GetFunctionConfiguration", FunctionName="shared-infer", **qualifier)["Role"] == ARN
    with pytest.raises(NotFound):
        standing.read(aws, "SharedByAll-function")
    with pytest.raises(NotFound):
        aws.call("iam", "GetPolicy", PolicyArn=plan.policies[0].arn)
    assert records.all(ACCOUNT)[0].outcome is Outcome.UNDONE


def test_an_instance_gets_a_profile_and_its_launcher_is_told(aws, shared, tmp_path):
    records = Records(tmp_path / "changes.sqlite")
    use = Use(Duty.INSTANCE, "i-1", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1")
    wanted = proposal(
        SHARED,
        duty=Duty.INSTANCE,
        policy_name="SharedByAll-instance-least",
        new_role="SharedByAll-instance",
        trust=trust("ec2.amazonaws.com"),
    )
    steps = apply(aws, change.plan(aws, wanted, uses=[use]), records)
    assert steps[-1].state is State.DONE and "instance profile SharedByAll-instance" in steps[-1].evidence[0]
    told = aws.call("iam", "GetInstanceProfile", InstanceProfileName="SharedByAll-instance")["InstanceProfile"]
    assert [role["RoleName"] for role in told["Roles"]] == ["SharedByAll-instance"]
    list(undo.apply(aws, undo.plan(aws, records.all(ACCOUNT)[0]), records=records, sleep=pause))
    with pytest.raises(NotFound):
        aws.call("iam", "GetInstanceProfile", InstanceProfileName="SharedByAll-instance")


def test_whoever_mends_the_shared_role_moves_what_works_as_it_and_nothing_else(aws, shared, tmp_path):
    """With the session of the remediator role that was made for it, as the embedded AWS enforces it."""
    (role,) = (one for one in parse(aws.call("iam", "GetAccountAuthorizationDetails")) if one.name == SHARED)
    made = own_roles.remediator(aws.account, [Mended.of(role, shared)])
    records = Records(tmp_path / "changes.sqlite")
    with session_of(aws, made) as session:
        for wanted in (of_function(), of_endpoint()):
            steps = apply(session, change.plan(session, wanted, uses=shared), records)
            assert {one.state for one in steps if one.state.is_final} == {State.DONE}, steps
            record = records.all(ACCOUNT)[0]
            back = list(undo.apply(session, undo.plan(session, record), records=records, sleep=pause))
            assert back[-1].state is State.DONE, back
        with pytest.raises(AccessDenied):
            session.call("lambda", "UpdateFunctionConfiguration", FunctionName="another", Role=ARN)


def test_the_name_of_somebody_elses_role_is_not_taken(aws, shared):
    aws.call("iam", "CreateRole", RoleName="Taken", AssumeRolePolicyDocument=json.dumps(trust("lambda.amazonaws.com")))
    with pytest.raises(Refused, match="already a role named Taken"):
        change.plan(aws, proposal(SHARED, new_role="Taken"), uses=shared)


def test_a_function_and_an_endpoint_are_proven_under_their_own_policies(aws, shared):
    for wanted in (of_function(), of_endpoint()):
        proof = prove.run(aws, prove.plan(aws, wanted, uses=shared), sleep=pause)
        assert proof.holds, proof
    for service, operation, named in (
        ("sagemaker", "ListEndpoints", "Endpoints"),
        ("lambda", "ListFunctions", "Functions"),
        ("sagemaker", "ListModels", "Models"),
        ("logs", "DescribeLogGroups", "logGroups"),
    ):
        told = aws.call(service, operation)[named]
        assert not [one for one in told if "kennel-trial-" in json.dumps(one, default=str)], operation


def test_a_function_that_lacks_a_right_is_not_proven(aws, shared):
    wanted = of_function()
    lacking = replace(wanted, policy={**wanted.policy, "Statement": wanted.policy["Statement"][1:]})
    proof = prove.run(aws, prove.plan(aws, lacking, uses=shared), sleep=pause)
    failed = [step for step in proof.steps if step.state is State.FAILED]
    assert failed and "shared-infer lacks a right" in failed[0].detail and "InvokeEndpoint" in failed[0].detail
