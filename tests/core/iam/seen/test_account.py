"""An account's roles with what works as them, read side by side, in full and in part."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import AccessDenied, ServiceFault
from dashboard.core.iam.finding import Kind, Severity
from dashboard.core.iam.judge.audited import by_subject, of_account, of_export
from dashboard.core.iam.judge.posture import posture
from dashboard.core.iam.seen import account, used_by
from dashboard.core.iam.seen.used_by import Known
from dashboard.core.iam.usage import Duty
from tests.views import scripted
from tests.views.scripted_roles import ADMIN, IAM, RolesAws

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROJECT = f"{IAM}:role/DogProject"


@pytest.fixture
def aws() -> RolesAws:
    return RolesAws().with_risks()


def asked(aws: RolesAws, operation: str) -> int:
    return sum(name == operation for name, _ in aws.calls)


def test_one_reading_tells_who_works_as_what(aws: RolesAws) -> None:
    aws.add_endpoint("starter")
    aws.models["starter"]["ExecutionRoleArn"] = PROJECT
    aws.models["left"] = {"ModelName": "left", "ModelArn": "arn:left", "ExecutionRoleArn": PROJECT}
    aws.instances["i-1"] = {
        "InstanceId": "i-1",
        "State": {"Name": "running"},
        "IamInstanceProfile": {"Arn": f"{IAM}:instance-profile/DogProject"},
    }
    read = account.read(aws, clock=lambda: NOW)
    assert not read.unread
    uses = {(one.duty, one.name): one.last for one in read.usage.of(PROJECT)}
    assert uses[Duty.ENDPOINT, "starter"] == NOW  # it serves at this moment
    assert uses[Duty.INSTANCE, "i-1"] == NOW
    assert {(Duty.TRAINING, "train-a"), (Duty.TRAINING, "train-b"), (Duty.ENDPOINT, "left")} <= set(uses)
    assert (Duty.INSTANCE, "DogProject") not in uses  # the profile is the instance's
    assert [one.name for one in read.usage.of(f"{IAM}:role/DogGood")] == ["dog-infer"]


def test_an_instance_profile_without_an_instance_is_a_use_of_its_own(aws: RolesAws) -> None:
    uses = account.read(aws, clock=lambda: NOW).usage.of(PROJECT)
    assert [(one.name, one.last) for one in uses if one.duty is Duty.INSTANCE] == [("DogProject", None)]


def test_policies_of_aws_that_nothing_has_are_left_out(aws: RolesAws) -> None:
    read = account.read(aws, clock=lambda: NOW)
    arns = [one["Arn"] for one in read.details["Policies"]]
    assert ADMIN in arns
    assert not any("ReadOnlyAccess" in one for one in arns)
    assert asked(aws, "GetAccountAuthorizationDetails") == 1


def test_a_model_is_asked_once(aws: RolesAws) -> None:
    aws.add_endpoint("starter")
    aws.models["starter"]["ExecutionRoleArn"] = PROJECT
    known = Known()
    for _ in range(3):
        account.read(aws, known)
    assert asked(aws, "DescribeModel") == 1


def test_of_thousands_of_trainings_the_newest_are_looked_at_and_that_is_said(
    aws: RolesAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used_by, "TRAININGS", 100)
    for number in range(150):
        aws.add_job(f"job-{number:03}", age=10_000 + number)
    read = account.read(aws)
    assert asked(aws, "Search") == 1
    assert asked(aws, "DescribeTrainingJob") == 0
    (said,) = read.partial
    assert "newest 100 of 152" in said
    assert said in read.usage.unread


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("GetAccountAuthorizationDetails", "roles and their policies"),
        ("Search", "trainings"),
        ("ListEndpoints", "models and endpoints"),
        ("DescribeInstances", "instances"),
        ("ListNotebookInstances", "notebooks"),
        ("ListFunctions", "functions"),
        ("GetPolicy", "the resource policies of functions"),
        ("ListFunctionUrlConfigs", "the URLs of functions"),
        ("ListAliases", "the aliases of functions"),
    ],
)
def test_what_may_not_be_read_is_named_and_the_rest_stands(aws: RolesAws, operation: str, what: str) -> None:
    aws.errors[operation] = AccessDenied(f"not allowed to {operation}", action=f"x:{operation}")
    read = account.read(aws)
    assert [one.what for one in read.unread] == [what]
    if operation == "GetAccountAuthorizationDetails":
        found = posture(of_account(read), ())
        assert found.score is None  # nothing read must not look like nothing wrong
        assert [one.kind for one in found.findings] == [Kind.RESOURCE_POLICY, Kind.UNKNOWN]
    else:
        assert any(one.role == "DogProject" for one in read.findings())
    unknown = [one for one in read.findings() if one.kind is Kind.UNKNOWN]
    assert [one.reason for one in unknown] == [f"{what} could not be judged: not allowed to {operation}"]


def test_a_service_that_is_not_there_is_no_reason_to_stop(aws: RolesAws) -> None:
    aws.errors["ListNotebookInstances"] = ServiceFault("sagemaker is not available here")
    read = account.read(aws)
    assert "notebooks were not looked at" in read.usage.unread[0]
    assert not any(one.kind is Kind.UNKNOWN for one in read.findings())


def test_every_planted_risk_is_found_and_the_good_role_is_not(aws: RolesAws) -> None:
    found = by_subject(account.read(aws).findings())
    assert "DogGood" not in found
    assert {Kind.FULL_ACCESS, Kind.TRUST, Kind.SHARED_ROLE} <= {one.kind for one in found["DogProject"]}
    assert [one.kind for one in found["DogPartner"]] == [Kind.TRUST]
    assert Kind.UNUSED_ROLE in {one.kind for one in found["DogOld"]}
    assert [one.kind for one in found["DogOldS3"]] == [Kind.UNUSED_POLICY]
    assert [one.kind for one in found["dog-infer"]] == [Kind.RESOURCE_POLICY]
    assert next(iter(found)) == "DogProject"


def test_a_role_counts_as_unused_after_as_many_days_as_asked_for(aws: RolesAws) -> None:
    aws.roles["DogOld"]["RoleLastUsed"] = {"LastUsedDate": scripted.NOW - timedelta(days=100)}
    read = account.read(aws)
    assert any(one.kind is Kind.UNUSED_ROLE for one in read.findings(90))
    assert not any(one.kind is Kind.UNUSED_ROLE for one in read.findings(180))


def test_an_exported_file_is_audited_without_its_account(aws: RolesAws) -> None:
    details = aws.call("iam", "GetAccountAuthorizationDetails")
    found = of_export(details, NOW)
    assert found.judged == 4
    worst = next(one for one in found.findings if one.severity is Severity.CRITICAL)
    assert found.document(worst) is not None
    trusting = next(one for one in found.findings if one.role == "DogPartner")
    assert found.document(trusting) == aws.roles["DogPartner"]["AssumeRolePolicyDocument"]


def test_the_policy_of_a_function_is_at_hand_with_its_finding(aws: RolesAws) -> None:
    audited = of_account(account.read(aws))
    (one,) = (one for one in audited.findings if one.kind is Kind.RESOURCE_POLICY)
    document = audited.document(one)
    assert document is not None
    assert document["Statement"][one.place] == one.statement


def test_accepted_risks_do_not_count(aws: RolesAws) -> None:
    audited = of_account(account.read(aws))
    everything = posture(audited, ())
    worst = everything.findings[0]
    rest = posture(audited, (worst.key,))
    assert rest.held == (worst,)
    assert worst not in rest.findings
    assert rest.finding(worst.key) == worst
    assert everything.score is not None
    assert rest.score is not None
    assert rest.score.value >= everything.score.value
