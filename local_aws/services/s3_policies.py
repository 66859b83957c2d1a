"""The policies of buckets: kept, judged for callers of this account, and kept from making a bucket public.

Whoever is not of this account cannot come here at all: what a public policy would open to everybody is said of it, and
opens the bucket to the account's own users and roles. Sources: S3 User Guide, "Blocking public access" ("The meaning of
public") and "Policies and permissions in Amazon S3"; Amazon S3 API Reference, PutBucketPolicy.
"""

import json
from collections.abc import Mapping
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError, listed
from dashboard.core.iam.rights import Right
from local_aws.authorize import Context
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.resource_policy import Entry, entry
from local_aws.services.s3_base import check_params
from local_aws.services.s3_settings import Settings

LARGEST = 20 * 1024  # bytes
_ARN = "arn:aws:s3:::"
_OWNERS = ("s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy")
"""What the account's root user may always do, whatever the policy denies: else nobody could mend it."""
_NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Context keys that keep a statement for everybody from being public, where they have a fixed value."""

Params = dict[str, Any]


class Policies(Settings):
    """Operations on them, and what they say of a caller."""

    def get_bucket_policy(self, params: Params, caller: Caller) -> Params:
        return {"Policy": self.setting(params, "policy", "NoSuchBucketPolicy", "The bucket policy does not exist")}

    def put_bucket_policy(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        bucket, text = params["Bucket"], params["Policy"]
        settings = self.index.bucket(bucket).settings
        document = _checked(text, bucket)
        if settings.get("public_access_block", {}).get("BlockPublicPolicy") and is_public(document):
            raise ServiceError(
                "AccessDenied",
                f'User: {caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "{_ARN}{bucket}" '
                "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
                403,
            )
        self.index.change_setting(bucket, "policy", text)
        return {}

    def delete_bucket_policy(self, params: Params, caller: Caller) -> Params:
        return self.unset(params, "policy")

    def get_bucket_policy_status(self, params: Params, caller: Caller) -> Params:
        text = self.setting(params, "policy", "NoSuchBucketPolicy", "The bucket policy does not exist")
        return {"PolicyStatus": {"IsPublic": is_public(json.loads(text))}}

    # judged

    @property
    def have_policies(self) -> bool:
        """Whether any bucket has one: the account's root user too is denied what a policy denies."""
        return self.index.has_setting("policy")

    def excuses(self, caller: Caller, right: Right) -> tuple[str, ...]:
        """The layers of a caller's own policies that need not allow a right, by the policy of the bucket."""
        return self._entry(caller, right, right.context).excuses

    def denial(self, caller: Caller, right: Right, context: Context) -> str:
        """The end of AWS's sentence where the bucket's policy denies it; "" where it does not."""
        if not caller.who.is_limited and right.action in _OWNERS:
            return ""
        denied = self._entry(caller, right, {**context, **right.context}) is Entry.DENIED
        return "with an explicit deny in a resource-based policy" if denied else ""

    def _entry(self, caller: Caller, right: Right, context: Context) -> Entry:
        bucket = right.resource.removeprefix(_ARN).partition("/")[0]
        if bucket == right.resource:
            return Entry.NONE
        try:
            text = self.index.bucket(bucket).settings.get("policy")
        except ServiceError:
            return Entry.NONE
        if not text:
            return Entry.NONE
        return entry(json.loads(text), caller.who, right.action, right.resource, context)


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether a bucket's policy lets everybody in: an Allow for all principals without a condition on who they are."""
    return any(_lets_all_in(one) for one in listed(document.get("Statement")))


def _lets_all_in(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    named = listed(principal.get("AWS")) if isinstance(principal, Mapping) else [principal]
    if "*" not in named:
        return False
    for operator, keys in statement.get("Condition", {}).items():
        if "Not" in operator or operator.endswith("IfExists") or operator == "Null":
            continue
        for key, values in keys.items():
            fixed = not any("*" in str(one) or "${" in str(one) or str(one) == "0.0.0.0/0" for one in listed(values))
            if key.lower() in _NARROWING and fixed:
                return False
    return True


def _checked(text: str, bucket: str) -> dict[str, Any]:
    """The document. Raises ServiceError MalformedPolicy, PolicyTooLarge."""
    if len(text.encode()) > LARGEST:
        raise ServiceError("PolicyTooLarge", f"The bucket policy is larger than {LARGEST} bytes.")
    try:
        document = json.loads(text)
        Policy.parse(document, "bucket policy")
    except (ValueError, RecursionError, PolicyError) as wrong:
        raise ServiceError(
            "MalformedPolicy", f"Policies must be valid JSON and the first byte must be '{{': {wrong}"
        ) from wrong
    found: dict[str, Any] = document
    for one in listed(found.get("Statement")):
        if "Principal" not in one and "NotPrincipal" not in one:
            raise ServiceError("MalformedPolicy", "Missing required field Principal")
        resources = listed(one.get("Resource", one.get("NotResource")))
        if not resources:
            raise ServiceError("MalformedPolicy", "Missing required field Resource")
        for resource in resources:
            if str(resource).removeprefix(_ARN).partition("/")[0] != bucket:
                raise ServiceError("MalformedPolicy", "Policy has invalid resource")
        for action in listed(one.get("Action", one.get("NotAction"))):
            if action != "*" and not str(action).lower().startswith("s3:"):
                raise ServiceError("MalformedPolicy", "Policy has invalid action")
    return found
