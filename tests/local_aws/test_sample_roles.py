"""The reference projects' roles in the sample account: made whole, once, and left as somebody changed them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local_aws.sample_account import MARKS
from local_aws.sample_roles import FUNCTIONS, OLD, OLD_DAYS, PARTNER, SHARED, SampleRoles
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import client

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    made = start_embedded(tmp_path_factory.mktemp("state"))
    yield made
    stop_embedded(made)


@pytest.fixture(scope="module")
def roles(aws: Embedded) -> SampleRoles:
    made = SampleRoles(lambda name: client(aws, name), ACCOUNT, REGION, MARKS, datetime.now(UTC), "starter")
    assert made.make() == 7
    return made


def attached(aws: Embedded, role: str) -> set[str]:
    told = client(aws, "iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {one["PolicyName"] for one in told}


def test_a_second_time_makes_nothing_and_what_somebody_took_away_stays_away(aws: Embedded, roles: SampleRoles) -> None:
    iam = client(aws, "iam")
    iam.detach_role_policy(RoleName=SHARED, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert roles.make() == 0
    assert attached(aws, SHARED) == {"AmazonSageMakerFullAccess"}


def test_one_that_was_killed_between_role_and_policies_gets_them(aws: Embedded, roles: SampleRoles) -> None:
    iam = client(aws, "iam")
    iam.detach_role_policy(RoleName=OLD, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert roles.make() == 1
    assert attached(aws, OLD) == {"AdministratorAccess"}


def test_the_old_role_is_as_old_as_its_tag_says(aws: Embedded, roles: SampleRoles) -> None:
    iam = client(aws, "iam")
    made = {name: iam.get_role(RoleName=name)["Role"]["CreateDate"] for name in (OLD, PARTNER)}
    assert abs(roles.now - timedelta(days=OLD_DAYS) - made[OLD]) < timedelta(seconds=2)
    assert abs(roles.now - made[PARTNER]) < timedelta(minutes=5)


def test_functions_work_as_the_role_of_theirs(aws: Embedded, roles: SampleRoles) -> None:
    for function, role in FUNCTIONS.items():
        roles._function(function, role)
        roles._function(function, role)
    told = client(aws, "lambda").list_functions()["Functions"]
    assert {one["FunctionName"]: one["Role"] for one in told} == {
        name: roles.arn(role) for name, role in FUNCTIONS.items()
    }
