"""The scripts that AWS runs when a notebook instance is made or started. Here they are kept, and run nowhere."""

import base64
import binascii
import time
from collections.abc import Callable
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import SageMakerBase, arn_of, merged
from local_aws.services.sagemaker_resources import Document, moment

_SCRIPTS = ("OnCreate", "OnStart")
LONGEST = 16_384
"""Characters of one script."""


class LifecycleConfigs(SageMakerBase):
    """The operations on lifecycle configurations. The class that completes it sets `now`."""

    now: Callable[[], float] = staticmethod(time.time)

    def create_notebook_instance_lifecycle_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name, now = params["NotebookInstanceLifecycleConfigName"], self.now()
        arn = arn_of(self.lifecycle_configs.kind, name, caller)
        document = {
            "NotebookInstanceLifecycleConfigName": name,
            "NotebookInstanceLifecycleConfigArn": arn,
            **_scripts(params),
            "CreationTime": now,
            "LastModifiedTime": now,
            "Tags": merged((), params.get("Tags", ())),
        }
        if not self.lifecycle_configs.add(arn, document):
            raise _wrong("create", arn, "already exists")
        return {"NotebookInstanceLifecycleConfigArn": arn}

    def describe_notebook_instance_lifecycle_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return _told(self._lifecycle(params["NotebookInstanceLifecycleConfigName"], caller, "describe"))

    def list_notebook_instance_lifecycle_configs(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.lifecycle_configs.page(caller.region, params, newest_first=False, sort_by="Name")
        return {"NotebookInstanceLifecycleConfigs": [_told(one) for one in found], **more}

    def update_notebook_instance_lifecycle_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = self._lifecycle(params["NotebookInstanceLifecycleConfigName"], caller, "update")[
            "NotebookInstanceLifecycleConfigArn"
        ]
        scripts, now = _scripts(params), self.now()
        self.lifecycle_configs.change(arn, lambda one: {**one, **scripts, "LastModifiedTime": now})
        return {}

    def delete_notebook_instance_lifecycle_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = params["NotebookInstanceLifecycleConfigName"]
        arn = self._lifecycle(name, caller, "delete")["NotebookInstanceLifecycleConfigArn"]
        ours = f":sagemaker:{caller.region}:"
        if any(
            one.get("NotebookInstanceLifecycleConfigName") == name and ours in one["NotebookInstanceArn"]
            for one in self.notebooks.all()
        ):
            raise _wrong("delete", arn, "is in use by a notebook instance")
        self.lifecycle_configs.remove(arn)
        return {}

    def _lifecycle(self, name: str, caller: Caller, does: str) -> Document:
        arn = arn_of(self.lifecycle_configs.kind, name, caller)
        found = self.lifecycle_configs.get(arn)
        if found is None:
            raise _wrong(does, arn, "does not exist")
        return found


def _scripts(params: dict[str, Any]) -> dict[str, Any]:
    """The scripts of a request. Raises ServiceError for one that is not base64, in which AWS takes them."""
    for hook in _SCRIPTS:
        for one in params.get(hook, ()):
            try:
                text = base64.b64decode(one.get("Content", ""), validate=True)
            except (binascii.Error, ValueError):
                raise ServiceError("ValidationException", f"The Content of {hook} must be encoded in base64.") from None
            if len(text) > LONGEST:
                raise ServiceError("ValidationException", f"The Content of {hook} must have at most {LONGEST} bytes.")
    return {hook: [dict(one) for one in params.get(hook, ())] for hook in _SCRIPTS}


def _told(document: Document) -> dict[str, Any]:
    times = {name: moment(document[name]) for name in ("CreationTime", "LastModifiedTime")}
    return {**document, **times}


def _wrong(does: str, arn: str, why: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"Unable to {does} Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook Instance Lifecycle Config "
        f"{why}.)",
    )
