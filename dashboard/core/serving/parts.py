"""The parts of an endpoint as SageMaker wants them, a model and a variant, and what of them is refused."""

import re
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.errors import InvalidInput
from dashboard.core.runs.images import inference_image
from dashboard.core.runs.spec_problems import INSTANCE
from dashboard.core.serving.variant import CONCURRENCY, MEMORY_MB, Serverless

ROLE = "KennelEndpoint"
COUNT = (1, 10)
NAME_ROOM = 54
VARIANT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def made_name(endpoint: str, order: str) -> str:
    """The name of what one plan makes for an endpoint: its own, so that two plans never share a part."""
    return f"{endpoint[:NAME_ROOM].rstrip('-')}-{order[:8]}"


def model(name: str, uri: str, instance_type: str, account: Account, marks: list[dict[str, str]]) -> dict[str, Any]:
    """What CreateModel wants: the archive at `uri`, served on instances of that type ("": none, serverless)."""
    container = {
        "Image": inference_image(account.region, instance_type),
        "ModelDataUrl": uri,
        # The archive brings its own code; this is how AWS's PyTorch image is told so.
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    asked = {"ModelName": name, "ExecutionRoleArn": account.role_arn(ROLE), "PrimaryContainer": container}
    return {**asked, "Tags": marks}


def variant(
    name: str, model_name: str, instance_type: str, count: int, serverless: Serverless | None, weight: float = 1.0
) -> dict[str, Any]:
    """A member of ProductionVariants."""
    asked: dict[str, Any] = {"VariantName": name, "ModelName": model_name}
    if serverless:
        asked["ServerlessConfig"] = serverless.asked
    else:
        asked |= {"InstanceType": instance_type, "InitialInstanceCount": count}
    return {**asked, "InitialVariantWeight": weight}


def check(instance_type: str, count: int, serverless: Serverless | None) -> None:
    """Raises InvalidInput, with the field, for what SageMaker would refuse."""
    if serverless:
        _check_serverless(serverless)
        return
    if not INSTANCE.fullmatch(instance_type):
        raise InvalidInput(
            'the instance type must look like "ml.m5.large"',
            f'it is "{instance_type}"',
            "choose one from the list",
            field="instance_type",
        )
    if not COUNT[0] <= count <= COUNT[1]:
        raise InvalidInput(
            f"the number of instances must be between {COUNT[0]} and {COUNT[1]}",
            f"it is {count}",
            "choose a value in that range",
            field="count",
        )


def _check_serverless(asked: Serverless) -> None:
    if asked.memory_mb not in MEMORY_MB:
        raise InvalidInput(
            f"the memory must be one of {', '.join(map(str, MEMORY_MB))} MB",
            f"it is {asked.memory_mb}",
            "choose one of them",
            field="memory",
        )
    if not CONCURRENCY[0] <= asked.max_concurrency <= CONCURRENCY[1]:
        raise InvalidInput(
            f"a serverless endpoint answers between {CONCURRENCY[0]} and {CONCURRENCY[1]} requests at once",
            f"it is {asked.max_concurrency}",
            "choose a value in that range",
            field="concurrency",
        )
    if not 0 <= asked.provisioned <= asked.max_concurrency:
        raise InvalidInput(
            "what is kept ready cannot be more than what answers at once",
            f"{asked.provisioned} of {asked.max_concurrency}",
            "keep fewer ready, or allow more at once",
            field="provisioned",
        )
