"""AWS's ready-made PyTorch images, from the table that the SageMaker SDK ships.

The table is read as the JSON file it is: importing the SDK for the same answer takes over a second and 185 MB, which
every page would pay for. `sagemaker.core.image_uris.retrieve` gives the same addresses; a test holds us to that.
"""

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from dashboard.core.errors import InvalidInput, ServiceFault


def training_image(region: str, instance_type: str) -> str:
    """The newest PyTorch training image of a region for an instance type. Raises InvalidInput, ServiceFault."""
    return _image("training", region, instance_type)


def inference_image(region: str, instance_type: str) -> str:
    """The newest PyTorch inference image of a region for an instance type. Raises InvalidInput, ServiceFault."""
    return _image("inference", region, instance_type)


def _image(scope: str, region: str, instance_type: str) -> str:
    table = _table()[scope]["versions"]
    version = max(table, key=lambda text: tuple(int(part) for part in text.split(".")))
    entry = table[version]
    registry = entry["registries"].get(region)
    if registry is None:
        raise InvalidInput(
            f"there is no PyTorch {scope} image in {region}",
            "the SageMaker SDK's table lists none",
            "choose another region",
            field="region",
        )
    python = entry["py_versions"][0]
    processor = "gpu" if instance_type.removeprefix("ml.")[:1] in ("g", "p") else "cpu"
    return f"{registry}.dkr.{_registry_host(region)}/{entry['repository']}:{version}-{processor}-{python}"


@cache
def _registry_host(region: str) -> str:
    found = EndpointResolver(create_loader().load_data("endpoints")).construct_endpoint("ecr", region)
    # botocore names the API's host, "api.ecr.…", for newer data; images live on "ecr.…".
    return str(found["hostname"]).removeprefix("api.") if found else f"ecr.{region}.amazonaws.com"


@cache
def _table() -> dict[str, Any]:
    package = importlib.util.find_spec("sagemaker")
    for folder in (package.submodule_search_locations or []) if package else []:
        file = Path(folder) / "core" / "image_uri_config" / "pytorch.json"
        if file.is_file():
            table: dict[str, Any] = json.loads(file.read_text())
            return table
    raise ServiceFault(
        "AWS's table of images is missing",
        "the package sagemaker is not installed, or has moved it",
        "run make run again: it installs the pinned packages",
    )
