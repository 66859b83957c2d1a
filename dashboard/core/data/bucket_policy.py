"""A bucket's policy as far as TLS is concerned: whether it refuses what comes without it, and what does. Pure.

Source: "How can I restrict access to only encrypted (TLS) connections", S3 User Guide, and Security Hub control S3.5.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.core.errors import Refused
from dashboard.core.iam.documents import listed

SID = "KennelTlsOnly"
_EVERYBODY = ("*", {"AWS": "*"}, {"AWS": ["*"]})
MOST = 20_480
"""Bytes that a bucket's policy may have."""


def requires_tls(policy: Mapping[str, Any], bucket: str, partition: str = "aws") -> bool:
    """Whether a statement denies everybody everything in this bucket unless it comes by TLS."""
    return any(_is_tls_only(one, _arns(bucket, partition)) for one in statements(policy))


def with_tls(policy: Mapping[str, Any], bucket: str, partition: str = "aws") -> dict[str, Any]:
    """The policy with that statement; {} is none yet. All other statements stay as they are.

    Raises Refused when it would be longer than S3 takes.
    """
    kept = [one for one in statements(policy) if one.get("Sid") != SID]
    made = {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": list(_arns(bucket, partition)),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    whole = {"Version": policy.get("Version", "2012-10-17"), **policy, "Statement": [*kept, made]}
    if len(json.dumps(whole, separators=(",", ":")).encode()) > MOST:
        raise Refused(
            f"the policy of {bucket} cannot be changed",
            f"with the statement it would have more than the {MOST:,} bytes that S3 takes",
            "shorten it first",
        )
    return whole


def statements(policy: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The statements of a policy, of which one may stand alone."""
    told = policy.get("Statement", [])
    return [told] if isinstance(told, Mapping) else [one for one in told if isinstance(one, Mapping)]


def _is_tls_only(statement: Mapping[str, Any], arns: tuple[str, str]) -> bool:
    condition = statement.get("Condition")
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in _EVERYBODY
        and bool({"s3:*", "*"} & set(listed(statement.get("Action"))))
        and ("*" in listed(statement.get("Resource")) or set(arns) <= set(listed(statement.get("Resource"))))
        and isinstance(condition, Mapping)
        and list(condition) == ["Bool"]  # any other condition beside it would let some through
        and {key.lower(): listed(value) for key, value in condition["Bool"].items()}
        in ({"aws:securetransport": ["false"]}, {"aws:securetransport": [False]})
    )


def _arns(bucket: str, partition: str) -> tuple[str, str]:
    return f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"
