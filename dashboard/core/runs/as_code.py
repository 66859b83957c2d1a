"""A planned launch as texts that do the same: boto3, the SageMaker SDK, the AWS CLI. No text holds a secret."""

from collections.abc import Mapping, Sequence

from dashboard.core.aws import Account
from dashboard.core.runs.as_code_boto3 import boto3_text
from dashboard.core.runs.requests import Call
from dashboard.core.runs.spec import TrainingSpec

BOTO3, SDK, CLI = "boto3", "SageMaker SDK", "AWS CLI"


def texts(spec: TrainingSpec, calls: Sequence[Call], account: Account) -> Mapping[str, str]:
    """By what runs them, in the order to show; EC2 has none for the SageMaker SDK, which starts no instances."""
    return {BOTO3: boto3_text(spec, calls, account)}
