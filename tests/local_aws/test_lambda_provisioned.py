"""Which qualifiers may have environments kept ready: one configuration a version, and no unpublished one."""

from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.services import lambda_provisioned
from local_aws.services.lambda_names import Named

WHICH = Named("us-east-1", "123456789012", "fn")
ALIASES = {
    "live": {"FunctionVersion": "1", "Weights": {}},
    "next": {"FunctionVersion": "1", "Weights": {}},
    "shared": {"FunctionVersion": "2", "Weights": {"1": 0.1}},
    "newest": {"FunctionVersion": "$LATEST", "Weights": {}},
}


def function(*provisioned: str) -> dict[str, Any]:
    kept = {qualifier: {"Count": 1} for qualifier in provisioned}
    return {"Versions": {"1": {}, "2": {}}, "Aliases": ALIASES, "Provisioned": kept}


@pytest.mark.parametrize(
    ("qualifier", "provisioned", "code", "said"),
    [
        ("", (), "InvalidParameterValueException", "unpublished"),
        ("$LATEST", (), "InvalidParameterValueException", "unpublished"),
        ("newest", (), "InvalidParameterValueException", "unpublished"),
        ("none", (), "ResourceNotFoundException", "fn:none"),
        ("shared", (), "InvalidParameterValueException", "Alias with weights can not be used"),
        ("live", ("1",), "ResourceConflictException", "already Provisioned version"),
        ("live", ("next",), "ResourceConflictException", "already Provisioned version"),
        ("1", ("live",), "ResourceConflictException", "pointed by a Provisioned Concurrency alias"),
    ],
)
def test_what_aws_refuses_is_refused(qualifier: str, provisioned: tuple[str, ...], code: str, said: str) -> None:
    with pytest.raises(ServiceError, match=said) as refused:
        lambda_provisioned.check_settable(function(*provisioned), WHICH.at(qualifier))
    assert refused.value.code == code


def test_other_versions_and_one_s_own_are_no_obstacle() -> None:
    lambda_provisioned.check_settable(function("live"), WHICH.at("live"))
    lambda_provisioned.check_settable(function("live"), WHICH.at("2"))


def test_an_alias_that_keeps_some_ready_moves_to_published_versions_that_nothing_else_keeps() -> None:
    lambda_provisioned.check_moved(function("live"), WHICH.at("live"), {"FunctionVersion": "2"})
    lambda_provisioned.check_moved(function(), WHICH.at("live"), {"FunctionVersion": "$LATEST"})
    with pytest.raises(ServiceError, match="unpublished"):
        lambda_provisioned.check_moved(function("live"), WHICH.at("live"), {"FunctionVersion": "$LATEST"})
    with pytest.raises(ServiceError, match="already Provisioned version"):
        lambda_provisioned.check_moved(function("live", "2"), WHICH.at("live"), {"FunctionVersion": "2"})
