"""RunInstances checks what it is asked for as AWS does, in AWS's words, and leaves nothing undone that it accepted."""

import base64
import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from local_aws.engine.instance import namespaces_allowed
from local_aws.services import ec2_refusals
from tests.conftest import Embedded
from tests.local_aws.ec2_world import describe, image, in_state, printed, profile, request, run, spot, terminate
from tests.local_aws.sagemaker_world import client, unique

needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound", "does not exist"),
        ({"ImageId": "image"}, "InvalidAMIID.Malformed", 'Invalid id: "image"'),
        ({"InstanceType": "m5.huge"}, "InvalidParameterValue", "Invalid value 'm5.huge' for InstanceType."),
        ({"InstanceType": "m6g.large"}, "InvalidParameterValue", "The architecture 'arm64' of the specified"),
        ({"InstanceType": "p4d.24xlarge"}, "VcpuLimitExceeded", "your current vCPU limit of 0 allows"),
        ({"InstanceType": "c5.18xlarge"}, "VcpuLimitExceeded", "your current vCPU limit of 32 allows"),
        ({"InstanceType": "c5.18xlarge", **spot()}, "MaxSpotInstanceCountExceeded", "Max spot instance count"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound", "does not exist"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound", "does not exist"),
        ({"SecurityGroups": ["nobody"]}, "InvalidGroup.NotFound", "does not exist"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound", "The key pair 'nobody' does not exist"),
        (
            {"IamInstanceProfile": {"Name": "nobody"}},
            "InvalidParameterValue",
            r"Value \(nobody\) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        ),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue", "no range"),
        ({"MinCount": 900, "MaxCount": 900, "InstanceType": "t2.nano"}, "VcpuLimitExceeded", "limit of 32"),
        ({"UserData": "x" * 16385}, "InvalidParameterValue", "User data is limited to 16384 bytes"),
        ({"UserData": "#cloud-config\npackages: [jq]"}, "UnsupportedOperation", "cloud-config user data"),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8}}]},
            "InvalidBlockDeviceMapping",
            "Volume of size 8GB is smaller than snapshot",
        ),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeType": "gp9"}}]},
            "InvalidParameterValue",
            "Invalid volume type: gp9",
        ),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, "InvalidParameterValue", "HttpPutResponseHopLimit"),
        ({"Placement": {"AvailabilityZone": "eu-west-1a"}}, "InvalidParameterValue", "Invalid availability zone"),
        (
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "aws:x", "Value": "y"}]}]},
            "InvalidParameterValue",
            "reserved for internal use",
        ),
        (
            {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.001"}}},
            "SpotMaxPriceTooLow",
            "Your Spot request price of 0.001000 is lower than the minimum",
        ),
        (spot(interrupt_after="soon"), "InvalidParameterValue", "seconds of training such as 20"),
        (
            {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "persistent"}}},
            "UnsupportedOperation",
            "cannot do persistent spot requests yet",
        ),
        ({"LaunchTemplate": {"LaunchTemplateName": "x"}}, "UnsupportedOperation", "launch templates"),
        ({"HibernationOptions": {"Configured": True}}, "UnsupportedOperation", "hibernation"),
        ({"Placement": {"Tenancy": "dedicated"}}, "UnsupportedOperation", "dedicated tenancy"),
        ({"DryRun": True}, "DryRunOperation", "Request would have succeeded"),
    ],
)
def test_what_aws_refuses_is_refused_in_its_words(
    embedded: Embedded, changes: dict[str, Any], code: str, sentence: str
) -> None:
    with pytest.raises(ClientError, match=sentence) as caught:
        client(embedded, "ec2").run_instances(**request(embedded, **changes))
    assert caught.value.response["Error"]["Code"] == code


DONE = {
    "": "ImageId InstanceType MinCount MaxCount KeyName Monitoring SecurityGroupIds SecurityGroups SubnetId UserData "
    "ClientToken DisableApiTermination DisableApiStop DryRun EbsOptimized IamInstanceProfile PrivateIpAddress "
    "InstanceInitiatedShutdownBehavior BlockDeviceMappings NetworkInterfaces Placement TagSpecifications "
    "MetadataOptions InstanceMarketOptions MaintenanceOptions CapacityReservationSpecification EnclaveOptions "
    "HibernationOptions",
    "Placement": "AvailabilityZone",
    "MetadataOptions": "HttpTokens HttpPutResponseHopLimit HttpEndpoint InstanceMetadataTags",
    "InstanceMarketOptions": "MarketType SpotOptions",
    "InstanceMarketOptions.SpotOptions": "MaxPrice",
    "BlockDeviceMappings[]": "DeviceName NoDevice Ebs",
    "BlockDeviceMappings[].Ebs": "DeleteOnTermination Iops SnapshotId VolumeSize VolumeType Throughput Encrypted",
    "MaintenanceOptions": "AutoRecovery",
    "CapacityReservationSpecification": "",
    "EnclaveOptions": "",
    "HibernationOptions": "",
}


@pytest.mark.parametrize("path", sorted(DONE))
def test_every_member_that_aws_knows_is_done_or_refused_by_name(path: str) -> None:
    shape = get_service_model("ec2").operation_model("RunInstances").input_shape
    for name in (part for part in path.split(".") if part):
        shape = shape.members[name.removesuffix("[]")]
        shape = shape.member if name.endswith("[]") else shape
    refused = {one.path for one in ec2_refusals.RUN_INSTANCES}
    left = {
        name
        for name in shape.members
        if name not in DONE[path].split() and (f"{path}.{name}" if path else name) not in refused
    }
    assert not left


def test_a_profile_without_a_role_is_refused(embedded: Embedded) -> None:
    name = unique("profile")
    client(embedded, "iam").create_instance_profile(InstanceProfileName=name)
    with pytest.raises(ClientError, match="has no associated IAM Roles"):
        run(embedded, IamInstanceProfile={"Name": name})


def test_a_group_of_another_network_is_refused(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    network = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="there", Description="d", VpcId=network)["GroupId"]
    with pytest.raises(ClientError, match="belong to different networks"):
        run(embedded, SecurityGroupIds=[group])


@needs_namespaces
def test_a_launch_is_recorded_as_it_was_asked_for(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    group = ec2.create_security_group(GroupName=unique("group"), Description="d")["GroupId"]
    key = unique("key")
    ec2.create_key_pair(KeyName=key)
    disk = {"VolumeSize": 40, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    instance = run(
        embedded,
        SecurityGroupIds=[group],
        KeyName=key,
        IamInstanceProfile={"Name": profile(embedded)},
        InstanceInitiatedShutdownBehavior="terminate",
        MetadataOptions={"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": disk}],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "a run"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "a run"}]},
        ],
    )
    found = in_state(embedded, instance, "running")
    subnets = ec2.describe_subnets(SubnetIds=[found["SubnetId"]])["Subnets"]
    assert subnets[0]["DefaultForAz"]
    assert found["Placement"]["AvailabilityZone"] == subnets[0]["AvailabilityZone"]
    assert [one["GroupId"] for one in found["SecurityGroups"]] == [group]
    assert found["KeyName"] == key
    assert found["IamInstanceProfile"]["Arn"].endswith(f":instance-profile/{profile(embedded)}")
    assert found["Tags"] == [{"Key": "Name", "Value": "a run"}]
    assert (found["MetadataOptions"]["HttpTokens"], found["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        1,
    )
    volume_id = found["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    (volume,) = ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (40, "gp3", True)
    assert volume["Tags"] == [{"Key": "of", "Value": "a run"}]
    told = ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="optional")
    assert told["InstanceMetadataOptions"]["HttpPutResponseHopLimit"] == 1  # what was not given stays
    terminate(embedded, instance)


@needs_namespaces
def test_the_same_token_launches_once_and_another_request_with_it_is_refused(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    asked = request(embedded, "echo token", ClientToken=unique("token"))
    first, second = (ec2.run_instances(**asked) for _ in range(2))
    assert first["ReservationId"] == second["ReservationId"]
    instance = first["Instances"][0]["InstanceId"]
    assert [one["InstanceId"] for one in second["Instances"]] == [instance]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        ec2.run_instances(**asked | {"InstanceType": "c5.large"})
    by_token = [{"Name": "client-token", "Values": [asked["ClientToken"]]}]
    found = ec2.describe_instances(Filters=by_token)["Reservations"]
    assert [one["InstanceId"] for group in found for one in group["Instances"]] == [instance]
    terminate(embedded, instance)


@needs_namespaces
def test_two_tabs_at_once_launch_once(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    asked = request(embedded, ClientToken=unique("token"))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ec2.run_instances(**asked)["Instances"], range(4)))
    (instance,) = {one["InstanceId"] for instances in found for one in instances}
    terminate(embedded, instance)


@needs_namespaces
def test_when_this_machine_has_no_place_it_says_so_in_awss_words(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    asked = request(embedded, InstanceType="t2.nano", MinCount=1, MaxCount=30)
    running = [one["InstanceId"] for one in ec2.run_instances(**asked)["Instances"]]
    assert 2 <= len(running) < 30  # as many as there is room for, at least MinCount
    try:
        with pytest.raises(ClientError, match=r"InsufficientInstanceCapacity.*t2\.nano capacity"):
            run(embedded, InstanceType="t2.nano")
    finally:
        terminate(embedded, *running)


@needs_namespaces
def test_filters_pages_and_the_lifecycle(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    mark = unique("mark")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "kennel:run", "Value": f"{mark}-a"}]}]
    plain = run(embedded, TagSpecifications=tags)
    taken = run(embedded, InstanceMarketOptions={"MarketType": "spot"}, TagSpecifications=tags)

    def ids(*filters: tuple[str, str], **more: Any) -> set[str]:
        asked = [{"Name": name, "Values": [value]} for name, value in (("tag:kennel:run", f"{mark}-?"), *filters)]
        found = ec2.get_paginator("describe_instances").paginate(Filters=asked, **more)
        return {one["InstanceId"] for page in found for group in page["Reservations"] for one in group["Instances"]}

    in_state(embedded, plain, "running")
    in_state(embedded, taken, "running")
    assert ids() == {plain, taken}
    assert ids(PaginationConfig={"PageSize": 5}) == {plain, taken}
    assert ids(("instance-lifecycle", "spot")) == {taken}
    assert ids(("instance-state-name", "running"), ("instance-type", "m5.*")) == {plain, taken}
    assert ids(("instance-state-name", "stopped")) == set()
    assert ids(("instance-type", "m5[.]large")) == set()  # brackets mean themselves
    with pytest.raises(ClientError, match="The filter 'nonsense' is invalid"):
        ids(("nonsense", "x"))
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        describe(embedded, "i-0123456789abcdef0")
    status = ec2.describe_instance_status(InstanceIds=[plain])["InstanceStatuses"][0]
    assert status["SystemStatus"]["Status"] == "ok"
    terminate(embedded, plain, taken)
    assert ec2.describe_instance_status(InstanceIds=[plain])["InstanceStatuses"] == []
    everything = ec2.describe_instance_status(InstanceIds=[plain], IncludeAllInstances=True)["InstanceStatuses"]
    assert everything[0]["InstanceState"]["Name"] == "terminated"


@needs_namespaces
def test_a_gzipped_script_runs_and_text_that_is_no_script_is_said_on_the_console(embedded: Embedded) -> None:
    packed = run(embedded, UserData=gzip.compress(b"#!/bin/sh\necho from gzip\n"))
    text = run(embedded, UserData="echo not a script")
    assert "from gzip" in printed(embedded, packed, "part-001 ended")
    assert "does not begin with #!" in printed(embedded, text, "Unhandled non-multipart")
    told = client(embedded, "ec2").describe_instance_attribute(InstanceId=text, Attribute="userData")
    assert base64.b64decode(told["UserData"]["Value"]) == b"echo not a script"
    terminate(embedded, packed, text)


@pytest.mark.parametrize("how", ["cut off", "too large", "two in one"])
def test_half_of_a_gzipped_script_is_not_run(embedded: Embedded, how: str) -> None:
    whole = gzip.compress(b"#!/bin/sh\necho half\n" + b"#" * (2_000_000 if how == "too large" else 2000))
    data = {"cut off": whole[:-10], "too large": whole, "two in one": whole * 2}[how]
    with pytest.raises(ClientError, match="The user data is not valid gzip"):
        client(embedded, "ec2").run_instances(**request(embedded, UserData=data))


def test_an_image_id_is_one_of_the_region(embedded: Embedded) -> None:
    assert image(embedded).startswith("ami-")
