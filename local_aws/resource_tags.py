"""The tags of what a request is about, for the policies that ask for `aws:ResourceTag/…`.

Those of SageMaker's resources, of EC2's, of functions, and of roles, users and policies; others are taken to have none.
Tags of S3's buckets and objects are no such keys (S3 User Guide, "Controlling access to a bucket's objects with tags").
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.protocol import Caller
from local_aws.services.lambda_record import Functions

_IAM_KINDS = {"role": "roles", "user": "users", "policy": "managed_policies"}


class Tagged(Protocol):
    """The part of SageMaker that tells tags. Raises ServiceError for what is not there."""

    def list_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]: ...


class ResourceTags:
    """By ARN; none for what is not there, or stands for several resources."""

    def __init__(self, moto: Moto, sagemaker: Tagged, functions: Functions) -> None:
        self._moto = moto
        self._sagemaker = sagemaker
        self._functions = functions

    def __call__(self, arn: str) -> Mapping[str, str]:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[4] != ACCOUNT:
            return {}
        _, _, service, region, _, resource = parts
        match service:
            case "sagemaker":
                return self._of_sagemaker(arn, region)
            case "ec2":
                return self._of_ec2(region, resource.rpartition("/")[2])
            case "lambda":
                found = self._functions.get(f"{region}/{resource.split(':')[1]}") if ":" in resource else None
                return dict(found["Tags"]) if found else {}
            case "iam":
                return self._of_iam(arn, resource.partition("/")[0])
        return {}

    def _of_sagemaker(self, arn: str, region: str) -> dict[str, str]:
        with suppress(ServiceError):
            told = self._sagemaker.list_tags({"ResourceArn": arn}, Caller(ACCOUNT, region, "", ""))
            return _plain(told["Tags"])
        return {}

    def _of_ec2(self, region: str, name: str) -> dict[str, str]:
        with self._moto.using("ec2") as backends:
            found = backends[ACCOUNT][region].describe_tags(filters={"resource-id": [name]})
            return {one["key"]: one["value"] for one in found}

    def _of_iam(self, arn: str, kind: str) -> dict[str, str]:
        if kind not in _IAM_KINDS:
            return {}
        with self._moto.using("iam") as backends:
            iam = backends[ACCOUNT]["aws"]
            kept = getattr(iam, _IAM_KINDS[kind])
            found = next((one for one in kept.values() if one.arn == arn), None)
            return iam_tags(iam, found) if found is not None else {}


def iam_tags(iam: Any, found: Any) -> dict[str, str]:
    """Those of moto's role, user or policy, which it keeps in three ways."""
    if ":user/" in found.arn:
        return _plain(iam.tagger.list_tags_for_resource(found.arn)["Tags"])
    kept = found.tags or ()
    return _plain(kept.values() if isinstance(kept, Mapping) else kept)


def _plain(tags: Any) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in tags}
