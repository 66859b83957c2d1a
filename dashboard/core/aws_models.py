"""botocore's own tables, read once for all connections: the models of its services, and the regions that AWS has."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownRegionError
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver
from botocore.utils import parse_timestamp


def prepared(session: botocore.session.Session) -> botocore.session.Session:
    """Models that are parsed once, and times in UTC: a list of runs holds a dozen times for each."""
    session.register_component("data_loader", models())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


def _moment(told: Any) -> datetime:
    """A time as an answer holds it. botocore looks up this machine's zone for each, which is most of reading a list."""
    if isinstance(told, (int, float)):
        return datetime.fromtimestamp(told, UTC)
    moment: datetime = parse_timestamp(told)
    return moment


@cache
def models() -> Any:
    """botocore's service models: megabytes of JSON, parsed once for all connections."""
    return create_loader()


@cache
def endpoints() -> EndpointResolver:
    return EndpointResolver(models().load_data("endpoints"))


def client_region(service: str, region: str) -> str:
    """Where a service is asked for a region: the Pricing API knows all regions' prices, and is there in three."""
    if service != "pricing":
        return region
    near = {"ap": "ap-south-1", "eu": "eu-central-1", "me": "eu-central-1", "af": "eu-central-1", "il": "eu-central-1"}
    return near.get(region.partition("-")[0], "us-east-1")


def sagemaker_regions(near: str) -> tuple[str, ...]:
    """The regions that SageMaker is in, as boto3 knows them, of the partition that a region is in (aws, aws-cn, …)."""
    resolver = endpoints()
    try:
        partition = resolver.get_partition_for_region(near)
    except UnknownRegionError:
        return ()
    return tuple(sorted(resolver.get_available_endpoints("api.sagemaker", partition)))


def partition_regions(near: str) -> tuple[str, ...]:
    """All regions that boto3 knows of the partition that a region is in; of "aws" where it knows no such region."""
    resolver = endpoints()
    try:
        partition = resolver.get_partition_for_region(near)
    except UnknownRegionError:
        partition = "aws"
    return tuple(sorted(resolver.get_available_endpoints("ec2", partition)))


def known_regions() -> frozenset[str]:
    """Every region that boto3 knows, of all partitions."""
    resolver = endpoints()
    return frozenset(
        region
        for partition in resolver.get_available_partitions()
        for region in resolver.get_available_endpoints("ec2", partition)
    )
