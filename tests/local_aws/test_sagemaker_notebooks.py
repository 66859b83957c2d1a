"""Notebook instances as records: their statuses, what is refused, quotas, tags, the bill, and what outlives a kill."""

import base64
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.pace import Pace
from local_aws.protocol import Caller
from local_aws.quotas import Quotas
from local_aws.services.billing_journal import Journal, Used
from local_aws.services.billing_meters import Meters
from local_aws.services.sagemaker_notebooks import Notebooks
from local_aws.services.sagemaker_training_checks import Surroundings
from local_aws.store import Store
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import client, refused, role

CALLER = Caller("123456789012", "us-east-1", "key", "arn:aws:iam::123456789012:root")
ROLE = "arn:aws:iam::123456789012:role/KennelNotebook"
SCRIPT = base64.b64encode(b"#!/bin/sh\ntrue\n").decode()


@dataclass
class World:
    """The service alone, on a clock that a test moves."""

    folder: Path
    at: float = 1_000_000.0
    around: Surroundings = field(default_factory=Surroundings)
    scale: float = 1.0

    def __post_init__(self) -> None:
        self.service = Notebooks(Store(self.folder))
        self.service.around, self.service.now, self.service._pace = self.around, lambda: self.at, Pace(self.scale)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.service, operation)(params, CALLER)
        return answer

    def make(self, name: str = "dogs", **params: Any) -> None:
        asked = {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE} | params
        self("create_notebook_instance", **asked)

    def status(self, name: str = "dogs") -> str:
        return str(self("describe_notebook_instance", NotebookInstanceName=name)["NotebookInstanceStatus"])

    def wrong(self, operation: str, **params: Any) -> str:
        with pytest.raises(ServiceError) as caught:
            self(operation, **params)
        return f"{caught.value.code}: {caught.value.message}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_instance_goes_through_the_statuses_of_aws(world: World) -> None:
    world.make()
    seen = [world.status()]
    for operation, wait in (("", 10), ("stop", 0), ("", 5), ("start", 0), ("", 10), ("stop", 5)):
        if operation:
            world(f"{operation}_notebook_instance", NotebookInstanceName="dogs")
        world.at += wait
        seen.append(world.status())
    assert seen == ["Pending", "InService", "Stopping", "Stopped", "Pending", "InService", "Stopped"]
    world("delete_notebook_instance", NotebookInstanceName="dogs")
    assert world.status() == "Deleting"
    world.at += 5
    assert (
        world.wrong("describe_notebook_instance", NotebookInstanceName="dogs") == "ValidationException: RecordNotFound"
    )


def test_a_status_begins_when_it_was_due_not_when_somebody_looked(world: World) -> None:
    world.make()
    world.at += 3600
    told = world("describe_notebook_instance", NotebookInstanceName="dogs")
    assert told["LastModifiedTime"] == datetime.fromtimestamp(1_000_010, UTC)
    assert told["CreationTime"] == datetime.fromtimestamp(1_000_000, UTC)


def test_waiting_is_divided_by_the_time_scale(tmp_path: Path) -> None:
    world = World(tmp_path, scale=100)
    world.make()
    world.at += 0.09
    assert world.status() == "Pending"
    world.at += 0.02
    assert world.status() == "InService"


@pytest.mark.parametrize(
    ("operation", "status", "words"),
    [
        ("stop", "Pending", "Status (Pending) not in ([InService]). Unable to transition to (Stopping)"),
        ("start", "InService", "Status (InService) not in ([Stopped, Failed]). Unable to transition to (Pending)"),
        ("delete", "InService", "Status (InService) not in ([Stopped, Failed]). Unable to transition to (Deleting)"),
        ("update", "InService", "Status (InService) not in ([Stopped, Failed]). Unable to transition to (Updating)"),
        ("stop", "Stopped", "Status (Stopped) not in ([InService]). Unable to transition to (Stopping)"),
    ],
)
def test_what_a_status_does_not_allow_is_refused_in_awss_words(
    world: World, operation: str, status: str, words: str
) -> None:
    world.make()
    if status != "Pending":
        world.at += 10
    if status == "Stopped":
        world("stop_notebook_instance", NotebookInstanceName="dogs")
        world.at += 5
    assert words in world.wrong(f"{operation}_notebook_instance", NotebookInstanceName="dogs")
    assert world.status() == status


def test_what_is_left_out_is_as_aws_takes_it_and_what_was_asked_is_told(world: World) -> None:
    world.make()
    told = world("describe_notebook_instance", NotebookInstanceName="dogs")
    usual = ("DirectInternetAccess", "RootAccess", "VolumeSizeInGB", "PlatformIdentifier")
    assert [told[name] for name in usual] == ["Enabled", "Enabled", 5, "notebook-al2023-v1"]
    assert told["Url"] == "dogs.notebook.us-east-1.sagemaker.aws"
    assert "Next" not in told
    assert "SecurityGroups" not in told
    world.make("cats", RootAccess="Disabled", VolumeSizeInGB=20)
    told = world("describe_notebook_instance", NotebookInstanceName="cats")
    assert (told["RootAccess"], told["VolumeSizeInGB"]) == ("Disabled", 20)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"KmsKeyId": "key"}, "encryption with a KMS key"),
        ({"DefaultCodeRepository": "https://example.com/a"}, "code repositories"),
        ({"AcceleratorTypes": ["ml.eia2.medium"]}, "elastic inference"),
        ({"IpAddressType": "dualstack"}, "IPv6"),
        ({"SecurityGroupIds": ["sg-1"]}, "only together with a SubnetId"),
        ({"DirectInternetAccess": "Disabled"}, "only together with a SubnetId"),
        ({"LifecycleConfigName": "idle"}, "does not exist"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name_and_nothing_is_made(
    world: World, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServiceError, match=words):
        world.make(**asked)
    assert world("list_notebook_instances")["NotebookInstances"] == []


def test_a_name_is_there_once(world: World) -> None:
    world.make()
    with pytest.raises(ServiceError, match=r"Cannot create a duplicate Notebook Instance \(arn:aws:sagemaker"):
        world.make()


def test_the_quota_counts_what_has_an_instance(tmp_path: Path) -> None:
    world = World(tmp_path, around=Surroundings(quotas=Quotas()))
    world.make("a", InstanceType="ml.g5.xlarge")
    world.make("b", InstanceType="ml.g5.xlarge")
    with pytest.raises(ServiceError) as caught:
        world.make("c", InstanceType="ml.g5.xlarge")
    assert caught.value.code == "ResourceLimitExceeded"
    assert "'ml.g5.xlarge for notebook instance usage' is 2 Instances, with current utilization of 2" in str(
        caught.value.message
    )
    world.at += 10
    world("stop_notebook_instance", NotebookInstanceName="a")
    world.make("c", InstanceType="ml.g5.xlarge")
    world.at += 10
    assert "ResourceLimitExceeded" in world.wrong("start_notebook_instance", NotebookInstanceName="a")


def test_settings_change_while_it_is_stopped(world: World) -> None:
    world.make(VolumeSizeInGB=10)
    world.at += 10
    world("stop_notebook_instance", NotebookInstanceName="dogs")
    world.at += 5
    world("create_notebook_instance_lifecycle_config", NotebookInstanceLifecycleConfigName="idle",
          OnStart=[{"Content": SCRIPT}])  # fmt: skip
    named = {"NotebookInstanceName": "dogs"}
    world(
        "update_notebook_instance", **named, InstanceType="ml.m5.xlarge", LifecycleConfigName="idle", VolumeSizeInGB=11
    )
    assert world.status() == "Updating"
    world.at += 5
    told = world("describe_notebook_instance", **named)
    assert [told[name] for name in ("NotebookInstanceStatus", "InstanceType", "VolumeSizeInGB")] == [
        "Stopped", "ml.m5.xlarge", 11]  # fmt: skip
    assert told["NotebookInstanceLifecycleConfigName"] == "idle"
    assert "in use" in world.wrong(
        "delete_notebook_instance_lifecycle_config", NotebookInstanceLifecycleConfigName="idle"
    )
    assert "smaller" in world.wrong("update_notebook_instance", **named, VolumeSizeInGB=10)
    world("update_notebook_instance", **named, DisassociateLifecycleConfig=True)
    assert "NotebookInstanceLifecycleConfigName" not in world("describe_notebook_instance", **named)
    world("delete_notebook_instance_lifecycle_config", NotebookInstanceLifecycleConfigName="idle")
    assert world("list_notebook_instance_lifecycle_configs")["NotebookInstanceLifecycleConfigs"] == []


def test_lists_are_by_name_and_filtered(world: World) -> None:
    for name in ("cats", "ants", "bees"):
        world.make(name)
    world.at += 10
    world("stop_notebook_instance", NotebookInstanceName="bees")

    def names(**params: Any) -> list[str]:
        return [one["NotebookInstanceName"] for one in world("list_notebook_instances", **params)["NotebookInstances"]]

    assert names() == ["ants", "bees", "cats"]
    assert names(SortOrder="Descending") == ["cats", "bees", "ants"]
    assert names(StatusEquals="InService", NameContains="ts") == ["ants", "cats"]
    first = world("list_notebook_instances", MaxResults=2)
    assert names(NextToken=first["NextToken"], MaxResults=2) == ["cats"]
    assert "code repositories" in world.wrong("list_notebook_instances", DefaultCodeRepositoryContains="x")


def test_scripts_are_kept_as_they_were_sent(world: World) -> None:
    named = {"NotebookInstanceLifecycleConfigName": "idle"}
    world("create_notebook_instance_lifecycle_config", **named, OnStart=[{"Content": SCRIPT}])
    assert world("describe_notebook_instance_lifecycle_config", **named)["OnStart"] == [{"Content": SCRIPT}]
    assert "already exists" in world.wrong("create_notebook_instance_lifecycle_config", **named)
    world("update_notebook_instance_lifecycle_config", **named, OnCreate=[{"Content": SCRIPT}])
    told = world("describe_notebook_instance_lifecycle_config", **named)
    assert (told["OnCreate"], told["OnStart"]) == ([{"Content": SCRIPT}], [])
    plain = [{"Content": "#!/bin/sh"}]
    assert "base64" in world.wrong("update_notebook_instance_lifecycle_config", **named, OnStart=plain)


def test_the_instance_is_billed_while_in_service_and_its_volume_until_it_is_gone(tmp_path: Path) -> None:
    world = World(tmp_path)
    journal = Journal(Store(tmp_path))
    meters = Meters(journal, now=lambda: world.at)
    meters.watch_notebooks(world.service.notebooks)
    world.make(VolumeSizeInGB=8)
    world.at += 3610
    world("stop_notebook_instance", NotebookInstanceName="dogs")
    world.at += 1000
    assert world.status() == "Stopped"
    meters.stop()  # a server that ends ends no record
    world("delete_notebook_instance", NotebookInstanceName="dogs")
    world.at += 60
    assert world("list_notebook_instances")["NotebookInstances"] == []
    found = {one.used: one for one in journal.between(0, 2e9)}
    instance, volume = found[Used.NOTEBOOK], found[Used.NOTEBOOK_VOLUME]
    assert instance.kind == "ml.t3.medium"
    assert (instance.started, instance.ended) == (1_000_010, 1_003_610)
    assert (volume.size, volume.started, volume.ended) == (8, 1_000_000, 1_004_615)


@dataclass
class Killed:
    """The server that came after a kill -9, and what it found."""

    aws: Embedded
    link: str


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Three notebooks on a fast server: in service, stopping and on their way when it was killed."""
    state = tmp_path_factory.mktemp("notebooks")
    first = start_embedded(state, "--time-scale", "50")
    sagemaker, arn = client(first, "sagemaker"), role(first, "KennelNotebook")
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="idle", OnStart=[{"Content": SCRIPT}]
    )
    for name in ("serving", "stopping"):
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=arn, LifecycleConfigName="idle",
            Tags=[{"Key": "kennel:made-by", "Value": "kennel"}, {"Key": "project", "Value": "dogs"}],
        )  # fmt: skip
    until(sagemaker, "serving", "InService")
    until(sagemaker, "stopping", "InService")
    sagemaker.stop_notebook_instance(NotebookInstanceName="stopping")
    sagemaker.create_notebook_instance(NotebookInstanceName="coming", InstanceType="ml.t3.medium", RoleArn=arn)
    link = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName="serving")["AuthorizedUrl"]
    first.process.kill()
    first.process.wait()
    stop_embedded(first)
    second = start_embedded(state, "--time-scale", "50")
    yield Killed(second, link)
    stop_embedded(second)


def until(sagemaker: Any, name: str, status: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while (
        found := sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"]
    ) != status:
        assert time.monotonic() < end, f"{name} is {found}, not {status}"
        time.sleep(0.02)


def test_after_a_kill_everything_goes_on_where_it_was(killed: Killed) -> None:
    sagemaker = client(killed.aws, "sagemaker")
    for name, status in (("serving", "InService"), ("stopping", "Stopped"), ("coming", "InService")):
        until(sagemaker, name, status)
    told = sagemaker.describe_notebook_instance(NotebookInstanceName="serving")
    assert told["NotebookInstanceLifecycleConfigName"] == "idle"
    tags = sagemaker.list_tags(ResourceArn=told["NotebookInstanceArn"])["Tags"]
    assert {"Key": "project", "Value": "dogs"} in tags


def page(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as wrong:
        with wrong:
            return wrong.code, wrong.read().decode()


def test_a_presigned_address_opens_a_page_that_says_what_is_there(killed: Killed) -> None:
    sagemaker = client(killed.aws, "sagemaker")
    until(sagemaker, "serving", "InService")
    link = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName="serving")["AuthorizedUrl"]
    status, said = page(link)
    assert status == 200
    assert "There is no Jupyter here" in said
    address, _, token = link.partition("?authToken=")
    for wrong in (
        f"{address}?authToken=9{token}",
        address.replace("serving", "other") + f"?authToken={token}",
        address,
    ):
        assert page(wrong)[0] == 403
    old = killed.aws.endpoint_url + "/" + killed.link.split("/", 3)[3]
    assert page(old)[0] == 403  # sealed by the process that was killed
    code, message = refused(sagemaker.create_presigned_notebook_instance_url, NotebookInstanceName="stopping")
    assert code == "ValidationException"
    assert "not in ([InService])" in message


def test_a_role_that_sagemaker_cannot_assume_and_a_network_that_is_not_there_are_refused(killed: Killed) -> None:
    sagemaker = client(killed.aws, "sagemaker")
    asked = {"NotebookInstanceName": "new", "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    other = role(killed.aws, "ForLambda", "lambda.amazonaws.com")
    assert "Could not assume role" in refused(sagemaker.create_notebook_instance, **asked | {"RoleArn": other})[1]
    assert "'subnet-0' does not exist" in refused(
        sagemaker.create_notebook_instance, **asked, SubnetId="subnet-0", SecurityGroupIds=["sg-0"]
    )[1]  # fmt: skip
    assert "enum value set" in refused(sagemaker.create_notebook_instance, **asked | {"InstanceType": "ml.x.y"})[1]


def test_cloudtrail_and_the_bill_tell_of_them(killed: Killed) -> None:
    until(client(killed.aws, "sagemaker"), "serving", "InService")
    chosen = [{"AttributeKey": "EventName", "AttributeValue": "CreateNotebookInstance"}]
    events = client(killed.aws, "cloudtrail").lookup_events(LookupAttributes=chosen)["Events"]
    named = {one["ResourceName"] for event in events for one in event["Resources"] if "Notebook" in one["ResourceType"]}
    assert {"serving", "stopping"} <= named
    today = datetime.now(UTC).date()
    period = {"Start": str(today - timedelta(days=1)), "End": str(today + timedelta(days=1))}
    answer = client(killed.aws, "ce").get_cost_and_usage(
        TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost"],
        GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
    )  # fmt: skip
    cost = {one["Keys"][0]: Decimal(one["Metrics"]["UnblendedCost"]["Amount"])
            for day in answer["ResultsByTime"] for one in day["Groups"]}  # fmt: skip
    assert cost["USE1-Notebk:ml.t3.medium"] > 0
    assert "USE1-Notebk:VolumeUsage.gp2" in cost


def test_botocores_own_waiters_see_it_come_stop_and_go(killed: Killed) -> None:
    sagemaker = client(killed.aws, "sagemaker")
    named = {"NotebookInstanceName": "waited-for"}
    sagemaker.create_notebook_instance(**named, InstanceType="ml.t3.medium", RoleArn=role(killed.aws, "KennelNotebook"))
    often = {"Delay": 0.05, "MaxAttempts": 400}
    sagemaker.get_waiter("notebook_instance_in_service").wait(**named, WaiterConfig=often)
    sagemaker.stop_notebook_instance(**named)
    sagemaker.get_waiter("notebook_instance_stopped").wait(**named, WaiterConfig=often)
    sagemaker.delete_notebook_instance(**named)
    sagemaker.get_waiter("notebook_instance_deleted").wait(**named, WaiterConfig=often)
    assert "waited-for" not in {
        one["NotebookInstanceName"] for one in sagemaker.list_notebook_instances()["NotebookInstances"]
    }
