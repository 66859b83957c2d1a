"""Sessions of roles: how long they may be, whom they are told to, and what is left of them when they have ended."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws import ACCOUNT, DEFAULT_REGION
from local_aws.authorize import Authority, Circumstances
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.principal import ROOT
from local_aws.protocol import Caller
from local_aws.services.sts import Sts
from local_aws.standing import Standings

OWNER = Caller(ACCOUNT, DEFAULT_REGION, "AKIA", ROOT)


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Moto:
    return Moto(tmp_path_factory.mktemp("moto"))


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sts(moto: Moto, clock: Clock) -> Sts:
    return Sts(moto, Authority(Standings(moto)), clock)


def role(moto: Moto, name: str, longest: int = 3600) -> str:
    """A role that its account may assume, and that may assume others."""
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    documents = [
        json.dumps({"Version": "2012-10-17", "Statement": [allow | more]})
        for more in ({"Principal": {"AWS": ACCOUNT}}, {"Resource": "*"})
    ]
    with moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        made = iam.create_role(name, documents[0], "/", None, "", [], str(longest))
        iam.put_role_policy(name, "own", documents[1])
        return str(made.arn)


def assume(sts: Sts, clock: Clock, arn: str, caller: Caller = OWNER, **more: Any) -> dict[str, Any]:
    asked = {"RoleArn": arn, "RoleSessionName": "s1"} | more
    return sts.assume(asked, caller, Circumstances(clock.now, DEFAULT_REGION))


def as_caller(moto: Moto, given: dict[str, Any]) -> Caller:
    key = moto.find_key(given["Credentials"]["AccessKeyId"])
    assert key is not None
    return Caller(ACCOUNT, DEFAULT_REGION, key.access_key_id, key.arn, key.who)


def test_a_session_is_no_longer_than_its_role_allows(moto: Moto, sts: Sts, clock: Clock) -> None:
    arn = role(moto, "long", 7200)
    given = assume(sts, clock, arn, DurationSeconds=7200)["Credentials"]
    left = given["Expiration"] - datetime.now(UTC)
    assert timedelta(seconds=7190) < left <= timedelta(seconds=7200)
    with pytest.raises(ServiceError, match="exceeds the MaxSessionDuration set for this role"):
        assume(sts, clock, arn, DurationSeconds=7201)


def test_a_session_of_a_session_lasts_an_hour_at_most(moto: Moto, sts: Sts, clock: Clock) -> None:
    """IAM User Guide, "Role chaining"."""
    arn = role(moto, "chained", 7200)
    worker = as_caller(moto, assume(sts, clock, arn))
    assert assume(sts, clock, arn, worker, DurationSeconds=3600)["Credentials"]
    with pytest.raises(ServiceError, match="1 hour session limit for roles assumed by role chaining"):
        assume(sts, clock, arn, worker, DurationSeconds=3601)


def test_a_session_is_told_who_it_is_by_its_roles_id(moto: Moto, sts: Sts, clock: Clock) -> None:
    given = assume(sts, clock, role(moto, "known"))
    told = sts.get_caller_identity({}, as_caller(moto, given))
    assert told["UserId"] == given["AssumedRoleUser"]["AssumedRoleId"]
    assert told["UserId"].startswith("AROA")
    assert told["Arn"] == given["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/known/s1"
    assert sts.get_caller_identity({}, OWNER)["UserId"] == ACCOUNT


def test_what_ended_long_ago_is_forgotten(moto: Moto, sts: Sts, clock: Clock) -> None:
    arn = role(moto, "old")
    given = assume(sts, clock, arn)["Credentials"]["AccessKeyId"]
    for days, kept in ((0.5, True), (2, False)):
        clock.now = datetime.now(UTC) + timedelta(days=days)
        assume(sts, clock, arn)
        assert (moto.find_key(given) is not None) is kept
