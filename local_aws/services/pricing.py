"""AWS's Pricing API over the shipped price book: SageMaker and EC2 instances, and Lambda, in the book's regions.

Like AWS's it is there in three regions, and has the prices of all. Each price carries the day and the source of its
figure. What the book does not have is no product: an empty list, never a price. It says nothing of bulk files.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from dashboard.core.costs.prices import PriceBook
from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services.pricing_products import EC2, LAMBDA, SAGEMAKER, Product, products

Params = dict[str, Any]

REGIONS = ("ap-south-1", "eu-central-1", "us-east-1")
SERVICES = (EC2, LAMBDA, SAGEMAKER)
FORMAT = "aws_v1"
PAGE = 100


class Pricing(Service):
    """prices: the book to answer from."""

    name = "pricing"
    invalid_code = "InvalidParameterException"

    def __init__(self, prices: Callable[[], PriceBook]) -> None:
        self._listed = cache(lambda: products(prices()))  # the shipped book does not change while this runs

    def describe_services(self, params: Params, caller: Caller) -> Params:
        _here(caller, params)
        codes = [_service(params["ServiceCode"])] if params.get("ServiceCode") else SERVICES
        found = [{"ServiceCode": code, "AttributeNames": self._fields(code)} for code in codes]
        page, token = _page(found, params)
        return {"Services": page, "FormatVersion": FORMAT, **_next(token)}

    def get_attribute_values(self, params: Params, caller: Caller) -> Params:
        _here(caller, params)
        of, field = self._of(_service(params["ServiceCode"])), params["AttributeName"]
        found = sorted({value for one in of if (value := one.value(field)) is not None})
        if not found:
            raise ServiceError("InvalidParameterException", f"{params['ServiceCode']} has no attribute {field}.")
        page, token = _page([{"Value": value} for value in found], params)
        return {"AttributeValues": page, **_next(token)}

    def get_products(self, params: Params, caller: Caller) -> Params:
        _here(caller, params)
        filters = params.get("Filters") or ()
        found = [one for one in self._of(_service(params["ServiceCode"])) if all(_fits(one, want) for want in filters)]
        page, token = _page(sorted(found, key=lambda one: one.sku), params)
        listed = [json.dumps(one.document(), separators=(",", ":")) for one in page]
        return {"FormatVersion": FORMAT, "PriceList": listed, **_next(token)}

    def _of(self, service: str) -> list[Product]:
        return [one for one in self._listed() if one.service == service]

    def _fields(self, service: str) -> list[str]:
        names = {name for one in self._of(service) for name in one.attributes}
        return sorted(names | {"productFamily"})


def _here(caller: Caller, params: Params) -> None:
    if caller.region not in REGIONS:
        raise NotThereError(f"The Pricing API in {caller.region} (AWS has it in {', '.join(REGIONS)}, for all regions)")
    version = params.get("FormatVersion")
    if version and version != FORMAT:
        raise ServiceError("InvalidParameterException", f"FormatVersion {version} is not known. Use {FORMAT}.")


def _service(code: str) -> str:
    if code not in SERVICES:
        known = ", ".join(SERVICES)
        raise ServiceError("NotFoundException", f"No prices of {code}: the embedded AWS has those of {known}.")
    return code


def _fits(product: Product, want: Mapping[str, str]) -> bool:
    value, wanted = product.value(want["Field"]), want["Value"]
    match want["Type"]:
        case "TERM_MATCH" | "EQUALS":
            return value == wanted
        case "CONTAINS":
            return value is not None and wanted in value
        case "ANY_OF":
            return value in wanted.split(",")
        case "NONE_OF":
            return value not in wanted.split(",")
        case other:
            raise ServiceError("InvalidParameterException", f"A filter of type {other} is not known.")


def _page(found: Sequence[Any], params: Params) -> tuple[Sequence[Any], str | None]:
    """At most MaxResults of what was found, from where NextToken says. A token belongs to its own question."""
    asked = {key: value for key, value in params.items() if key not in ("NextToken", "MaxResults")}
    mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    first, most = 0, params.get("MaxResults") or PAGE
    if not 1 <= most <= PAGE:
        raise ServiceError("InvalidParameterException", f"MaxResults is {most}; it is 1 to {PAGE}.")
    if params.get("NextToken"):
        try:
            told, place = base64.b64decode(params["NextToken"], validate=True).decode().split(":")
            first = int(place)
        except ValueError:
            told = ""
        if told != mark or first < 0:
            raise ServiceError("InvalidNextTokenException", "The token is not one of this request.")
    last = first + most
    token = base64.b64encode(f"{mark}:{last}".encode()).decode() if last < len(found) else None
    return found[first:last], token


def _next(token: str | None) -> Params:
    return {"NextToken": token} if token else {}
