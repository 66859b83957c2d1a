"""Faults under load: whatever happens to the processes, every request gets an answer or an error, and is counted."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.engine.endpoint import Full, Target
from tests.conftest import Embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import bucket, client, create_endpoint, endpoint, tiny_package, unique, wait_for
from tests.local_aws.test_engine_endpoints import Machine, variant

CLIENTS = 8


@pytest.fixture(scope="module")
def aws(embedded: Embedded) -> Embedded:
    bucket(embedded)
    return embedded


@pytest.fixture
def name(aws: Embedded, tmp_path: Path) -> Iterator[str]:
    """An endpoint with two instances; a test may delete it."""
    sagemaker, made = client(aws, "sagemaker"), unique("endpoint")
    create_endpoint(sagemaker, made, tiny_package(tmp_path), count=2)
    wait_for(sagemaker, made, "InService")
    yield made
    if made in {one["EndpointName"] for one in sagemaker.list_endpoints(NameContains=made)["Endpoints"]}:
        sagemaker.delete_endpoint(EndpointName=made)


def load(aws: Embedded, name: str, body: bytes, each: int, meanwhile: Callable[[], object]) -> Counter[str]:
    """What CLIENTS clients that ask `each` times saw; `meanwhile` is called when the first answers are there."""
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS, read_timeout=20),
    )
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def one() -> None:
        for _ in range(each):
            try:
                runtime.invoke_endpoint(EndpointName=name, Body=body)["Body"].read()
                outcome = "answered"
            except ClientError as error:
                outcome = error.response["Error"]["Code"]
            with lock:
                seen[outcome] += 1

    clients = [threading.Thread(target=one) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    assert eventually(lambda: seen["answered"] >= CLIENTS)
    meanwhile()
    for thread in clients:
        thread.join(30)
    assert not [thread for thread in clients if thread.is_alive()], "none hangs"
    runtime.close()
    assert seen.total() == CLIENTS * each
    return seen


def counted(aws: Embedded, name: str, metric: str) -> float:
    now = time.time()
    found = client(aws, "cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - 3600,
        EndTime=now + 60,
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(float(point["Sum"]) for point in found)


def pid_of(aws: Embedded, name: str) -> int:
    answer = client(aws, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"who")["Body"].read()
    return int(answer.split(b'"pid": ')[1].split(b",")[0])


def test_a_process_killed_under_load_costs_no_request_while_there_is_another(aws: Embedded, name: str) -> None:
    pid = pid_of(aws, name)
    seen = load(aws, name, b"sleep 0.02", 25, lambda: os.kill(pid, signal.SIGKILL))
    assert seen["answered"] == CLIENTS * 25, seen
    assert eventually(lambda: counted(aws, name, "Invocations") == CLIENTS * 25 + 1), "each was counted, and once"
    assert counted(aws, name, "Invocation5XXErrors") == 0
    after = wait_for(client(aws, "sagemaker"), name, "InService")
    assert eventually(
        lambda: (
            client(aws, "sagemaker").describe_endpoint(EndpointName=name)["ProductionVariants"][0][
                "CurrentInstanceCount"
            ]
            == 2
        )
    ), after


def test_deleting_the_endpoint_under_load_answers_everybody(aws: Embedded, name: str) -> None:
    sagemaker = client(aws, "sagemaker")
    seen = load(aws, name, b"sleep 0.05", 20, lambda: sagemaker.delete_endpoint(EndpointName=name))
    assert set(seen) <= {"answered", "ValidationError", "ServiceUnavailable"}, seen
    assert seen["ValidationError"] > 0, "it is not there any more"


def test_a_photo_that_kills_every_process_is_not_sent_on_for_ever(aws: Embedded, name: str) -> None:
    started = time.monotonic()
    with pytest.raises(ClientError) as caught:
        client(aws, "sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"die")
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert time.monotonic() - started < 5
    assert eventually(lambda: counted(aws, name, "Invocation5XXErrors") == 1), "one request, one error"


def test_a_request_that_no_process_takes_is_counted_too(aws: Embedded, tmp_path: Path) -> None:
    with endpoint(aws, tmp_path) as made:
        (tmp_path / "training/serve.py").write_text("raise SystemExit('broken')")
        for body in (b"die", b"x", b"x"):
            with pytest.raises(ClientError, match="ServiceUnavailable"):
                client(aws, "sagemaker-runtime").invoke_endpoint(EndpointName=made, Body=body)
        assert eventually(lambda: counted(aws, made, "Invocation5XXErrors") == 3)
        assert counted(aws, made, "Invocations") == 3


def test_a_full_queue_is_refused_and_not_waited_in(tmp_path: Path) -> None:
    machine = Machine(tmp_path, waiting=3)
    made = machine.up(variant(None, count=2))
    targets = [machine.fleet.target(made.arn) for _ in range(6)]
    ports = Counter(target.port for target in targets if isinstance(target, Target))
    assert sorted(ports.values()) == [3, 3], "requests went where the fewest were"
    with pytest.raises(Full):
        machine.fleet.target(made.arn)
    first = targets[0]
    assert isinstance(first, Target)
    first.done()
    again = machine.fleet.target(made.arn)
    assert isinstance(again, Target)
    assert again.port == first.port
    machine.fleet.close()


def test_a_slow_instance_gets_fewer_requests(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    made = machine.up(variant(None, count=2))
    stuck = machine.fleet.target(made.arn)
    assert isinstance(stuck, Target)
    others = set()
    for _ in range(5):
        target = machine.fleet.target(made.arn)
        assert isinstance(target, Target)
        others.add(target.port)
        target.done()
    assert stuck.port not in others
    machine.fleet.close()
