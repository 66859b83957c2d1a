"""Which services a statement gives whole, by whatever spelling.

`s3:*`, `S3:**`, `s*:*`, `*`, NotAction, and `s3:Get*` with `s3:P*` and the rest until nothing is left out are the same
thing written differently. Which actions a service has is read from AWS's Service Authorization Reference.
"""

from dataclasses import dataclass
from functools import lru_cache

from dashboard.core.iam import actions
from dashboard.core.iam.documents import Statement
from dashboard.core.iam.judge.reach import ODD, ODD_REGION, OWN, probes, relaxed
from dashboard.core.iam.wildcard import fits_resource, matches, prepared

FEW = 10
"""Actions of a service; one with fewer may well be needed whole, each of them named."""
EVERYTHING = "*"
_ANY_ARN = f"arn:aws:{ODD}:{ODD_REGION}:{OWN}:{ODD}/{ODD}"


@dataclass(frozen=True)
class Given:
    """Services of which a statement gives every action. everything: all services there are.

    but: of NotAction, the actions left out.
    """

    everything: bool = False
    services: frozenset[str] = frozenset()
    but: tuple[str, ...] = ()


@lru_cache(maxsize=8192)
def given(wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> Given:
    """By spelling alone: what Action, or NotAction, gives whole."""
    if unwanted:
        left_out = frozenset(one.partition(":")[0].lower() for one in actions.expand(unwanted))
        left_out |= {one.partition(":")[0].lower() for one in unwanted}
        services = actions.services() - left_out
        return Given(len(services) > len(actions.services()) // 2, services, unwanted)
    found: set[str] = set()
    for pattern in wanted:
        service, colon, name = pattern.lower().partition(":")
        if not _is_any(name if colon else service):
            continue
        if not colon or _is_any(service):
            return Given(True, actions.services())
        wild = "*" in service or "?" in service
        found.update(one for one in actions.services() if matches(service, one)) if wild else found.add(service)
    return Given(False, frozenset(found))


@lru_cache(maxsize=8192)
def spelled_out(wanted: tuple[str, ...]) -> frozenset[str]:
    """The services of which patterns such as `s3:Get*` leave no action out; not those of which each is named."""
    patterns = [one for one in wanted if "*" in one or "?" in one]
    if not patterns:
        return frozenset()
    names = actions.expand(wanted)
    wild = {one.partition(":")[0] for one in (names if len(patterns) == len(wanted) else actions.expand(patterns))}
    every = {service: of_service(service) for service in wild}
    return frozenset(service for service in wild if len(every[service]) >= FEW and every[service] <= names)


@lru_cache(maxsize=1024)
def of_service(service: str) -> frozenset[str]:
    """All actions of a service; none for one that the reference does not know."""
    return actions.expand([f"{service}:*"]) if service in actions.services() else frozenset()


@lru_cache(maxsize=1024)
def changing(service: str) -> frozenset[str]:
    """Those that change something."""
    return frozenset(one for one in of_service(service) if actions.access_level(one).changes)


@lru_cache(maxsize=4096)
def changing_on(resources: tuple[str, ...], not_resources: tuple[str, ...], service: str) -> frozenset[str]:
    """Those that Resource or NotResource take in everything of some kind for."""
    if any(_is_everything(one) for one in resources):
        return changing(service)
    return frozenset(one for one in changing(service) if is_wide_for(resources, not_resources, one.lower()))


@lru_cache(maxsize=256)
def changing_in(resources: tuple[str, ...], not_resources: tuple[str, ...], services: frozenset[str]) -> frozenset[str]:
    """The same of several services."""
    return frozenset[str]().union(*(changing_on(resources, not_resources, one) for one in services))


@lru_cache(maxsize=1024)
def has_permissions(service: str) -> bool:
    """Whether who has the whole service can give rights on it to others."""
    return any(actions.access_level(one) is actions.AccessLevel.PERMISSIONS for one in of_service(service))


@lru_cache(maxsize=1024)
def is_grave(service: str) -> bool:
    """Whether who has the whole service can also give rights, or start what works as a role."""
    starts = any("iam:PassRole" in actions.dependent_actions(one) for one in of_service(service))
    return starts or has_permissions(service)


@lru_cache(maxsize=16384)
def is_wide(resources: tuple[str, ...], not_resources: tuple[str, ...], service: str) -> bool:
    """Whether Resource or NotResource take in everything of some kind that a service has."""
    return _takes_in(resources, not_resources, kinds(service))


def is_wide_for(resources: tuple[str, ...], not_resources: tuple[str, ...], action: str) -> bool:
    """The same for the kinds that one action, in lower case, can be limited to."""
    return _takes_in(resources, not_resources, probes(action))


def _takes_in(resources: tuple[str, ...], not_resources: tuple[str, ...], found: tuple[str, ...]) -> bool:
    if not_resources:
        return not any(_is_everything(one) for one in not_resources)
    if any(_is_everything(one) for one in resources):
        return True
    patterns = [prepared(relaxed(one)) for one in resources if "*" in one.split(":", 5)[-1]]
    return any(fits_resource(pattern, kind) for pattern in patterns for kind in found)


@lru_cache(maxsize=1024)
def kinds(service: str) -> tuple[str, ...]:
    """One resource of each kind that a service has, of a name that nobody has given."""
    found = (one for action in sorted(of_service(service)) for one in probes(action.lower()) if one != EVERYTHING)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=256)  # a set of all actions takes a megabyte
def named(statement: Statement) -> frozenset[str]:
    """The actions that it is about."""
    return actions.expand(statement.actions) if statement.actions else actions.expand(["*"], statement.not_actions)


def is_everywhere(statement: Statement) -> bool:
    """Whether it is about every resource of every kind."""
    return any(_is_everything(one) for one in statement.resources)


def _is_everything(resource: str) -> bool:
    """`*`, `arn:aws:*` and the like."""
    return "*" in resource and fits_resource(prepared(relaxed(resource)), _ANY_ARN)


def _is_any(pattern: str) -> bool:
    return "*" in pattern and not pattern.strip("*?")
