"""The tags that policies ask for, and what requests leave out and IAM knows."""

from pathlib import Path
from typing import Any

import pytest

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.iam_lookup import IamLookup
from local_aws.moto_app import Moto
from local_aws.protocol import Caller
from local_aws.resource_tags import ResourceTags
from local_aws.services.lambda_record import Functions
from local_aws.store import Store
from tests.local_aws.callers import allow, document

TAGS = [{"Key": "team", "Value": "dogs"}]
ENDPOINT = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/a"


class SageMaker:
    def list_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if params["ResourceArn"] != ENDPOINT:
            raise ServiceError("ValidationException", "not there")
        return {"Tags": TAGS}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Moto:
    moto = Moto(tmp_path_factory.mktemp("moto"))
    with moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        limit = iam.create_policy("", "/own/", document(allow("s3:*")), "limit", TAGS)
        iam.create_role("worker", "{}", "/team/", limit.arn, "", TAGS, "3600")
        iam.create_user("us-east-1", "ada", tags=TAGS)
        iam.create_instance_profile("gpu", "/", [], tags=[])
        iam.add_role_to_instance_profile("gpu", "worker")
        iam.create_instance_profile("empty", "/", [], tags=[])
    return moto


@pytest.fixture
def tags(moto: Moto, tmp_path: Path) -> ResourceTags:
    return ResourceTags(moto, SageMaker(), Functions(Store(tmp_path)))


def test_tags_come_from_who_keeps_the_resource(moto: Moto, tags: ResourceTags) -> None:
    with moto.using("ec2", changes=True) as backends:
        group = backends[ACCOUNT]["us-east-1"].create_security_group("web", "d", tags={"team": "dogs"}).id
    for arn in (
        ENDPOINT,
        f"arn:aws:iam::{ACCOUNT}:role/team/worker",
        f"arn:aws:iam::{ACCOUNT}:user/ada",
        f"arn:aws:iam::{ACCOUNT}:policy/own/limit",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group}",
    ):
        assert tags(arn) == {"team": "dogs"}, arn


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        f"{ENDPOINT}-other",
        "arn:aws:sagemaker:us-east-1:444455556666:endpoint/a",
        f"arn:aws:iam::{ACCOUNT}:role/nobody",
        f"arn:aws:iam::{ACCOUNT}:group/all",
        f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none",
        "arn:aws:s3:::bucket/key",
    ],
)
def test_what_is_not_there_has_none(tags: ResourceTags, arn: str) -> None:
    assert tags(arn) == {}


def test_paths_boundaries_and_roles_of_profiles_are_looked_up(moto: Moto) -> None:
    lookup = IamLookup(moto)
    worker = f"arn:aws:iam::{ACCOUNT}:role/team/worker"
    assert lookup.iam_arn("role", "worker") == worker
    assert lookup.boundary("role", "worker") == f"arn:aws:iam::{ACCOUNT}:policy/own/limit"
    assert lookup.boundary("user", "ada") is None
    assert lookup.profile_role("gpu") == worker
    assert lookup.profile_role(f"arn:aws:iam::{ACCOUNT}:instance-profile/gpu") == worker
    assert (lookup.profile_role("empty"), lookup.profile_role("none")) == (None, None)
    assert lookup.iam_arn("user", "nobody") is None
