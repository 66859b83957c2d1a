"""The access of what runs here, to this server, as their role: training jobs, endpoints' processes, EC2 instances,
Lambda functions.

In AWS a container gets its role's temporary credentials, an instance asks its metadata service for them. Here a job
finds them in its variables, with the address of this server, so that boto3 in it needs no setting; they are made anew
at every start of the server and are never written down. They open what the role's service is for and no more: S3 for
jobs and endpoints; for an instance S3, its logs and metrics, and in EC2 itself; for a function S3, its logs and
metrics, and asking endpoints. Which of that the role's own policy allows is not looked at yet.
"""

import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from local_aws import ACCOUNT
from local_aws.sigv4 import Key

_LETTERS = string.ascii_uppercase + "234567"
_ALL = frozenset({"*"})
_JOB = {"s3": _ALL}
_LOGS = frozenset(
    (
        "CreateLogGroup",
        "CreateLogStream",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "PutLogEvents",
        "PutRetentionPolicy",
    )
)
_METRICS = frozenset({"PutMetricData"})
_FUNCTION = {
    "s3": _ALL,
    "logs": _LOGS,
    "monitoring": _METRICS,
    "sagemaker": frozenset({"InvokeEndpoint"}),
}
_INSTANCE = {
    "s3": _ALL,
    "logs": _LOGS,
    "monitoring": _METRICS,
    "ec2": frozenset({"DescribeInstances", "DescribeTags", "CreateTags", "TerminateInstances"}),
}
"""What an instance may call, by signing name. Logs it writes: those of others, the mails that are kept among them, are
not for it to read or to delete. CreateTags and TerminateInstances: only of itself (EC2 looks at that)."""


@dataclass(frozen=True)
class _Run:
    """What a key was made for. instance: its id; function: its name; both "" for jobs and endpoints."""

    key: Key
    instance: str = ""
    function: str = ""

    def refusal(self, service: str, operation: str) -> str:
        """Why it may not call that, "" when it may. operation "": as far as the service alone decides it."""
        open_to, what = _JOB, "S3"
        if self.instance:
            open_to, what = _INSTANCE, "S3, writing CloudWatch's logs and metrics, and in EC2 itself"
        elif self.function:
            open_to, what = _FUNCTION, "S3, writing CloudWatch's logs and metrics, and asking endpoints"
        allowed = open_to.get(service)
        if allowed and (allowed is _ALL or not operation or operation in allowed):
            return ""
        only = "may call only" if not operation or not allowed else f"may not call {service}:{operation}, only"
        return (
            f"User: {self.key.arn} {only} {what}: the embedded AWS gives no more to what runs on it. Use another key "
            "for this."
        )


class RunKeys:
    """One key a role for jobs and endpoints, one an instance. endpoint_url: this server's address for children."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._by_role: dict[tuple[str, str, str], _Run] = {}
        self._by_id: dict[str, _Run] = {}
        self._lock = threading.Lock()

    def variables(self, role_arn: str, region: str) -> Mapping[str, str]:
        """What boto3 in a run has to find, to work as that role in that region."""
        return self._variables(self._of(role_arn).key, region)

    def of_function(self, role_arn: str, region: str, function: str) -> Mapping[str, str]:
        """The same for a Lambda function, which may do more than a job."""
        return self._variables(self._of(role_arn, function=function).key, region)

    def _variables(self, key: Key, region: str) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.session_token or "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def of_instance(self, role_arn: str, instance_id: str) -> Key:
        """The key with which an instance works as the role of its profile."""
        return self._of(role_arn, instance_id).key

    def forget(self, instance_id: str) -> None:
        """An instance is gone: its keys open nothing any more."""
        with self._lock:
            gone = [what for what in self._by_role if what[1] == instance_id]
            for what in gone:
                del self._by_id[self._by_role.pop(what).key.access_key_id]

    def find(self, access_key_id: str) -> Key | None:
        found = self._by_id.get(access_key_id)
        return found.key if found else None

    def instance_of(self, access_key_id: str) -> str:
        """The id of the instance that a key was made for; "" for any other key."""
        found = self._by_id.get(access_key_id)
        return found.instance if found else ""

    def refusal(self, access_key_id: str, service: str, operation: str = "") -> str:
        """Why a key may not call that service (signing name) or operation; "" when it may, or is none of a run."""
        found = self._by_id.get(access_key_id)
        return found.refusal(service, operation) if found else ""

    def _of(self, role_arn: str, instance_id: str = "", function: str = "") -> _Run:
        with self._lock:
            known = self._by_role.get((role_arn, instance_id, function))
            if known is None:
                role = role_arn.rpartition("/")[2] or "none"
                key = Key(
                    "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
                    secrets.token_urlsafe(30),
                    f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{instance_id or function or 'SageMaker'}",
                    secrets.token_urlsafe(60),
                )
                known = _Run(key, instance_id, function)
                self._by_role[role_arn, instance_id, function] = self._by_id[key.access_key_id] = known
            return known
