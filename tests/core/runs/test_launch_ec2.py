"""Launching on EC2, with S3 and EC2 played as far as a launch goes: what may break in between must not matter."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from threading import Lock

import pytest

from dashboard.core.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidInput,
    NoCapacity,
    QuotaExceeded,
    ServiceFault,
    Throttled,
)
from dashboard.core.runs.launch import launch
from dashboard.core.runs.plan import plan
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec
from dashboard.core.runs.surroundings import Image, Role, Seen, SpotPrice, Surroundings
from tests.core.conftest import Reply
from tests.core.runs.made import DOGS, NOW

FOLDER = "ec2-runs/dogs-1/"
SPEC = TrainingSpec(DOGS, platform=Platform.EC2, instance_type="m5.large", name="dogs-1")
AROUND = Surroundings(
    image=Seen(Image("ami-1", "Deep Learning AMI", "/dev/sda1", 35)),
    role=Seen(Role("KennelInstance", trusts=True)),
    spot_prices=Seen({"m5.large": SpotPrice(Decimal("0.035"), "us-east-1a", date(2026, 11, 21))}),
)


def xml(inside: str) -> Reply:
    return Reply(f"<Answer>{inside}</Answer>".encode(), 200, {"Content-Type": "text/xml"})


def refused(code: str, message: str = "", status: int = 400) -> Reply:
    error = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    return Reply(f"<Response>{error}</Response>".encode(), status, {"Content-Type": "text/xml"})


class World:
    """A bucket and EC2: objects by key, instances by client token, security groups by name."""

    def __init__(self, fake) -> None:
        self.objects: dict[str, bytes] = {}
        self.instances: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.refusal: Reply | None = None
        self.lock = Lock()
        for operation in ("S3 PUT", "S3 GET", "S3 HEAD", "S3 DELETE"):
            fake.on(operation, getattr(self, operation.replace("S3 ", "s3_").lower()))
        for operation in ("RunInstances", "DescribeInstances", "DescribeVpcs", "DescribeSecurityGroups",
                          "CreateSecurityGroup", "AuthorizeSecurityGroupIngress"):  # fmt: skip
            fake.on(operation, getattr(self, operation))

    def key(self, asked) -> str:
        return asked["path"].split("/", 2)[2]

    def s3_put(self, asked) -> Reply:
        with self.lock:
            if asked.get("if_none_match") and self.key(asked) in self.objects:
                return Reply(b"<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>", 412)
            self.objects[self.key(asked)] = asked.get("body", b"")
        return Reply(b"", headers={"ETag": '"x"'})

    def s3_get(self, asked) -> Reply:
        found = self.objects.get(self.key(asked))
        return Reply(b"<Error><Code>NoSuchKey</Code></Error>", 404) if found is None else Reply(found)

    def s3_head(self, asked) -> Reply:
        return Reply(b"", 404)

    def s3_delete(self, asked) -> Reply:
        self.objects.pop(self.key(asked), None)
        return Reply(b"", 204)

    def RunInstances(self, asked) -> Reply:
        if self.refusal:
            return self.refusal
        with self.lock:
            made = self.instances.setdefault(asked["ClientToken"], f"i-{len(self.instances)}")
        return xml(f"<instancesSet>{self.described(made)}</instancesSet>")

    def DescribeInstances(self, asked) -> Reply:
        made = self.instances.get(asked["Filter.1.Value.1"])
        inside = f"<item><instancesSet>{self.described(made)}</instancesSet></item>" if made else ""
        return xml(f"<reservationSet>{inside}</reservationSet>")

    def described(self, name) -> str:
        return f"<item><instanceId>{name}</instanceId><launchTime>2026-11-21T12:00:01.000Z</launchTime></item>"

    def DescribeVpcs(self, asked) -> Reply:
        return xml("<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>")

    def DescribeSecurityGroups(self, asked) -> Reply:
        name = asked["Filter.1.Value.1"]
        rules = self.groups.get(name)
        inside = f"<item><groupName>{name}</groupName><groupId>sg-{name}</groupId>{rules}</item>"
        return xml(f"<securityGroupInfo>{inside if rules is not None else ''}</securityGroupInfo>")

    def CreateSecurityGroup(self, asked) -> Reply:
        self.groups[asked["GroupName"]] = ""
        return xml(f"<groupId>sg-{asked['GroupName']}</groupId>")

    def AuthorizeSecurityGroupIngress(self, asked) -> Reply:
        self.groups[asked["GroupId"].removeprefix("sg-")] = (
            "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges>"
            f"<item><cidrIp>{asked['IpPermissions.1.IpRanges.1.CidrIp']}</cidrIp></item></ipRanges></item></ipPermissions>"
        )
        return xml("<return>true</return>")


@pytest.fixture
def world(fake):
    return World(fake)


@pytest.fixture
def make(aws, prices):
    def made(spec=SPEC, order="4f2a9c", around=AROUND):
        return plan(
            spec, account=aws.account, prices=prices, past_runs=(), surroundings=around, now=NOW, token=order
        )  # fmt: skip

    return made


def document(world, name):
    return json.loads(world.objects[FOLDER + name])


def test_the_run_is_written_down_before_its_instance_starts(aws, fake, world, make):
    planned = make()
    assert launch(aws, planned) == "ec2:dogs-1"
    told = [name for name, _ in fake.calls if name in ("RunInstances",) or name == "S3 PUT"]
    assert told[-2:] == ["RunInstances", "S3 PUT"]
    request = document(world, "request.json")
    assert request["order"] == planned.order
    assert request["created"] == NOW.isoformat()
    assert request["volume_gb"] == 35  # the image needs it
    assert request["checkpoint_uri"].endswith("/ec2-runs/dogs-1/checkpoints/")
    assert document(world, "instance.json") == {"instance_id": "i-0", "launched": "2026-11-21T12:00:01+00:00"}
    assert [key for key in world.objects if key.startswith("ec2-index/")] == ["ec2-index/8204737599-dogs-1"]


def test_the_instance_is_closed_encrypted_and_ends_itself(aws, fake, world, make):
    launch(aws, make())
    asked = next(parameters for name, parameters in fake.calls if name == "RunInstances")
    assert asked["MetadataOptions.HttpTokens"] == "required"
    assert asked["BlockDeviceMapping.1.Ebs.Encrypted"] == "true"
    assert asked["BlockDeviceMapping.1.Ebs.VolumeType"] == "gp3"
    assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert asked["IamInstanceProfile.Name"] == "KennelInstance"
    assert asked["SecurityGroupId.1"] == "sg-kennel-training"
    assert "KeyName" not in asked
    assert fake.counts["AuthorizeSecurityGroupIngress"] == 0


def test_spot_writes_down_its_price(aws, fake, world, make):
    launch(aws, make(replace(SPEC, capacity=Capacity.SPOT)))
    asked = next(parameters for name, parameters in fake.calls if name == "RunInstances")
    assert asked["InstanceMarketOptions.MarketType"] == "spot"
    assert asked["InstanceMarketOptions.SpotOptions.SpotInstanceType"] == "one-time"
    assert document(world, "instance.json")["spot_price"] == "0.035"


def test_ssh_is_opened_to_one_address_in_a_group_of_its_own(aws, fake, world, make):
    spec = replace(SPEC, ssh_address="203.0.113.7", key_name="ada")
    launch(aws, make(spec))
    asked = next(parameters for name, parameters in fake.calls if name == "AuthorizeSecurityGroupIngress")
    assert asked["IpPermissions.1.IpRanges.1.CidrIp"] == "203.0.113.7/32"
    assert (asked["IpPermissions.1.FromPort"], asked["IpPermissions.1.ToPort"]) == ("22", "22")
    assert set(world.groups) == {"kennel-training-ssh-203-0-113-7"}
    launch(aws, make(replace(spec, name="dogs-2")))  # the group is there and as it should be
    assert fake.counts["AuthorizeSecurityGroupIngress"] == 1


def test_a_group_that_somebody_opened_is_not_used(aws, fake, world, make):
    opened = "<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"  # noqa: E501
    world.groups["kennel-training"] = f"<ipPermissions>{opened}</ipPermissions>"
    with pytest.raises(Exception, match="lets in more than it should"):
        launch(aws, make())
    assert not world.instances
    assert not [key for key in world.objects if key.startswith("ec2-")]


def test_a_double_click_launches_once(aws, fake, world, make):
    planned = make()
    assert launch(aws, planned) == launch(aws, planned)
    assert fake.counts["RunInstances"] == 1


def test_two_tabs_at_once_launch_once(aws, world, make):
    planned = make()
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(lambda _: launch(aws, planned), range(6))) == {"ec2:dogs-1"}
    assert len(world.instances) == 1


def test_a_launch_that_broke_off_after_the_instance_goes_on(aws, world, make):
    planned = make()
    launch(aws, planned)
    del world.objects[FOLDER + "instance.json"]  # the dashboard was killed before it could write it
    launch(aws, planned)
    assert document(world, "instance.json")["instance_id"] == "i-0"
    assert len(world.instances) == 1


def test_a_lost_answer_keeps_the_run_so_that_the_next_try_finds_its_instance(aws, world, make):
    planned = make()
    world.instances[planned.order] = "i-7"  # it did start, and the answer got lost
    world.refusal = refused("InternalError", "An internal error has occurred", 500)
    with pytest.raises(ServiceFault):
        launch(aws, planned)
    assert FOLDER + "request.json" in world.objects
    world.refusal = None
    launch(aws, planned)
    assert document(world, "instance.json")["instance_id"] == "i-7"


def test_another_image_of_the_day_is_not_another_launch(aws, world, make):
    first = make()
    world.instances[first.order] = "i-7"
    world.refusal = refused("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent")
    launch(aws, make(around=replace(AROUND, image=Seen(Image("ami-2")))))
    assert document(world, "instance.json")["instance_id"] == "i-7"


@pytest.mark.parametrize(
    ("code", "message", "meaning", "says"),
    [
        ("InsufficientInstanceCapacity", "We do not have sufficient m5.large capacity", NoCapacity, "no such"),
        ("VcpuLimitExceeded", "You have requested more vCPU capacity than your current limit", QuotaExceeded, "limit"),
        ("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded", QuotaExceeded, "limit"),
        (
            "UnauthorizedOperation",
            "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ada is not authorized to "
            "perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:1:instance/* because no identity-based "
            "policy allows the ec2:RunInstances action",
            AccessDenied,
            "ec2:RunInstances",
        ),
    ],
)  # fmt: skip
def test_what_ec2_refuses_leaves_the_name_free(aws, world, make, code, message, meaning, says):
    world.refusal = refused(code, message, 500 if code.startswith("Insufficient") else 400)
    with pytest.raises(meaning, match=says) as caught:
        launch(aws, make())
    assert caught.value.next_step
    assert not [key for key in world.objects if key.startswith("ec2-")]
    world.refusal = None
    assert launch(aws, make(replace(SPEC, instance_type="c5.large"), order="other")) == "ec2:dogs-1"


def test_a_name_that_belongs_to_another_run_is_refused(aws, world, make):
    launch(aws, make())
    with pytest.raises(AlreadyExists, match="dogs-1"):
        launch(aws, make(order="other"))
    assert len(world.instances) == 1


def test_without_an_image_nothing_is_written(aws, world, make):
    with pytest.raises(InvalidInput, match="Deep Learning AMI"):
        launch(aws, make(around=replace(AROUND, image=Seen())))
    assert not [key for key in world.objects if key.startswith("ec2-")]


def test_an_instance_that_started_before_the_refusal_is_the_runs(aws, world, make):
    """The first attempt's answer was lost, and the one that botocore sent again was refused."""
    planned = make()
    world.instances[planned.order] = "i-7"
    world.refusal = refused("InsufficientInstanceCapacity", "We do not have sufficient m5.large capacity", 500)
    assert launch(aws, planned) == "ec2:dogs-1"
    assert document(world, "instance.json")["instance_id"] == "i-7"
    assert FOLDER + "request.json" in world.objects


@pytest.mark.parametrize("then", ["throttled", "EC2 does not say"])
def test_while_an_instance_may_run_the_run_stays_listed(aws, fake, world, make, then):
    world.refusal = refused("RequestLimitExceeded" if then == "throttled" else "VcpuLimitExceeded", "no")
    fake.on("DescribeInstances", refused("UnauthorizedOperation", "You are not authorized"))
    with pytest.raises(Throttled if then == "throttled" else QuotaExceeded):
        launch(aws, make())
    assert {FOLDER + "request.json", "ec2-index/8204737599-dogs-1"} <= set(world.objects)


def test_a_refusal_is_told_when_what_was_written_cannot_be_taken_back(aws, fake, world, make):
    world.refusal = refused("VcpuLimitExceeded", "You have requested more vCPU capacity")
    fake.on("S3 DELETE", Reply(b"<Error><Code>AccessDenied</Code></Error>", 403))
    with pytest.raises(QuotaExceeded, match="limit"):
        launch(aws, make())


def test_a_tab_that_was_refused_does_not_hide_the_instance_of_another(aws, fake, world, make):
    """Both write the run down; one of them is refused and takes that back while the other's instance starts."""

    def start(asked):
        for key in (FOLDER + "request.json", "ec2-index/8204737599-dogs-1"):
            del world.objects[key]
        return World.RunInstances(world, asked)

    fake.on("RunInstances", start)
    planned = make()
    launch(aws, planned)
    assert document(world, "request.json")["order"] == planned.order
    assert "ec2-index/8204737599-dogs-1" in world.objects


def test_what_has_reported_is_not_started_a_second_time(aws, fake, world, make):
    """Its token has expired, and EC2 has forgotten the instance."""
    planned = make()
    launch(aws, planned)
    del world.objects[FOLDER + "instance.json"]
    world.instances.clear()
    world.objects[FOLDER + "status.json"] = b'{"status": "Completed"}'
    assert launch(aws, planned) == "ec2:dogs-1"
    assert fake.counts["RunInstances"] == 1


def test_a_document_that_is_no_json_is_said(aws, world, make):
    world.objects[FOLDER + "request.json"] = b"{"
    with pytest.raises(ServiceFault, match=r"dogs-1/request.json"):
        launch(aws, make())
    assert not world.instances


WRITES = ["S3 PUT request.json", "S3 PUT ec2-index", "RunInstances", "S3 PUT instance.json", "CreateSecurityGroup"]
READS = ["S3 GET", "S3 HEAD", "DescribeVpcs"]


@pytest.mark.parametrize(
    ("place", "is_done"), [(one, done) for one in WRITES for done in (True, False)] + [(one, False) for one in READS]
)
def test_a_lost_answer_anywhere_makes_one_listed_instance(aws, fake, world, make, place, is_done):
    """The call fails inside AWS, whether it was carried out or not; then the person clicks again."""
    operation, _, part = place.partition(" PUT ") if " PUT " in place else (place, "", "")
    operation = "S3 PUT" if part else operation
    real = getattr(world, operation.replace("S3 ", "s3_").lower() if operation.startswith("S3") else operation)
    is_broken = [True]

    def lost(asked):
        hit = is_broken[0] and part in str(asked.get("path", ""))
        answer = real(asked) if not hit or is_done else None
        return (
            answer if not hit else Reply(b"<Error><Code>NotImplemented</Code></Error>", 501)
        )  # botocore does not retry it

    fake.on(operation, lost)
    planned = make()
    try:
        launch(aws, planned)
    except ServiceFault:
        listed = [key for key in world.objects if key.startswith("ec2-index/")]
        assert listed or not world.instances  # never an instance that no list shows
    is_broken[0] = False
    assert launch(aws, planned) == "ec2:dogs-1"
    assert len(world.instances) == 1
    assert document(world, "instance.json")["instance_id"] == "i-0"
    assert [key for key in world.objects if key.startswith("ec2-index/")] == ["ec2-index/8204737599-dogs-1"]


def test_two_writes_at_once_are_no_name_that_is_taken(aws, fake, world, make):
    """S3 answers 409 to a conditional write while another one of the same key goes on."""

    def put(asked):
        if asked.get("if_none_match"):
            return Reply(b"<Error><Code>ConditionalRequestConflict</Code></Error>", 409)
        return world.s3_put(asked)

    fake.on("S3 PUT", put)
    with pytest.raises(ServiceFault, match="under way"):
        launch(aws, make())
    assert not world.instances
