"""UpdateEndpoint as an AWS client sees it: what is told meanwhile and afterwards, and what is refused."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import (
    IMAGE,
    ROLE,
    bucket,
    client,
    create_endpoint,
    endpoint,
    refused,
    tiny_package,
    unique,
    wait_for,
)

ALL_AT_ONCE = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
ALARM = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture(scope="module")
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


@pytest.fixture(scope="module")
def name(embedded: Embedded, sagemaker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with endpoint(embedded, tmp_path_factory.mktemp("package")) as made:
        yield made


def config(sagemaker: Any, folder: Path, *settings: str, **changes: Any) -> str:
    """Another configuration, of a model that says VERSION; its name, which is that version."""
    name = unique("version")
    environment = tiny_package(folder / name, *settings) | {"VERSION": name}
    container = {"Image": IMAGE, "Environment": environment}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 1,
    } | changes
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return name


def blue_green(routing: dict[str, Any], *alarms: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}
    if alarms:
        found["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": one} for one in alarms]}
    return found


def version(aws: Embedded, name: str) -> str:
    answer = client(aws, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"x")
    return str(json.loads(answer["Body"].read())["environment"].get("VERSION", ""))


def test_what_is_pending_is_told_and_then_serves(embedded: Embedded, sagemaker: Any, name: str, tmp_path: Path) -> None:
    before = sagemaker.describe_endpoint(EndpointName=name)
    new = config(sagemaker, tmp_path, "delay=0.4")
    how = blue_green(ALL_AT_ONCE)
    answer = sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, DeploymentConfig=how)
    assert answer["EndpointArn"] == before["EndpointArn"]
    during = sagemaker.describe_endpoint(EndpointName=name)
    assert during["EndpointStatus"] == "Updating"
    assert during["EndpointConfigName"] == before["EndpointConfigName"], "the old one serves"
    pending = during["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == new
    (variant,) = pending["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 1)
    assert variant["InstanceType"] == "ml.m5.xlarge"
    assert variant["VariantStatus"][0]["Status"] == "Creating"
    again = refused(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=new)
    assert again[1].startswith("Cannot update in-progress endpoint")
    after = wait_for(sagemaker, name, "InService")
    assert after["EndpointConfigName"] == new
    assert "PendingDeploymentSummary" not in after
    assert "FailureReason" not in after
    assert after["LastDeploymentConfig"] == how
    assert version(embedded, name) == new


def test_one_that_cannot_start_leaves_the_old_one_and_says_why(
    embedded: Embedded, sagemaker: Any, name: str, tmp_path: Path
) -> None:
    serving = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config(sagemaker, tmp_path, "model=absent"))
    after = wait_for(sagemaker, name, "InService")
    assert after["EndpointConfigName"] == serving
    assert "no absent in the model" in after["FailureReason"]
    assert version(embedded, name) in (serving, "")
    fine = config(sagemaker, tmp_path)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fine, RetainDeploymentConfig=True)
    after = wait_for(sagemaker, name, "InService")
    assert (after["EndpointConfigName"], "FailureReason" in after) == (fine, False)


def test_a_model_that_keeps_dying_can_be_replaced(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    with endpoint(embedded, tmp_path) as made:
        (tmp_path / "training/serve.py").write_text("raise SystemExit('broken')")
        with suppress(ClientError):
            client(embedded, "sagemaker-runtime").invoke_endpoint(EndpointName=made, Body=b"die")
        wait_for(sagemaker, made, "SystemUpdating")
        new = config(sagemaker, tmp_path)
        sagemaker.update_endpoint(EndpointName=made, EndpointConfigName=new)
        assert wait_for(sagemaker, made, "InService")["EndpointConfigName"] == new
        assert version(embedded, made) == new


def test_an_alarm_takes_an_update_back(embedded: Embedded, sagemaker: Any, name: str, tmp_path: Path) -> None:
    cloudwatch, alarm = client(embedded, "cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(AlarmName=alarm, **ALARM)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test says so")
    serving = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    how = blue_green(ALL_AT_ONCE, alarm, TerminationWaitInSeconds=300)
    new = config(sagemaker, tmp_path)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, DeploymentConfig=how)
    after = wait_for(sagemaker, name, "InService")
    assert after["EndpointConfigName"] == serving
    assert alarm in after["FailureReason"]
    cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_weights_and_numbers_are_those_of_the_new_configuration_unless_they_are_retained(
    sagemaker: Any, name: str, tmp_path: Path
) -> None:
    wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
    wait_for(sagemaker, name, "InService")

    def updated(**how: Any) -> tuple[float, int]:
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config(sagemaker, tmp_path), **how)
        (variant,) = wait_for(sagemaker, name, "InService")["ProductionVariants"]
        return variant["DesiredWeight"], variant["DesiredInstanceCount"]

    assert updated(RetainAllVariantProperties=True) == (0.5, 2)
    left = [{"VariantPropertyType": "DesiredInstanceCount"}]
    assert updated(RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=left) == (0.5, 1)
    assert updated() == (1.0, 1)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (blue_green(ALL_AT_ONCE, "no-such-alarm"), "Could not find CloudWatch alarm(s): no-such-alarm"),
        (blue_green({"Type": "CANARY", "WaitIntervalInSeconds": 1}), "needs a CanarySize"),
        (
            blue_green(
                {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 1,
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 60},
                }
            ),
            "at most 50 percent",
        ),
        (
            blue_green(
                {
                    "Type": "LINEAR",
                    "WaitIntervalInSeconds": 1,
                    "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 5},
                }
            ),
            "10 to 50 percent",
        ),
        (blue_green(ALL_AT_ONCE | {"CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 5}}), "cannot be used with"),
        (
            blue_green(ALL_AT_ONCE, TerminationWaitInSeconds=900, MaximumExecutionTimeoutInSeconds=600),
            "must be larger than the waits",
        ),
        (blue_green(ALL_AT_ONCE, MaximumExecutionTimeoutInSeconds=5), "valid min value: 600"),
        (
            blue_green(ALL_AT_ONCE)
            | {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": 0,
                }
            },
            "Only one of",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(sagemaker: Any, name: str, how: dict[str, Any], words: str) -> None:
    now = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    code, said = refused(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=now, DeploymentConfig=how)
    assert code == "ValidationException"
    assert words in said
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"


def test_more_than_this_machine_takes_is_refused(sagemaker: Any, name: str, tmp_path: Path) -> None:
    many = config(sagemaker, tmp_path, InitialInstanceCount=99)
    code, said = refused(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=many)
    assert (code, "limit for endpoint instances is 8" in said) == ("ResourceLimitExceeded", True)


def test_after_the_server_was_killed_an_update_goes_on_and_one_that_was_being_taken_back_is_over(
    tmp_path: Path,
) -> None:
    first = start_embedded(tmp_path / "aws")
    try:
        bucket(first)
        sagemaker, cloudwatch = first.client("sagemaker"), first.client("cloudwatch")
        for name in ("dogs", "cats"):
            create_endpoint(sagemaker, name, tiny_package(tmp_path / name))
        for name in ("dogs", "cats"):
            wait_for(sagemaker, name, "InService")
        how = blue_green(ALL_AT_ONCE, TerminationWaitInSeconds=3600)
        new = config(sagemaker, tmp_path)
        sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName=new, DeploymentConfig=how)
        cloudwatch.put_metric_alarm(AlarmName="5xx", **ALARM)
        batch = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 3600}
        how = {"RollingUpdatePolicy": batch, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "5xx"}]}}
        sagemaker.update_endpoint(EndpointName="cats", EndpointConfigName=new, DeploymentConfig=how)
        assert eventually(lambda: version(first, "cats") == new)
        serve = tmp_path / "cats/training/serve.py"
        source = serve.read_text()
        serve.write_text("import time; time.sleep(3600)")  # the old one does not come up again yet
        cloudwatch.set_alarm_state(AlarmName="5xx", StateValue="ALARM", StateReason="a test says so")
        wait_for(sagemaker, "cats", "RollingBack")
        first.process.kill()
        first.process.wait()
    finally:
        stop_embedded(first)
    serve.write_text(source)
    second = start_embedded(tmp_path / "aws", "--time-scale", "1000")
    try:
        sagemaker = second.client("sagemaker")
        assert sagemaker.describe_endpoint(EndpointName="dogs")["EndpointStatus"] == "Updating"
        after = wait_for(sagemaker, "dogs", "InService")
        assert after["EndpointConfigName"] == new
        after = wait_for(sagemaker, "cats", "InService")
        assert (after["EndpointConfigName"], "PendingDeploymentSummary" in after) == ("cats", False)
        assert "in ALARM state: 5xx" in after["FailureReason"]
        assert version(second, "cats") == ""
    finally:
        stop_embedded(second)


def test_a_canary_that_answers_with_errors_is_taken_back_by_its_alarm(tmp_path: Path) -> None:
    aws = start_embedded(tmp_path / "aws", "--time-scale", "60")
    try:
        bucket(aws)
        sagemaker, runtime, cloudwatch = (
            aws.client(service) for service in ("sagemaker", "sagemaker-runtime", "cloudwatch")
        )
        create_endpoint(sagemaker, "dogs", tiny_package(tmp_path / "package"))
        wait_for(sagemaker, "dogs", "InService")
        broken = config(sagemaker, tmp_path)
        serve = tmp_path / broken / "training/serve.py"
        serve.write_text(serve.read_text().replace('if body == b"fail"', "if True"))
        cloudwatch.put_metric_alarm(
            AlarmName="5xx",
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=[{"Name": "EndpointName", "Value": "dogs"}, {"Name": "VariantName", "Value": "AllTraffic"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )
        half = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}
        how = blue_green(half | {"WaitIntervalInSeconds": 3600}, "5xx")
        sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName=broken, DeploymentConfig=how)
        outcomes = Counter[str]()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                runtime.invoke_endpoint(EndpointName="dogs", Body=b"hello")["Body"].read()
                outcomes["answered"] += 1
            except sagemaker.exceptions.ClientError:
                outcomes["failed"] += 1
            if sagemaker.describe_endpoint(EndpointName="dogs")["EndpointStatus"] == "InService":
                break
        after = sagemaker.describe_endpoint(EndpointName="dogs")
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "dogs")
        assert "in ALARM state: 5xx" in after["FailureReason"]
        assert min(outcomes["answered"], outcomes["failed"]) > 0, "half of the requests met the canary"
        assert runtime.invoke_endpoint(EndpointName="dogs", Body=b"hello")["Body"].read()
    finally:
        stop_embedded(aws)
