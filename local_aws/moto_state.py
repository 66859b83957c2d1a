"""moto's memory on disk: the backends of a service as one snapshot, replaced whole before a change is answered.

A snapshot is a pickle of the backends' attributes. It names, and does not copy, what exists anyway: other backends, and
the 1,500 policies that AWS itself manages (of which only the attachment count changes).
"""

import os
import pickle
from collections import defaultdict
from functools import cached_property
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from moto.core.base_backend import BackendDict, BaseBackend

from local_aws.errors import internal

_SSM_TAGS = "SimpleSystemManagerBackend.__init__.<locals>.<lambda>"


def backends_of(service: str) -> Any:
    """moto's backends of a service: account → region → backend. Imports moto's models on first use."""
    return getattr(import_module(f"moto.{service}.models"), f"{service}_backends")


def tags_by_resource() -> defaultdict[str, dict[str, str]]:
    """What moto's SSM makes a tag table with, under a name that a pickle can hold (moto uses a lambda)."""
    return defaultdict(dict)


def _tags_default() -> FunctionType:
    return cast(FunctionType, tags_by_resource)


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> tuple[Any, ...] | None:
        if isinstance(thing, BackendDict):
            return "backends", thing.service_name
        if isinstance(thing, BaseBackend):
            return "backend", type(thing).__module__.split(".")[1], thing.account_id, thing.region_name
        if type(thing).__name__ == "AWSManagedPolicy":
            return "aws-policy", thing.account_id, thing.partition, thing.arn, thing.attachment_count
        return None

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, FunctionType) and thing.__qualname__ == _SSM_TAGS:
            return _tags_default, ()
        if type(thing).__name__ == "ParameterDict":  # a dict whose constructor wants more than pickle gives it
            return type(thing), (thing.account_id, thing.region_name), thing.__dict__, None, iter(thing.items())
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, reference: Any) -> Any:
        match reference:
            case "backends", service:
                return backends_of(service)
            case "backend", service, account, region:
                return backends_of(service)[account][region]
            case "aws-policy", account, partition, arn, attachment_count:
                policy = self._aws_policies(account, partition)[arn]
                policy.attachment_count = attachment_count
                return policy
        raise pickle.UnpicklingError(f"unknown reference {reference!r}")

    @cached_property
    def _found(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {}

    def _aws_policies(self, account: str, partition: str) -> dict[str, Any]:
        if (account, partition) not in self._found:
            policies = backends_of("iam")[account][partition].aws_managed_policies
            self._found[account, partition] = {policy.arn: policy for policy in policies}
        return self._found[account, partition]


def snapshot(service: str) -> bytes:
    """All backends of a service that exist. The caller keeps moto from changing them meanwhile."""
    state: dict[tuple[str, str], dict[str, Any]] = {}
    for account, region, backend in backends_of(service).iter_backends():
        attributes = dict(backend.__dict__)
        aws_policies = {policy.arn for policy in attributes.pop("aws_managed_policies", ())}
        if aws_policies:  # moto makes them anew
            policies = attributes["managed_policies"].items()
            attributes["managed_policies"] = {arn: p for arn, p in policies if arn not in aws_policies}
        state[account, region] = attributes
    out = BytesIO()
    _Pickler(out, protocol=5).dump(state)
    return out.getvalue()


def save(path: Path, data: bytes) -> None:
    """Replace a file whole; on disk when this returns."""
    partial = path.with_name(path.name + ".new")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def restore(service: str, path: Path) -> None:
    """Give a service's backends the attributes of a snapshot; nothing when there is none.

    Raises ServiceError InternalError when it cannot be read; the file is left as it is.
    """
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            state = _Unpickler(file).load()
    except Exception as wrong:  # a pickle may raise anything; whatever it is, the person must hear which file
        raise internal(
            f"What was kept of {service} cannot be read: {path} ({wrong}). It may come from another version of moto. "
            f"Move that file away to start {service} empty."
        ) from wrong
    for (account, region), attributes in state.items():
        backend = backends_of(service)[account][region]
        if getattr(backend, "aws_managed_policies", None):
            attributes["managed_policies"] = backend.managed_policies | attributes["managed_policies"]
        backend.__dict__.update(attributes)
