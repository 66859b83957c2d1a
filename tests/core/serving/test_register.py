"""The registry through Kennel, on a real embedded AWS: registered once, decided about, served, taken out."""

import json
from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core.aws import Account, Aws, connect
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.model_card import ModelCard
from dashboard.core.serving import registry
from dashboard.core.serving.register import Candidate, decide, of_run, plan_register, register, take_out
from dashboard.core.serving.registry import Approval, Group, archives, counted, list_groups, read_versions, version_of
from tests.conftest import Embedded
from tests.core.conftest import write_client
from tests.core.runs.made import DOGS, NOW, run
from tests.local_aws.sagemaker_world import client, unique

EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "/x/client.json")
BUCKET = "kennel-123456789012-us-east-1"
MODEL = f"s3://{BUCKET}/runs/dogs-1/output/model.tar.gz"
CARD = ModelCard(metrics={"test:accuracy": 0.9167, "test:loss": 0.3, "odd": "x"}, data={"classes": 12})


@pytest.fixture(scope="module")
def live(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Aws:
    home = tmp_path_factory.mktemp("home")
    write_client(
        home,
        embedded.endpoint_url,
        access_key_id=embedded.access_key_id,
        secret_access_key=embedded.secret_access_key,
    )
    s3 = client(embedded, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket=BUCKET)  # another module of tests makes it too
    s3.put_object(Bucket=BUCKET, Key="runs/dogs-1/output/model.tar.gz", Body=b"an archive")
    return connect({"KENNEL_HOME": str(home)})


def candidate() -> Candidate:
    return of_run(run(artifact_uri=MODEL, arn="arn:aws:sagemaker:us-east-1:123456789012:training-job/dogs-1"), CARD)


def found(live: Aws, name: str) -> Group:
    return read_versions(live, next(one for one in list_groups(live) if one.name == name))


def test_a_runs_model_becomes_the_next_version_with_its_figures_and_its_origin(live: Aws) -> None:
    name = unique("dogs")
    first = register(live, plan_register(candidate(), name, account=live.account, token="a"))
    group = found(live, name)
    second = register(live, plan_register(candidate(), name, account=live.account, token="b", known=group))
    assert (first.number, second.number) == (1, 2)
    assert (first.approval, first.run, first.run_key, first.data_uri) == (Approval.PENDING, "dogs-1", "dogs-1", DOGS)
    assert first.metrics == {"test:accuracy": 0.9167, "test:loss": 0.3}
    assert first.labels == 12
    assert first.is_kennels
    told = live.call("sagemaker", "DescribeModelPackage", ModelPackageName=first.arn)
    assert told["MetadataProperties"]["GeneratedBy"].endswith("training-job/dogs-1")
    where = told["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    body = live.call("s3", "GetObject", Bucket=BUCKET, Key=where.split("/", 3)[3])["Body"].read()
    assert json.loads(body)["multiclass_classification_metrics"]["accuracy"]["value"] == 0.9167
    assert [one.number for one in found(live, name).versions] == [2, 1]


def test_the_same_plan_twice_makes_one_version(live: Aws) -> None:
    name = unique("dogs")
    plan = plan_register(candidate(), name, account=live.account, token="a")
    assert register(live, plan).arn == register(live, plan).arn
    assert len(found(live, name).versions) == 1


def test_a_decision_is_kept_and_decides_what_may_be_deployed(live: Aws) -> None:
    name = unique("dogs")
    made = register(live, plan_register(candidate(), name, account=live.account, token="a"))
    assert found(live, name).approved is None
    decide(live, made, Approval.APPROVED, "beats version 0")
    group = found(live, name)
    assert group.approved is not None
    assert (group.approved.number, group.approved.note) == (1, "beats version 0")
    assert group.approved.source.package == made.arn
    assert counted([group]) == (1, 1)
    decide(live, made, Approval.REJECTED, "it is not")
    assert found(live, name).approved is None
    with pytest.raises(InvalidInput):
        decide(live, made, Approval.APPROVED, "x" * 1025)


def test_the_last_version_takes_its_group_along_and_twice_is_fine(live: Aws) -> None:
    name = unique("dogs")
    made = register(live, plan_register(candidate(), name, account=live.account, token="a"))
    take_out(live, made, is_last=True)
    take_out(live, made, is_last=True)
    assert name not in {one.name for one in list_groups(live)}
    assert live.call("s3", "HeadObject", Bucket=BUCKET, Key="runs/dogs-1/output/model.tar.gz")["ContentLength"]


def test_a_model_that_got_another_version_since_stays(live: Aws) -> None:
    name = unique("dogs")
    first, second = (register(live, plan_register(candidate(), name, account=live.account, token=t)) for t in "ab")
    take_out(live, first, is_last=True)
    assert [one.arn for one in found(live, name).versions] == [second.arn]


def test_of_a_long_registry_the_newest_are_read_and_every_archive_is_known(
    live: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("dogs")
    made = [register(live, plan_register(candidate(), name, account=live.account, token=t)) for t in "abcd"]
    listed = next(one for one in list_groups(live) if one.name == name)
    assert [one.number for one in listed.versions] == [4, 3, 2, 1]
    assert listed.versions[0].approval is Approval.PENDING
    monkeypatch.setattr(registry, "MOST_VERSIONS", 3)
    group = read_versions(live, listed)
    assert ([one.number for one in group.versions], group.is_cut) == ([4, 3, 2], True)
    assert group.versions[0].metrics == made[0].metrics
    monkeypatch.setattr(registry, "BATCH", 2)
    assert MODEL in archives(live)


def test_a_version_that_was_deleted_since_it_was_listed_is_left_out(live: Aws) -> None:
    name = unique("dogs")
    first, _ = (register(live, plan_register(candidate(), name, account=live.account, token=t)) for t in "ab")
    listed = next(one for one in list_groups(live) if one.name == name)
    take_out(live, first, is_last=False)
    assert [one.number for one in read_versions(live, listed).versions] == [2]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**400, -0.1, 93.5, True, "0.9", None])
def test_a_card_that_was_brought_may_say_anything(odd: object) -> None:
    brought = replace(candidate(), metrics={"test:accuracy": odd, "test:loss": 0.3})
    plan = plan_register(brought, "dogs", account=EMBEDDED, token="a")
    marks = plan.requests[-1][1]["CustomerMetadataProperties"]
    assert "test:accuracy" not in marks
    assert marks["test:loss"] == "0.3"
    assert "test_accuracy" not in json.loads(plan.statistics)["multiclass_classification_metrics"]


def test_the_requests_are_what_sagemaker_accepts() -> None:
    model = botocore.session.Session().get_service_model("sagemaker")
    plan = plan_register(candidate(), "dogs", account=EMBEDDED, token="a", approval=Approval.APPROVED)
    assert [operation for operation, _ in plan.requests] == ["CreateModelPackageGroup", "CreateModelPackage"]
    for operation, parameters in plan.requests:
        report = ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
    assert "create_model_package(" in plan.code
    compile(plan.code, "shown", "exec")


def test_an_archive_that_is_registered_already_is_said() -> None:
    told = {
        "ModelPackageArn": "arn",
        "ModelPackageGroupName": "dogs",
        "ModelPackageVersion": 3,
        "CreationTime": NOW,
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": MODEL}]},
    }
    known = Group("dogs", "arn", NOW, versions=(version_of(told),))
    plan = plan_register(candidate(), "dogs", account=EMBEDDED, token="a", known=known)
    assert plan.warnings == ("version 3 of dogs is this archive already",)
    assert [operation for operation, _ in plan.requests] == ["CreateModelPackage"]


@pytest.mark.parametrize("name", ["", "-dogs", "dogs and cats", "x" * 64])
def test_a_name_that_sagemaker_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        plan_register(candidate(), name, account=EMBEDDED, token="a")


def test_a_run_without_a_model_has_nothing_to_register() -> None:
    with pytest.raises(Refused):
        of_run(run(status=RunStatus.FAILED), None)


def test_what_somebody_else_wrote_beside_a_version_breaks_nothing() -> None:
    told = {
        "ModelPackageArn": "arn",
        "CreationTime": NOW,
        "ModelApprovalStatus": "SomethingNew",
        "CustomerMetadataProperties": {
            "test:accuracy": "very good",
            "labels": "٣",
            "test:loss": "0.5",
            "test:macro_f1": "nan",
        },
    }
    version = version_of(told)
    assert (version.metrics, version.labels, version.approval.may_deploy) == ({"test:loss": 0.5}, None, False)


def test_the_best_version_is_the_most_accurate_measured_one() -> None:
    def made(number: int, accuracy: float | None) -> dict[str, object]:
        marks = {} if accuracy is None else {"test:accuracy": str(accuracy)}
        return {
            "ModelPackageArn": f"arn-{number}",
            "ModelPackageVersion": number,
            "CreationTime": NOW,
            "CustomerMetadataProperties": marks,
        }

    group = Group(
        "dogs", "arn", NOW, versions=tuple(version_of(made(n, a)) for n, a in ((3, None), (2, 0.8), (1, 0.9)))
    )
    assert group.best == group.version(1)
    assert Group("none", "arn", NOW).best is None
