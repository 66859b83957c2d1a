"""Plans of endpoints on the embedded AWS: an update goes over, one is taken back, and deleting leaves nothing."""

import io
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.serving import live
from dashboard.core.serving.delete import delete_endpoint, plan_delete
from dashboard.core.serving.endpoints import get_endpoint
from dashboard.core.serving.logs import endpoint_group, newest
from dashboard.core.serving.rollout import Guard, Rollout, Shift
from dashboard.core.serving.source import Source
from dashboard.core.serving.span import Span
from dashboard.core.serving.update import Change, Kind, UpdatePlan, plan_update, update
from dashboard.core.serving.weights import Share, plan_weights, set_weights
from dashboard.readings import now
from tests.core.serving.made import BOOK
from tests.local_aws.sagemaker_world import role, tiny_package
from tests.local_aws.scaling_world import ScalingWorld, scaling_world

OWN = "kennel-123456789012-us-east-1"
MODEL = Source(f"s3://{OWN}/models/other/model.tar.gz", "other")
MADE = [{"Key": "kennel:made-by", "Value": "kennel"}]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScalingWorld, Aws, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("endpoints")
    with scaling_world(folder, scale=60) as made:
        aws = connect({"KENNEL_HOME": str(folder)})
        role(made.aws, "KennelEndpoint")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz"):
            pass
        buckets = [one["Name"] for one in aws.call("s3", "ListBuckets")["Buckets"]]
        if OWN not in buckets:
            aws.call("s3", "CreateBucket", Bucket=OWN)
        aws.call("s3", "PutObject", Bucket=OWN, Key="models/other/model.tar.gz", Body=archive.getvalue())
        one = get_endpoint(aws, BOOK, made.endpoint)
        for kind, name in (("endpoint", one.name), ("endpoint-config", one.config_name), ("model", one.model_name)):
            arn = f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name}"
            aws.call("sagemaker", "AddTags", ResourceArn=arn, Tags=MADE)
        yield made, aws, tiny_package(Path(folder) / "code")


def planned(aws: Aws, name: str, environment: dict[str, str], rollout: Rollout, token: str) -> UpdatePlan:
    """A plan whose new model is the tiny server."""
    one = get_endpoint(aws, BOOK, name)
    plan = plan_update(aws, one, Change(Kind.REPLACE, one.variants[0].name, MODEL), rollout, prices=BOOK, token=token)
    model, *rest = plan.calls
    container = {**model.parameters["PrimaryContainer"], "Environment": environment}
    return replace(plan, calls=(replace(model, parameters={**model.parameters, "PrimaryContainer": container}), *rest))


def settled(aws: Aws, name: str, seconds: float = 60):
    end = time.monotonic() + seconds
    while (one := get_endpoint(aws, BOOK, name)).status.is_changing:
        assert time.monotonic() < end, f"{one.status}: {one.pending}"
        time.sleep(0.05)
    return one


def test_an_endpoint_is_updated_taken_back_shared_anew_and_deleted_without_a_rest(world):
    fleet, aws, environment = world
    name = fleet.endpoint
    first = get_endpoint(aws, BOOK, name)

    good = planned(aws, name, environment, Rollout(Shift.CANARY, 50, 60, 0, guard=Guard(1)), "good")
    update(aws, good)
    update(aws, good)  # a second click
    going = get_endpoint(aws, BOOK, name)
    assert going.status.is_serving
    assert going.pending is not None
    assert going.pending.config == good.config_name
    second = settled(aws, name)
    assert (second.config_name, second.failure) == (good.config_name, "")
    assert second.model_name != first.model_name

    bad = planned(aws, name, environment, Rollout(keep=1200, guard=Guard(1)), "bad")
    update(aws, bad)
    end = time.monotonic() + 60
    while get_endpoint(aws, BOOK, name).status.is_changing and time.monotonic() < end:
        assert fleet.ask(20, 0.5, b"fail")[1] > 0, "errors are what takes it back"
    third = settled(aws, name)
    assert third.config_name == good.config_name
    assert f"kennel-{name}/" in third.failure
    answered, refused = fleet.ask(20, 0.5)
    assert (refused, answered) == (0, 10)

    shared = plan_weights(third, {third.variants[0].name: Share(2, 2)}, account=aws.account, prices=BOOK)
    set_weights(aws, shared)
    assert settled(aws, name).count == 2
    end = time.monotonic() + 30
    while True:  # the metrics of a second are written when it is over
        seen = live.read(aws, third, Span.QUARTER, now())[third.variants[0].name]
        if seen.requests >= 30 or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert seen.requests >= 30
    assert seen.errors >= 1
    assert seen.latency("p99") > 0
    assert newest(aws, endpoint_group(name))

    fleet.register(1, 3)
    plan = plan_delete(aws, BOOK, name)
    assert set(plan.earlier) == {first.config_name, bad.config_name}
    assert len(plan.models) == 3
    assert [target.variant for target in plan.targets] == [third.variants[0].name]
    assert plan.alarms == (f"kennel-{name}/{third.variants[0].name}/5xx",)
    assert plan.kept == ()
    delete_endpoint(aws, plan)
    for operation, member in (("ListModels", "Models"), ("ListEndpointConfigs", "EndpointConfigs")):
        assert aws.call("sagemaker", operation)[member] == []
    assert aws.call("cloudwatch", "DescribeAlarms")["MetricAlarms"] == []
