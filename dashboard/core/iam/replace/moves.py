"""What has to be moved when one duty of a shared role gets a role of its own, by Kennel or by whom else, and back.

A function takes another role by its configuration, and each alias by a new version; an endpoint by new models and a new
configuration; an instance by the profile that it is launched with; a job by the role that its request names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AlreadyExists, NotFound, ServiceFault
from dashboard.core.iam.usage import Duty, Use
from dashboard.core.serving.functions.act import settled

ENDPOINT_SECONDS = 1800.0
"""The longest that an endpoint's change to its new models is waited for."""
PAUSE = 1.0
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Move:
    """One thing that is to work as another role. says: what is done, or who has to do what."""

    use: Use
    by_kennel: bool
    says: str


def planned(uses: Sequence[Use], duty: Duty, new_role: str) -> tuple[Move, ...]:
    """What of a role's uses has to be moved for a duty. Jobs that ended need nothing: the next ones are what counts."""
    mine = [one for one in uses if one.duty is duty]
    if duty is Duty.FUNCTION:
        return tuple(Move(one, True, f"the function {one.name} takes the role {new_role}") for one in mine)
    if duty is Duty.ENDPOINT:
        found = [
            Move(one, True, f"the endpoint {one.name} takes new models, which work as {new_role}")
            for one in mine
            if ":endpoint/" in one.arn
        ]
        rest = [one for one in mine if ":endpoint/" not in one.arn]
        return (
            *found,
            *(Move(one, False, f"deploy {one.name} anew as {new_role} when it is next used") for one in rest),
        )
    if not mine:
        return ()
    newest = max(mine, key=lambda one: one.last.timestamp() if one.last else 0.0)
    said = {
        Duty.TRAINING: f"whoever starts training jobs names the role {new_role} in the next one",
        Duty.INSTANCE: f"whoever launches instances names the instance profile {new_role} in the next launch",
        Duty.NOTEBOOK: f"whoever keeps the notebook {newest.name} stops it and gives it the role {new_role}",
    }
    return (Move(newest, False, said[duty]),)


def look(aws: Aws, move: Move, old: str, mark: str) -> Mapping[str, Any]:
    """What a move that Kennel makes is to change: enough to do it, and to take it back. Changes nothing.

    old: the ARN of the role that it has. Raises the errors of `Aws.call`.
    """
    name = move.use.name
    if move.use.duty is Duty.FUNCTION:
        aliases = {
            one["Name"]: one["FunctionVersion"]
            for page in aws.pages("lambda", "ListAliases", FunctionName=name)
            for one in page["Aliases"]
            if one["FunctionVersion"].isdecimal() and _role_of(aws, name, one["FunctionVersion"]) == old
        }
        return {"function": name, "aliases": aliases}
    before = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"]
    config = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=before)
    of = dict.fromkeys(variant["ModelName"] for variant in config["ProductionVariants"])
    roles = {one: aws.call("sagemaker", "DescribeModel", ModelName=one)["ExecutionRoleArn"] for one in of}
    models = {one: named(one, mark) for one, role in roles.items() if role == old}
    return {"endpoint": name, "config": before, "made": named(before, mark) if models else "", "models": models}


def do(aws: Aws, moved: Mapping[str, Any], old: str, new: str, mark: str, *, sleep: Sleep) -> None:
    """Make a move that `look` told of: from the role `old` to `new` (ARNs). Done twice it changes nothing more.

    Raises the errors of `Aws.call`, and ServiceFault when Lambda or SageMaker do not get there.
    """
    if "function" in moved:
        _function(aws, moved, old, new, sleep=sleep)
    else:
        _endpoint(aws, moved, new, mark, sleep=sleep)


def back(aws: Aws, moved: Mapping[str, Any], old: str, new: str, *, sleep: Sleep) -> str:
    """Take a move back as far as it was made and nobody moved it on since; what stays, as a sentence, else ""."""
    if "function" in moved:
        return _function_back(aws, moved, old, new, sleep=sleep)
    return _endpoint_back(aws, moved, sleep=sleep)


def _function(aws: Aws, moved: Mapping[str, Any], old: str, new: str, *, sleep: Sleep) -> None:
    name = moved["function"]
    if aws.call("lambda", "GetFunctionConfiguration", FunctionName=name)["Role"] == old:
        aws.call("lambda", "UpdateFunctionConfiguration", FunctionName=name, Role=new)
        settled(aws, name, sleep=sleep)
    if moved["aliases"]:
        version = aws.call("lambda", "PublishVersion", FunctionName=name)["Version"]
        for alias in moved["aliases"]:
            aws.call("lambda", "UpdateAlias", FunctionName=name, Name=alias, FunctionVersion=version)


def _function_back(aws: Aws, moved: Mapping[str, Any], old: str, new: str, *, sleep: Sleep) -> str:
    name = moved["function"]
    try:
        present = aws.call("lambda", "GetFunctionConfiguration", FunctionName=name)["Role"]
    except NotFound:
        return ""
    for alias, version in moved["aliases"].items():
        now = aws.call("lambda", "GetAlias", FunctionName=name, Name=alias)["FunctionVersion"]
        if now != version and now.isdecimal() and _role_of(aws, name, now) == new:
            aws.call("lambda", "UpdateAlias", FunctionName=name, Name=alias, FunctionVersion=version)
    if present == old:
        return ""
    if present != new:
        return f"the function {name} was given another role by somebody else since, and keeps it"
    aws.call("lambda", "UpdateFunctionConfiguration", FunctionName=name, Role=old)
    settled(aws, name, sleep=sleep)
    return ""


def _endpoint(aws: Aws, moved: Mapping[str, Any], new: str, mark: str, *, sleep: Sleep) -> None:
    if not moved["made"]:
        return
    name = moved["endpoint"]
    for model, made in moved["models"].items():
        _model(aws, aws.call("sagemaker", "DescribeModel", ModelName=model), made, new, mark)
    config = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=moved["config"])
    _config(aws, config, moved["made"], moved["models"], mark)
    if aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"] != moved["made"]:
        aws.call("sagemaker", "UpdateEndpoint", EndpointName=name, EndpointConfigName=moved["made"])
    in_service(aws, name, sleep=sleep)


def _endpoint_back(aws: Aws, moved: Mapping[str, Any], *, sleep: Sleep) -> str:
    name, stays = moved["endpoint"], ""
    try:
        now = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"]
    except NotFound:
        now = ""
    if now and now == moved["made"]:
        in_service(aws, name, sleep=sleep)  # one change of an endpoint at a time
        aws.call("sagemaker", "UpdateEndpoint", EndpointName=name, EndpointConfigName=moved["config"])
        in_service(aws, name, sleep=sleep)
    elif now and now != moved["config"]:
        stays = f"the endpoint {name} was given another configuration by somebody else since, and keeps it"
    if moved["made"]:
        _gone(aws, "DeleteEndpointConfig", EndpointConfigName=moved["made"])
    for made in moved["models"].values():
        _gone(aws, "DeleteModel", ModelName=made)
    return stays


def in_service(aws: Aws, name: str, *, sleep: Sleep, seconds: float = ENDPOINT_SECONDS) -> None:
    """Wait until an endpoint serves. Raises ServiceFault when it fails or takes longer."""
    left = seconds
    while True:
        told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        status = told["EndpointStatus"]
        if status == "InService":
            return
        if status in ("Failed", "UpdateRollbackFailed") or left <= 0:
            why = told.get("FailureReason") or f"it is {status} after {seconds - left:.0f} s"
            raise ServiceFault(f"the endpoint {name} is not in service", why, "see its log")
        sleep(PAUSE)
        left -= PAUSE


def named(name: str, mark: str) -> str:
    """The name of what takes the place of a model or configuration: 63 characters at most."""
    return f"{name[:56].rstrip('-')}-{mark[:6]}"


def _role_of(aws: Aws, function: str, version: str) -> str:
    told = aws.call("lambda", "GetFunctionConfiguration", FunctionName=function, Qualifier=version)
    return str(told["Role"])


def _model(aws: Aws, told: Mapping[str, Any], name: str, role: str, mark: str) -> None:
    """The same model under another name and role."""
    kept = ("PrimaryContainer", "Containers", "InferenceExecutionConfig", "VpcConfig", "EnableNetworkIsolation")
    request = {member: told[member] for member in kept if told.get(member)}
    try:
        aws.call("sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=role, Tags=tags.of_plan(mark), **request)
    except AlreadyExists:
        if aws.call("sagemaker", "DescribeModel", ModelName=name)["ExecutionRoleArn"] != role:
            raise


def _config(aws: Aws, told: Mapping[str, Any], name: str, models: Mapping[str, str], mark: str) -> None:
    """The same configuration with other models."""
    kept = ("DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ShadowProductionVariants", "VpcConfig")
    request = {member: told[member] for member in kept if told.get(member)}
    variants = [
        one | {"ModelName": models.get(one["ModelName"], one["ModelName"])} for one in told["ProductionVariants"]
    ]
    try:
        aws.call(
            "sagemaker",
            "CreateEndpointConfig",
            EndpointConfigName=name,
            ProductionVariants=variants,
            Tags=[*tags.of_plan(mark), {"Key": tags.REPLACES, "Value": told["EndpointConfigName"]}],
            **request,
        )
    except AlreadyExists:
        aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)


def _gone(aws: Aws, operation: str, **parameters: Any) -> None:
    try:
        aws.call("sagemaker", operation, **parameters)
    except NotFound:
        return
