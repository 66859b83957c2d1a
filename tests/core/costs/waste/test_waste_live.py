"""The sweep and its actions on a real embedded AWS: what is found is there, and what is done has happened."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.aws import connect
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste import role as waste_role
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste import sweep_artifacts
from dashboard.core.costs.waste.actions import act
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.costs.waste.plan import plan
from dashboard.core.costs.waste.sweep import sweep
from dashboard.core.costs.waste.waste import Act, Kind
from dashboard.core.errors import NotFound, Refused
from dashboard.core.serving.delete import delete_endpoint, plan_delete
from dashboard.core.serving.deploy import deploy, plan_deploy
from tests.conftest import start_embedded, stop_embedded
from tests.core.conftest import write_client
from tests.local_aws.sagemaker_world import bucket, create_endpoint, role, tiny_package, wait_for

BOOK = PriceBook.load()
MADE = [{"Key": "kennel:made-by", "Value": "kennel"}]
OWN = "kennel-123456789012-us-east-1"


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = start_embedded(tmp_path_factory.mktemp("embedded-aws"))
    bucket(running)
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def aws(server, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    keys = {"access_key_id": server.access_key_id, "secret_access_key": server.secret_access_key}
    write_client(home, server.endpoint_url, **keys)
    return connect({"KENNEL_HOME": str(home)})


def serve(server, folder, name, count=1, **tags):
    sagemaker = server.client("sagemaker")
    create_endpoint(sagemaker, name, tiny_package(folder), count=count)
    arn = wait_for(sagemaker, name, "InService")["EndpointArn"]
    marks = [*MADE, *({"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items())]
    sagemaker.add_tags(ResourceArn=arn, Tags=marks)


def found(aws, kind, name, **more):
    seen = sweep(aws, BOOK, now(), **more)
    (one,) = [one for one in seen.findings if one.kind is kind and one.name == name]
    return one


def eventually(done, seconds=15):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def a_while_later(aws, name):
    """A moment and a time to be unused: the endpoint is there for longer, and was asked within it.

    CloudWatch tells of hours: one that is asked now was last asked at the end of this hour.
    """
    created = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["CreationTime"]
    moment = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1, minutes=10)
    return moment, moment - created - timedelta(milliseconds=1)


def is_gone(aws, name):
    try:
        aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    except NotFound:
        return True
    return False


def test_what_was_asked_is_not_idle_and_what_was_not_is(server, aws, tmp_path):
    serve(server, tmp_path / "a", "asked")
    serve(server, tmp_path / "b", "quiet")
    aws.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="asked", Body=b"x")

    def counted():
        metrics = aws.call("cloudwatch", "ListMetrics", Namespace="AWS/SageMaker", MetricName="Invocations")["Metrics"]
        return any({"Name": "EndpointName", "Value": "asked"} in one["Dimensions"] for one in metrics)

    eventually(counted)
    time_enough = timedelta(milliseconds=1)  # of its being there; the last hour with a request ends now
    seen = sweep(aws, BOOK, now(), idle=time_enough)
    idle = {one.name for one in seen.findings if one.kind is Kind.IDLE_ENDPOINT}
    assert "quiet" in idle
    assert seen.looked["endpoints"] == 2
    moment, idle = a_while_later(aws, "quiet")
    seen = sweep(aws, BOOK, moment, idle=idle)
    assert {one.name for one in seen.findings if one.kind is Kind.IDLE_ENDPOINT} == {"quiet"}
    later = sweep(aws, BOOK, now() + timedelta(days=2))
    assert {one.name for one in later.findings if one.kind is Kind.IDLE_ENDPOINT} == {"quiet", "asked"}
    for name in ("asked", "quiet"):
        delete_endpoint(aws, plan_delete(aws, BOOK, name))


def test_every_part_of_the_account_is_looked_at(aws):
    seen = sweep(aws, BOOK, now())
    assert seen.unread == ()
    looked = {"notebooks", "instances", "volumes", "addresses", "folders of runs", "provisioned concurrency"}
    assert looked <= set(seen.looked)


def test_an_endpoint_past_its_time_is_kept_or_goes(server, aws, tmp_path):
    serve(server, tmp_path, "demo", kennel_expires="2026-11-20T09:00:00Z")
    late = found(aws, Kind.EXPIRED, "demo")
    act(aws, plan(aws, late, Act.KEEP, now(), keep=Keep.DAY))
    assert not [one for one in sweep(aws, BOOK, now()).findings if one.name == "demo"]
    tomorrow = sweep(aws, BOOK, now() + timedelta(hours=25)).findings
    assert Kind.EXPIRED in {one.kind for one in tomorrow if one.name == "demo"}
    act(aws, plan(aws, late, Act.KEEP, now(), keep=Keep.NEVER))
    next_year = sweep(aws, BOOK, now() + timedelta(days=365)).findings
    assert Kind.EXPIRED not in {one.kind for one in next_year if one.name == "demo"}
    delete_endpoint(aws, plan_delete(aws, BOOK, "demo"))


def test_a_schedule_is_planned_with_its_role_and_really_deletes(server, aws, tmp_path):
    serve(server, tmp_path, "later", kennel_expires="2026-11-20T09:00:00Z")
    late = found(aws, Kind.EXPIRED, "later")
    with pytest.raises(Refused):
        plan(aws, late, Act.SCHEDULE, now(), when=now() - timedelta(hours=1))
    made = plan(aws, late, Act.SCHEDULE, now(), when=now() + timedelta(hours=4))
    assert [call.operation for call in made.calls] == ["CreateRole", "PutRolePolicy", "CreateSchedule"]
    compile(made.code(aws.account), "plan", "exec")
    act(aws, made)
    act(aws, made)  # a second click makes nothing twice
    marked = found(aws, Kind.EXPIRED, "later")
    assert marked.scheduled is not None
    assert Act.UNSCHEDULE in marked.acts
    moved = plan(aws, late, Act.SCHEDULE, now(), when=now() + timedelta(hours=5))
    assert [call.operation for call in moved.calls] == ["UpdateSchedule"]
    act(aws, plan(aws, marked, Act.UNSCHEDULE, now()))
    act(aws, moved)  # confirmed after somebody else had cancelled it
    assert found(aws, Kind.EXPIRED, "later").scheduled > marked.scheduled
    act(aws, plan(aws, marked, Act.UNSCHEDULE, now()))
    assert found(aws, Kind.EXPIRED, "later").scheduled is None
    soon = plan(aws, late, Act.SCHEDULE, now(), when=now() + timedelta(seconds=2))
    assert [call.operation for call in soon.calls] == ["CreateSchedule"], "the role is there already"
    act(aws, soon)
    eventually(lambda: is_gone(aws, "later"))
    with pytest.raises(NotFound):
        plan(aws, late, Act.KEEP, now())


def test_a_role_of_that_name_with_other_rights_gets_the_right_ones(aws):
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    other = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.call(
        "iam", "PutRolePolicy", RoleName=waste_schedule.ROLE, PolicyName=waste_schedule.POLICY, PolicyDocument=other
    )
    assert [operation for operation, _ in waste_role.missing(aws)] == ["PutRolePolicy"]


def test_deleting_an_endpoint_cancels_its_schedule(server, aws, tmp_path):
    serve(server, tmp_path, "gone", kennel_expires="2026-11-20T09:00:00Z")
    act(aws, plan(aws, found(aws, Kind.EXPIRED, "gone"), Act.SCHEDULE, now(), when=now() + timedelta(hours=1)))
    assert waste_schedule.find(aws, "kennel-delete-gone")
    delete_endpoint(aws, plan_delete(aws, BOOK, "gone"))
    assert waste_schedule.find(aws, "kennel-delete-gone") is None


def test_a_schedule_of_an_earlier_endpoint_does_not_meet_the_next_of_its_name(server, aws, tmp_path):
    serve(server, tmp_path, "again", kennel_expires="2026-11-20T09:00:00Z")
    act(aws, plan(aws, found(aws, Kind.EXPIRED, "again"), Act.SCHEDULE, now(), when=now() + timedelta(hours=1)))
    aws.call("sagemaker", "DeleteEndpoint", EndpointName="again")  # by somebody who knows of no schedule
    eventually(lambda: is_gone(aws, "again"))
    role(server, "KennelEndpoint")
    server.client("s3").put_object(Bucket=bucket(server), Key="again/model.tar.gz", Body=b"x")
    uri = f"s3://{bucket(server)}/again/model.tar.gz"
    deploy(aws, plan_deploy(uri, "again", "ml.m5.large", account=aws.account, prices=BOOK, token="t"))
    assert waste_schedule.find(aws, "kennel-delete-again") is None
    delete_endpoint(aws, plan_delete(aws, BOOK, "again"))


def test_an_oversized_endpoint_shrinks_while_it_serves(server, aws, tmp_path):
    serve(server, tmp_path, "large", count=2)
    aws.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="large", Body=b"x")
    later, idle = a_while_later(aws, "large")

    def oversized():
        seen = sweep(aws, BOOK, later, idle=idle).findings
        return [one for one in seen if one.kind is Kind.OVERSIZED and one.name == "large"]

    eventually(oversized)
    (large,) = oversized()
    made = plan(aws, large, Act.SHRINK, later)
    act(aws, made)
    shrunk = wait_for(server.client("sagemaker"), "large", "InService")
    assert shrunk["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    act(aws, made)  # done already
    with pytest.raises(Refused, match="1 by now"):
        plan(aws, large, Act.SHRINK, later)
    assert oversized() == []
    delete_endpoint(aws, plan_delete(aws, BOOK, "large"))


def test_loose_volumes_and_addresses_are_found_and_go(server, aws):
    ec2 = server.client("ec2")
    marked = [{"ResourceType": "volume", "Tags": [*MADE, {"Key": "kennel:run", "Value": "dogs-1"}]}]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=30, VolumeType="gp3", TagSpecifications=marked)
    foreign = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp3")
    marked = [{"ResourceType": "elastic-ip", "Tags": MADE}]
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=marked)
    loose = found(aws, Kind.LOOSE_VOLUME, volume["VolumeId"])
    assert (loose.of, round(loose.per_day, 4)) == (
        "dogs-1",
        round(BOOK.beside("gp3", "us-east-1").amount * 30 * 24 / 730, 4),
    )
    assert found(aws, Kind.LOOSE_VOLUME, foreign["VolumeId"]).acts == ()
    made = plan(aws, loose, Act.DELETE, now())
    assert act(aws, made) == act(aws, made), "twice is once"
    released = found(aws, Kind.LOOSE_ADDRESS, address["AllocationId"])
    assert float(released.per_day) == pytest.approx(0.12)
    act(aws, plan(aws, released, Act.DELETE, now()))
    names = {one.name for one in sweep(aws, BOOK, now()).findings}
    assert not names & {volume["VolumeId"], address["AllocationId"]}
    assert foreign["VolumeId"] in names


def test_an_address_that_is_used_since_is_not_released(server, aws):
    ec2 = server.client("ec2")
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": MADE}])
    made = plan(aws, found(aws, Kind.LOOSE_ADDRESS, address["AllocationId"]), Act.DELETE, now())
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=card)
    with pytest.raises(Refused, match="has changed since"):
        act(aws, made)


def test_old_files_go_except_what_a_model_is_made_of(server, aws):
    s3 = server.client("s3")
    s3.create_bucket(Bucket=OWN)
    record = "ec2-runs/dogs/request.json"
    for key in (
        "runs/old/output/model.tar.gz",
        "runs/old/code.tar.gz",
        "runs/served/output/model.tar.gz",
        "ec2-runs/dogs/output/model.tar.gz",
        record,
    ):
        s3.put_object(Bucket=OWN, Key=key, Body=b"x" * 1000)
    of = "arn:aws:iam::123456789012:role/KennelTraining"
    container = {"Image": "kennel/test", "ModelDataUrl": f"s3://{OWN}/runs/served/output/model.tar.gz"}
    server.client("sagemaker").create_model(ModelName="served", PrimaryContainer=container, ExecutionRoleArn=of)
    later = now() + timedelta(days=91)
    assert not [one for one in sweep(aws, BOOK, now()).findings if one.kind is Kind.OLD_ARTIFACTS]
    found_old = {one.name: one for one in sweep(aws, BOOK, later).findings if one.kind is Kind.OLD_ARTIFACTS}
    assert set(found_old) == {"runs/", "ec2-runs/"}
    old = found_old["runs/"]
    assert "1 folder, 2 files" in old.evidence[0].what
    made = plan(aws, old, Act.DELETE, later)
    assert made.folders == ("runs/old/",)
    act(aws, made)
    left = [one["Key"] for one in s3.list_objects_v2(Bucket=OWN, Prefix="runs/")["Contents"]]
    assert left == ["runs/served/output/model.tar.gz"]
    assert sweep_artifacts.unused(aws, "runs/", later) == []
    act(aws, plan(aws, found_old["ec2-runs/"], Act.DELETE, later))
    left = [one["Key"] for one in s3.list_objects_v2(Bucket=OWN, Prefix="ec2-runs/")["Contents"]]
    assert left == [record], "the run is listed by its record, which stays"
