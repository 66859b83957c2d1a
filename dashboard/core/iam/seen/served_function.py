"""What a function names: the endpoint it asks, its log, its network, its key."""

from collections.abc import Mapping
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.iam.least.resources import Resources
from dashboard.core.iam.seen.served_training import key_arn
from dashboard.core.iam.usage import Use


def look(aws: Aws, use: Use, role_arn: str) -> Resources:
    """Raises the errors of `Aws.call`."""
    told = aws.call("lambda", "GetFunctionConfiguration", FunctionName=use.name)
    found = of_function(told, aws.account)
    asked = [arn for value in _values(told) if (arn := _endpoint(aws, value))]
    there = _groups(aws, found.groups)
    return Resources.joined(
        [
            found,
            Resources(endpoints=tuple(asked), new_groups=tuple(group for group in found.groups if group not in there)),
        ]
    )


def of_function(told: Mapping[str, Any], account: Account) -> Resources:
    """Of GetFunctionConfiguration's answer, without what other services have to be asked. Pure."""
    network = told.get("VpcConfig") or {}
    group = (told.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{told['FunctionName']}"
    key = told.get("KMSKeyArn")
    return Resources(
        groups=(group,),
        keys=(key_arn(key, account),) if key else (),
        subnets=tuple(network.get("SubnetIds", ())),
        security_groups=tuple(network.get("SecurityGroupIds", ())),
    )


def _values(told: Mapping[str, Any]) -> list[str]:
    """What its settings say and could be an endpoint's name: under a name that speaks of one."""
    variables = (told.get("Environment") or {}).get("Variables") or {}
    return [str(value) for name, value in variables.items() if "endpoint" in name.lower() and value]


def _endpoint(aws: Aws, name: str) -> str:
    """The ARN of the endpoint of this name, as SageMaker tells it: it may be written otherwise. "" for none.

    Not being allowed to look is no sign that there is none: its usual ARN then.
    """
    if name.startswith("arn:"):
        return name
    try:
        return str(aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointArn"])
    except NotFound:
        return ""
    except AccessDenied:
        account = aws.account
        return f"arn:{account.partition}:sagemaker:{account.region}:{account.account_id}:endpoint/{name.lower()}"


def _groups(aws: Aws, names: tuple[str, ...]) -> frozenset[str]:
    """Which of these log groups are there; all of them where that may not be asked, since most are."""
    try:
        told = [aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=name) for name in names]
    except AccessDenied:
        return frozenset(names)
    return frozenset(group["logGroupName"] for answer in told for group in answer["logGroups"])
