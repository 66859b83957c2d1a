"""Every action of AWS, as the Service Authorization Reference lists it: which there are, and what each is for.

The list is read on first use.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache, lru_cache

from dashboard.core.iam.reference import Action, Service, reference
from dashboard.core.iam.wildcard import Reach, any_of, prepared


class AccessLevel(StrEnum):
    """What an action does, as AWS classes it."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    TAGGING = "Tagging"
    PERMISSIONS = "Permissions management"

    @property
    def changes(self) -> bool:
        return self not in (AccessLevel.LIST, AccessLevel.READ)


def known(action: str) -> bool:
    """Whether there is an action of this name, in any case: "s3:getobject"."""
    return action.lower() in _canonical()


def canonical(action: str) -> str:
    """An action as the reference writes it: "s3:getobject" → "s3:GetObject". Raises KeyError for one there is not."""
    return _canonical()[action.lower()]


def services() -> frozenset[str]:
    """The prefixes of all actions: "s3", "sagemaker" …"""
    return frozenset(_by_service())


def expand(patterns: Iterable[str], not_patterns: Iterable[str] = ()) -> frozenset[str]:
    """The actions that fit any of the patterns and none of the others: what Action, or NotAction with "*", take in."""
    wanted, unwanted = (
        _union(tuple(dict.fromkeys(one.lower() for one in given))) for given in (patterns, not_patterns)
    )
    return wanted - unwanted


def fits_any(pattern: str) -> bool:
    """Whether there is an action that fits the pattern."""
    if "*" not in pattern and "?" not in pattern:
        return known(pattern)
    if _names_service(pattern):
        return bool(_fitting(pattern.lower()))
    fits = any_of([prepared(pattern.lower())], Reach.TEXT)
    return any(fits(lower) for lower in _candidates(pattern.lower(), _canonical()))


def service_name(prefix: str) -> str:
    """What AWS calls the service of a prefix: "s3" → "Amazon S3"; the prefix itself for one there is not."""
    found = reference().get(prefix.lower())
    return found.name if found is not None else prefix


def access_level(action: str) -> AccessLevel:
    """Raises KeyError for an action there is not."""
    return AccessLevel(_of(action).level)


def resource_types(action: str) -> Mapping[str, str]:
    """The kinds of resource that an action can be limited to, each with the form of its ARN; {} for an action that
    is always for "*".

    The form has `${Partition}`, `${Region}` … in it. Raises KeyError for an action there is not.
    """
    resources = _service_of(action).resources
    return {name: resources[name].arn if name in resources else "*" for name in _of(action).types}


def needs_resource(action: str) -> bool:
    """Whether there is always a resource that it is about. Raises KeyError for an action there is not."""
    return _of(action).needs_resource


def condition_keys(action: str) -> frozenset[str]:
    """The condition keys of its own service that an action knows, global ones that come with the request among them
    ("aws:TagKeys"). Raises KeyError for an action there is not.
    """
    resources, found = _service_of(action).resources, _of(action)
    of_types = (key for name in found.types if name in resources for key in resources[name].keys)
    return frozenset((*found.keys, *of_types))


def dependent_actions(action: str) -> frozenset[str]:
    """The other actions that it may need, says the reference. Raises KeyError for an action there is not."""
    return frozenset(_of(action).dependent)


def _service_of(action: str) -> Service:
    return reference()[action.partition(":")[0].lower()]


def _of(action: str) -> Action:
    service, _, name = canonical(action).partition(":")
    return reference()[service].actions[name]


@lru_cache(maxsize=64)  # a set of all actions takes a megabyte
def _union(wanted: tuple[str, ...]) -> frozenset[str]:
    """Hundreds of patterns that name no service each have to be held against 20,000 actions: only against those that
    none before has fitted.
    """
    found = frozenset[str]().union(*(_fitting(one) for one in wanted if _names_service(one)))
    others = [one for one in wanted if not _names_service(one)]
    if not others:
        return found
    if len(others) == 1 or any(not one.strip("*") for one in others):
        return found.union(*(_fitting(one) for one in others if len(others) == 1 or not one.strip("*")))
    left = {lower: name for lower, name in _canonical().items() if name not in found}
    taken = set(found)
    for pattern in others:
        fits = any_of([prepared(pattern)], Reach.TEXT)
        taken.update(left.pop(lower) for lower in _candidates(pattern, left) if fits(lower))
    return frozenset(taken)


def _candidates(pattern: str, names: Iterable[str]) -> list[str]:
    """Those that have every piece of the pattern somewhere: a quick look before the slow one."""
    found = list(names)
    for piece in sorted({*pattern.replace("?", "*").split("*")} - {""}, key=len, reverse=True):
        found = [one for one in found if piece in one]
    return found


def _names_service(pattern: str) -> bool:
    prefix = pattern.partition(":")[0]
    return pattern in ("*", "*:*") or ("*" not in prefix and "?" not in prefix)


@lru_cache(maxsize=8192)
def _fitting(pattern: str) -> frozenset[str]:
    if pattern in ("*", "*:*"):
        return frozenset(_canonical().values())
    fits = any_of([prepared(pattern)], Reach.TEXT)
    prefix = pattern.partition(":")[0]
    among = _canonical() if "*" in prefix or "?" in prefix else _by_service().get(prefix, {})
    return frozenset(name for lower, name in among.items() if fits(lower))


@cache
def _by_service() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for lower, name in _canonical().items():
        found.setdefault(lower.partition(":")[0], {})[lower] = name
    return found


@cache
def _canonical() -> Mapping[str, str]:
    """Names as the reference has them, by their lower case."""
    names = (f"{prefix}:{name}" for prefix, service in reference().items() for name in service.actions)
    return {name.lower(): name for name in names}
