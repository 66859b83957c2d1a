"""A policy that nothing has goes in two steps, and can be made again from its record."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.replace import retire_policy
from dashboard.core.iam.replace.records import Outcome, Records, What
from dashboard.core.iam.replace.retire import Stage
from dashboard.core.iam.replace.step import State
from tests.core.iam.role_world import ACCOUNT, LEAST, Faulty, broad_role, document, statement

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "changes.sqlite")


@pytest.fixture
def policy(aws):
    """A policy of two versions."""
    name = f"left-{secrets.token_hex(4)}"
    made = aws.call("iam", "CreatePolicy", PolicyName=name, Path="/old/", PolicyDocument=json.dumps(LEAST))
    arn = made["Policy"]["Arn"]
    second = json.dumps(document(statement("s3:ListAllMyBuckets")))
    aws.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=second, SetAsDefault=True)
    return arn


def do(aws, plan, records, **more):
    return list(retire_policy.apply(aws, plan, records=records, sleep=lambda _: None, now=lambda: NOW, **more))


def test_it_is_marked_first_and_the_mark_comes_off_by_one_click(aws, policy, records):
    plan = retire_policy.plan(aws, policy, now=NOW)
    assert plan.stage is Stage.SWITCH_OFF
    assert do(aws, plan, records)[-1].state is State.DONE
    marked = retire_policy.plan(aws, policy, now=NOW)
    assert marked.stage is Stage.DELETE and marked.due == NOW + timedelta(days=30)
    (record,) = records.of(ACCOUNT, policy)
    assert list(retire_policy.undo(aws, record, records=records, sleep=lambda _: None))[-1].state is State.DONE
    assert retire_policy.plan(aws, policy).stage is Stage.SWITCH_OFF
    assert records.of(ACCOUNT, policy)[0].outcome is Outcome.UNDONE


def test_it_is_deleted_with_its_versions_and_made_again_under_the_same_arn(aws, policy, records):
    do(aws, retire_policy.plan(aws, policy, now=NOW), records)
    plan = retire_policy.plan(aws, policy, now=NOW)
    assert do(aws, plan, records)[-1].state is State.FAILED, "it is not due yet"
    assert do(aws, plan, records, early=True)[-1].state is State.DONE
    with pytest.raises(NotFound):
        aws.call("iam", "GetPolicy", PolicyArn=policy)
    record = next(one for one in records.of(ACCOUNT, policy) if one.what is What.DELETE_POLICY)
    assert set(record.more["versions"]) == {"v1", "v2"}
    assert list(retire_policy.undo(aws, record, records=records, sleep=lambda _: None))[-1].state is State.DONE
    told = aws.call("iam", "GetPolicyVersion", PolicyArn=policy, VersionId="v1")["PolicyVersion"]["Document"]
    assert told["Statement"][0]["Action"] == ["s3:ListAllMyBuckets"], "the version that counted"


@pytest.mark.parametrize("fate", ["unsent", "lost"])
def test_a_deletion_that_fails_half_way_gives_the_policy_back(aws, policy, records, fate):
    do(aws, retire_policy.plan(aws, policy, now=NOW), records)
    plan = retire_policy.plan(aws, policy, now=NOW)
    failing = aws.failing(lambda _, operation: fate if operation == "DeletePolicy" else "")
    steps = do(failing, plan, records, early=True)
    assert any(step.state is State.FAILED for step in steps) and steps[-1].undoes
    told = aws.call("iam", "GetPolicy", PolicyArn=policy)["Policy"]
    version = aws.call("iam", "GetPolicyVersion", PolicyArn=policy, VersionId=told["DefaultVersionId"])
    assert version["PolicyVersion"]["Document"] == plan.versions[plan.default]


def test_what_something_has_or_aws_keeps_is_not_deleted(aws, policy):
    with pytest.raises(Refused, match="AWS keeps it"):
        retire_policy.plan(aws, "arn:aws:iam::aws:policy/AmazonS3FullAccess")
    name = broad_role(aws)
    aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=policy)
    with pytest.raises(Refused, match=name):
        retire_policy.plan(aws, policy)


def test_a_policy_that_was_attached_since_is_kept(aws, policy, records):
    do(aws, retire_policy.plan(aws, policy, now=NOW), records)
    plan = retire_policy.plan(aws, policy, now=NOW + timedelta(days=40))
    aws.call("iam", "AttachRolePolicy", RoleName=broad_role(aws), PolicyArn=policy)
    steps = list(retire_policy.apply(aws, plan, early=True, records=records, now=lambda: NOW, sleep=lambda _: None))
    assert steps[-1].state is State.FAILED
    assert aws.call("iam", "GetPolicy", PolicyArn=policy)["Policy"]["AttachmentCount"] == 1
