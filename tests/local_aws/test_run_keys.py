"""What runs on the embedded AWS reaches it as its role, with no setting, as far as that role's policies let it."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.run_keys import RunKeys
from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import (
    BUCKET,
    ROLE,
    bucket,
    channel,
    client,
    create_endpoint,
    delete_endpoint,
    finished,
    log_lines,
    training_request,
    unique,
    wait_for,
)
from training.archive import pack
from training.model import build_starter, model_files
from training.sample_data import draw_dog

ASKS = """
import boto3, json
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
s3.put_object(Bucket="{bucket}", Key="{key}", Body=b"from a job")
told = {{"read": s3.get_object(Bucket="{bucket}", Key="{key}")["Body"].read().decode(), "region": s3.meta.region_name}}
for service, operation in (("iam", "list_users"), ("sagemaker", "list_training_jobs"), ("sts", "get_caller_identity")):
    client = boto3.client(service)
    try:
        getattr(client, operation)()
        told[service] = "allowed"
    except ClientError as refused:
        told[service] = refused.response["Error"]["Code"], refused.response["Error"]["Message"]
print(json.dumps(told))
"""


def test_a_training_job_works_as_its_role_and_does_nothing_that_its_policies_do_not_allow(embedded: Embedded) -> None:
    bucket(embedded)
    name = unique()
    program = ASKS.format(bucket=BUCKET, key=f"{name}/out.txt")
    client(embedded, "s3").put_object(Bucket=BUCKET, Key=f"{name}/code/ask.py", Body=program.encode())
    algorithm = {"ContainerEntrypoint": ["python"], "ContainerArguments": ["/opt/ml/input/data/code/ask.py"]}
    code = channel("code", f"{name}/code/")
    sagemaker = client(embedded, "sagemaker")
    sagemaker.create_training_job(**training_request(name, AlgorithmSpecification=algorithm, InputDataConfig=[code]))
    found = finished(sagemaker, name, 30)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    lines = log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", name)
    told = json.loads(next(line for line in lines if line.startswith("{")))
    assert (told["read"], told["region"]) == ("from a job", embedded.region)
    session = f"arn:aws:sts::123456789012:assumed-role/{ROLE.rpartition('/')[2]}/SageMaker"
    for service, action in (("iam", "iam:ListUsers"), ("sagemaker", "sagemaker:ListTrainingJobs")):
        code, message = told[service]
        assert code.startswith("AccessDenied")
        assert f"User: {session} is not authorized to perform: {action} on resource" in message
        assert f"because no identity-based policy allows the {action} action" in message
    assert told["sts"] == "allowed"  # as AWS lets everybody ask who they are
    kept = client(embedded, "s3").get_object(Bucket=BUCKET, Key=f"{name}/out.txt")["Body"].read()
    assert kept == b"from a job"


def s3(variables: Any, endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_key_of_another_server_opens_nothing(embedded: Embedded) -> None:
    """They are made anew at every start."""
    variables = RunKeys(embedded.endpoint_url).variables(ROLE, "us-east-1")
    asking = s3(variables, embedded.endpoint_url)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        asking.list_buckets()
    asking.close()


def test_a_role_keeps_its_key_and_another_one_gets_another() -> None:
    keys = RunKeys("http://127.0.0.1:1")
    first, again = keys.variables(ROLE, "us-east-1"), keys.variables(ROLE, "eu-west-1")
    other = keys.variables(ROLE + "2", "us-east-1")
    assert first["AWS_ACCESS_KEY_ID"] == again["AWS_ACCESS_KEY_ID"] != other["AWS_ACCESS_KEY_ID"]
    assert (first["AWS_REGION"], again["AWS_REGION"]) == ("us-east-1", "eu-west-1")
    found = keys.find(first["AWS_ACCESS_KEY_ID"])
    assert found is not None
    assert found.session_token == first["AWS_SESSION_TOKEN"]
    assert found.secret not in repr(found)


def test_an_instance_has_keys_of_its_own_which_end_with_it() -> None:
    keys = RunKeys("http://127.0.0.1:1")
    job = keys.variables(ROLE, "us-east-1")["AWS_ACCESS_KEY_ID"]
    first, again, other = (keys.of_instance(ROLE, "us-east-1", one) for one in ("i-1", "i-1", "i-2"))
    assert first == again
    assert len({job, first.access_key_id, other.access_key_id}) == 3
    assert first.arn.endswith("/i-1")
    keys.forget("i-1")
    assert keys.find(first.access_key_id) is None
    assert keys.find(other.access_key_id)
    assert keys.find(job)


def test_an_endpoint_classifies_a_photo_that_lies_in_s3(embedded: Embedded, tmp_path: Path) -> None:
    """The real serving process: who asks sends an address only, the endpoint fetches it as its role."""
    name, storage = unique("s3"), client(embedded, "s3")
    bucket(embedded)
    archive = tmp_path / "model.tar.gz"
    build_starter(tmp_path / "model")
    pack(tmp_path / "model", archive, model_files(tmp_path / "model"))
    storage.upload_file(str(archive), BUCKET, f"{name}/model.tar.gz")
    draw_dog("057.Dalmatian", 2).save(tmp_path / "dog.jpg", "JPEG")
    storage.upload_file(str(tmp_path / "dog.jpg"), BUCKET, f"{name}/dog.jpg")
    sagemaker, runtime = client(embedded, "sagemaker"), client(embedded, "sagemaker-runtime")
    create_endpoint(sagemaker, name, {}, ModelDataUrl=f"s3://{BUCKET}/{name}/model.tar.gz")
    try:
        wait_for(sagemaker, name, "InService", 60)
        told = [
            json.loads(
                runtime.invoke_endpoint(
                    EndpointName=name, ContentType=kind, Accept="application/json; profile=breeds", Body=body
                )["Body"].read()
            )
            for kind, body in (
                ("application/json", json.dumps({"s3": f"s3://{BUCKET}/{name}/dog.jpg"})),
                ("image/jpeg", (tmp_path / "dog.jpg").read_bytes()),
            )
        ]
    finally:
        delete_endpoint(sagemaker, name)
    assert told[0]["predictions"][0][0]["breed"] == told[1]["predictions"][0][0]["breed"]
    assert told[0]["scores"] == told[1]["scores"]


def test_a_function_is_a_session_of_its_role_with_its_own_name() -> None:
    keys = RunKeys("http://127.0.0.1:1")
    key = keys.of_function(ROLE, "us-east-1", "dogs")["AWS_ACCESS_KEY_ID"]
    assert key == keys.of_function(ROLE, "us-east-1", "dogs")["AWS_ACCESS_KEY_ID"]
    assert key != keys.variables(ROLE, "us-east-1")["AWS_ACCESS_KEY_ID"]
    assert key != keys.of_function(ROLE, "eu-west-1", "dogs")["AWS_ACCESS_KEY_ID"]
    found = keys.find(key)
    assert found is not None
    assert found.arn.endswith(":assumed-role/KennelTraining/dogs")
    assert found.who.identity == ROLE
    assert dict(found.who.facts) == {"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:dogs"}
