"""The template that sets an account up: AWS's own judge takes it, and its roles pass Kennel's own audit."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from dashboard.core.aws import Account
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.finding import Severity
from dashboard.core.iam.findings import audit
from dashboard.core.runs.as_code_cli import connection
from dashboard.core.setup.change import LARGEST, Wish, as_code, designed
from dashboard.core.setup.pieces import NEEDED, Kind, Piece
from dashboard.core.setup.stack import Stack
from dashboard.core.setup.template import template
from local_aws.services.cloudformation_kinds import Place
from local_aws.services.cloudformation_plan import design

WORK = Account("work", "eu-west-1", "210987654321", False, True)
HERE = Place(WORK.account_id, WORK.region, "kennel")


def made(*pieces: Piece) -> dict[str, dict[str, Any]]:
    """The resources as CloudFormation would make them: type and properties by name."""
    whole = design(template(WORK, pieces).text, [], {}, {}, HERE, "arn:stack")
    known: dict[str, dict[str, str]] = {}
    found = {}
    for one in whole.order:
        properties = whole.properties(one, known)
        known[one.name] = one.kind.foreseen(properties, HERE)
        found[one.name] = {"Type": one.kind.type, **properties}
    return found


def may(role: dict[str, Any], action: str, resource: str = "*", **context: str) -> bool:
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    return evaluate(
        documents, action, resource, {key.replace("__", ":"): value for key, value in context.items()}
    ).allowed


def test_awss_own_judge_has_nothing_to_say_against_it() -> None:
    from cfnlint.api import lint_all  # three seconds, that only the process which runs this test takes

    whole = template(WORK, tuple(Piece))
    assert [str(one) for one in lint_all(whole.text) if one.rule.severity in ("error", "warning")] == []
    assert len(whole.text.encode()) < LARGEST


def test_it_is_the_same_in_every_account_and_region_but_for_awss_images() -> None:
    other = replace(WORK, account_id="111122223333", region="eu-central-1")
    here, there = (template(account, NEEDED).text for account in (WORK, other))
    assert here.replace(":ecr:eu-west-1:", ":ecr:eu-central-1:") == there
    assert WORK.account_id not in here


def test_every_resource_is_told_in_words_in_the_template_itself() -> None:
    whole = template(WORK, NEEDED)
    for one in whole.resources:
        assert f"  # {one.does}\n  {one.name}:\n" in whole.text


def test_the_bucket_is_closed_encrypted_and_over_tls_only() -> None:
    found = made(Piece.BUCKET)
    bucket = found["Bucket"]
    assert bucket["BucketName"] == WORK.bucket
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (statement,) = found["BucketPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [f"arn:aws:s3:::{WORK.bucket}", f"arn:aws:s3:::{WORK.bucket}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    kept = yaml.safe_load(json.dumps(made(Piece.BUCKET)["Bucket"])).get("VersioningConfiguration")
    assert kept is None
    assert "VersioningConfiguration" in template(WORK, [Piece.BUCKET], versions=True).text


def test_each_role_may_what_its_work_needs_and_reaches_no_other_bucket() -> None:
    found = made(*NEEDED)
    own, other = f"arn:aws:s3:::{WORK.bucket}", "arn:aws:s3:::another"
    training, endpoint, instance = (found[name] for name in ("TrainingRole", "EndpointRole", "InstanceRole"))
    assert may(training, "s3:GetObject", f"{own}/datasets/dogs/a.jpg")
    assert may(training, "s3:PutObject", f"{own}/runs/r/output/model.tar.gz")
    assert may(endpoint, "s3:GetObject", f"{own}/models/starter/model.tar.gz")
    assert may(instance, "s3:PutObject", f"{own}/ec2-runs/r/status.json")
    anybodys = "arn:aws:sagemaker:eu-west-1:210987654321:endpoint/somebody"
    assert not may(found["SchedulerRole"], "sagemaker:DeleteEndpoint", anybodys)
    for role in (training, endpoint, instance):
        assert not may(role, "s3:GetObject", f"{other}/a")
        assert not may(role, "s3:PutObject", f"{own}/datasets/dogs/a.jpg")
        assert not may(role, "iam:PassRole", "arn:aws:iam::210987654321:role/KennelTraining")
        assert not may(role, "sagemaker:CreateTrainingJob")


def test_no_role_of_it_has_a_finding_worth_mending() -> None:
    details = {
        "RoleDetailList": [
            {
                "RoleName": one["RoleName"],
                "Arn": f"arn:aws:iam::{WORK.account_id}:role/{one['RoleName']}",
                "Path": "/",
                "AssumeRolePolicyDocument": one["AssumeRolePolicyDocument"],
                "RolePolicyList": one["Policies"],
                "AttachedManagedPolicies": [],
                "InstanceProfileList": [],
            }
            for one in made(*NEEDED).values()
            if one["Type"] == "AWS::IAM::Role"
        ],
        "UserDetailList": [],
        "GroupDetailList": [],
        "Policies": [],
    }
    grave = [one for one in audit(details) if one.severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)]
    assert [(one.role, one.reason) for one in grave] == []


def test_only_what_is_missing_or_the_stacks_already_is_in_it() -> None:
    alone = template(WORK, [Piece.INSTANCE_PROFILE])
    assert [one.name for one in alone.resources] == ["InstanceProfile"]
    assert made(Piece.INSTANCE_PROFILE)["InstanceProfile"]["Roles"] == ["KennelInstance"]
    wish = Wish(tuple(piece for piece in NEEDED if piece.kind is Kind.LOG))
    few = designed(WORK, Stack(), {Piece.TRAINING_LOG, Piece.BUCKET}, wish)
    assert few.pieces == (Piece.TRAINING_LOG,)


@pytest.mark.parametrize("account", [WORK, replace(WORK, name="embedded", is_embedded=True, endpoint_url="http://x")])
def test_as_code_it_is_one_command_with_what_the_roles_need(account: Account) -> None:
    code = as_code(account, template(account, NEEDED), 60)
    assert "aws cloudformation deploy" in code
    assert "--capabilities CAPABILITY_NAMED_IAM" in code
    assert "LogDays=60" in code
    assert code.startswith(connection(account))
    assert ("export AWS_PROFILE=work AWS_REGION=eu-west-1" in code) is not account.is_embedded
