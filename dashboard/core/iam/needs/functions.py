"""Lambda. A function is named by its name, its ARN or half of that, and with a qualifier for a version or alias."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from dashboard.core.iam.needs.request import Context, Needs, Request
from dashboard.core.iam.rights import Right

SERVICE = "lambda.amazonaws.com"
_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[\w*.-]+)(?::(?P<qualifier>[$\w*.-]+))?",
    re.ASCII,
)
"""A name, or an ARN of which any part before the name may be left out (API_Invoke, FunctionName)."""

# those whose ARN has the version or alias in it that the request names
_QUALIFIED = """
    Invoke InvokeWithResponseStream GetFunction GetFunctionConfiguration DeleteFunction GetPolicy AddPermission
    RemovePermission CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig DeleteFunctionUrlConfig
    GetProvisionedConcurrencyConfig PutProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig
    GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig
    DeleteFunctionEventInvokeConfig
"""
_PLAIN = """
    CreateFunction UpdateFunctionCode UpdateFunctionConfiguration PublishVersion ListVersionsByFunction CreateAlias
    GetAlias UpdateAlias DeleteAlias ListAliases GetFunctionConcurrency PutFunctionConcurrency
    DeleteFunctionConcurrency ListFunctionUrlConfigs ListProvisionedConcurrencyConfigs ListFunctionEventInvokeConfigs
    GetFunctionCodeSigningConfig GetRuntimeManagementConfig PutRuntimeManagementConfig InvokeAsync
"""
_OF_VERSIONS = (
    "GetProvisionedConcurrencyConfig",
    "PutProvisionedConcurrencyConfig",
    "DeleteProvisionedConcurrencyConfig",
)
_URLS = ("CreateFunctionUrlConfig", "GetFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig")
_ACTIONS = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
_CONTEXTS = {
    "CreateFunction": {
        "lambda:Layer": "Layers",
        "lambda:SubnetIds": "VpcConfig.SubnetIds",
        "lambda:SecurityGroupIds": "VpcConfig.SecurityGroupIds",
        "lambda:CodeSigningConfigArn": "CodeSigningConfigArn",
    },
    "UpdateFunctionConfiguration": {
        "lambda:Layer": "Layers",
        "lambda:SubnetIds": "VpcConfig.SubnetIds",
        "lambda:SecurityGroupIds": "VpcConfig.SecurityGroupIds",
    },
    "AddPermission": {"lambda:Principal": "Principal", "lambda:FunctionUrlAuthType": "FunctionUrlAuthType"},
    "CreateFunctionUrlConfig": {"lambda:FunctionUrlAuthType": "AuthType"},
    "UpdateFunctionUrlConfig": {"lambda:FunctionUrlAuthType": "AuthType"},
}


def _arn(request: Request, qualifier: str = "") -> str:
    """Its ARN, with a version or alias where one is named, in whichever of Lambda's ways a function is named."""
    told = unquote(request.value("FunctionName")) or "*"
    found = _NAME.fullmatch(told)
    if found is None:
        return told if told.startswith("arn:") else request.arn("lambda", f"function:{told}")
    function = request.arn("lambda", f"function:{found['name']}", region=found["region"], account=found["account"])
    qualifier = qualifier or found["qualifier"] or ""
    return f"{function}:{qualifier}" if qualifier else function


def _on_function(request: Request) -> Iterator[Right]:
    yield _function(request, qualified=False)


def _on_version(request: Request) -> Iterator[Right]:
    yield _function(request, qualified=True)


def _function(request: Request, *, qualified: bool = False) -> Right:
    operation = request.operation
    arn = _arn(request, request.value("Qualifier") if qualified else "")
    if operation in _OF_VERSIONS and arn.count(":") == 6:
        arn += ":*"
    context: Context = request.context(_CONTEXTS.get(operation, {}))
    if operation in _URLS:
        context["lambda:FunctionArn"] = (arn,)
    return Right(f"lambda:{_ACTIONS.get(operation, operation)}", arn, context)


def _code(request: Request, at: str) -> Iterator[Right]:
    """Lambda fetches the package with the rights of whoever names it."""
    bucket, key, version = (request.value(at + member) for member in ("S3Bucket", "S3Key", "S3ObjectVersion"))
    if bucket:
        context: Context = {"s3:versionid": (version,)} if version else {}
        action = "s3:GetObjectVersion" if version else "s3:GetObject"
        yield Right(action, f"arn:{request.where.partition}:s3:::{bucket}/{key or '*'}", context)


def _created(request: Request) -> Iterator[Right]:
    made, tags = _function(request), request.tags()
    yield Right(made.action, made.resource, {**made.context, **tags})
    if tags:
        yield Right("lambda:TagResource", made.resource, tags)
    yield from request.passes(request.value("Role"), SERVICE)
    yield from _code(request, "Code.")


def _configured(request: Request) -> Iterator[Right]:
    yield _function(request)
    yield from request.passes(request.value("Role"), SERVICE)


def _updated(request: Request) -> Iterator[Right]:
    yield _function(request)
    yield from _code(request, "")


_SPECIAL: dict[str, Callable[[Request], Iterator[Right]]] = {
    **dict.fromkeys(_QUALIFIED.split(), _on_version),
    **dict.fromkeys(_PLAIN.split(), _on_function),
}

LAMBDA = Needs(
    prefix="lambda",
    base="arn:{partition}:lambda:{region}:{account}:",
    resources={
        "*": "ListFunctions GetAccountSettings ListEventSourceMappings ListLayers ListCodeSigningConfigs",
        "function:{Resource}": "ListTags TagResource UntagResource",
        "event-source-mapping:{UUID}": "GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping",
        "layer:{LayerName}": "PublishLayerVersion",
        "layer:{LayerName}:{VersionNumber}": "GetLayerVersion DeleteLayerVersion",
    },
    special={
        **_SPECIAL,
        "CreateFunction": _created,
        "UpdateFunctionConfiguration": _configured,
        "UpdateFunctionCode": _updated,
    },
)
