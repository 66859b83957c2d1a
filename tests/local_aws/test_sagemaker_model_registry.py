"""The model registry: groups, versions that are counted, and deploying what was approved."""

from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_model_registry import ModelRegistry
from local_aws.services.sagemaker_models import Models
from local_aws.store import Store
from tests.conftest import Embedded
from tests.local_aws.engine_world import FolderObjects
from tests.local_aws.sagemaker_world import BUCKET, IMAGE, bucket, client, refused, role, unique

CALLER = Caller("123456789012", "us-east-1", "key", "arn:aws:iam::123456789012:root")
ARCHIVE = f"s3://{BUCKET}/models/model.tar.gz"


@pytest.fixture(scope="module")
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    client(embedded, "s3").put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=b"an archive")
    return client(embedded, "sagemaker")


def specification(**changes: Any) -> dict[str, Any]:
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Environment": {"A": "1", "B": "2"}} | changes],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    }


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = unique("dogs")
    sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=[{"Key": "project", "Value": "dogs"}])
    return name


def add(sagemaker: Any, group: str, **params: Any) -> str:
    asked = {"ModelPackageGroupName": group, "InferenceSpecification": specification()} | params
    return str(sagemaker.create_model_package(**asked)["ModelPackageArn"])


def test_versions_are_counted_and_wait_for_a_decision(sagemaker: Any, group: str) -> None:
    first, second = add(sagemaker, group), add(sagemaker, group, ModelApprovalStatus="Approved")
    assert [arn.rsplit(":", 1)[-1] for arn in (first, second)] == [f"model-package/{group}/{n}" for n in (1, 2)]
    told = sagemaker.describe_model_package(ModelPackageName=first)
    assert (told["ModelPackageVersion"], told["ModelApprovalStatus"]) == (1, "PendingManualApproval")
    assert told["ModelPackageStatus"] == "Completed"
    assert "ModelPackageName" not in told, "a version is named by its group and number"
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in listed] == [2, 1]
    assert all("ModelPackageName" not in one for one in listed)
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [one["ModelPackageArn"] for one in approved["ModelPackageSummaryList"]] == [second]


def test_a_number_is_never_used_twice(sagemaker: Any, group: str) -> None:
    sagemaker.delete_model_package(ModelPackageName=add(sagemaker, group))
    assert add(sagemaker, group).endswith("/2")


def test_the_same_request_sent_twice_makes_one_version(sagemaker: Any, group: str) -> None:
    assert add(sagemaker, group, ClientToken="once-1") == add(sagemaker, group, ClientToken="once-1")
    assert add(sagemaker, group, ClientToken="once-2").endswith("/2")


def test_a_decision_is_kept_with_its_words_and_metadata(sagemaker: Any, group: str) -> None:
    arn = add(sagemaker, group, CustomerMetadataProperties={"run": "dogs-1", "gone": "x"})
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Rejected",
        ApprovalDescription="too few photos",
        CustomerMetadataProperties={"reviewer": "ada"},
        CustomerMetadataPropertiesToRemove=["gone"],
    )
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Rejected", "too few photos")
    assert told["CustomerMetadataProperties"] == {"run": "dogs-1", "reviewer": "ada"}
    assert told["LastModifiedTime"] >= told["CreationTime"]


def test_only_an_approved_version_becomes_a_model(sagemaker: Any, group: str, embedded: Embedded) -> None:
    arn, name = add(sagemaker, group), unique("model")
    asked = {"ModelName": name, "ExecutionRoleArn": role(embedded)}
    packaged = {"ModelPackageName": arn, "Environment": {"B": "3"}}
    code, said = refused(sagemaker.create_model, **asked, PrimaryContainer=packaged)
    assert code == "ValidationException"
    assert "PendingManualApproval" in said
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**asked, PrimaryContainer=packaged)
    assert sagemaker.describe_model(ModelName=name)["PrimaryContainer"] == packaged
    _, said = refused(sagemaker.create_model, **asked | {"ModelName": "x"}, PrimaryContainer=packaged | {"Image": "i"})
    assert "either a ModelPackageName or an Image" in said


def test_what_an_endpoint_runs_is_the_packages_container(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "s3")
    objects.put(BUCKET, "models/model.tar.gz", b"an archive")
    served = Models(Store(tmp_path))
    served.objects = objects  # type: ignore[assignment]
    served.create_model_package_group({"ModelPackageGroupName": "dogs"}, CALLER)
    made = served.create_model_package(
        {
            "ModelPackageGroupName": "dogs",
            "InferenceSpecification": specification(),
            "ModelApprovalStatus": "Approved",
        },
        CALLER,
    )
    container = {"ModelPackageName": made["ModelPackageArn"], "Environment": {"B": "3"}}
    served.create_model({"ModelName": "m", "PrimaryContainer": container}, CALLER)
    served.delete_model_package({"ModelPackageName": made["ModelPackageArn"]}, CALLER)
    variant = {"VariantName": "main", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    served.create_endpoint_config({"EndpointConfigName": "c", "ProductionVariants": [variant]}, CALLER)
    [runs] = served.variants_of(served.endpoint_configs.all()[0], CALLER)
    assert runs.image == IMAGE
    assert runs.environment == {"A": "1", "B": "3"}
    assert runs.model is not None
    assert runs.model.source.uri == ARCHIVE


def test_groups_are_unique_listed_and_deleted_once_empty(sagemaker: Any, group: str) -> None:
    assert refused(sagemaker.create_model_package_group, ModelPackageGroupName=group)[0] == "ValidationException"
    told = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert told["ModelPackageGroupStatus"] == "Completed"
    assert sagemaker.list_tags(ResourceArn=told["ModelPackageGroupArn"])["Tags"] == [
        {"Key": "project", "Value": "dogs"}
    ]
    listed = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [one["ModelPackageGroupName"] for one in listed] == [group]
    arn = add(sagemaker, told["ModelPackageGroupArn"])
    assert refused(sagemaker.delete_model_package_group, ModelPackageGroupName=group)[0] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=f"{group}/1")
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in refused(sagemaker.describe_model_package_group, ModelPackageGroupName=group)[1]
    assert "does not exist" in refused(sagemaker.describe_model_package, ModelPackageName=arn)[1]


def test_a_list_goes_on_where_it_stopped(sagemaker: Any, group: str) -> None:
    for _ in range(5):
        add(sagemaker, group)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    found = [[one["ModelPackageVersion"] for one in page["ModelPackageSummaryList"]] for page in pages]
    assert found == [[1, 2], [3, 4], [5]]


def test_without_a_group_only_unversioned_packages_are_listed_unless_asked_for(sagemaker: Any, group: str) -> None:
    add(sagemaker, group)
    alone = unique("alone")
    sagemaker.create_model_package(ModelPackageName=alone, InferenceSpecification=specification())
    listed = sagemaker.list_model_packages(NameContains=alone)["ModelPackageSummaryList"]
    assert [one["ModelPackageName"] for one in listed] == [alone]
    assert not sagemaker.list_model_packages(NameContains=group)["ModelPackageSummaryList"]
    assert sagemaker.list_model_packages(NameContains=group, ModelPackageType="Both")["ModelPackageSummaryList"]


def test_several_are_described_at_once(sagemaker: Any, group: str) -> None:
    arn = add(sagemaker, group)
    told = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, f"{arn}9"])
    assert list(told["ModelPackageSummaries"]) == [arn]
    assert list(told["BatchDescribeModelPackageErrorMap"]) == [f"{arn}9"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelPackageName": "both"}, "either a ModelPackageName or a ModelPackageGroupName"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "tags of its group"),
        ({"InferenceSpecification": specification(ModelDataUrl=f"s3://{BUCKET}/none.tar.gz")}, "Could not access"),
        ({"InferenceSpecification": specification(ProductId="abc")}, "marketplace"),
        ({"CertifyForMarketplace": True}, "marketplace"),
        ({"ModelPackageGroupName": "nobody"}, "does not exist"),
    ],
)
def test_what_aws_would_refuse_is_refused(sagemaker: Any, group: str, changes: dict[str, Any], words: str) -> None:
    asked = {"ModelPackageGroupName": group, "InferenceSpecification": specification()} | changes
    code, said = refused(sagemaker.create_model_package, **asked)
    assert code == "ValidationException"
    assert words in said


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = ModelRegistry(store)
    before.objects = FolderObjects(tmp_path / "s3")  # type: ignore[assignment]
    before.objects.put(BUCKET, "models/model.tar.gz", b"an archive")  # type: ignore[attr-defined]
    before.create_model_package_group({"ModelPackageGroupName": "dogs"}, CALLER)
    asked = {"ModelPackageGroupName": "dogs", "InferenceSpecification": specification()}
    arn = before.create_model_package(asked, CALLER)["ModelPackageArn"]
    store.close()
    after = ModelRegistry(Store(tmp_path))
    after.objects = before.objects
    assert after.package(arn, CALLER)["ModelPackageVersion"] == 1
    assert after.create_model_package(asked, CALLER)["ModelPackageArn"].endswith("/2")
    with pytest.raises(ServiceError, match="still has model packages"):
        after.delete_model_package_group({"ModelPackageGroupName": "dogs"}, CALLER)
