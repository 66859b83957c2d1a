"""The properties that Search filters and sorts by, read from the records themselves.

A name is a path into botocore's shape of the resource ("ResourceConfig.InstanceType"), into a list of it (then any
element counts), or one of Search's own: "Metrics.<name>", "HyperParameters.<name>", "Tags.<key>". Reading a stored
record takes a microsecond and describing it a hundred times as long, so a description is made only for what is
computed in one, such as BillableTimeInSeconds.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from botocore.model import Shape
from moto.core.utils import get_service_model

from local_aws.errors import ServiceError
from local_aws.services.sagemaker_resources import Document

_SHAPES = {"TrainingJob": "TrainingJob", "HyperParameterTuningJob": "HyperParameterTuningJobSearchEntity"}
_STORED = (
    "CreationTime",
    "LastModifiedTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "HyperParameterTuningEndTime",
    "FailureReason",
    "TuningJobArn",
)  # told as they are in the record, or not at all


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    BOOLEAN = "boolean"
    HYPERPARAMETER = "hyperparameter"  # a text that is compared as a number where it is one
    OBJECT = "object"  # something with properties of its own: it is there or not, no more

    @property
    def is_ordered(self) -> bool:
        return self in (Kind.NUMBER, Kind.TIME, Kind.HYPERPARAMETER)

    @property
    def is_text(self) -> bool:
        return self in (Kind.TEXT, Kind.HYPERPARAMETER)


class Record:
    """A stored record, and its description once something needs it."""

    __slots__ = ("_describe", "_description", "document")

    def __init__(self, document: Document, describe: Callable[[Document], Mapping[str, Any]]) -> None:
        self.document = document
        self._describe = describe
        self._description: Mapping[str, Any] | None = None

    @property
    def description(self) -> Mapping[str, Any]:
        if self._description is None:
            self._description = self._describe(self.document)
        return self._description


@dataclass(frozen=True)
class Property:
    """A property by its name. `values` gives those that a record has: none, one, or one for each element of a list."""

    name: str
    kind: Kind
    values: Callable[[Record], "list[Any]"]


def find_property(resource: str, name: str) -> Property:
    """Raises ServiceError ValidationException when the resource has no such property."""
    first, _, rest = name.partition(".")
    if first == "Metrics" and rest and resource == "TrainingJob":
        return Property(name, Kind.NUMBER, lambda record: _metric(record, rest))
    if first == "Tags" and rest:
        return Property(name, Kind.TEXT, lambda record: _tag(record, rest))
    shape = _member(_shape(resource), first, name, resource)
    path = rest.split(".") if rest else []
    if shape.type_name == "map" and rest:
        path = [rest]  # a key may hold dots
    kind = _kind(shape, path, name, resource)
    if first in _STORED or (not path and kind is Kind.TEXT):
        return Property(name, kind, lambda record: _plain(record, first))
    return Property(name, kind, lambda record: list(walk(_root(record, first), path)))


def members_of(resource: str) -> Collection[str]:
    """The members of the resource in Search's results."""
    return _shape(resource).members  # type: ignore[no-any-return]


def element_property(resource: str, parent: str, name: str) -> tuple[Kind, Callable[[Any], "list[Any]"]]:
    """A property of the elements of the list `parent`, named in full ("InputDataConfig.ChannelName")."""
    if not name.startswith(f"{parent}."):
        raise ServiceError("ValidationException", f"The nested filter's property {name} is not one of {parent}.")
    kind = find_property(resource, name).kind
    path = name.removeprefix(f"{parent}.").split(".")
    return kind, lambda element: list(walk(element, path))


def comparable(resource: str, name: str) -> Callable[[Record], Any]:
    """What records are sorted by; those without the property come first in ascending order."""
    found = find_property(resource, name)
    if found.kind is Kind.OBJECT:
        raise ServiceError("ValidationException", f"Search cannot sort by {name}, which is not a single value.")
    nothing: Any = float("-inf") if found.kind in (Kind.NUMBER, Kind.TIME, Kind.BOOLEAN) else ""

    def key(record: Record) -> Any:
        for value in found.values(record):
            return stamp(value)
        return nothing

    return key


def stamp(value: Any) -> Any:
    """Times as epoch seconds, as the records hold them."""
    return value.timestamp() if isinstance(value, datetime) else value


def walk(value: Any, path: list[str]) -> Iterator[Any]:
    """What lies at the end of the path; through each element of a list on the way."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from walk(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from walk(value[path[0]], path[1:])


def _plain(record: Record, name: str) -> list[Any]:
    document = record.document
    if name in document:
        return [document[name]]
    request = document["Request"]
    if name in request:
        return [request[name]]
    return [] if name in _STORED else list(walk(record.description.get(name), []))


def _root(record: Record, name: str) -> Any:
    request = record.document["Request"]
    return request[name] if name in request else record.description.get(name)


def _metric(record: Record, name: str) -> list[float]:
    found = record.document["Metrics"].get(name)
    return [] if found is None else [found[0]]


def _tag(record: Record, key: str) -> list[str]:
    return [tag["Value"] for tag in record.document.get("Tags", ()) if tag["Key"] == key]


@cache
def _shape(resource: str) -> Shape:
    return get_service_model("sagemaker").shape_for(_SHAPES[resource])


def _kind(shape: Shape, path: list[str], name: str, resource: str) -> Kind:
    while shape.type_name == "list":
        shape = shape.member
    if path and shape.type_name == "map":
        return Kind.HYPERPARAMETER if name.startswith("HyperParameters.") else Kind.TEXT
    if path:
        return _kind(_member(shape, path[0], name, resource), path[1:], name, resource)
    match shape.type_name:
        case "string":
            return Kind.TEXT
        case "integer" | "long" | "float" | "double":
            return Kind.NUMBER
        case "timestamp":
            return Kind.TIME
        case "boolean":
            return Kind.BOOLEAN
        case _:
            return Kind.OBJECT


def _member(shape: Shape, member: str, name: str, resource: str) -> Shape:
    if shape.type_name != "structure" or member not in shape.members:
        raise ServiceError("ValidationException", f"Unknown property name {name} for the resource {resource}.")
    found: Shape = shape.members[member]
    return found
