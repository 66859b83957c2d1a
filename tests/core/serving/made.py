"""Endpoints as core has them, for tests of what is planned and drawn."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dashboard.core.costs.prices import PriceBook
from dashboard.core.serving import variant
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.variant import Variant

BOOK = PriceBook.load()
CREATED = datetime(2026, 11, 21, 12, tzinfo=UTC)
SERVERLESS = {"MemorySizeInMB": 3072, "MaxConcurrency": 5}


def asked(
    name: str = "main", model: str = "dogs", count: int = 1, kind: str = "ml.m5.large", weight: float = 1.0
) -> Any:
    """A member of a configuration's ProductionVariants; without a type it is serverless."""
    machine = {"InstanceType": kind, "InitialInstanceCount": count} if kind else {"ServerlessConfig": SERVERLESS}
    return {"VariantName": name, "ModelName": model, "InitialVariantWeight": weight, **machine}


def variants(*told: Any) -> tuple[Variant, ...]:
    return variant.read(told or (asked(),), (), BOOK, "us-east-1")


def endpoint(
    *told: Any, name: str = "dogs", status: EndpointStatus = EndpointStatus.IN_SERVICE, **more: Any
) -> Endpoint:
    """An endpoint of these variants, made by Kennel."""
    those = variants(*told)
    made = Endpoint(
        name=name,
        status=status,
        instance_type=those[0].instance_type,
        count=sum(one.count for one in those),
        model_name=those[0].model_name,
        created=CREATED,
        hourly=variant.together(those),
        modified=CREATED,
        config_name=f"{name}-config",
        tags={"kennel:made-by": "kennel"},
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}",
        variants=those,
    )
    return replace(made, **more)


HOUR = Decimal("0.115")
