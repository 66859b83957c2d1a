"""An empty account is set up, changed, and cleared again: what is found, prepared, carried out and left."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.errors import KennelError, Refused
from dashboard.core.runs.permissions import permissions
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.setup import change, missing, retention, stack
from dashboard.core.setup.change import ChangeSet, Wish
from dashboard.core.setup.missing import Standing
from dashboard.core.setup.pieces import NEEDED, Piece
from dashboard.core.setup.stack import Stack, StackStatus
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.stack_world import logs_template, made, settled


@pytest.fixture
def embedded_aws(tmp_path: Path) -> Iterator[Embedded]:
    running = start_embedded(tmp_path / "aws")
    yield running
    stop_embedded(running)


def connected(running: Embedded) -> Aws:
    """Kennel's connection to an embedded AWS, whose folder is "aws" in a home, or of another name."""
    with TemporaryDirectory() as home:
        (Path(home) / "aws").symlink_to(running.state)
        return connect({"KENNEL_HOME": home})


@pytest.fixture
def aws(embedded_aws: Embedded) -> Aws:
    return connected(embedded_aws)


@pytest.fixture
def shared(embedded: Embedded) -> Aws:
    """An account that other tests use too: for what does not depend on what it holds."""
    return connected(embedded)


def prepared(aws: Aws, wish: Wish, now: Stack | None = None) -> ChangeSet:
    now = now or stack.read(aws)
    lacking = {one.piece for one in missing.look(aws) if one.is_missing}
    return change.prepare(aws, now, change.designed(aws.account, now, lacking, wish), wish.days)


def test_an_empty_account_is_set_up_changed_and_cleared(aws: Aws, embedded_aws: Embedded) -> None:
    found = missing.missing(aws)
    assert {one.piece for one in found} == set(NEEDED)
    assert "nothing can be trained" in found[0].sentence
    assert stack.read(aws).status is StackStatus.ABSENT

    planned = prepared(aws, Wish(NEEDED))
    assert planned.made == len(planned.changes) == len(planned.template.resources)
    assert prepared(aws, Wish(NEEDED)).name == planned.name  # asked twice, prepared once
    assert stack.read(aws).status is StackStatus.REVIEW_IN_PROGRESS
    assert {one.piece for one in missing.missing(aws)} == set(NEEDED)  # nothing is made by preparing
    begun = stack.read(aws).id
    assert "nothing was made" in change.withdraw(aws)
    settled(embedded_aws, begun)
    assert stack.read(aws).status is StackStatus.ABSENT
    with pytest.raises(Refused, match="gone"):
        change.execute(aws, planned)
    planned = prepared(aws, Wish(NEEDED))

    assert "makes the stack" in change.execute(aws, planned)
    settled(embedded_aws, "kennel")
    assert change.execute(aws, planned).endswith("already")
    whole = stack.read(aws)
    assert (whole.status, whole.is_kennels, set(whole.pieces)) == (StackStatus.CREATE_COMPLETE, True, set(NEEDED))
    assert whole.outputs["TrainingRole"] == aws.account.role_arn("KennelTraining")
    assert {one.standing for one in missing.look(aws, NEEDED)} == {Standing.THERE}
    assert not change.is_outdated(whole, aws.account)
    spec = TrainingSpec(f"s3://{aws.account.bucket}/datasets/dogs/")
    assert [one for one in permissions(aws, spec) if one.allowed is not True] == []
    with pytest.raises(Refused, match="nothing to change"):
        prepared(aws, Wish(NEEDED, days=30))

    longer = prepared(aws, Wish(NEEDED, days=90))
    assert {(one.action, one.name) for one in longer.changes} == {("Modify", "TrainingLog"), ("Modify", "InstanceLog")}
    change.execute(aws, prepared(aws, Wish(NEEDED, days=90)))
    assert settled(embedded_aws, "kennel")["StackStatus"] == "UPDATE_COMPLETE"
    with pytest.raises(Refused, match="by now"):
        change.withdraw(aws)
    assert stack.read(aws).parameters["LogDays"] == "90"

    assert "deletes the stack" in change.delete(aws, stack.read(aws))
    settled(embedded_aws, whole.id)
    left = {one.piece: one.standing for one in missing.look(aws, NEEDED)}
    assert left[Piece.BUCKET] is left[Piece.TRAINING_LOG] is Standing.THERE
    assert left[Piece.TRAINING_ROLE] is left[Piece.INSTANCE_PROFILE] is Standing.MISSING
    assert "gone already" in change.delete(aws, whole)


def test_what_is_there_is_left_alone_and_told_where_it_is_made_otherwise(aws: Aws, embedded_aws: Embedded) -> None:
    iam = embedded_aws.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    iam.create_role(RoleName="KennelTraining", AssumeRolePolicyDocument=json.dumps(trust))
    embedded_aws.client("s3").create_bucket(Bucket=aws.account.bucket)
    embedded_aws.client("s3").delete_public_access_block(Bucket=aws.account.bucket)
    embedded_aws.client("logs").create_log_group(logGroupName="/kennel/ec2-runs")
    found = {one.piece: one for one in missing.look(aws)}
    role = found[Piece.TRAINING_ROLE]
    assert role.standing is Standing.LACKING
    assert "sagemaker.amazonaws.com may not act as it" in role.sentence
    assert "may not s3:GetObject on" in role.sentence
    assert "public access not blocked" in found[Piece.BUCKET].sentence
    assert "kept for ever" in found[Piece.INSTANCE_LOG].sentence
    endless = retention.endless(found.values())
    assert "has an end now" in retention.carry_out(aws, retention.plan(endless, 14))
    assert retention.endless(missing.look(aws)) == ()
    planned = prepared(aws, Wish(NEEDED))
    assert {Piece.BUCKET, Piece.TRAINING_ROLE, Piece.INSTANCE_LOG}.isdisjoint(planned.template.pieces)
    iam.create_role(RoleName="KennelEndpoint", AssumeRolePolicyDocument=json.dumps(trust))  # meanwhile
    change.execute(aws, planned)
    settled(embedded_aws, "kennel")
    failed = stack.read(aws)
    assert failed.status is StackStatus.ROLLBACK_COMPLETE
    assert "KennelEndpoint already exists" in failed.failures[0].reason
    with pytest.raises(Refused, match="cannot be changed now"):
        prepared(aws, Wish(NEEDED), failed)
    change.delete(aws, failed)
    settled(embedded_aws, failed.id)
    iam.delete_role(RoleName="KennelEndpoint")
    change.execute(aws, prepared(aws, Wish(NEEDED)))
    assert settled(embedded_aws, "kennel")["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_that_is_not_kennels_is_left_alone(shared: Aws, embedded: Embedded) -> None:
    theirs = made(embedded, "kennel", logs_template("/somebody/else"))
    now = stack.read(shared)
    assert not now.is_kennels
    with pytest.raises(Refused, match="not Kennel's"):
        prepared(shared, Wish(NEEDED), now)
    with pytest.raises(Refused, match="not Kennel's"):
        change.delete(shared, now)
    assert stack.read(shared).status is StackStatus.CREATE_COMPLETE
    embedded.client("cloudformation").delete_stack(StackName=theirs)
    settled(embedded, theirs)


def test_who_may_not_look_is_told_what_is_not_known(shared: Aws, embedded: Embedded) -> None:
    iam, sts = embedded.client("iam"), embedded.client("sts")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    arn = iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    nobody = shared.acting(sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"])
    assert {one.standing for one in missing.look(nobody)} == {Standing.UNKNOWN}
    assert missing.missing(nobody) == ()
    with pytest.raises(KennelError):
        stack.read(nobody)
