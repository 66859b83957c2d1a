"""IAM, STS, EC2 and SSM: answered, remembered after `kill -9`, and their keys accepted."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws import moto_state
from local_aws.moto_app import Moto
from tests.conftest import Embedded, start_embedded, stop_embedded

FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}],
    }
)


def client_with(embedded: Embedded, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=embedded.endpoint_url,
        region_name=embedded.region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Embedded]:
    running = start_embedded(tmp_path / "state")
    yield running
    stop_embedded(running)


def kill_and_restart(embedded: Embedded) -> Embedded:
    embedded.process.kill()
    embedded.process.wait()
    if embedded.process.stdout:
        embedded.process.stdout.close()
    return start_embedded(embedded.state)


def test_everything_answered_survives_kill_nine(own: Embedded) -> None:
    iam, sts, ssm, ec2 = (own.client(name) for name in ("iam", "sts", "ssm", "ec2"))
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    iam.attach_role_policy(RoleName="worker", PolicyArn=FULL_ACCESS)
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    role = "arn:aws:iam::123456789012:role/worker"
    session = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    ssm.put_parameter(Name="/a/b", Value="1", Type="String", Tags=[{"Key": "c", "Value": "d"}])
    ssm.put_parameter(Name="/a/b", Value="2", Type="String", Overwrite=True)
    group = ec2.create_security_group(GroupName="web", Description="d")["GroupId"]

    again = kill_and_restart(own)
    try:
        iam, ssm, ec2 = (again.client(name) for name in ("iam", "ssm", "ec2"))
        assert iam.get_role(RoleName="worker")["Role"]["Tags"] == [{"Key": "a", "Value": "b"}]
        attached = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
        assert [policy["PolicyArn"] for policy in attached] == [FULL_ACCESS]
        assert iam.get_policy(PolicyArn=FULL_ACCESS)["Policy"]["AttachmentCount"] == 1
        iam.detach_role_policy(RoleName="worker", PolicyArn=FULL_ACCESS)
        assert iam.get_policy(PolicyArn=FULL_ACCESS)["Policy"]["AttachmentCount"] == 0
        ada = client_with(again, "sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()
        assert ada["Arn"] == "arn:aws:iam::123456789012:user/ada"
        keys = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
        worker = client_with(again, "sts", *keys).get_caller_identity()
        assert worker["Arn"] == "arn:aws:sts::123456789012:assumed-role/worker/session"
        assert ssm.get_parameter(Name="/a/b")["Parameter"]["Value"] == "2"
        assert len(ssm.get_parameter_history(Name="/a/b")["Parameters"]) == 2
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/a/b")["TagList"]
        assert tags == [{"Key": "c", "Value": "d"}]
        assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["GroupName"] == "web"
        ec2.create_tags(Resources=[group], Tags=[{"Key": "a", "Value": "b"}])
    finally:
        stop_embedded(again)


def test_many_at_once_all_survive(own: Embedded) -> None:
    def create(number: int) -> None:
        own.client("iam").create_user(UserName=f"user-{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(40)))
    again = kill_and_restart(own)
    try:
        assert len(again.client("iam").list_users()["Users"]) == 40
    finally:
        stop_embedded(again)


def test_a_snapshot_that_cannot_be_read_is_said_and_kept(own: Embedded) -> None:
    own.client("iam").create_user(UserName="ada")
    snapshot = own.state / "moto" / "iam.pickle"
    snapshot.write_bytes(b"no pickle")
    again = kill_and_restart(own)
    try:
        for _ in range(2):
            with pytest.raises(ClientError, match=r"What was kept of iam cannot be read: .*iam\.pickle"):
                again.client("iam").create_user(UserName="bob")
        assert snapshot.read_bytes() == b"no pickle"
    finally:
        stop_embedded(again)


def test_temporary_credentials_are_a_key_a_secret_and_a_token(embedded: Embedded) -> None:
    embedded.client("iam").create_role(RoleName="session-role", AssumeRolePolicyDocument=TRUST)
    embedded.client("iam").attach_role_policy(RoleName="session-role", PolicyArn=FULL_ACCESS)
    role = "arn:aws:iam::123456789012:role/session-role"
    given = embedded.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    assert client_with(embedded, "s3", key, secret, token).list_buckets()["Owner"]
    for wrong in (None, "x", token[:-1]):
        with pytest.raises(ClientError) as caught:
            client_with(embedded, "sts", key, secret, wrong).get_caller_identity()
        assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"
        with pytest.raises(ClientError) as caught:
            client_with(embedded, "s3", key, secret, wrong).list_buckets()
        assert caught.value.response["Error"]["Code"] == "InvalidToken"


def test_a_key_that_is_switched_off_or_deleted_is_refused(embedded: Embedded) -> None:
    iam = embedded.client("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]
    eve = client_with(embedded, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert eve.get_caller_identity()["Arn"].endswith("user/eve")
    iam.update_access_key(UserName="eve", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        eve.get_caller_identity()


def test_who_am_i_and_what_is_refused_because_it_would_only_be_a_record(embedded: Embedded) -> None:
    sts = embedded.client("sts")
    mine = sts.get_caller_identity()
    assert (mine["Account"], mine["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")
    with pytest.raises(ClientError, match="GetSessionToken is not part of the embedded AWS"):
        sts.get_session_token()
    with pytest.raises(ClientError, match="SendCommand is not part of the embedded AWS"):
        embedded.client("ssm").send_command(DocumentName="AWS-RunShellScript", InstanceIds=["i-0123456789abcdef0"])
    with pytest.raises(ClientError, match="CreateFleet is not part of the embedded AWS"):
        embedded.client("ec2").create_fleet(
            LaunchTemplateConfigs=[], TargetCapacitySpecification={"TotalTargetCapacity": 1}
        )
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/nobody", RoleSessionName="session")


def test_errors_of_these_services_reach_the_client_as_such(embedded: Embedded) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        embedded.client("iam").get_role(RoleName="not-there")
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        embedded.client("ec2").describe_security_groups(GroupIds=["sg-0123456789abcdef0"])
    with pytest.raises(ClientError, match="ParameterNotFound"):
        embedded.client("ssm").get_parameter(Name="/not/there")


def test_regions_are_apart(embedded: Embedded) -> None:
    here = embedded.client("ssm")
    there = boto3.client(
        "ssm",
        endpoint_url=embedded.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=embedded.access_key_id,
        aws_secret_access_key=embedded.secret_access_key,
    )
    here.put_parameter(Name="/only/here", Value="1", Type="String")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        there.get_parameter(Name="/only/here")


def test_what_is_being_written_is_told_only_once_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, may_write = Event(), Event()
    write = moto_state.save

    def slow_disk(path: Path, data: bytes) -> None:
        writing.set()
        assert may_write.wait(30)
        write(path, data)

    moto = Moto(tmp_path)
    moto.load("sts")
    monkeypatch.setattr(moto_state, "save", slow_disk)

    def change() -> None:
        with moto.using("sts", changes=True):
            pass

    with ThreadPoolExecutor(2) as threads:
        changed = threads.submit(change)
        assert writing.wait(30)
        told = threads.submit(moto.settle, "sts")
        with pytest.raises(TimeoutError):
            told.result(timeout=0.2)
        may_write.set()
        told.result(timeout=30)
        assert (tmp_path / "sts.pickle").exists()
        changed.result(timeout=30)
