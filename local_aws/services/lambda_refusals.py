"""What Lambda can do and the embedded AWS cannot, refused by name; and what Lambda itself refuses in a function.

Python runs, whichever of Lambda's Pythons was asked for, on the one that runs this server; both architectures run on
this machine's own. A VPC's subnets and groups are looked at and kept: this machine's network stays what it is.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.lambda_names import invalid
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse

LEAST_MEMORY, MOST_MEMORY = 128, 10_240  # MB
MOST_TIMEOUT = 900  # seconds
EPHEMERAL = 512  # MB
MOST_VARIABLES = 4096  # bytes of all names and values, as JSON
RUNTIME = re.compile(r"python3\.(9|1[0-9])")
_HANDLER = re.compile(r"[A-Za-z_][\w/-]*(\.[A-Za-z_][\w-]*)+")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    )
)
"""Lambda's reserved variables (Developer Guide, "Defined runtime environment variables")."""

FUNCTION = (
    Refusal("PackageType", "container images", other_than("Zip")),
    Refusal("Code.ImageUri", "container images"),
    Refusal("ImageUri", "container images"),
    Refusal("ImageConfig", "container images"),
    Refusal("Code.S3ObjectVersion", "one version of an object as a package"),
    Refusal("S3ObjectVersion", "one version of an object as a package"),
    Refusal("Code.S3ObjectStorageMode", "packages that stay in S3", other_than("COPY")),
    Refusal("S3ObjectStorageMode", "packages that stay in S3", other_than("COPY")),
    Refusal("Code.SourceKMSKeyArn", "encryption with a KMS key"),
    Refusal("SourceKMSKeyArn", "encryption with a KMS key"),
    Refusal("KMSKeyArn", "encryption with a KMS key"),
    Refusal("PublishTo", "publishing to another place than a version"),
    Refusal("DeadLetterConfig.TargetArn", "dead-letter queues"),
    Refusal("TracingConfig.Mode", "X-Ray's tracing", other_than("PassThrough")),
    Refusal("Layers", "layers"),
    Refusal("FileSystemConfigs", "file systems"),
    Refusal("CodeSigningConfigArn", "code signing"),
    Refusal("EphemeralStorage.Size", "another /tmp than 512 MB", other_than(EPHEMERAL)),
    Refusal("SnapStart.ApplyOn", "SnapStart", other_than("None")),
    Refusal("LoggingConfig.LogFormat", "logs as JSON", other_than("Text")),
    Refusal("LoggingConfig.ApplicationLogLevel", "log levels"),
    Refusal("LoggingConfig.SystemLogLevel", "log levels"),
    Refusal("TenancyConfig", "tenants"),
    Refusal("CapacityProviderConfig", "capacity providers"),
    Refusal("DurableConfig", "durable functions"),
    Refusal("RuntimeConfig", "runtimes of one's own"),
    Refusal("AcceleratorConfig", "accelerators"),
    Refusal("VpcConfig.Ipv6AllowedForDualStack", "IPv6"),
    Refusal("Runtime", "another runtime than Python 3.9 and later", lambda told: not RUNTIME.fullmatch(told)),
)


def check(params: Mapping[str, Any]) -> None:
    """Raises ServiceError for the first setting of CreateFunction or an update that is none, or cannot be honoured."""
    refuse(params, FUNCTION)
    timeout, memory = params.get("Timeout"), params.get("MemorySize")
    if timeout is not None and timeout > MOST_TIMEOUT:
        raise _broken(timeout, "timeout", f"Member must have value less than or equal to {MOST_TIMEOUT}")
    if memory is not None and not LEAST_MEMORY <= memory <= MOST_MEMORY:
        raise _broken(memory, "memorySize", f"Member must have value from {LEAST_MEMORY} to {MOST_MEMORY}")
    handler = params.get("Handler")
    if handler is not None and not _HANDLER.fullmatch(handler):
        raise _broken(handler, "handler", "Member must name a module and a function in it, as in app.lambda_handler")
    architectures = params.get("Architectures")
    if architectures is not None and len(architectures) != 1:
        raise invalid("Please choose one architecture: x86_64 or arm64.")
    _check_variables((params.get("Environment") or {}).get("Variables") or {})


def _check_variables(variables: Mapping[str, str]) -> None:
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise _broken(
                name, "environment.variables", "Map keys must satisfy constraint: Member must satisfy regular "
                "expression pattern: [a-zA-Z]([a-zA-Z0-9_])+",
            )  # fmt: skip
    reserved = sorted(RESERVED.intersection(variables))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    size = len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())
    if variables and size > MOST_VARIABLES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit: {size} bytes."
        )


def _broken(value: object, member: str, constraint: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value '{str(value)[:100]}' at '{member}' failed to satisfy constraint: "
        f"{constraint}",
    )
