"""The account's endpoints: list them, look at one."""

from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather
from dashboard.core.serving import variant
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.variant import Pending

__all__ = ["Endpoint", "EndpointStatus", "config", "get_endpoint", "list_endpoints"]


def list_endpoints(aws: Aws, prices: PriceBook, limit: int = 100) -> tuple[Endpoint, ...]:
    """The newest `limit` endpoints, newest first."""
    names: list[str] = []
    for page in aws.pages(
        "sagemaker",
        "ListEndpoints",
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": min(limit, 100)},
    ):
        names += [found["EndpointName"] for found in page["Endpoints"]]
        if len(names) >= limit:
            break

    def look(name: str) -> Endpoint | None:
        try:
            return get_endpoint(aws, prices, name)
        except NotFound:
            return None  # deleted since it was listed

    return tuple(endpoint for endpoint in gather(look, names[:limit]) if endpoint)


def get_endpoint(aws: Aws, prices: PriceBook, name: str) -> Endpoint:
    """One endpoint as it is now. Raises NotFound."""
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    asked = (config(aws, told["EndpointConfigName"]) or {}).get("ProductionVariants", ())
    region = aws.account.region
    variants = variant.read(asked, told.get("ProductionVariants", ()), prices, region)
    first = variants[0] if variants else None
    instances = sum(one.count for one in variants)
    has_answers = instances > 0 or any(one.serverless for one in variants)
    return Endpoint(
        name=told["EndpointName"],
        status=EndpointStatus.of(told["EndpointStatus"], int(has_answers)),
        instance_type=first.instance_type if first else "",
        count=instances,
        model_name=first.model_name if first else "",
        created=told["CreationTime"],
        hourly=variant.together(variants),
        modified=told.get("LastModifiedTime"),
        config_name=told["EndpointConfigName"],
        failure=told.get("FailureReason", ""),
        tags=tags.of_run(aws, told["EndpointArn"]),
        arn=told["EndpointArn"],
        variants=variants,
        pending=_pending(aws, told.get("PendingDeploymentSummary"), prices),
    )


def _pending(aws: Aws, told: dict[str, Any] | None, prices: PriceBook) -> Pending | None:
    """The deployment that goes on, from PendingDeploymentSummary."""
    if not told:
        return None
    asked = (config(aws, told["EndpointConfigName"]) or {}).get("ProductionVariants", ())
    running = told.get("ProductionVariants", ())
    variants = variant.read(asked, running, prices, aws.account.region)
    return Pending(told["EndpointConfigName"], told.get("StartTime"), variants)


def config(aws: Aws, name: str) -> dict[str, Any] | None:
    """An endpoint configuration as DescribeEndpointConfig tells it; None when it was deleted: its endpoint goes on."""
    try:
        return aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
    except NotFound:
        return None
