"""The embedded Pricing API: AWS's shapes over the shipped price book, and nothing that the book does not have."""

import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dashboard.core.costs.prices import PriceBook
from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Caller
from local_aws.services.pricing import Pricing
from tests.conftest import Embedded

US = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
PARIS = Caller("123456789012", "eu-west-3", "AKIA", "arn:aws:iam::123456789012:root")
LINUX = {"tenancy": "Shared", "operatingSystem": "Linux", "preInstalledSw": "NA",
         "licenseModel": "No License required", "capacitystatus": "Used"}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Pricing:
    book = PriceBook.load()
    return Pricing(lambda: book)


def filters(kind: str = "TERM_MATCH", **fields: str) -> list[dict[str, str]]:
    return [{"Type": kind, "Field": field, "Value": value} for field, value in fields.items()]


def ask(service: Pricing, code: str, kind: str = "TERM_MATCH", **fields: str) -> list[dict[str, Any]]:
    told = service.get_products({"ServiceCode": code, "Filters": filters(kind, **fields)}, US)
    return [json.loads(one) for one in told["PriceList"]]


def the_price(product: dict[str, Any]) -> Decimal:
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    return Decimal(dimension["pricePerUnit"]["USD"])


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        ("USE1-Train:ml.c5.2xlarge", "0.408"),
        ("USE1-Host:ml.m5.large", "0.115"),
        ("USE1-Notebk:ml.t3.medium", "0.050"),
        ("EU-Host:ml.p3.2xlarge", "4.131"),
        ("APS3-Train:ml.g5.xlarge", "1.690"),
    ],
)
def test_sagemaker_by_usage_type(service: Pricing, usage: str, dollars: str) -> None:
    (product,) = ask(service, "AmazonSageMaker", usagetype=usage)
    assert the_price(product) == Decimal(dollars)
    assert product["serviceCode"] == "AmazonSageMaker"
    assert product["product"]["attributes"]["usagetype"] == usage
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert (dimension["unit"], dimension["beginRange"], dimension["endRange"]) == ("Hrs", "0", "Inf")
    assert dimension["rateCode"].startswith(f"{product['product']['sku']}.{term['offerTermCode']}.")


def test_ec2_by_what_the_documentation_filters_with(service: Pricing) -> None:
    (product,) = ask(service, "AmazonEC2", instanceType="c5.large", regionCode="us-east-1", **LINUX)
    assert the_price(product) == Decimal("0.085")
    assert product["publicationDate"] == "2026-07-20T00:00:00Z"  # the figure's own day
    (term,) = product["terms"]["OnDemand"].values()
    assert term["effectiveDate"] == "2026-07-20T00:00:00Z"


@pytest.mark.parametrize(
    ("group", "region", "dollars"),
    [
        ("AWS-Lambda-Requests", "us-east-1", "2E-7"),
        ("AWS-Lambda-Duration", "us-east-1", "0.0000166667"),
        ("AWS-Lambda-Duration-ARM", "us-east-1", "0.0000133334"),
        ("AWS-Lambda-Provisioned-Concurrency", "ap-northeast-1", "0.0000053835"),
        ("AWS-Lambda-Duration-Provisioned", "eu-west-1", "0.0000108407"),
    ],
)
def test_lambda_by_group(service: Pricing, group: str, region: str, dollars: str) -> None:
    (product,) = ask(service, "AWSLambda", productFamily="Serverless", group=group, regionCode=region)
    assert the_price(product) == Decimal(dollars)


def test_what_the_book_only_estimates_or_does_not_have_is_no_product(service: Pricing) -> None:
    assert ask(service, "AmazonEC2", instanceType="m5.large", regionCode="eu-west-1", **LINUX) == []
    assert ask(service, "AmazonSageMaker", usagetype="EU-Train:ml.m5.large") == []
    assert ask(service, "AmazonSageMaker", usagetype="USE1-Train:ml.inf1.xlarge") == []


def test_kinds_of_filters(service: Pricing) -> None:
    def types(kind: str, value: str) -> set[str]:
        found = ask(service, "AmazonEC2", kind, instanceType=value)
        return {one["product"]["attributes"]["instanceType"] for one in found}

    assert types("EQUALS", "c5.large") == {"c5.large"}
    assert types("CONTAINS", "c5") == {"c5.large", "c5.xlarge", "c5.2xlarge"}
    assert types("ANY_OF", "c5.large,t2.micro") == {"c5.large", "t2.micro"}
    assert "c5.large" not in types("NONE_OF", "c5.large,t2.micro")
    assert ask(service, "AmazonEC2", colour="red") == []


def test_pages_hold_everything_once(service: Pricing) -> None:
    seen: list[str] = []
    params: dict[str, Any] = {"ServiceCode": "AmazonEC2", "MaxResults": 7}
    while True:
        told = service.get_products(params, US)
        assert len(told["PriceList"]) <= 7
        seen += [json.loads(one)["product"]["sku"] for one in told["PriceList"]]
        if "NextToken" not in told:
            break
        params["NextToken"] = told["NextToken"]
    assert len(seen) == len(set(seen)) > 20


def test_a_token_of_another_question_is_refused(service: Pricing) -> None:
    token = service.get_products({"ServiceCode": "AmazonEC2", "MaxResults": 1}, US)["NextToken"]
    for params in ({"ServiceCode": "AmazonSageMaker", "NextToken": token},
                   {"ServiceCode": "AmazonEC2", "NextToken": "nonsense"}):  # fmt: skip
        with pytest.raises(ServiceError) as refused:
            service.get_products(params, US)
        assert refused.value.code == "InvalidNextTokenException"


def test_services_and_the_values_of_their_attributes(service: Pricing) -> None:
    told = service.describe_services({}, US)
    assert {one["ServiceCode"] for one in told["Services"]} == {"AmazonEC2", "AWSLambda", "AmazonSageMaker"}
    (ec2,) = service.describe_services({"ServiceCode": "AmazonEC2"}, US)["Services"]
    assert {"instanceType", "tenancy", "usagetype", "regionCode"} <= set(ec2["AttributeNames"])
    values = service.get_attribute_values({"ServiceCode": "AmazonEC2", "AttributeName": "instanceType"}, US)
    assert {"Value": "t2.micro"} in values["AttributeValues"]


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("get_products", {"ServiceCode": "AmazonS3"}, "NotFoundException"),
        ("describe_services", {"ServiceCode": "Amazon"}, "NotFoundException"),
        ("get_products", {"ServiceCode": "AmazonEC2", "FormatVersion": "aws_v2"}, "InvalidParameterException"),
        ("get_products", {"ServiceCode": "AmazonEC2", "MaxResults": 101}, "InvalidParameterException"),
        (
            "get_attribute_values",
            {"ServiceCode": "AmazonEC2", "AttributeName": "colour"},
            "InvalidParameterException",
        ),
    ],
)
def test_what_is_refused(service: Pricing, operation: str, params: dict[str, Any], code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        getattr(service, operation)(params, US)
    assert refused.value.code == code


def test_it_is_there_in_three_regions_only(service: Pricing) -> None:
    with pytest.raises(NotThereError, match="eu-central-1"):
        service.describe_services({}, PARIS)


def test_over_the_wire(embedded: Embedded) -> None:
    pricing = embedded.client("pricing")
    told = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters(instanceType="t2.micro", **LINUX))
    assert {json.loads(one)["product"]["attributes"]["regionCode"] for one in told["PriceList"]} == {
        "us-east-1", "eu-west-1", "ap-south-1",
    }  # fmt: skip
    assert told["FormatVersion"] == "aws_v1"
    pages = pricing.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker", PaginationConfig={"PageSize": 10}
    )
    assert sum(len(page["PriceList"]) for page in pages) > 30
    with pytest.raises(ClientError) as missing:
        pricing.list_price_lists(ServiceCode="AmazonEC2", EffectiveDate="2026-11-01", CurrencyCode="USD")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
