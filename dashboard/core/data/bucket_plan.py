"""Making a bucket safely, and making one safe: planned, confirmed, and looked at once more before anything is sent."""

import ipaddress
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.data.bucket_policy import with_tls
from dashboard.core.data.buckets import BLOCKS, Bucket, Flaw, look
from dashboard.core.errors import AccessDenied, AlreadyExists, InvalidInput, NotFound, Refused

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an")
_MENDS = {
    "PutBucketPolicy": {Flaw.NO_TLS},
    "PutBucketEncryption": {Flaw.PLAIN},
    "PutPublicAccessBlock": {Flaw.PUBLIC, Flaw.OPEN},
    "PutBucketVersioning": {Flaw.UNVERSIONED},
}
SKEW = timedelta(minutes=5)
"""How far AWS's clock and this machine's may be apart."""
MENDED = (Flaw.PUBLIC, Flaw.OPEN, Flaw.PLAIN, Flaw.NO_TLS)
"""What making a bucket safe always does; versions cost, and are kept where a person wants them."""


@dataclass(frozen=True)
class BucketPlan:
    """What will be sent. `before`: the bucket as this was planned from; None for one that is not there yet, which was
    asked for at `since`.
    """

    bucket: str
    calls: tuple[Call, ...]
    order: str
    before: Bucket | None = None
    warnings: tuple[str, ...] = ()
    since: datetime | None = None

    def as_code(self, account: Account) -> str:
        """The same as a program."""
        return code(self.calls, account)


def name_problem(name: str) -> str:
    """Why S3, or TLS, takes no bucket of this name; "" for a good one.

    Source: "General purpose bucket naming rules", S3 User Guide. A dot in it breaks S3's certificate.
    """
    if not 3 <= len(name) <= 63:
        return "a bucket's name has 3 to 63 characters"
    if "." in name:
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            return "with a dot in its name a bucket has no valid TLS certificate"
        return "a bucket's name is no IP address"
    if not _NAME.fullmatch(name):
        return "a bucket's name has small letters, digits and hyphens, and begins and ends with a letter or digit"
    if name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        return "S3 keeps names of this form for itself"
    return ""


def plan_create(account: Account, name: str, token: str, since: datetime, *, is_versioned: bool = False) -> BucketPlan:
    """A new bucket in the account's region, with everything that makes it safe. since: when it was asked for first.

    Raises InvalidInput for its name.
    """
    if why := name_problem(name):
        raise InvalidInput(f'"{name}" is no name for a bucket', why, "choose another one", field="name")
    order = tags.order(token, name, is_versioned)
    where = {} if account.region == "us-east-1" else {"LocationConstraint": account.region}
    made = {"Bucket": name} | ({"CreateBucketConfiguration": where} if where else {})
    marks = {tags.MADE_BY: tags.KENNEL, tags.ORDER: order}
    calls = (
        Call("s3", "CreateBucket", made, f"makes the bucket in {account.region}"),
        Call("s3", "PutBucketTagging", {"Bucket": name, "Tagging": {"TagSet": tags.listed(marks)}}, "marks it"),
        *_safe(account, Bucket(name, policy={}), {Flaw.OPEN, Flaw.PLAIN, Flaw.NO_TLS}),
    )
    return BucketPlan(name, (*calls, *([_versioning(name)] if is_versioned else ())), order, since=since)


def plan_safe(account: Account, bucket: Bucket, token: str, *, is_versioned: bool = False) -> BucketPlan:
    """What takes a bucket's flaws away. What nobody asked for stays: its versions, and the rest of its policy.

    Raises Refused when its policy cannot be read: what is in it would be lost.
    """
    wanted = {flaw for flaw in bucket.flaws if flaw in MENDED}
    if Flaw.NO_TLS in wanted and bucket.policy is None:
        raise Refused(
            f"the bucket {bucket.name} is not changed",
            "its policy cannot be read, and writing a new one would lose what it says",
            "ask for s3:GetBucketPolicy on it",
        )
    calls = list(_safe(account, bucket, wanted))
    if is_versioned and Flaw.UNVERSIONED in bucket.flaws:
        calls.append(_versioning(bucket.name))
    warnings = []
    if Flaw.PUBLIC in wanted:
        warnings.append("Whoever reads it without signing in, a web page too, cannot any more.")
    if Flaw.NO_TLS in wanted:
        warnings.append("Whoever reads it by http:// cannot any more; by https:// everything stays.")
    order = tags.order(token, bucket.name, bucket.flaws, is_versioned)
    return BucketPlan(bucket.name, tuple(calls), order, bucket, tuple(warnings))


def carry_out(aws: Aws, plan: BucketPlan) -> str:
    """Do it; a sentence that says so. Sent a second time it changes nothing more.

    Raises AlreadyExists for a name that somebody has, Refused when the bucket is not as it was planned from, and the
    errors of `Aws.call`; what was done before one of them stays done, and the same plan goes on from there.
    """
    calls = plan.calls
    if plan.before is None:
        _require_new(aws, plan)
    else:
        now = look(aws, plan.bucket)
        if unread := sorted(now.unread.keys() - plan.before.unread.keys()):
            raise Refused(
                f"the bucket {plan.bucket} was not changed",
                f"how it is cannot be read: {now.unread[unread[0]]}",
                "ask for that right, or try again",
            )
        is_ours = not set(plan.before.flaws) <= set(now.flaws)  # a part of it was done before
        if not set(now.flaws) <= set(plan.before.flaws) or (now.policy != plan.before.policy and not is_ours):
            raise Refused(
                f"the bucket {plan.bucket} is not as it was", "somebody changed it meanwhile", "look at it again"
            )
        calls = tuple(call for call in plan.calls if _MENDS[call.operation] & set(now.flaws))
    for call in calls:
        try:
            aws.call(call.service, call.operation, **call.parameters)
        except AlreadyExists as taken:
            if _mark(aws, plan.bucket) != plan.order:  # an answer of ours that was lost is no other bucket
                raise AlreadyExists(
                    f"somebody has a bucket {plan.bucket} already",
                    "a bucket's name is one in all of AWS, whoever's it is",
                    "choose another name",
                ) from taken
    return f"The bucket {plan.bucket} is there, and safe" if plan.before is None else f"{plan.bucket} is safe now"


def _require_new(aws: Aws, plan: BucketPlan) -> None:
    try:
        aws.call("s3", "HeadBucket", Bucket=plan.bucket)
    except (NotFound, AccessDenied):
        return  # what may not be looked at is somebody else's, or not: making it tells
    if _mark(aws, plan.bucket) != plan.order and not _is_bare(aws, plan):
        raise AlreadyExists(f"there is a bucket {plan.bucket} already", "it is this account's", "choose another name")


def _is_bare(aws: Aws, plan: BucketPlan) -> bool:
    """Whether a bucket of this account was made since this one was asked for, and has no tag and no object: it is the
    one that was asked for, and the answer was lost before it could be marked.
    """
    listed = aws.call("s3", "ListBuckets", Prefix=plan.bucket).get("Buckets", [])
    made = {one["Name"]: one["CreationDate"] for one in listed}
    if plan.since is None or plan.bucket not in made or made[plan.bucket] < plan.since - SKEW:
        return False
    try:
        aws.call("s3", "GetBucketTagging", Bucket=plan.bucket)
    except NotFound:
        return not aws.call("s3", "ListObjectsV2", Bucket=plan.bucket, MaxKeys=1).get("Contents")
    return False


def _mark(aws: Aws, bucket: str) -> str:
    try:
        told = aws.call("s3", "GetBucketTagging", Bucket=bucket)
    except (NotFound, AccessDenied):
        return ""
    return tags.as_dict(told.get("TagSet", [])).get(tags.ORDER, "")


def _safe(account: Account, bucket: Bucket, flaws: Collection[Flaw]) -> tuple[Call, ...]:
    name = bucket.name
    found = []
    if Flaw.PLAIN in flaws:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
        rules = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
        found.append(
            Call("s3", "PutBucketEncryption", {"Bucket": name, **rules}, "encrypts what is put there (SSE-S3)")
        )
    if Flaw.NO_TLS in flaws:
        policy = json.dumps(with_tls(bucket.policy or {}, name, account.partition))
        found.append(
            Call("s3", "PutBucketPolicy", {"Bucket": name, "Policy": policy}, "refuses what comes without TLS")
        )
    if {Flaw.PUBLIC, Flaw.OPEN} & set(flaws):  # last: from then on S3 takes no policy that still names everybody
        blocked = {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, True)}
        found.append(Call("s3", "PutPublicAccessBlock", {"Bucket": name, **blocked}, "blocks public access"))
    return tuple(found)


def _versioning(name: str) -> Call:
    asked = {"Bucket": name, "VersioningConfiguration": {"Status": "Enabled"}}
    return Call("s3", "PutBucketVersioning", asked, "keeps what is overwritten or deleted, which S3 charges for")
