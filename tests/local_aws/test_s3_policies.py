"""Policies of buckets: who is let in and kept out by them, and which are not taken."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded
from tests.local_aws.callers import Caller, allow, session
from tests.local_aws.sagemaker_world import unique


@pytest.fixture
def s3(embedded: Embedded) -> Any:
    return embedded.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    name = unique("policies")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a.txt", Body=b"a")
    yield name
    s3.delete_bucket_policy(Bucket=name)  # the account's root may, whatever it denies
    s3.delete_object(Bucket=name, Key="a.txt")
    s3.delete_bucket(Bucket=name)


def statement(bucket: str, effect: str, action: str, principal: Any = "*", **more: Any) -> str:
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    one = {"Effect": effect, "Principal": principal, "Action": action, "Resource": arns} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


def refused(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_policy_that_asks_for_tls_lets_everybody_who_may_in(s3: Any, bucket: str) -> None:
    policy = statement(bucket, "Deny", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}
    assert s3.get_object(Bucket=bucket, Key="a.txt")["Body"].read() == b"a"


def test_what_a_policy_denies_is_denied_to_all_the_account(embedded: Embedded, s3: Any, bucket: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=statement(bucket, "Deny", "s3:*"))
    with Caller(embedded, session(embedded, allow("s3:*"))) as caller:
        for one in (s3, caller("s3")):
            code, message = refused(one.get_object, Bucket=bucket, Key="a.txt")
            assert code == "AccessDenied"
            assert message.endswith("with an explicit deny in a resource-based policy")
        told = caller("s3").delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a.txt"}]})
        assert [one["Code"] for one in told["Errors"]] == ["AccessDenied"]
        assert refused(caller("s3").delete_bucket_policy, Bucket=bucket)[0] == "AccessDenied"


def test_whom_a_policy_names_needs_none_of_its_own(embedded: Embedded, s3: Any, bucket: str) -> None:
    keys = session(embedded)
    with Caller(embedded, keys) as caller:
        assert refused(caller("s3").get_object, Bucket=bucket, Key="a.txt")[0] == "AccessDenied"
        who = caller("sts").get_caller_identity()["Arn"]
        s3.put_bucket_policy(Bucket=bucket, Policy=statement(bucket, "Allow", "s3:GetObject", {"AWS": who}))
        assert caller("s3").get_object(Bucket=bucket, Key="a.txt")["Body"].read() == b"a"
        assert refused(caller("s3").put_object, Bucket=bucket, Key="b", Body=b"")[0] == "AccessDenied"


def test_a_public_policy_is_taken_only_where_public_access_is_not_blocked(s3: Any, bucket: str) -> None:
    policy = statement(bucket, "Allow", "s3:GetObject")
    code, message = refused(s3.put_bucket_policy, Bucket=bucket, Policy=policy)
    assert (code, "BlockPublicPolicy" in message) == ("AccessDenied", True)
    narrowed = statement(bucket, "Allow", "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    s3.put_bucket_policy(Bucket=bucket, Policy=narrowed)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": True}


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("nonsense", "valid JSON"),
        (statement("another-bucket", "Allow", "s3:GetObject"), "invalid resource"),
        (statement("BUCKET", "Allow", "iam:PassRole"), "invalid action"),
        (json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*")]}), "Principal"),
    ],
)
def test_what_is_no_policy_of_this_bucket_is_not_taken(s3: Any, bucket: str, policy: str, why: str) -> None:
    code, message = refused(s3.put_bucket_policy, Bucket=bucket, Policy=policy.replace("BUCKET", bucket))
    assert code == "MalformedPolicy"
    assert why in message


def test_versions_and_other_owners_of_objects_are_refused_by_name(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    (grant,) = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert (grant["Permission"], grant["Grantee"]["Type"]) == ("FULL_CONTROL", "CanonicalUser")
    code, message = refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert (code, "versioning" in message) == ("NotImplemented", True)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    asked = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    assert refused(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=asked)[0] == "NotImplemented"
