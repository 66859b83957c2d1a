"""What only time or another machine brings about: EC2 with a clock of the test's own, and where nothing can be held."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dashboard.core.runs import user_data
from local_aws import ACCOUNT, moto_state
from local_aws.engine.instance import namespaces_allowed
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.protocol import Caller
from local_aws.services import ec2_images
from local_aws.services.ec2 import Ec2
from tests.conftest import Embedded
from tests.local_aws.ec2_world import in_state, run, terminate
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import client

REGION = "eu-north-1"
CALLER = Caller(ACCOUNT, REGION, "AKIA", f"arn:aws:iam::{ACCOUNT}:root")
needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Ec2]]:
    made: list[Ec2] = []
    moto_state.backends_of("ec2")[ACCOUNT][REGION].reservations.clear()  # of the tests before, in this process

    def make(**settings: Any) -> Ec2:
        found = Ec2(Moto(tmp_path / "moto"), tmp_path / "instances", grace=2.0, **settings)
        found._register(REGION)
        made.append(found)
        return found

    yield make
    for one in made:
        one._instances.close()


def launch(ec2: Ec2, **changes: Any) -> str:
    image = ec2_images.IMAGES[0].id_in(REGION)
    asked = {"ImageId": image, "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1} | changes
    return str(ec2.run_instances(asked, CALLER)["Instances"][0]["InstanceId"])


def state(ec2: Ec2, instance_id: str) -> str:
    found = ec2.describe_instances({"InstanceIds": [instance_id]}, CALLER)
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


@needs_namespaces
def test_an_hour_after_its_end_an_instance_is_forgotten(service: Callable[..., Ec2], tmp_path: Path) -> None:
    clock = Clock()
    ec2 = service(now=clock)
    instance = launch(ec2)
    assert eventually(lambda: state(ec2, instance) == "running")
    ec2.terminate_instances({"InstanceIds": [instance]}, CALLER)
    assert eventually(lambda: state(ec2, instance) == "terminated")
    clock.now += timedelta(minutes=59)
    assert state(ec2, instance) == "terminated"
    assert eventually(lambda: not (tmp_path / "instances" / instance / "root").exists())
    clock.now += timedelta(minutes=2)
    with pytest.raises(ServiceError, match="does not exist"):
        state(ec2, instance)
    assert not (tmp_path / "instances" / instance).exists()


@needs_namespaces
def test_a_start_that_this_machine_could_not_even_begin_leaves_it_stopped(
    service: Callable[..., Ec2], tmp_path: Path
) -> None:
    ec2 = service()
    instance = launch(ec2)
    assert eventually(lambda: state(ec2, instance) == "running")
    ec2.stop_instances({"InstanceIds": [instance]}, CALLER)
    assert eventually(lambda: state(ec2, instance) == "stopped")
    marker = tmp_path / "instances" / instance / "running"
    assert eventually(lambda: not marker.exists())
    marker.mkdir()  # nothing can be written there
    with pytest.raises(OSError, match="directory"):
        ec2.start_instances({"InstanceIds": [instance]}, CALLER)
    assert state(ec2, instance) == "stopped"
    marker.rmdir()
    ec2.start_instances({"InstanceIds": [instance]}, CALLER)
    assert eventually(lambda: state(ec2, instance) == "running")


def test_where_nothing_can_be_held_only_kennels_own_user_data_is_run(service: Callable[..., Ec2]) -> None:
    ec2 = service(private=False)
    other = base64.b64encode(b"#!/bin/sh\necho mine").decode()
    with pytest.raises(ServiceError, match="runs Kennel's own user data only"):
        launch(ec2, UserData=other)
    assert ec2.describe_instances({}, CALLER)["Reservations"] == []
    script = user_data.render("no-bucket", "a", "s3://no-bucket/code/x/", region=REGION, max_seconds=60)
    ours = base64.b64encode(script.encode()).decode()
    instance = launch(ec2, UserData=ours, InstanceInitiatedShutdownBehavior="terminate")
    assert eventually(lambda: state(ec2, instance) == "terminated", 60)  # no server to fetch its code from: it gives up
    assert b"could not be fetched from S3" in ec2._instances.console(instance)


@needs_namespaces
def test_a_launch_that_a_restart_of_the_service_cut_off_is_terminated(service: Callable[..., Ec2]) -> None:
    first = service()
    instance = launch(first)
    assert eventually(lambda: state(first, instance) == "running")
    first._instances.close()
    second = service()
    second._instances.recover()
    found = second.describe_instances({"InstanceIds": [instance]}, CALLER)["Reservations"][0]["Instances"][0]
    assert (found["State"]["Name"], found["StateReason"]["Code"]) == ("terminated", "Server.InternalError")


@needs_namespaces
def test_what_is_changed_of_stopped_instances_only_and_what_is_not_there(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    instance = run(embedded)
    in_state(embedded, instance, "running")
    with pytest.raises(ClientError, match="is not in the 'stopped' state"):
        ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "c5.large"})
    with pytest.raises(ClientError, match="CreateImage is not part of the embedded AWS"):
        ec2.create_image(InstanceId=instance, Name="copy")
    tags = [{"Key": "a", "Value": "b"}]
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.create_tags(Resources=[instance, "i-0123456789abcdef0"], Tags=tags)
    with pytest.raises(ClientError, match="NotFound"):
        ec2.create_tags(Resources=["sg-0123456789abcdef0"], Tags=tags)
    ec2.create_tags(Resources=[instance], Tags=tags)
    described = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in described] == [("a", "b")]
    ec2.stop_instances(InstanceIds=[instance])
    in_state(embedded, instance, "stopped")
    ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "c5.large"})
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["InstanceType"] == "c5.large"
    terminate(embedded, instance)


@needs_namespaces
def test_what_cannot_be_read_of_an_instance_does_not_keep_the_server_from_starting(
    service: Callable[..., Ec2], tmp_path: Path
) -> None:
    half = tmp_path / "instances" / "i-0123456789abcdef0"
    half.mkdir(parents=True)
    (half / "running").write_text("")  # the server was killed while it wrote this
    gone = tmp_path / "instances" / "i-0123456789abcdef1"
    gone.mkdir()
    (gone / "running").write_text(REGION)  # and here before there was a record
    ec2 = service()
    ec2._instances.recover()
    assert not list(tmp_path.glob("instances/*/running"))
    assert ec2.describe_instances({}, CALLER)["Reservations"] == []
