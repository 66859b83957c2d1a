"""An instance runs its user data in a world of its own, and goes through the states that AWS describes."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engine.instance import namespaces_allowed
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.ec2_world import console, describe, in_state, printed, profile, request, run, spot, terminate
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import client, unique

pytestmark = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")

OFF = "Client.InstanceInitiatedShutdown"
USER = "Client.UserInitiatedShutdown"


def test_user_data_runs_once_as_root_and_what_it_prints_is_on_the_console(embedded: Embedded) -> None:
    instance = run(embedded, 'echo "I am $(id -un) on $(hostname) in $HOME"; echo to-stderr >&2; exit 3')
    text = printed(embedded, instance, "exit code 3")
    address = describe(embedded, instance)["PrivateIpAddress"].replace(".", "-")
    assert f"I am root on ip-{address} in /root" in text
    assert "to-stderr" in text
    assert describe(embedded, instance)["State"] == {"Code": 16, "Name": "running"}  # it stays up, as on AWS
    client(embedded, "ec2").reboot_instances(InstanceIds=[instance])
    printed(embedded, instance, "shuts down")
    text = printed(embedded, instance, f"shuts down\n[kennel] {instance} (m5.large) starts")
    time.sleep(0.5)
    assert console(embedded, instance).count("I am root") == 1
    terminate(embedded, instance)


@pytest.mark.parametrize(
    ("command", "behavior", "state"),
    [
        ("shutdown -h now", "terminate", "terminated"),
        ("sudo /sbin/shutdown -P now", "stop", "stopped"),
        ("systemctl poweroff", "terminate", "terminated"),
        ("poweroff", "stop", "stopped"),
    ],
)
def test_a_shutdown_inside_ends_the_instance_and_not_the_machine(
    embedded: Embedded, command: str, behavior: str, state: str
) -> None:
    instance = run(embedded, f"{command}\nsleep 60\necho never", InstanceInitiatedShutdownBehavior=behavior)
    found = in_state(embedded, instance, state)
    assert found["StateReason"]["Code"] == OFF
    assert found["StateReason"]["Message"] == f"{OFF}: Instance initiated shutdown"
    assert "never" not in console(embedded, instance)
    if state == "stopped":
        terminate(embedded, instance)


def test_a_reboot_inside_keeps_the_files_and_runs_what_is_to_run_at_every_start(embedded: Embedded) -> None:
    script = (
        "echo kept > /root/file; echo gone > /run/file\n"
        "printf '#!/bin/sh\\necho again: $(cat /root/file /run/file 2>&1)\\n' > /var/lib/cloud/scripts/per-boot/a\n"
        "chmod +x /var/lib/cloud/scripts/per-boot/a; reboot; sleep 60"
    )
    instance = run(embedded, script)
    text = printed(embedded, instance, "again: ")
    assert "again: kept" in text
    assert "No such file" in text
    assert describe(embedded, instance)["State"]["Name"] == "running"
    terminate(embedded, instance)


def test_a_halted_instance_counts_as_running_as_ec2_documents_it(embedded: Embedded) -> None:
    instance = run(embedded, "halt; sleep 60; echo never")
    printed(embedded, instance, "is halted")
    time.sleep(0.5)
    assert describe(embedded, instance)["State"]["Name"] == "running"
    terminate(embedded, instance)


def test_it_cannot_touch_the_machine_or_the_servers_keys(embedded: Embedded, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("untouched")
    client_file = embedded.state / "client.json"
    script = f"""
for file in /usr/bin/kennel /srv/kennel /kennel /proc/sys/kernel/panic; do
  (echo x > $file) 2>/dev/null && echo "WROTE $file"
done
cat {client_file} {embedded.state}/key.json && echo "READ KEYS"
cat {tmp_path}/mine && echo "READ FILE"
kill -9 {embedded.process.pid} && echo "KILLED"
mount -o remount,rw / && echo "REMOUNTED"
mount -t tmpfs none /mnt && echo "MOUNTED"
mknod /tmp/disk b 8 0 && echo "MADE DEVICE"
unshare -mr mount -o remount,rw,bind / && echo "REMOUNTED IN ANOTHER"
date -s 2020-01-01 >/dev/null && echo "SET CLOCK"
(hostname changed; true)
echo "processes: $(ls -d /proc/[0-9]* | wc -l)"
echo devices: $(ls /dev)
echo mine > /etc/kennel && cat /etc/kennel
echo checked
"""
    instance = run(embedded, script)
    text = printed(embedded, instance, "checked")
    for done in ("WROTE", "READ", "KILLED", "MOUNTED", "MADE", "SET CLOCK"):
        assert done not in text, text
    processes = int(text.split("processes: ")[1].split()[0])
    assert processes < 10
    assert not {"sda", "vda", "nvme0n1", "mem", "kmsg"} & set(text.split("devices: ")[1].splitlines()[0].split())
    assert "mine" in text
    assert not Path("/etc/kennel").exists()
    assert embedded.process.poll() is None
    terminate(embedded, instance)


def test_everything_it_started_is_gone_with_it(embedded: Embedded) -> None:
    mark = unique("sleeper")
    instance = run(
        embedded,
        f"(exec -a {mark} sleep 300) & setsid nohup bash -c 'exec -a {mark} sleep 300' & sleep 0.3; echo started",
    )
    printed(embedded, instance, "started")

    def sleepers() -> int:
        return subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout.count(mark)

    assert sleepers() >= 2
    terminate(embedded, instance)
    assert sleepers() == 0
    assert eventually(lambda: not (embedded.state / "instances" / instance / "root").exists())


def test_stop_and_start_keep_the_disk_and_tell_why(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    instance = run(embedded, "echo once; date +%s > /root/first; trap 'echo told; exit 0' TERM; sleep 60 & wait")
    printed(embedded, instance, "once")
    first = describe(embedded, instance)
    told = ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"][0]
    assert (told["PreviousState"]["Name"], told["CurrentState"]["Name"]) == ("running", "stopping")
    stopped = in_state(embedded, instance, "stopped")
    assert "told" in console(embedded, instance)
    assert stopped["StateReason"] == {"Code": USER, "Message": f"{USER}: User initiated shutdown"}
    assert stopped["StateTransitionReason"].startswith("User initiated (20")
    assert stopped["StateTransitionReason"].endswith(" GMT)")
    assert "PublicIpAddress" not in stopped
    told = ec2.start_instances(InstanceIds=[instance])["StartingInstances"][0]
    assert (told["PreviousState"]["Name"], told["CurrentState"]["Name"]) == ("stopped", "pending")
    again = in_state(embedded, instance, "running")
    assert "StateReason" not in again
    assert again["LaunchTime"] >= first["LaunchTime"]
    assert (embedded.state / "instances" / instance / "root/root/first").exists()
    assert console(embedded, instance).count("once") == 1
    terminate(embedded, instance)


def test_a_script_that_does_not_listen_is_ended_by_force(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    script = "trap '' TERM; echo deaf; while true; do sleep 1; done"
    first, second = run(embedded, script), run(embedded, script)
    for instance in (first, second):
        printed(embedded, instance, "deaf")
    ec2.stop_instances(InstanceIds=[first], Force=True)
    ec2.terminate_instances(InstanceIds=[second], SkipOsShutdown=True)
    in_state(embedded, first, "stopped")  # long before the 90 s that a shutdown may take
    in_state(embedded, second, "terminated")
    terminate(embedded, first)


def test_a_terminated_instance_leaves_no_volume_no_interface_and_a_console(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    group = ec2.create_security_group(GroupName=unique("group"), Description="d")["GroupId"]
    instance = run(embedded, "echo here", SecurityGroupIds=[group])
    printed(embedded, instance, "here")
    told = ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]
    assert told["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    ended = in_state(embedded, instance, "terminated")
    assert ended["StateReason"]["Code"] == USER
    of_it = [{"Name": "attachment.instance-id", "Values": [instance]}]
    assert not ec2.describe_volumes(Filters=of_it)["Volumes"]
    assert not ec2.describe_network_interfaces(Filters=of_it)["NetworkInterfaces"]
    assert "here" in console(embedded, instance)
    ec2.delete_security_group(GroupId=group)
    ec2.terminate_instances(InstanceIds=[instance])  # once more is no error
    for operation in (ec2.start_instances, ec2.stop_instances, ec2.reboot_instances):
        with pytest.raises(ClientError, match="IncorrectInstanceState"):
            operation(InstanceIds=[instance])


def test_protection_against_termination(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    instance = run(embedded, DisableApiTermination=True)
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[instance])
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    terminate(embedded, instance)


def test_the_clients_waiters_wait(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    quick = {"Delay": 1, "MaxAttempts": 20}
    instance = run(embedded)
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=quick)
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=[instance], WaiterConfig=quick)
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=quick)


def test_its_processor_use_is_a_metric(embedded: Embedded) -> None:
    instance = run(embedded, "while true; do :; done")
    cloudwatch = client(embedded, "cloudwatch")
    query = {
        "Id": "cpu",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/EC2",
                "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "InstanceId", "Value": instance}],
            },
            "Period": 1,
            "Stat": "Maximum",
        },
    }
    end = time.monotonic() + 20
    values: list[float] = []
    while not values and time.monotonic() < end:
        now = time.time()
        values = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=now - 60, EndTime=now + 5)[
            "MetricDataResults"
        ][0]["Values"]
        time.sleep(0.2)
    assert 5 < max(values) <= 100  # one busy loop, on a type with two processors
    terminate(embedded, instance)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[list[Embedded]]:
    running = [start_embedded(tmp_path / "state")]
    yield running
    stop_embedded(running[0])


def kill_and_restart(own: list[Embedded]) -> Embedded:
    old = own[0]
    old.process.kill()
    stop_embedded(old)
    own[0] = start_embedded(old.state)
    return own[0]


def test_after_kill_nine_what_ran_is_terminated_and_what_was_stopped_starts(own: list[Embedded]) -> None:
    mark = unique("sleeper")
    ran = run(own[0], f"(exec -a {mark} sleep 300) & echo up", ClientToken="the-token", **_role(own[0]))
    stopped = run(own[0], "echo kept > /root/file; shutdown -h now", InstanceInitiatedShutdownBehavior="stop")
    printed(own[0], ran, "up")
    in_state(own[0], stopped, "stopped")
    asked = request(own[0], f"(exec -a {mark} sleep 300) & echo up", ClientToken="the-token", **_role(own[0]))
    again = kill_and_restart(own)
    found = describe(again, ran)
    assert found["State"]["Name"] == "terminated"
    assert found["StateReason"]["Code"] == "Server.InternalError"
    assert "stopped while this instance was running" in found["StateTransitionReason"]
    assert "up" in console(again, ran)
    assert subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout.count(mark) == 0
    same = client(again, "ec2").run_instances(**asked)["Instances"][0]
    assert same["InstanceId"] == ran  # the token is remembered
    assert describe(again, stopped)["State"]["Name"] == "stopped"
    client(again, "ec2").start_instances(InstanceIds=[stopped])
    in_state(again, stopped, "running")
    assert (again.state / "instances" / stopped / "root/root/file").read_text() == "kept\n"
    terminate(again, stopped)


def test_after_kill_nine_what_was_being_ended_has_ended_as_asked_for(own: list[Embedded]) -> None:
    """A stop keeps the disk; a termination keeps its reason."""
    deaf = "trap '' TERM; echo kept > /root/file; echo up; while true; do sleep 0.1; done"
    stopping, ending, taken = run(own[0], deaf), run(own[0], deaf), run(own[0], deaf, **spot(interrupt_after="0.1"))
    for instance in (stopping, ending, taken):
        printed(own[0], instance, "up")
    ec2 = client(own[0], "ec2")
    ec2.stop_instances(InstanceIds=[stopping])
    ec2.terminate_instances(InstanceIds=[ending])
    in_state(own[0], taken, "shutting-down", 30)
    again = kill_and_restart(own)
    assert describe(again, stopping)["State"]["Name"] == "stopped"
    assert describe(again, stopping)["StateReason"]["Code"] == USER
    assert (again.state / "instances" / stopping / "root/root/file").read_text() == "kept\n"
    for instance, reason in ((ending, USER), (taken, "Server.SpotInstanceTermination")):
        found = describe(again, instance)
        assert (found["State"]["Name"], found["StateReason"]["Code"]) == ("terminated", reason)
        assert not (again.state / "instances" / instance / "root").exists()
    client(again, "ec2").start_instances(InstanceIds=[stopping])
    in_state(again, stopping, "running")
    terminate(again, stopping)


def _role(aws: Embedded) -> dict[str, Any]:
    return {"IamInstanceProfile": {"Name": profile(aws)}}


def test_a_spot_instance_is_told_before_it_is_taken_back_and_only_spot_is(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    script = """
token=$(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token)
trap 'echo ended by SIGTERM; exit 0' TERM
while true; do
  curl -sf -H "X-aws-ec2-metadata-token: $token" \
    $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/spot/instance-action && echo
  sleep 0.3
done
"""
    ordered = spot(interrupt_after="0.2")
    plain = run(embedded, TagSpecifications=ordered["TagSpecifications"])
    taken = run(embedded, **ordered)
    instance = run(embedded, script, **spot())
    found = in_state(embedded, instance, "running")
    assert found["InstanceLifecycle"] == "spot"
    time.sleep(0.5)
    assert "terminate" not in console(embedded, instance)
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "kennel:interrupt", "Value": "1"}])
    text = printed(embedded, instance, '"action": "terminate", "time": "20')
    assert describe(embedded, instance)["State"]["Name"] == "running"
    (asked,) = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[found["SpotInstanceRequestId"]])[
        "SpotInstanceRequests"
    ]
    assert (asked["State"], asked["Status"]["Code"]) == ("active", "marked-for-termination")
    ended = in_state(embedded, instance, "terminated", 30)
    assert ended["StateReason"] == {
        "Code": "Server.SpotInstanceTermination",
        "Message": "Server.SpotInstanceTermination: Spot instance termination",
    }
    text = console(embedded, instance)
    assert "ended by SIGTERM" in text
    closed = [{"Name": "spot-instance-request-id", "Values": [found["SpotInstanceRequestId"]]}]
    (asked,) = ec2.describe_spot_instance_requests(Filters=closed)["SpotInstanceRequests"]
    assert (asked["State"], asked["Status"]["Code"]) == ("closed", "instance-terminated-no-capacity")
    ended = in_state(embedded, taken, "terminated")  # its interruption came with the launch
    assert ended["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    assert describe(embedded, plain)["State"]["Name"] == "running"  # on demand: the tag is just a tag
    terminate(embedded, plain)
