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


class Described:
    """Descriptions, made when something needs them; several properties of one record share the one made last."""

    def __init__(self, describe: Callable[[Document], Mapping[str, Any]]) -> None:
        self._describe = describe
        self._document: Document | None = None
        self._description: Mapping[str, Any] = {}

    def __call__(self, document: Document) -> Mapping[str, Any]:
        if document is not self._document:
            self._document, self._description = document, self._describe(document)
        return self._description


@dataclass(frozen=True)
class Property:
    """A property by its name. `values` gives those that a record has: none, one, or one for each element of a list."""

    name: str
    kind: Kind
    values: Callable[[Document], "list[Any]"]


def find_property(resource: str, name: str, described: Described) -> Property:
    """Raises ServiceError ValidationException when the resource has no such property."""
    first, _, rest = name.partition(".")
    if first == "Metrics" and rest and resource == "TrainingJob":
        return Property(name, Kind.NUMBER, lambda document: _metric(document, rest))
    if first == "Tags" and rest:
        return Property(name, Kind.TEXT, lambda document: _tag(document, rest))
    shape = _member(_shape(resource), first, name, resource)
    path = rest.split(".") if rest else []
    if shape.type_name == "map" and rest:
        path = [rest]  # a key may hold dots
    kind = _kind(shape, path, name, resource)
    if first in _STORED:
        return Property(name, kind, lambda document: [document[first]] if first in document else [])
    if not path and kind is Kind.TEXT:
        return Property(name, kind, lambda document: _text(document, first, described))

    def values(document: Document) -> list[Any]:
        request = document["Request"]
        return list(walk(request[first] if first in request else described(document).get(first), path))

    return Property(name, kind, values)


def members_of(resource: str) -> Collection[str]:
    """The members of the resource in Search's results."""
    return _shape(resource).members  # type: ignore[no-any-return]


def element_property(resource: str, parent: str, name: str) -> tuple[Kind, Callable[[Any], "list[Any]"]]:
    """A property of the elements of the list `parent`, named in full ("InputDataConfig.ChannelName")."""
    if not name.startswith(f"{parent}."):
        raise ServiceError("ValidationException", f"The nested filter's property {name} is not one of {parent}.")
    kind = find_property(resource, name, Described(dict)).kind
    path = name.removeprefix(f"{parent}.").split(".")
    return kind, lambda element: list(walk(element, path))


def comparable(resource: str, name: str, described: Described) -> Callable[[Document], Any]:
    """What records are sorted by; those without the property come first in ascending order."""
    found = find_property(resource, name, described)
    if found.kind is Kind.OBJECT:
        raise ServiceError("ValidationException", f"Search cannot sort by {name}, which is not a single value.")
    nothing: Any = float("-inf") if found.kind in (Kind.NUMBER, Kind.TIME, Kind.BOOLEAN) else ""

    def key(document: Document) -> Any:
        for value in found.values(document):
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


def _text(document: Document, name: str, described: Described) -> list[Any]:
    if name in document:
        return [document[name]]
    request = document["Request"]
    return [request[name]] if name in request else list(walk(described(document).get(name), []))


def _metric(document: Document, name: str) -> list[float]:
    found = document["Metrics"].get(name)
    return [] if found is None else [found[0]]


def _tag(document: Document, key: str) -> list[str]:
    for tag in document.get("Tags", ()):  # each key is there once
        if tag["Key"] == key:
            return [tag["Value"]]
    return []


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
