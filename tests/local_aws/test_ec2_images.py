"""AWS's Deep Learning AMIs: named by SSM, described by EC2, in every region."""

from typing import Any

import boto3
import pytest

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import client

PYTORCH = "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04/latest/ami-id"
BASE = "/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"
LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


def in_region(embedded: Embedded, service: str, region: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=embedded.endpoint_url,
        region_name=region,
        aws_access_key_id=embedded.access_key_id,
        aws_secret_access_key=embedded.secret_access_key,
    )


@pytest.mark.parametrize(
    ("parameter", "name", "architecture"),
    [
        (PYTORCH, "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04)", "x86_64"),
        (BASE, "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04)", "arm64"),
        (LINUX, "al2023-ami-2023", "x86_64"),
    ],
)
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_parameter_names_an_image_that_is_there(
    embedded: Embedded, parameter: str, name: str, architecture: str, region: str
) -> None:
    ssm, ec2 = in_region(embedded, "ssm", region), in_region(embedded, "ec2", region)
    image_id = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    assert image["Name"].startswith(name)
    assert (image["Architecture"], image["State"]) == (architecture, "available")
    ssm.close()
    ec2.close()


def test_the_newest_is_found_by_owner_and_name_as_the_guide_says(embedded: Embedded) -> None:
    name = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04) ????????"
    filters = [{"Name": "name", "Values": [name]}, {"Name": "state", "Values": ["available"]}]
    found = client(embedded, "ec2").describe_images(Owners=["amazon"], Filters=filters)["Images"]
    value = client(embedded, "ssm").get_parameter(Name=PYTORCH)["Parameter"]["Value"]
    assert [image["ImageId"] for image in found] == [value]


def test_each_region_has_ids_of_its_own(embedded: Embedded) -> None:
    there = in_region(embedded, "ssm", "ap-south-1")
    other = there.get_parameter(Name=PYTORCH)["Parameter"]["Value"]
    assert other != client(embedded, "ssm").get_parameter(Name=PYTORCH)["Parameter"]["Value"]
    there.close()
