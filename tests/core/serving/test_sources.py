from dashboard.core.errors import AccessDenied
from dashboard.core.runs.model import RunStatus
from dashboard.core.serving.source import SourceKind
from dashboard.core.serving.sources import offered
from tests.core.runs.made import run
from tests.core.serving.scripted import Scripted

MODEL = "s3://kennel-123456789012-us-east-1/runs/dogs-1/output/model.tar.gz"
GROUP = "dogs"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}"


def package(ModelPackageName):  # noqa: N803 - SageMaker's names
    number = int(ModelPackageName.rsplit("/", 1)[-1])
    return {
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": number,
        "InferenceSpecification": {
            "Containers": [{"Image": "i", "ModelDataUrl": MODEL if number == 2 else "s3://b/x"}]
        },
        "CustomerMetadataProperties": {"run": "dogs-1"},
    }


def account(**more):
    listed = [{"ModelPackageArn": f"{ARN}/{number}"} for number in (2, 1)]
    return Scripted(
        ListObjectsV2={"Contents": [{"Key": "models/starter/model.tar.gz"}]},
        ListModelPackageGroups={"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": GROUP}]},
        ListModelPackages={"ModelPackageSummaryList": listed},
        DescribeModelPackage=package,
        **more,
    )


def test_every_kind_of_model_is_offered():
    aws = account()
    found = offered(aws, [run(name="dogs-1", artifact_uri=MODEL), run(name="dogs-2", status=RunStatus.FAILED)])
    assert [one.name for one in found.of(SourceKind.RUN)] == ["dogs-1"]
    assert [one.name for one in found.of(SourceKind.STARTER)] == ["starter"]
    (version,) = found.of(SourceKind.REGISTERED)  # the other one's data is no archive
    assert (version.name, version.run, version.package) == ("dogs version 2", "dogs-1", f"{ARN}/2")
    assert aws.asked("ListModelPackages")[0]["ModelApprovalStatus"] == "Approved"


def test_without_the_right_to_read_the_registry_the_rest_is_offered_and_it_is_said():
    aws = account()
    aws.answers["ListModelPackageGroups"] = AccessDenied("not allowed")
    found = offered(aws, [run(artifact_uri=MODEL)])
    assert len(found.sources) == 2
    assert isinstance(found.unread, AccessDenied)
