"""An instance gets its role's keys from the metadata service, and they open what they are for and no more."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine.instance import namespaces_allowed
from local_aws.engine.metadata import Facts, Metadata, Peer, end_of
from tests.conftest import Embedded
from tests.local_aws.ec2_world import console, in_state, printed, profile, run, terminate
from tests.local_aws.sagemaker_world import bucket, client, unique

needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")
TREE = {"instance-id": "i-1", "placement": {"region": "us-east-1"}, "later": lambda: "made when asked"}


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    asked = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def token(service: Metadata, seconds: str = "60") -> str:
    status, text = ask(f"{service.url}/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=seconds)
    assert status == 200
    return text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_version_two_wants_a_token_and_version_one_is_only_answered_where_it_is_allowed() -> None:
    facts = [Facts(TREE, b"#!/bin/sh", {"region": "us-east-1"})]
    clock = Clock()
    service = Metadata(lambda: facts[0], clock=clock)
    try:
        assert ask(f"{service.url}/latest/meta-data/")[0] == 401
        assert ask(f"{service.url}/latest/meta-data/", X_aws_ec2_metadata_token="made up")[0] == 401
        mine = token(service)

        def get(path: str) -> tuple[int, str]:
            return ask(f"{service.url}/{path}", X_aws_ec2_metadata_token=mine)

        assert get("latest/meta-data/") == (200, "instance-id\nplacement/\nlater")
        assert get("2021-07-15/meta-data/placement/region") == (200, "us-east-1")
        assert get("latest/meta-data/later") == (200, "made when asked")
        assert get("latest/user-data") == (200, "#!/bin/sh")
        assert json.loads(get("latest/dynamic/instance-identity/document")[1]) == {"region": "us-east-1"}
        for nothing in ("latest/meta-data/spot/instance-action", "latest/nothing", "other/meta-data"):
            assert get(nothing)[0] == 404
        clock.now = 61
        assert get("latest/meta-data/")[0] == 401  # the token has expired
        facts[0] = Facts(TREE, tokens_required=False)
        assert ask(f"{service.url}/latest/meta-data/instance-id") == (200, "i-1")
        facts[0] = Facts(TREE, enabled=False)
        assert get("latest/meta-data/")[0] == 403
    finally:
        service.close()


@pytest.mark.parametrize("seconds", ["0", "21601", "-1", "soon", "", "²", "9" * 5000])
def test_a_token_lives_one_second_to_six_hours(seconds: str) -> None:
    service = Metadata(lambda: Facts(TREE))
    try:
        found = ask(f"{service.url}/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=seconds)
        assert found[0] == 400
    finally:
        service.close()


@pytest.mark.parametrize(
    "headers", [{"X_Forwarded_For": "1.2.3.4"}, {"Origin": "http://page"}, {"Host": "page.example:80"}]
)
def test_a_proxy_and_a_web_page_get_nothing(headers: dict[str, str]) -> None:
    service = Metadata(lambda: Facts(TREE, tokens_required=False))
    try:
        ttl = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
        assert ask(f"{service.url}/latest/api/token", "PUT", **headers, **ttl)[0] == 403
        assert ask(f"{service.url}/latest/meta-data/", **headers)[0] == 403
    finally:
        service.close()


def test_who_is_at_the_other_end_of_a_connection(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    row = "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1234        0 1 1\n"
    table.write_text(head + row)
    mapped = "0000000000000000FFFF00000100007F"
    row = f"   1: {mapped}:C351 {mapped}:1F90 01 00000000:00000000 00:00000000 00000000  1235        0 2 1\n"
    (tmp_path / "tcp6").write_text(head + row)
    assert end_of("127.0.0.1", 50000, tmp_path) == Peer(1234, 1)
    assert end_of("127.0.0.1", 50001, tmp_path) == Peer(1235, 2)  # a socket of IPv6 that reached us
    assert end_of("127.0.0.1", 50002, tmp_path) == Peer()
    assert end_of("127.0.0.1", 50000, tmp_path / "nothing") is None


def test_a_process_outside_of_the_instance_gets_nothing() -> None:
    child = subprocess.Popen(["/bin/sleep", "60"])
    first = [os.getpid()]
    service = Metadata(lambda: Facts(TREE, tokens_required=False), process=lambda: first[0])
    try:
        assert ask(f"{service.url}/latest/meta-data/instance-id") == (200, "i-1")
        for first[0] in (child.pid, 0):  # another instance's process asks; the instance is down
            assert ask(f"{service.url}/latest/meta-data/instance-id")[0] == 403
    finally:
        service.close()
        child.kill()
        child.wait()


@pytest.mark.parametrize("length", ["-1", "many", "99999999999"])
def test_a_request_with_a_strange_length_is_answered_at_once(length: str) -> None:
    service = Metadata(lambda: Facts(TREE))
    try:
        with socket.create_connection(service.address, timeout=5) as line:
            head = f"PUT /latest/api/token HTTP/1.1\r\nHost: {service.url[7:]}\r\nContent-Length: {length}\r\n\r\n"
            line.sendall(head.encode())
            assert line.recv(100).startswith(b"HTTP/1.1 400")
    finally:
        service.close()


OTHERS = """
import socket, sys, urllib.request
for line in open("/proc/net/tcp").readlines()[1:]:
    at, state = line.split()[1], line.split()[3]
    if state != "0A" or not at.startswith("0100007F"):
        continue
    url = f"http://127.0.0.1:{int(at[9:], 16)}/latest/meta-data/iam/security-credentials/KennelInstance"
    try:
        text = urllib.request.urlopen(url, timeout=3).read().decode()
    except OSError:
        continue
    print("found", text.count("SecretAccessKey"), flush=True)
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    print("listens to the network")
except PermissionError:
    print("looked")
"""


@needs_namespaces
def test_an_instance_finds_its_own_keys_and_no_other_ones(embedded: Embedded) -> None:
    """Neither at the other's metadata service nor by listening to what goes over the loopback."""
    both = {"IamInstanceProfile": {"Name": profile(embedded)}, "MetadataOptions": {"HttpTokens": "optional"}}
    other = run(embedded, **both)
    instance = run(embedded, f"cat > /tmp/look.py <<'END'\n{OTHERS}\nEND\npython /tmp/look.py", **both)
    text = printed(embedded, instance, "ended")
    assert "looked" in text, text
    assert text.count("found 1") == 1
    terminate(embedded, instance, other)


ASKS = """
import boto3, json, time
from botocore.exceptions import ClientError
told = {{"arn": boto3.Session().get_credentials().method}}
instance = "{other}"
def call(name, service, operation, **params):
    try:
        getattr(boto3.client(service, region_name="us-east-1"), operation)(**params)
        told[name] = "allowed"
    except ClientError as refused:
        told[name] = refused.response["Error"]["Code"] + ": " + refused.response["Error"]["Message"]
call("put", "s3", "put_object", Bucket="{bucket}", Key="{key}", Body=b"from an instance")
call("log", "logs", "create_log_group", logGroupName="/kennel/{key}")
call("metric", "cloudwatch", "put_metric_data", Namespace="Kennel", MetricData=[dict(MetricName="x", Value=1)])
call("see", "ec2", "describe_instances")
call("read metrics", "cloudwatch", "list_metrics")
call("users", "iam", "list_users")
call("jobs", "sagemaker", "list_training_jobs")
call("launch", "ec2", "run_instances", ImageId="ami-1", MinCount=1, MaxCount=1)
call("end another", "ec2", "terminate_instances", InstanceIds=[instance])
print(json.dumps(told), flush=True)
import os, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "/latest/"
ask = urllib.request.Request(base + "api/token", method="PUT", headers={{"X-aws-ec2-metadata-token-ttl-seconds": "60"}})
token = urllib.request.urlopen(ask).read().decode()
own = urllib.request.Request(base + "meta-data/instance-id", headers={{"X-aws-ec2-metadata-token": token}})
call("end itself", "ec2", "terminate_instances", InstanceIds=[urllib.request.urlopen(own).read().decode()])
"""


@needs_namespaces
def test_boto3_in_an_instance_works_as_its_role_and_nowhere_else(embedded: Embedded) -> None:
    name, key, role = bucket(embedded), unique("key"), profile(embedded, unique("Instance"))
    end = {"Action": "ec2:TerminateInstances", "Condition": {"StringEquals": {"aws:ResourceTag/ends": "itself"}}}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"} | end]}
    client(embedded, "iam").put_role_policy(RoleName=role, PolicyName="end", PolicyDocument=json.dumps(document))
    other = run(embedded)
    program = ASKS.format(bucket=name, key=key, other=other)
    instance = run(
        embedded,
        f"env | grep -c AWS_.*KEY; cat > /tmp/ask.py <<'END'\n{program}\nEND\npython /tmp/ask.py",
        IamInstanceProfile={"Name": role},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "ends", "Value": "itself"}]}],
    )
    ended = in_state(embedded, instance, "terminated", 30)
    text = console(embedded, instance)
    told: dict[str, Any] = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    assert told.pop("arn") == "iam-role"
    assert "\n0\n" in text  # no key in its variables
    allowed = {what for what, answer in told.items() if answer == "allowed"}
    assert allowed == {"put", "log", "metric", "see"}
    session = f"arn:aws:sts::123456789012:assumed-role/{role}/{instance}"
    assert f"User: {session} is not authorized to perform: iam:ListUsers" in told["users"]
    assert told["launch"].startswith("UnauthorizedOperation")
    another = f"arn:aws:ec2:us-east-1:123456789012:instance/{other}"
    assert f"perform: ec2:TerminateInstances on resource: {another} because" in told["end another"]
    assert ended["StateReason"]["Code"] == "Client.UserInitiatedShutdown"  # it ended itself, by the API
    client(embedded, "ec2").terminate_instances(InstanceIds=[other])
    assert client(embedded, "s3").get_object(Bucket=name, Key=key)["Body"].read() == b"from an instance"


@needs_namespaces
@pytest.mark.parametrize("trusted", ["sagemaker.amazonaws.com", ""])
def test_a_role_that_ec2_may_not_assume_gives_no_keys(embedded: Embedded, trusted: str) -> None:
    changes = {"IamInstanceProfile": {"Name": profile(embedded, unique("role"), trusted)}} if trusted else {}
    script = (
        "python -c 'import boto3; print(\"keys:\", boto3.Session().get_credentials())'\n"
        "curl -s $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/iam/security-credentials/"
        f"{changes.get('IamInstanceProfile', {}).get('Name', '')}"
    )
    instance = run(embedded, script + "; echo; echo asked", MetadataOptions={"HttpTokens": "optional"}, **changes)
    printed(embedded, instance, "asked")
    text = console(embedded, instance)
    assert "keys: None" in text
    assert ("AssumeRoleUnauthorizedAccess" in text) == bool(trusted)
    client(embedded, "ec2").terminate_instances(InstanceIds=[instance])
    in_state(embedded, instance, "terminated")
