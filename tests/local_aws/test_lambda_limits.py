"""How Lambda's concurrency is shared out: what may be reserved, what must stay for the others."""

from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.services import lambda_limits


def function(key: str, reserved: int | None = None, **provisioned: int) -> dict[str, Any]:
    return {"Key": key, "Reserved": reserved, "Provisioned": {name: {"Count": n} for name, n in provisioned.items()}}


def test_a_reservation_is_taken_from_what_all_share() -> None:
    found = lambda_limits.account(1000, [function("a", 200), function("b"), function("c", 0)])
    assert (found.reserved, found.unreserved, found.shared) == (200, 800, 800)


def test_environments_kept_ready_are_part_of_a_reservation_or_else_set_aside() -> None:
    found = lambda_limits.account(1000, [function("a", 5, live=2), function("b", None, live=3, old=1)])
    assert (found.unreserved, found.shared) == (995, 991)
    assert lambda_limits.provisioned(function("b", None, live=3, old=1), but="live") == 1


def test_a_hundred_stay_for_functions_that_reserve_nothing() -> None:
    found = lambda_limits.account(110, [function("a"), function("b", 5)])
    found.check("a", 5, "ReservedConcurrentExecutions")
    with pytest.raises(ServiceError, match=r"below its minimum value of \[100\]"):
        found.check("a", 6, "ReservedConcurrentExecutions")


def test_what_was_set_aside_may_always_be_given_back() -> None:
    """An account whose limit has fallen since."""
    found = lambda_limits.account(100, [function("a", 50)])
    found.check("a", 20, "ReservedConcurrentExecutions")
    with pytest.raises(ServiceError):
        found.check("a", 51, "ReservedConcurrentExecutions")


def test_an_account_of_ten_can_reserve_nothing() -> None:
    found = lambda_limits.account(10, [])
    with pytest.raises(ServiceError, match=r"minimum value of \[10\]"):
        found.check("a", 1, "ReservedConcurrentExecutions")
    found.check("a", 0, "ReservedConcurrentExecutions")


@pytest.mark.parametrize(
    ("count", "weights", "shares"),
    [
        (3, {}, {"1": 3}),
        (4, {"2": 0.25}, {"1": 3, "2": 1}),
        (2, {"2": 0.1}, {"1": 2, "2": 0}),
        (2, {"2": 1.0}, {"1": 0, "2": 2}),
    ],
)
def test_an_alias_shares_its_environments_out_by_its_weights(
    count: int, weights: dict[str, float], shares: dict[str, int]
) -> None:
    assert lambda_limits.split(count, "1", weights) == shares
