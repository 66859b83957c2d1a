"""Service Quotas: AWS's names, what the account may run, and how a request for more ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.quotas import Quotas
from local_aws.services.service_quotas import ServiceQuotas
from local_aws.store import Store
from tests.conftest import Embedded

CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
STANDARD = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
LARGE = "ml.p4d.24xlarge for training job usage"


@pytest.fixture
def quotas(tmp_path: Path) -> Quotas:
    return Quotas(Store(tmp_path))


@pytest.fixture
def service(tmp_path: Path, quotas: Quotas) -> ServiceQuotas:
    return ServiceQuotas(Store(tmp_path), quotas, now=lambda: 1_800_000_000.0)


def code_of(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    with pytest.raises((ServiceError, ClientError)) as caught:
        call(*args, **params)
    error = caught.value
    return error.code if isinstance(error, ServiceError) else str(error.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("service", "name", "usable"),
    [
        ("sagemaker", "ml.m5.large for training job usage", True),
        ("sagemaker", "ml.m5.large for spot training job usage", True),
        ("sagemaker", "ml.m5.large for endpoint usage", True),
        ("sagemaker", "ml.g5.xlarge for training job usage", True),
        ("sagemaker", LARGE, False),
        ("sagemaker", "ml.p5.48xlarge for spot training job usage", False),
        ("ec2", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", True),
        ("ec2", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", True),
        ("ec2", "Running On-Demand G and VT instances", True),
        ("ec2", "Running On-Demand P instances", False),
        ("ec2", "All P4, P3 and P2 Spot Instance Requests", False),
    ],
)
def test_a_young_account_can_work_but_has_no_large_gpus(service: str, name: str, usable: bool) -> None:
    assert (Quotas().value(service, name, "us-east-1") > 0) is usable


def test_a_name_that_aws_does_not_have() -> None:
    with pytest.raises(KeyError):
        Quotas().value("sagemaker", "ml.m99.large for training job usage", "us-east-1")


@pytest.mark.parametrize(
    ("service", "code", "name"),
    [
        ("sagemaker", "L-611FA074", "ml.m5.large for training job usage"),
        ("sagemaker", "L-29688C85", "ml.m5.large for spot training job usage"),
        ("sagemaker", "L-614B09FD", "ml.m5.large for endpoint usage"),
        ("sagemaker", "L-1928E07B", "ml.g5.xlarge for endpoint usage"),
        ("sagemaker", "L-82E1C851", "ml.p5.48xlarge for training job usage"),
        ("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances"),
        ("ec2", "L-34B43A08", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"),
    ],
)
def test_codes_that_aws_is_known_to_use(service: str, code: str, name: str) -> None:
    found = Quotas().find(service, name)
    assert found is not None
    assert found.code == code


def test_every_code_means_one_quota() -> None:
    for service in ("ec2", "sagemaker"):
        codes = [quota.code for quota in Quotas().all(service)]
        assert len(codes) == len(set(codes)) > 0


def test_a_modest_request_is_granted_at_once_in_that_region_alone(service: ServiceQuotas, quotas: Quotas) -> None:
    asked = service.request_service_quota_increase({**STANDARD, "DesiredValue": 64.0}, CALLER)["RequestedQuota"]
    assert (asked["Status"], asked["QuotaName"]) == (
        "APPROVED",
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    )
    assert service.get_service_quota(STANDARD, CALLER)["Quota"]["Value"] == 64
    assert quotas.value("ec2", asked["QuotaName"], "us-east-1") == 64
    assert quotas.value("ec2", asked["QuotaName"], "eu-west-1") == 32
    assert service.get_aws_default_service_quota(STANDARD, CALLER)["Quota"]["Value"] == 5


def test_a_large_request_opens_a_case_and_changes_nothing(service: ServiceQuotas, quotas: Quotas) -> None:
    large = quotas.find("sagemaker", LARGE)
    assert large is not None
    request = {"ServiceCode": "sagemaker", "QuotaCode": large.code, "DesiredValue": 1.0}
    asked = service.request_service_quota_increase(request, CALLER)["RequestedQuota"]
    assert asked["Status"] == "CASE_OPENED"
    assert asked["CaseId"]
    assert quotas.value("sagemaker", LARGE, "us-east-1") == 0
    assert code_of(service.request_service_quota_increase, request, CALLER) == "ResourceAlreadyExistsException"
    found = service.get_requested_service_quota_change({"RequestId": asked["Id"]}, CALLER)["RequestedQuota"]
    assert found["Status"] == "CASE_OPENED"
    service.request_service_quota_increase({**STANDARD, "DesiredValue": 64.0}, CALLER)
    history = service.list_requested_service_quota_change_history
    assert len(history({}, CALLER)["RequestedQuotas"]) == 2
    assert [one["QuotaCode"] for one in history({"ServiceCode": "sagemaker"}, CALLER)["RequestedQuotas"]] == [
        large.code
    ]
    assert [one["Status"] for one in history({"Status": "APPROVED"}, CALLER)["RequestedQuotas"]] == ["APPROVED"]
    by_quota = service.list_requested_service_quota_change_history_by_quota(STANDARD, CALLER)["RequestedQuotas"]
    assert [one["DesiredValue"] for one in by_quota] == [64.0]
    elsewhere = Caller(CALLER.account, "eu-west-1", CALLER.access_key_id, CALLER.arn)
    assert history({}, elsewhere)["RequestedQuotas"] == []


def test_a_request_that_allows_no_case_is_not_approved(service: ServiceQuotas) -> None:
    request = {**STANDARD, "DesiredValue": 5000.0, "SupportCaseAllowed": False}
    assert service.request_service_quota_increase(request, CALLER)["RequestedQuota"]["Status"] == "NOT_APPROVED"


def test_requests_that_are_refused(service: ServiceQuotas) -> None:
    for request, code in (
        ({**STANDARD, "DesiredValue": 32.0}, "IllegalArgumentException"),
        ({**STANDARD, "DesiredValue": float("nan")}, "IllegalArgumentException"),
        ({**STANDARD, "DesiredValue": float("inf")}, "IllegalArgumentException"),
        ({**STANDARD, "QuotaCode": "L-00000000", "DesiredValue": 99.0}, "NoSuchResourceException"),
        ({"ServiceCode": "lambda", "QuotaCode": "L-00000000", "DesiredValue": 99.0}, "NoSuchResourceException"),
        ({**STANDARD, "DesiredValue": 99.0, "ContextId": "x"}, "IllegalArgumentException"),
    ):
        assert code_of(service.request_service_quota_increase, request, CALLER) == code
    assert code_of(service.get_requested_service_quota_change, {"RequestId": "x"}, CALLER) == "NoSuchResourceException"
    assert (
        code_of(service.list_service_quotas, {"ServiceCode": "ec2", "QuotaAppliedAtLevel": "RESOURCE"}, CALLER)
        == "IllegalArgumentException"
    )


def test_over_the_wire(embedded: Embedded) -> None:
    client = embedded.client("service-quotas")
    assert {one["ServiceCode"] for one in client.list_services()["Services"]} == {"ec2", "lambda", "sagemaker"}
    pages = client.get_paginator("list_service_quotas").paginate(
        ServiceCode="sagemaker", PaginationConfig={"PageSize": 70}
    )
    found = {one["QuotaName"]: one for page in pages for one in page["Quotas"]}
    one = found["ml.m5.large for endpoint usage"]
    assert client.get_service_quota(ServiceCode="sagemaker", QuotaCode=one["QuotaCode"])["Quota"] == one
    asked = client.list_service_quotas(ServiceCode="sagemaker", QuotaCode=one["QuotaCode"])["Quotas"]
    assert asked == [one]
    defaults = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode="sagemaker")
    assert sum(len(page["Quotas"]) for page in defaults) == len(found)
    assert code_of(client.list_service_quotas, ServiceCode="ec2", NextToken="AAAA") == "InvalidPaginationTokenException"
    assert code_of(client.get_service_quota, ServiceCode="ec2", QuotaCode="L-1") == "NoSuchResourceException"
    assert code_of(client.associate_service_quota_template) == "NotImplemented"
    changed = client.request_service_quota_increase(**STANDARD, DesiredValue=40_000)["RequestedQuota"]
    listed = client.list_requested_service_quota_change_history(ServiceCode="ec2")["RequestedQuotas"]
    assert changed["Id"] in [one["Id"] for one in listed]
