"""A real endpoint that its policy scales while it is asked, on a server that is killed in between."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import start_embedded, stop_embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.lambda_world import make
from tests.local_aws.sagemaker_world import (
    IMAGE,
    ROLE,
    delete_endpoint,
    refused,
    tiny_package,
    unique,
    wait_for,
)
from tests.local_aws.scaling_world import ScalingWorld, scaling_world

SLR = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScalingWorld]:
    with scaling_world(tmp_path_factory.mktemp("scaling")) as made:
        yield made


def events(world: ScalingWorld, name: str) -> list[dict[str, Any]]:
    """What CloudTrail has of a call, within a few seconds."""
    looked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}]}
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if found := world.aws.client("cloudtrail").lookup_events(**looked)["Events"]:
            return [json.loads(one["CloudTrailEvent"]) for one in found]
        time.sleep(0.05)
    return []


def wait_active(functions: Any, name: str) -> None:
    end = time.monotonic() + 30
    while functions.get_function_configuration(FunctionName=name)["State"] != "Active":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_cannot_scale_is_refused(world: ScalingWorld) -> None:
    register = world.scaling.register_scalable_target
    elsewhere = world.resource | {"ResourceId": "endpoint/never-made/variant/AllTraffic"}
    code, said = refused(register, MinCapacity=1, MaxCapacity=2, **elsewhere)
    assert code == "ValidationException"
    assert "doesn't exist" in said
    code, said = refused(register, MinCapacity=0, MaxCapacity=2, **world.resource)
    assert "inference components" in said
    code, said = refused(
        register, MinCapacity=1, MaxCapacity=2, **world.resource | {"ScalableDimension": "ecs:service:DesiredCount"}
    )
    assert code == "ValidationException"
    code, said = refused(world.scaling.deregister_scalable_target, **world.resource)
    assert (code, said.split(":")[0]) == (
        "ObjectNotFoundException",
        "No scalable target registered for service namespace",
    )


def test_burstable_instances_do_not_scale(world: ScalingWorld, tmp_path: Path) -> None:
    sagemaker, name = world.aws.client("sagemaker"), unique("burst")
    environment = tiny_package(tmp_path)
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": IMAGE, "Environment": environment}, ExecutionRoleArn=ROLE
    )
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    resource = world.resource | {"ResourceId": f"endpoint/{name}/variant/a"}
    try:
        wait_for(sagemaker, name, "InService")
        code, said = refused(world.scaling.register_scalable_target, MinCapacity=1, MaxCapacity=2, **resource)
        assert (code, "ml.t2.medium" in said) == ("ValidationException", True)
    finally:
        delete_endpoint(sagemaker, name)


def test_a_service_linked_role_is_made_once_by_whoever_needs_it_first(world: ScalingWorld) -> None:
    iam = world.aws.client("iam")
    service = "lambda.application-autoscaling.amazonaws.com"
    role = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert role["RoleName"] == "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": [service]}
    assert refused(iam.create_service_linked_role, AWSServiceName=service)[0] == "InvalidInput"
    assert "robomaker" in refused(iam.create_service_linked_role, AWSServiceName="robomaker.amazonaws.com")[1]
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["AWSApplicationAutoscalingLambdaConcurrencyPolicy"]


def test_load_brings_instances_and_a_killed_server_goes_on(world: ScalingWorld) -> None:
    world.register(1, 3)
    role = world.aws.client("iam").get_role(RoleName=SLR)["Role"]
    (target,) = world.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["RoleARN"] == role["Arn"]
    world.track(10)
    with world.asked(40):
        world.wait_for(3, 60)
    assert eventually(lambda: world.activities()[-1]["StatusCode"] == "Successful"), "it is followed a moment later"
    assert world.activities()[-1]["Description"] == "Setting desired instance count to 3."
    event, *_ = events(world, "UpdateEndpointWeightsAndCapacities")
    assert event["userIdentity"]["arn"].endswith(f":assumed-role/{SLR}/AutoScaling")
    assert event["sourceIPAddress"] == "application-autoscaling.amazonaws.com"

    policies = world.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    world.aws.process.kill()
    world.aws.process.wait()
    stop_embedded(world.aws)
    world.aws = start_embedded(world.aws.state, "--time-scale", "60")
    assert world.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == policies
    names = [one["AlarmName"] for one in policies[0]["Alarms"]]
    assert len(world.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]) == 2
    wait_for(world.aws.client("sagemaker"), world.endpoint, "InService")
    world.register(1, 1)
    world.wait_for(1, 60)
    assert world.activities()[-1]["Cause"] == "maximum capacity was set to 1"


def test_a_variant_that_is_scaled_keeps_its_instance_type(world: ScalingWorld) -> None:
    sagemaker, name = world.aws.client("sagemaker"), unique("larger")
    variant = {"VariantName": "AllTraffic", "ModelName": world.endpoint, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant | {"InstanceType": "ml.m5.xlarge"}]
    )
    code, said = refused(sagemaker.update_endpoint, EndpointName=world.endpoint, EndpointConfigName=name)
    assert code == "ValidationException"
    assert "Deregister endpoint/dogs/variant/AllTraffic as a scalable target" in said


def test_the_environments_of_an_alias_are_scaled_on_their_maximum(world: ScalingWorld) -> None:
    functions, name = world.aws.client("lambda"), make(world.aws)
    wait_active(functions, name)
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    resource = {
        "ServiceNamespace": "lambda",
        "ResourceId": f"function:{name}:live",
        "ScalableDimension": "lambda:function:ProvisionedConcurrency",
    }
    world.scaling.register_scalable_target(MinCapacity=1, MaxCapacity=2, **resource)
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": f"{name}:live"}]
    metric = {"Namespace": "AWS/Lambda", "MetricName": "ProvisionedConcurrencyUtilization", "Statistic": "Maximum"}
    world.scaling.put_scaling_policy(
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.7,
            "CustomizedMetricSpecification": metric | {"Dimensions": dimensions},
        },
        **resource,
    )
    ready = (0, 0)
    end = time.monotonic() + 60
    while ready != (2, 2) and time.monotonic() < end:
        functions.invoke(FunctionName=name, Qualifier="live", Payload=b'{"sleep": 0.2}')
        told = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
        ready = (
            told["RequestedProvisionedConcurrentExecutions"],
            told["AvailableProvisionedConcurrentExecutions"],
        )
    assert ready == (2, 2), "two environments really run"
    world.scaling.deregister_scalable_target(**resource)
    functions.delete_function(FunctionName=name)


def test_an_endpoint_that_goes_takes_its_scaling_with_it(world: ScalingWorld) -> None:
    delete_endpoint(world.aws.client("sagemaker"), world.endpoint)
    end = time.monotonic() + 30
    while world.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert world.aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert len(world.activities()) >= 2, "what was done is still told"
