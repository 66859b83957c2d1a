"""An account with one of everything that a page shows or an action touches, and nothing that takes long to make."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from local_aws.sample_replays import Replays
from local_aws.sample_roles import SHARED, SampleRoles
from tests.conftest import Embedded
from tests.local_aws.lambda_world import package
from tests.local_aws.sagemaker_world import (
    allow,
    channel,
    client,
    create_endpoint,
    role,
    tiny_package,
    training_request,
)

ACCOUNT = "123456789012"
ENDPOINT, SPARE, FUNCTION, DATASET, GROUP, RUNNING, DONE = (
    "starter", "spare", "dogs", "drawn-dogs", "dogs", "goes-on", "project-c-single",
)  # fmt: skip
ROLE = "KennelTraining"
PHOTOS = [f"{split}/{breed}/one.jpg" for split in ("train", "valid", "test") for breed in ("001.Beagle", "002.Poodle")]
MARKS = {"kennel:made-by": "kennel", "kennel:sample": "true"}
TAGS = [{"Key": key, "Value": value} for key, value in MARKS.items()]
KENNELS = {"KennelTraining": "sagemaker", "KennelEndpoint": "sagemaker", "KennelInstance": "ec2"}


@dataclass(frozen=True)
class World:
    """The account behind a running embedded AWS."""

    embedded: Embedded
    folder: Path  # photos on Kennel's own machine

    def client(self, service: str) -> Any:
        return client(self.embedded, service)

    @property
    def zipped(self) -> bytes:
        """The photos as a zip."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as made:
            for name in PHOTOS:
                made.writestr(name, photo())
        return packed.getvalue()

    @property
    def bucket(self) -> str:
        return f"kennel-{ACCOUNT}-{self.embedded.region}"


def fill(embedded: Embedded, folder: Path) -> World:
    """Fill an empty account; takes a few seconds, most of them until its endpoints serve."""
    world = World(embedded, folder / "brought")
    s3, sagemaker, iam = (world.client(name) for name in ("s3", "sagemaker", "iam"))
    s3.create_bucket(Bucket=world.bucket)
    for name, service in KENNELS.items():
        role(embedded, name, f"{service}.amazonaws.com")
        allow(embedded, name)
    iam.create_instance_profile(InstanceProfileName="KennelInstance")
    iam.add_role_to_instance_profile(InstanceProfileName="KennelInstance", RoleName="KennelInstance")
    environment = tiny_package(folder)
    arn = f"arn:aws:iam::{ACCOUNT}:role/KennelEndpoint"
    for name in (ENDPOINT, SPARE):
        create_endpoint(sagemaker, name, environment, role=arn)
        tags = TAGS if name == ENDPOINT else TAGS[:1]
        sagemaker.add_tags(ResourceArn=sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"], Tags=tags)
    roles = SampleRoles(world.client, ACCOUNT, embedded.region, MARKS, datetime.now(UTC), ENDPOINT)
    roles.make()
    Replays(world.client, ACCOUNT, embedded.region, MARKS, datetime.now(UTC)).make()
    _dataset(world)
    sagemaker.create_training_job(**training_request(
        RUNNING, "sleep 900", OutputDataConfig={"S3OutputPath": f"s3://{world.bucket}/runs/"}, Tags=TAGS[:1],
        StoppingCondition={"MaxRuntimeInSeconds": 86_400},
        InputDataConfig=[channel(S3Uri=f"s3://{world.bucket}/datasets/{DATASET}/")],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    ))  # fmt: skip
    _model(world)
    world.client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.12",
        Handler="app.handler",
        Role=roles.arn(SHARED),
        Code={"ZipFile": package(app="def handler(event, context):\n    return 1\n")},
        Environment={"Variables": {"ENDPOINT_NAME": ENDPOINT}},
        Tags=MARKS,
    )
    for name in (ENDPOINT, SPARE):
        until(lambda name=name: _serves(sagemaker, name), f"{name} serves")
    return world


def _dataset(world: World) -> None:
    """Two classes in three splits, of one small photo each; a bucket's object for each."""
    for name in PHOTOS:
        world.client("s3").put_object(Bucket=world.bucket, Key=f"datasets/{DATASET}/{name}", Body=photo())
        (world.folder / name).parent.mkdir(parents=True)
        (world.folder / name).write_bytes(photo())


def photo() -> bytes:
    """A small JPEG."""
    drawn = io.BytesIO()
    Image.new("RGB", (32, 32), (90, 60, 30)).save(drawn, "JPEG")
    return drawn.getvalue()


def _model(world: World) -> None:
    """One version that waits for a decision. Its archive is nothing that could be served."""
    sagemaker = world.client("sagemaker")
    key = f"runs/{DONE}/output/model.tar.gz"
    world.client("s3").put_object(Bucket=world.bucket, Key=key, Body=b"a model")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, Tags=TAGS[:1])
    sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": "kennel/test", "ModelDataUrl": f"s3://{world.bucket}/{key}"}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )


def _serves(sagemaker: Any, name: str) -> bool:
    found = sagemaker.describe_endpoint(EndpointName=name)
    assert found["EndpointStatus"] != "Failed", json.dumps(found, default=str)
    return bool(found["EndpointStatus"] == "InService")


def until(happened: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
