"""Models, endpoint configurations and endpoints as an AWS client sees them."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engine import artifacts
from tests.conftest import Embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import (
    BUCKET,
    IMAGE,
    ROLE,
    bucket,
    client,
    create_endpoint,
    delete_endpoint,
    endpoint,
    log_lines,
    refused,
    tiny_package,
    unique,
    wait_for,
)


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


def variant(model: str, **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
    } | changes


def model(sagemaker: Any, name: str, **container: Any) -> str:
    created = sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": IMAGE, **container}, ExecutionRoleArn=ROLE, Tags=[]
    )
    return str(created["ModelArn"])


def test_models(sagemaker: Any) -> None:
    mark = unique("model")
    arn = model(sagemaker, f"{mark}-a", ModelDataUrl=f"s3://{BUCKET}/data/a.txt", Environment={"A": "1"})
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:model/{mark}-a"
    found = sagemaker.describe_model(ModelName=f"{mark}-a")
    assert found["PrimaryContainer"] == {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/data/a.txt",
        "Environment": {"A": "1"},
    }
    assert (found["ModelArn"], found["ExecutionRoleArn"]) == (arn, ROLE)
    model(sagemaker, f"{mark}-b")
    names = [one["ModelName"] for one in sagemaker.list_models(NameContains=mark)["Models"]]
    assert names == [f"{mark}-b", f"{mark}-a"], "newest first"
    page = sagemaker.list_models(NameContains=mark, SortBy="Name", SortOrder="Ascending", MaxResults=1)
    assert [one["ModelName"] for one in page["Models"]] == [f"{mark}-a"]
    assert page["NextToken"]
    assert refused(sagemaker.create_model, ModelName=f"{mark}-a", PrimaryContainer={"Image": IMAGE}) == (
        "ValidationException",
        f'Cannot create already existing model "{arn}".',
    )
    sagemaker.delete_model(ModelName=f"{mark}-a")
    for call in (sagemaker.describe_model, sagemaker.delete_model):
        assert refused(call, ModelName=f"{mark}-a") == ("ValidationException", f'Could not find model "{arn}".')
    sagemaker.delete_model(ModelName=f"{mark}-b")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "either PrimaryContainer or Containers"),
        ({"PrimaryContainer": {"Environment": {"A": "1"}}}, "needs an Image"),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/absent"}},
            "Could not access model data",
        ),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://no-such-bucket/x"}},
            "Could not access model data",
        ),
        ({"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "https://host/x"}}, "s3://bucket/key"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "multi-model"),
        ({"Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}, "inference pipelines"),
        ({"PrimaryContainer": {"Image": "with space"}}, "primaryContainer.image"),
    ],
)
def test_a_wrong_model_is_refused(sagemaker: Any, params: dict[str, Any], words: str) -> None:
    code, message = refused(sagemaker.create_model, ModelName=unique(), **params)
    assert code == "ValidationException"
    assert words in message


def test_endpoint_configurations(sagemaker: Any) -> None:
    name = unique("config")
    model(sagemaker, name)
    arn = sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])[
        "EndpointConfigArn"
    ]
    found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"] == [variant(name) | {"InitialVariantWeight": 1.0}]
    listed = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert [one["EndpointConfigArn"] for one in listed] == [arn]
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert refused(sagemaker.describe_endpoint_config, EndpointConfigName=name) == (
        "ValidationException",
        f'Could not find endpoint configuration "{arn}".',
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"ModelName": "no-such-model"},
            'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/no-such',
        ),
        ({"InitialVariantWeight": 0.0}, "above 0"),
        ({"InstanceType": "ml.made-up"}, "enum value set"),
        ({"InitialInstanceCount": 0}, "InitialInstanceCount"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "it cannot have InstanceType"),
        ({"RoutingConfig": {"RoutingStrategy": "PREFIX_AWARE"}}, "routing by prefix"),
    ],
)
def test_a_wrong_configuration_is_refused(sagemaker: Any, changes: dict[str, Any], words: str) -> None:
    name = unique()
    model(sagemaker, name)
    wrong = variant(name, **changes)
    code, message = refused(sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=[wrong])
    assert code == "ValidationException"
    assert words in message


def test_an_endpoint_from_creating_to_gone(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(tmp_path, "delay=0.4"))
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    creating = sagemaker.describe_endpoint(EndpointName=name)
    assert (creating["EndpointStatus"], creating["EndpointArn"]) == ("Creating", arn)
    found = wait_for(sagemaker, name, "InService")
    (only,) = found["ProductionVariants"]
    assert (only["VariantName"], only["CurrentInstanceCount"], only["DesiredInstanceCount"]) == ("AllTraffic", 1, 1)
    assert only["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert "VariantStatus" not in only
    assert found["EndpointConfigName"] == name
    assert found["LastModifiedTime"] > found["CreationTime"]
    assert refused(sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name) == (
        "ValidationException",
        f'Cannot create already existing endpoint "{arn}".',
    )
    listed = sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert [one["EndpointArn"] for one in listed] == [arn]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    lines = log_lines(client(embedded, "logs"), f"/aws/sagemaker/Endpoints/{name}", "AllTraffic/")
    assert lines[0].startswith("listening on 127.0.0.1:")
    delete_endpoint(sagemaker, name)
    assert refused(sagemaker.describe_endpoint, EndpointName=name) == (
        "ValidationException",
        f'Could not find endpoint "{arn}".',
    )
    assert refused(sagemaker.delete_endpoint, EndpointName=name)[0] == "ValidationException"


def test_the_endpoint_outlives_its_configuration_and_model(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    with endpoint(embedded, tmp_path) as name:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName=name)
        answer = client(embedded, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"sleep 0")
        assert answer["Body"].read() == b"awake"


def test_the_model_archive_is_what_the_process_sees(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    (tmp_path / "model/code").mkdir(parents=True)
    (tmp_path / "model/model.onnx").write_text("weights")
    (tmp_path / "model/code/inference.py").touch()
    artifacts.pack(tmp_path / "model", tmp_path / "model.tar.gz")
    key = f"models/{unique()}/model.tar.gz"
    client(embedded, "s3").put_object(Bucket=BUCKET, Key=key, Body=(tmp_path / "model.tar.gz").read_bytes())
    with endpoint(embedded, tmp_path / "package", ModelDataUrl=f"s3://{BUCKET}/{key}") as name:
        answer = client(embedded, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"hello")
        assert b'"model": ["code", "code/inference.py", "model.onnx"]' in answer["Body"].read()


def test_a_failed_endpoint_says_why_and_can_be_deleted(sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(tmp_path, "model=model.onnx"))
    found = wait_for(sagemaker, name, "Failed")
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "no model.onnx in the model" in found["FailureReason"]
    delete_endpoint(sagemaker, name)


def test_a_process_that_dies_is_restarted(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    runtime = client(embedded, "sagemaker-runtime")
    with endpoint(embedded, tmp_path, "delay=0.5") as name:
        pid = int(
            runtime.invoke_endpoint(EndpointName=name, Body=b"hello")["Body"].read().split(b'"pid": ')[1].split(b",")[0]
        )
        modified = wait_for(sagemaker, name, "InService")["LastModifiedTime"]
        os.kill(pid, signal.SIGKILL)
        found = wait_for(sagemaker, name, "SystemUpdating")
        (only,) = found["ProductionVariants"]
        assert only["CurrentInstanceCount"] == 0
        assert "ended with code 137" in only["VariantStatus"][0]["StatusMessage"]
        code, message = refused(runtime.invoke_endpoint, EndpointName=name, Body=b"hello")
        assert code == "ServiceUnavailable"
        assert "restarted" in message
        restarted = wait_for(sagemaker, name, "InService")
        assert restarted["LastModifiedTime"] == modified, "nobody modified it"
        assert runtime.invoke_endpoint(EndpointName=name, Body=b"sleep 0")["Body"].read() == b"awake"


def test_two_instances_are_two_processes(embedded: Embedded, tmp_path: Path) -> None:
    runtime = client(embedded, "sagemaker-runtime")
    with endpoint(embedded, tmp_path, count=2) as name:
        answers = [runtime.invoke_endpoint(EndpointName=name, Body=b"hello")["Body"].read() for _ in range(4)]
        assert len({answer.split(b'"pid": ')[1].split(b",")[0] for answer in answers}) == 2


def test_more_instances_than_this_machine_takes_are_refused(sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    with pytest.raises(ClientError) as caught:
        create_endpoint(sagemaker, name, tiny_package(tmp_path), count=9)
    error = caught.value.response["Error"]
    assert error["Code"] == "ResourceLimitExceeded"
    assert "limit for endpoint instances is 8" in error["Message"]
    assert refused(sagemaker.describe_endpoint, EndpointName=name)[0] == "ValidationException"


def test_deleting_while_it_is_creating(sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(tmp_path, "delay=60"))
    started = time.monotonic()
    delete_endpoint(sagemaker, name)
    assert time.monotonic() - started < 5
    assert eventually(lambda: not sagemaker.list_endpoints(NameContains=name)["Endpoints"])
