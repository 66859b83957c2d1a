"""boto3's own waiters and paginators understand what the embedded SageMaker answers."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import (
    bucket,
    client,
    create_endpoint,
    finished,
    tiny_package,
    training_request,
    unique,
)

OFTEN = {"Delay": 0.05, "MaxAttempts": 400}


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker")


def test_training_job_completed_or_stopped(sagemaker: Any) -> None:
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    done, stopped, failed = unique(), unique(), unique()
    sagemaker.create_training_job(**training_request(done, "sleep 0.3"))
    waiter.wait(TrainingJobName=done, WaiterConfig=OFTEN)
    assert sagemaker.describe_training_job(TrainingJobName=done)["TrainingJobStatus"] == "Completed"
    sagemaker.create_training_job(**training_request(stopped, "sleep 60"))
    sagemaker.stop_training_job(TrainingJobName=stopped)
    waiter.wait(TrainingJobName=stopped, WaiterConfig=OFTEN)
    sagemaker.create_training_job(**training_request(failed, "exit 1"))
    with pytest.raises(WaiterError, match="Failed"):
        waiter.wait(TrainingJobName=failed, WaiterConfig=OFTEN)
    with pytest.raises(WaiterError, match="ValidationException"):
        waiter.wait(TrainingJobName=unique("absent"), WaiterConfig=OFTEN)


def test_endpoint_in_service_and_deleted(embedded: Embedded, sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(tmp_path, "delay=0.3"))
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=OFTEN)
    answer = client(embedded, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"sleep 0")
    assert answer["Body"].read() == b"awake"
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=OFTEN)
    assert name not in {one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]}


def test_endpoint_in_service_sees_a_failure(sagemaker: Any, tmp_path: Path) -> None:
    name = unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(tmp_path, "model=absent"))
    with pytest.raises(WaiterError, match="Failed"):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=OFTEN)
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=OFTEN)


@pytest.mark.parametrize(
    ("operation", "members", "name"),
    [
        ("list_models", "Models", "ModelName"),
        ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    ],
)
def test_paginators_go_through_everything_once(sagemaker: Any, operation: str, members: str, name: str) -> None:
    mark = unique("page")
    names = [f"{mark}-{number}" for number in range(7)]
    for one in names:
        if operation == "list_training_jobs":
            sagemaker.create_training_job(**training_request(one))
            continue
        sagemaker.create_model(ModelName=one, PrimaryContainer={"Image": "kennel/test"})
        variant = {"VariantName": "v", "ModelName": one, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=one, ProductionVariants=[variant])
    pages = sagemaker.get_paginator(operation).paginate(NameContains=mark, PaginationConfig={"PageSize": 3})
    found = [[one[name] for one in page[members]] for page in pages]
    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(one for page in found for one in page) == names
    for one in names if operation == "list_training_jobs" else ():
        finished(sagemaker, one)


def test_the_paginator_of_search_goes_through_everything_once(sagemaker: Any) -> None:
    mark = unique("search")
    names = [f"{mark}-{number}" for number in range(7)]
    for one in names:
        sagemaker.create_training_job(**training_request(one))
    expression = {"Filters": [{"Name": "TrainingJobName", "Operator": "Contains", "Value": mark}]}
    pages = sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob",
        SearchExpression=expression,
        SortBy="CreationTime",
        SortOrder="Ascending",
        PaginationConfig={"PageSize": 3},
    )
    found = [[one["TrainingJob"]["TrainingJobName"] for one in page["Results"]] for page in pages]
    assert found == [names[:3], names[3:6], names[6:]]
    for one in names:
        finished(sagemaker, one)


def test_tags_page_through_their_paginator(sagemaker: Any) -> None:
    name = unique()
    tags = [{"Key": f"k{number:02}", "Value": str(number)} for number in range(50)]
    arn = sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": "kennel/test"}, Tags=tags)["ModelArn"]
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == tags
