"""The account's functions: what a list tells, what one has hanging on it, and what of it could not be read."""

import json

import pytest

from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.serving.functions.functions import list_functions, read
from dashboard.core.serving.functions.model import Architecture, FunctionState
from tests.core.serving.functions.lambdas import Lambdas, shaped


@pytest.fixture
def lambdas() -> Lambdas:
    found = Lambdas()
    found.add("dogs", "starter", Architectures=["arm64"])
    found.add("another", "breeds", tags={})
    return found


def test_a_list_says_whose_a_function_is_and_which_endpoint_it_asks(lambdas: Lambdas) -> None:
    lambdas.functions["dogs"]["reserved"] = 5
    another, dogs = list_functions(shaped(lambdas))
    assert (dogs.name, dogs.endpoint, dogs.is_kennels, dogs.reserved) == ("dogs", "starter", True, 5)
    assert (dogs.memory_mb, dogs.architecture, dogs.state) == (256, Architecture.ARM, FunctionState.ACTIVE)
    assert (another.endpoint, another.is_kennels, another.reserved) == ("breeds", False, None)


def test_without_the_right_to_look_closer_functions_are_listed_all_the_same(lambdas: Lambdas) -> None:
    aws = shaped(lambdas)
    aws.answers["lambda GetFunction"] = AccessDenied("not allowed to lambda:GetFunction")
    found = list_functions(aws)
    assert [one.name for one in found] == ["another", "dogs"]
    assert {one.state for one in found} == {FunctionState.UNKNOWN}
    assert not any(one.is_kennels for one in found)  # nobody changes what might be somebody else's


def test_one_that_is_deleted_while_the_list_is_read_is_not_in_it(lambdas: Lambdas) -> None:
    aws = shaped(lambdas)
    aws.answers["lambda GetFunction"] = NotFound("gone")
    assert list_functions(aws) == ()


def test_a_function_is_read_with_all_that_hangs_on_it(lambdas: Lambdas) -> None:
    one = lambdas.functions["dogs"]
    one["provisioned"]["live"] = 2
    one["policy"]["live"] = {
        "a": {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "lambda:InvokeFunction"}
    }
    lambdas._CreateFunctionUrlConfig({"FunctionName": "dogs", "Qualifier": "live", "AuthType": "NONE"})
    found = read(shaped(lambdas), "dogs")
    assert found.live and found.live.version == "1"
    assert (found.qualifiers, found.kept_ready) == (("live", "1"), 2)
    assert found.limits and (found.limits.total, found.limits.unreserved) == (1000, 1000)
    assert [statement.words for statement in found.policy] == ["the account 210987654321 may invoke it"]
    assert found.url and found.url.is_open and found.url.qualifier == "live"
    assert found.unread == ()


def test_a_part_that_is_not_there_is_named_and_the_rest_stands(lambdas: Lambdas) -> None:
    aws = shaped(lambdas)
    del aws.answers["application-autoscaling DescribeScalableTargets"]
    aws.answers["lambda GetPolicy"] = AccessDenied("not allowed to lambda:GetPolicy")
    found = read(aws, "dogs")
    assert [one.what for one in found.unread] == ["auto scaling", "who may invoke"]
    assert found.live is not None


def test_a_function_that_is_not_there_is_said_so(lambdas: Lambdas) -> None:
    with pytest.raises(NotFound):
        read(shaped(lambdas), "cats")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"State": "Active", "LastUpdateStatus": "Successful"}, FunctionState.ACTIVE),
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, FunctionState.UPDATING),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, FunctionState.UPDATE_FAILED),
        ({"State": "Pending"}, FunctionState.PENDING),
        ({"State": "Failed"}, FunctionState.FAILED),
        ({"State": "Inactive"}, FunctionState.INACTIVE),
        ({}, FunctionState.UNKNOWN),
        ({"State": "ActiveNonInvocable"}, FunctionState.UNKNOWN),
    ],
)
def test_how_a_function_stands_in_one_word(told: dict[str, str], state: FunctionState) -> None:
    assert FunctionState.of(told) is state
    assert json.dumps(state.word)
    assert state.is_changing == (state in (FunctionState.UPDATING, FunctionState.PENDING))
