"""What a new notebook instance asks for and may do, and what is refused before AWS is asked."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput
from dashboard.core.iam.documents import Policy
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.finding import Kind
from dashboard.core.iam.findings import audit
from dashboard.core.notebooks import role
from dashboard.core.notebooks.plan import Plan, plan_create
from dashboard.core.notebooks.wanted import Wanted
from tests.core.iam.generated import ACCOUNT, BUCKET, HERE, details

WORK = Account("work", "us-east-1", ACCOUNT, False, True)
NOTES = Wanted("kennel-notes", BUCKET)
BOOK = PriceBook.load()


def planned(wanted: Wanted = NOTES, form: str = "form") -> Plan:
    return plan_create(wanted, BOOK, account=WORK, token=form)


def request(plan: Plan) -> dict[str, Any]:
    (call,) = [one for one in plan.calls if one.operation == "CreateNotebookInstance"]
    return dict(call.parameters)


def may(wanted: Wanted, action: str, resource: str, **context: str) -> bool:
    given = {name.replace("__", ":"): value for name, value in context.items()}
    return evaluate([Policy.of(json.dumps(role.policy(WORK, wanted)))], action, resource, given).allowed


def test_it_is_small_without_root_and_stops_itself_unless_told_otherwise() -> None:
    asked = request(planned())
    assert (asked["InstanceType"], asked["VolumeSizeInGB"]) == ("ml.t3.medium", 5)
    assert asked["RootAccess"] == "Disabled"
    assert asked["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert asked["LifecycleConfigName"].startswith("kennel-stop-idle-60min-")
    assert asked["RoleArn"].endswith(":role/kennel-notebook-kennel-notes")
    assert "SubnetId" not in asked
    assert planned().hourly is not None and str(planned().hourly.unit_price) == "0.050"  # type: ignore[union-attr]


def test_what_is_asked_for_is_what_aws_is_asked() -> None:
    wanted = replace(NOTES, subnet="subnet-1", groups=("sg-1",), is_private=True, has_root=True, idle_minutes=0)
    plan = planned(wanted)
    asked = request(plan)
    assert (asked["SubnetId"], asked["SecurityGroupIds"], asked["DirectInternetAccess"]) == (
        "subnet-1", ["sg-1"], "Disabled")  # fmt: skip
    assert asked["RootAccess"] == "Enabled"
    assert "LifecycleConfigName" not in asked
    assert not any(call.operation == "CreateNotebookInstanceLifecycleConfig" for call in plan.calls)
    told = " ".join(plan.warnings)
    assert "nothing stops it" in told and "root" in told and "routes of its subnet" in told


def test_one_form_is_one_order_and_another_wish_is_another() -> None:
    assert planned().order == planned().order
    assert planned().order != planned(form="other").order
    assert planned().order != planned(replace(NOTES, volume_gb=6)).order


def test_its_role_reads_and_writes_one_bucket_and_may_stop_this_instance_alone() -> None:
    one = f"arn:aws:s3:::{BUCKET}/datasets/a.jpg"
    assert may(NOTES, "s3:GetObject", one) and may(NOTES, "s3:PutObject", one)
    assert may(NOTES, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}")
    assert not may(NOTES, "s3:GetObject", "arn:aws:s3:::another/a.jpg")
    assert not may(NOTES, "s3:DeleteObject", one)
    here = f"arn:aws:sagemaker:{HERE}:notebook-instance/"
    assert may(NOTES, "sagemaker:StopNotebookInstance", f"{here}kennel-notes")
    assert not may(NOTES, "sagemaker:StopNotebookInstance", f"{here}another")
    assert not may(replace(NOTES, idle_minutes=0), "sagemaker:StopNotebookInstance", f"{here}kennel-notes")


def test_a_folder_is_all_that_it_sees_where_one_is_named() -> None:
    inside = replace(NOTES, prefix="datasets/")
    assert may(inside, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/datasets/a.jpg")
    assert not may(inside, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/runs/model.tar.gz")
    assert may(inside, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", s3__prefix="datasets/a")
    assert not may(inside, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", s3__prefix="runs/")


def test_trainings_are_its_own_and_only_where_that_was_asked_for() -> None:
    job, passed = (
        f"arn:aws:sagemaker:{HERE}:training-job/kennel-notes-1",
        {"iam__PassedToService": "sagemaker.amazonaws.com"},
    )
    trains = replace(NOTES, trains=True)
    assert may(trains, "sagemaker:CreateTrainingJob", job)
    assert may(trains, "iam:PassRole", WORK.role_arn("KennelTraining"), **passed)
    assert not may(trains, "sagemaker:CreateTrainingJob", job.replace("kennel-notes-1", "other-1"))
    assert not may(trains, "iam:PassRole", WORK.role_arn("Admin"), **passed)
    assert not may(NOTES, "sagemaker:CreateTrainingJob", job)
    assert not may(NOTES, "iam:PassRole", WORK.role_arn("KennelTraining"), **passed)


@pytest.mark.parametrize(
    "wanted", [NOTES, replace(NOTES, trains=True), replace(NOTES, subnet="subnet-1", groups=("sg-1",))]
)
def test_kennels_own_audit_finds_nothing_in_its_role_but_what_a_vpc_needs(wanted: Wanted) -> None:
    made = planned(wanted).calls[0].parameters
    trust = json.loads(made["AssumeRolePolicyDocument"])
    found = audit(details(made["RoleName"], inline=[role.policy(WORK, wanted)], trust=trust))
    assert [one.kind for one in found] == ([Kind.WILDCARD] if wanted.subnet else [])
    assert all("NetworkInterface" in one.reason for one in found), "interfaces have no names before they are made"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "my notes"}, "name"),
        ({"name": "-notes"}, "name"),
        ({"name": "n" * 49}, "name"),
        ({"bucket": "My_Bucket"}, "bucket"),
        ({"prefix": "*"}, "prefix"),
        ({"prefix": "/a/"}, "prefix"),
        ({"volume_gb": 4}, "volume"),
        ({"volume_gb": 16_385}, "volume"),
        ({"subnet": "subnet-1"}, "groups"),
        ({"groups": ("sg-1",)}, "subnet"),
        ({"is_private": True}, "subnet"),
    ],
)
def test_what_aws_would_not_take_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(replace(NOTES, **changes))
    assert caught.value.field == field
