"""Requests that must fail: the codes of the errors are what programs depend on, and what differs unseen."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from dashboard.core.aws import Aws
from dashboard.verify.record import Record

GONE = "kennel-verify-not-there"
_PROBES: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("sagemaker", "describe_training_job", {"TrainingJobName": GONE}),
    ("sagemaker", "describe_endpoint", {"EndpointName": GONE}),
    ("sagemaker", "describe_endpoint_config", {"EndpointConfigName": GONE}),
    ("sagemaker", "describe_model", {"ModelName": GONE}),
    ("sagemaker", "describe_notebook_instance", {"NotebookInstanceName": GONE}),
    ("sagemaker", "stop_training_job", {"TrainingJobName": GONE}),
    ("sagemaker", "list_tags", {"ResourceArn": "arn:aws:sagemaker:{region}:{account}:endpoint/" + GONE}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": GONE, "Body": b"x"}),
    ("lambda", "get_function", {"FunctionName": GONE}),
    ("lambda", "get_alias", {"FunctionName": GONE, "Name": "live"}),
    ("iam", "get_role", {"RoleName": GONE}),
    ("iam", "get_role_policy", {"RoleName": GONE, "PolicyName": "x"}),
    ("s3", "head_object", {"Bucket": "{bucket}", "Key": GONE}),
    ("s3", "get_object", {"Bucket": "{bucket}", "Key": GONE}),
    ("logs", "describe_log_streams", {"logGroupName": f"/{GONE}"}),
    ("logs", "get_log_events", {"logGroupName": f"/{GONE}", "logStreamName": "x"}),
    ("cloudformation", "describe_stacks", {"StackName": GONE}),
    ("scheduler", "get_schedule", {"Name": GONE}),
)


def ask(aws: Aws, name: str, record: Record) -> None:
    """Send each and keep the code that it is refused with. name: of the endpoint that was made here."""
    account = aws.account
    given = {"region": account.region, "account": account.account_id, "bucket": account.bucket}
    more = (
        ("sagemaker", "create_endpoint", {"EndpointName": name, "EndpointConfigName": GONE}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": name, "TargetVariant": GONE, "Body": b"x"}),
    )
    for service, operation, parameters in (*_PROBES, *more):
        filled = {key: value.format(**given) if isinstance(value, str) else value for key, value in parameters.items()}
        what = f"{service} {operation}" + (" of what is there" if name in filled.values() else "")
        # botocore's own error: ours tells meanings, and one meaning has many codes
        try:
            getattr(aws.client(service), operation)(**filled)
        except ClientError as refused:
            status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            record.errors[what] = f"{refused.response.get('Error', {}).get('Code', '')} ({status})"
        else:
            record.errors[what] = "answered"
