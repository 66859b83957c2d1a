"""A trail that tells what roles do with data, as requests to make: without one, proposals know nothing of objects.

Sources: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"; CloudTrail pricing, 2026: data events cost
0.10 USD for 100,000.
"""

import json
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.iam.own.own_grants import trail_bucket

NAME = "kennel-roles"
DATA = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::SageMaker::Endpoint", "AWS::CloudWatch::Metric")
"""What of the data of services it tells."""


def calls(account: Account) -> tuple[Call, ...]:
    """The requests, in their order. The embedded AWS keeps no bucket policies, and needs none."""
    bucket = trail_bucket(account)
    where = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    made = {"Bucket": bucket} | ({} if account.region == "us-east-1" else where)
    lets_in = {"Bucket": bucket, "Policy": json.dumps(_lets_in(account, bucket))}
    trail = {"Name": NAME, "S3BucketName": bucket}
    chosen = {"TrailName": NAME, "AdvancedEventSelectors": _selectors(account, bucket)}
    opening = (Call("s3", "PutBucketPolicy", lets_in, "lets this trail write into it"),)
    return (
        Call("s3", "CreateBucket", made, "makes the bucket for its files"),
        *(() if account.is_embedded else opening),
        Call("cloudtrail", "CreateTrail", trail, "makes the trail"),
        Call("cloudtrail", "PutEventSelectors", chosen, "tells data events of roles (0.10 USD for 100,000)"),
        Call("cloudtrail", "StartLogging", {"Name": NAME}, "switches it on"),
    )


def _selectors(account: Account, bucket: str) -> list[dict[str, Any]]:
    """Management events, and data events of roles' sessions, without those of the trail's own files."""
    start = f"arn:{account.partition}:sts::{account.account_id}:assumed-role/"
    sessions = {"Field": "userIdentity.arn", "StartsWith": [start]}
    own_files = {"Field": "resources.ARN", "NotStartsWith": [f"arn:{account.partition}:s3:::{bucket}"]}
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    found: list[dict[str, Any]] = [{"Name": "Management", "FieldSelectors": [management]}]
    for kind in DATA:
        fields = [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": [kind]},
            sessions,
            *([own_files] if kind == DATA[0] else []),
        ]
        found.append({"Name": kind, "FieldSelectors": fields})
    return found


def _lets_in(account: Account, bucket: str) -> dict[str, Any]:
    """The bucket's policy: this trail, and no other, may write."""
    here = f"{account.region}:{account.account_id}"
    trail = {"aws:SourceArn": f"arn:{account.partition}:cloudtrail:{here}:trail/{NAME}"}
    service = {"Service": "cloudtrail.amazonaws.com"}
    files = f"arn:{account.partition}:s3:::{bucket}/AWSLogs/{account.account_id}/*"
    owned = {"s3:x-amz-acl": "bucket-owner-full-control"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LooksAtTheBucket",
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:{account.partition}:s3:::{bucket}",
                "Condition": {"StringEquals": trail},
            },
            {
                "Sid": "WritesItsFiles",
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:PutObject",
                "Resource": files,
                "Condition": {"StringEquals": trail | owned},
            },
        ],
    }
