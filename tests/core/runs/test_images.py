"""Our reading of the SDK's table against the SDK itself."""

import json
import subprocess
import sys

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.runs.images import inference_image, training_image

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1", "af-south-1", "ap-east-1", "me-central-1", "cn-north-1",
           "us-gov-west-1", "il-central-1")  # fmt: skip
INSTANCES = ("ml.m5.large", "ml.c5.2xlarge", "ml.g5.xlarge", "ml.p3.2xlarge", "ml.g4dn.xlarge", "ml.t2.medium")
SCRIPT = """
import json, sys, warnings
from sagemaker.core import image_uris
regions, instances = json.loads(sys.argv[1])
print(json.dumps([
    [image_uris.retrieve("pytorch", region, version=version, instance_type=instance, image_scope=scope)
     for scope, version in (("training", "2.10.0"), ("inference", "2.6.0"))]
    for region in regions for instance in instances
]))
"""


@pytest.fixture(scope="module")
def sdk():
    """What the SDK says; in its own process, because importing it costs every later test memory and time."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, json.dumps([REGIONS, INSTANCES])],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    pairs = [(region, instance) for region in REGIONS for instance in INSTANCES]
    return dict(zip(pairs, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("instance", INSTANCES)
def test_the_images_are_those_of_the_sdk(sdk, region, instance):
    assert [training_image(region, instance), inference_image(region, instance)] == sdk[region, instance]


def test_a_region_without_images_is_an_error_in_words():
    with pytest.raises(InvalidInput, match="mars-north-1"):
        training_image("mars-north-1", "ml.m5.large")
