"""A planned launch as texts that do the same: boto3, the SageMaker SDK, the AWS CLI. No text holds a secret."""

from collections.abc import Mapping, Sequence

from dashboard.core.aws import Account
from dashboard.core.runs.as_code_boto3 import boto3_text
from dashboard.core.runs.as_code_cli import cli_text
from dashboard.core.runs.as_code_sdk import sdk_text
from dashboard.core.runs.requests import Call
from dashboard.core.runs.spec import TrainingSpec

BOTO3, SDK, CLI = "boto3", "SageMaker SDK", "AWS CLI"
LANGUAGES = {BOTO3: "python", SDK: "python", CLI: "bash"}
"""What each text is written in, as syntax highlighting names it."""


def texts(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> Mapping[str, str]:
    """By what runs them, in the order to show; EC2 has none for the SageMaker SDK, which starts no instances."""
    found = {BOTO3: boto3_text(spec, name, calls, account)}
    if not spec.is_on_ec2:
        found[SDK] = sdk_text(spec, name, calls, account)
    return found | {CLI: cli_text(spec, name, calls, account)}
