"""The sample account's trail: CloudTrail writes down what its roles do, so that proposals have evidence.

Management events, and of the data events those of role sessions only: Kennel's own looking would leave no room.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

TRAIL = "kennel-roles"
DATA = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::SageMaker::Endpoint", "AWS::CloudWatch::Metric")
"""What of the data of services is recorded."""


def make(connect: Callable[[str], Any], account: str, region: str, marks: Mapping[str, str]) -> bool:
    """Make the trail with its bucket, unless it is there and writes; whether it was. Raises botocore's errors."""
    trails, bucket = connect("cloudtrail"), f"kennel-trail-{account}-{region}"
    tags = [{"Key": key, "Value": value} for key, value in marks.items()]
    is_there = any(one["Name"] == TRAIL for one in trails.describe_trails()["trailList"])
    if is_there and trails.get_trail_status(Name=TRAIL)["IsLogging"]:
        return False
    s3 = connect("s3")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    if not is_there:
        trails.create_trail(Name=TRAIL, S3BucketName=bucket, IsMultiRegionTrail=False, TagsList=tags)
    trails.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=_selectors(account, bucket))
    trails.start_logging(Name=TRAIL)
    return True


def _selectors(account: str, bucket: str) -> list[dict[str, Any]]:
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    sessions = {"Field": "userIdentity.arn", "StartsWith": [f"arn:aws:sts::{account}:assumed-role/"]}
    selectors = [{"Name": "what changes the account", "FieldSelectors": [management]}]
    for kind in DATA:
        fields = [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": [kind]},
            sessions,
        ]
        if kind == "AWS::S3::Object":  # or each file of the trail would make the next one longer
            fields.append({"Field": "resources.ARN", "NotStartsWith": [f"arn:aws:s3:::{bucket}"]})
        selectors.append({"Name": f"what roles do: {kind}", "FieldSelectors": fields})
    return selectors
