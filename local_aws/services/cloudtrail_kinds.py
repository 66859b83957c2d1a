"""Which calls CloudTrail records, and as what: management events, or data events of a resource type.

Sources: CloudTrail User Guide, "Logging management events" and "Logging data events" (the table of resource types);
S3 User Guide, "Amazon S3 CloudTrail events" (which of its operations are of objects, lists of them among those).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from botocore.model import OperationModel

S3_OBJECT = "AWS::S3::Object"
FUNCTION = "AWS::Lambda::Function"
ENDPOINT = "AWS::SageMaker::Endpoint"
METRIC = "AWS::CloudWatch::Metric"
TOPIC = "AWS::SNS::Topic"

_READS = re.compile(
    r"(Get|List|Describe|Search|Lookup|Head|Simulate|Decode|Query|View|Select|Filter|Check|Preview|Assume|BatchGet|"
    r"BatchDescribe|StartQuery|StartLiveTail|StopQuery|GenerateCredentialReport|GenerateServiceLastAccessed|Test|"
    r"Render|Estimate)"
)
_DATA = {
    "lambda": (FUNCTION, ("Invoke", "InvokeAsync", "InvokeWithResponseStream")),
    "sagemaker-runtime": (ENDPOINT, ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream")),
    "cloudwatch": (METRIC, ("PutMetricData", "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage")),
    "sns": (TOPIC, ("Publish", "PublishBatch")),
}
_S3_LISTS = {
    "ListObjects": "ListObjects",
    "ListObjectsV2": "ListObjects",
    "ListObjectVersions": "ListObjectVersions",
    "ListMultipartUploads": "ListMultipartUploads",
    "HeadBucket": "HeadBucket",
    "DeleteObjects": "DeleteObjects",
}
"""S3's data events that name no key, by what CloudTrail calls them."""
_NEVER = {
    "logs": ("PutLogEvents", "GetLogEvents", "FilterLogEvents", "GetLogRecord", "StartLiveTail"),
    "sagemaker": ("BatchPutMetrics",),
}
"""The data of services for which CloudTrail has no resource type here: nothing records them."""
_ALWAYS = ("AssumeRole",)
"""Reads that the history holds whoever makes them: they say who got a role's keys."""


@dataclass(frozen=True)
class CallKind:
    """What CloudTrail takes a call for. name: as it calls it. resource_type: "" for a management event."""

    name: str
    read_only: bool
    resource_type: str = ""

    @property
    def is_data(self) -> bool:
        return bool(self.resource_type)

    @property
    def tells_answer(self) -> bool:
        """Whether an event holds what was answered: what is read is somebody's data, a parameter's value among it."""
        return not self.is_data and (not self.read_only or self.name in _ALWAYS)

    def is_in_history(self, *, by_root: bool) -> bool:
        """Whether the event history holds it. AWS's own holds root's reads too; the dashboard's polling, which is
        root here, would leave no room for anything else."""
        if self.is_data:
            return False
        return not self.read_only or not by_root or self.name in _ALWAYS


def kind_of(service: str, operation: OperationModel) -> CallKind | None:
    """What a call of a service (botocore's name) is recorded as; None for one that CloudTrail never records."""
    return _kind(service, operation.name, _names_a_key(service, operation))


@lru_cache(maxsize=4096)
def _kind(service: str, operation: str, of_object: bool) -> CallKind | None:
    if operation in _NEVER.get(service, ()):
        return None
    reads = _READS.match(operation) is not None
    if service == "s3" and (of_object or operation in _S3_LISTS):
        return CallKind(_S3_LISTS.get(operation, operation), reads, S3_OBJECT)
    kind, operations = _DATA.get(service, ("", ()))
    return CallKind(operation, reads, kind if operation in operations else "")


def _names_a_key(service: str, operation: OperationModel) -> bool:
    shape = operation.input_shape if service == "s3" else None
    return shape is not None and "Key" in shape.members
