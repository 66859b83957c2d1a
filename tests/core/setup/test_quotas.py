"""Quotas that are zero: which of them stop what, and how each is raised."""

from dataclasses import replace

import pytest

from dashboard.core.aws import Account
from dashboard.core.setup import quotas
from dashboard.core.setup.quotas import Zero
from tests.conftest import Embedded
from tests.core.setup.test_setting_up import connected

WORK = Account("work", "eu-west-1", "210987654321", False, True)


def test_only_what_kennel_launches_and_is_zero_is_named() -> None:
    told = [
        {"QuotaName": "ml.g5.xlarge for training job usage", "QuotaCode": "L-1", "Value": 0.0, "Adjustable": True},
        {"QuotaName": "ml.m5.large for training job usage", "QuotaCode": "L-2", "Value": 4.0},
        {"QuotaName": "ml.p5.48xlarge for training job usage", "QuotaCode": "L-3", "Value": 0.0},
    ]
    (found,) = quotas.zeros("sagemaker", told, quotas.asked_of_sagemaker(), 1)
    assert (found.code, found.stops) == ("L-1", "training on ml.g5.xlarge")


@pytest.mark.parametrize(
    ("region", "host"),
    [("eu-west-1", "console.aws.amazon.com"), ("us-gov-west-1", "console.amazonaws-us-gov.com")],
)
def test_it_is_raised_in_the_console_or_from_a_shell(region: str, host: str) -> None:
    zero = Zero("sagemaker", "ml.g5.xlarge for endpoint usage", "L-1FDD5E10", "endpoints on ml.g5.xlarge", 1)
    account = replace(WORK, region=region)
    assert zero.link(account) == f"https://{region}.{host}/servicequotas/home/services/sagemaker/quotas/L-1FDD5E10"
    code = quotas.as_code([zero], account)
    assert f"export AWS_PROFILE=work AWS_REGION={account.region}\n" in code
    assert "--quota-code L-1FDD5E10 --desired-value 1" in code


def test_the_account_is_asked_for_all_of_them(embedded: Embedded) -> None:
    found = quotas.read(connected(embedded))
    assert found.unread == ()
    assert found.looked >= len(quotas.asked_of_sagemaker())
    assert found.zero == ()
