"""What a function is to be: the form's values, and why Lambda would not take them."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.functions.model import ENDPOINT_NAME, Architecture, Function

NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
"""Lambda takes 64 characters; the role that is named after it has 14 more."""
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
OWNED = ("AWS_", "LAMBDA_")
"""Lambda's own variables begin so."""
MEMORY_MB = (128, 10_240)
TIMEOUT_SECONDS = (1, 900)
MEMORIES = (128, 256, 512, 1024, 2048)
FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^\s*?]*/)?")
ENVIRONMENT_BYTES = 4096


@dataclass(frozen=True)
class Wanted:
    """A function that asks an endpoint. photos: the S3 folder that it may read, "" for none.

    timeout: seconds. more: further environment variables. subnets and groups: its VPC, empty for none.
    """

    name: str
    endpoint: str
    endpoint_arn: str
    memory_mb: int = 256
    timeout: int = 29
    architecture: Architecture = Architecture.X86
    photos: str = ""
    more: tuple[tuple[str, str], ...] = ()
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    description: str = field(default="Asks a SageMaker endpoint for the breed of the dog in a photo")

    @property
    def environment(self) -> dict[str, str]:
        return {ENDPOINT_NAME: self.endpoint, **dict(self.more)}


def like(one: Function, endpoint_arn: str, photos: str = "") -> Wanted:
    """A function's present settings as a form's values."""
    more = tuple(sorted((name, value) for name, value in one.environment.items() if name != ENDPOINT_NAME))
    return Wanted(
        one.name,
        one.endpoint,
        endpoint_arn,
        one.memory_mb,
        one.timeout,
        one.architecture,
        photos,
        more,
        one.subnets,
        one.groups,
        one.description,
    )


def check(wanted: Wanted) -> None:
    """Raises InvalidInput for the first value that Lambda would not take; `field` names it."""
    if not NAME.fullmatch(wanted.name):
        raise _bad("the function's name has 1 to 50 letters, digits, hyphens and underscores", wanted.name, "name")
    if not wanted.endpoint:
        raise _bad("the function asks one endpoint", "", "endpoint")
    _within("the memory", wanted.memory_mb, MEMORY_MB, "MB", "memory")
    _within("the time-out", wanted.timeout, TIMEOUT_SECONDS, "s", "timeout")
    if wanted.photos and not FOLDER.fullmatch(wanted.photos):
        raise _bad('photos lie in a folder such as "s3://bucket/photos/", with "/" at its end', wanted.photos, "photos")
    for name, _ in wanted.more:
        if not VARIABLE.fullmatch(name) or name.startswith(OWNED) or name == ENDPOINT_NAME:
            raise _bad(
                "an environment variable begins with a letter, has letters, digits and underscores, and is none of "
                f"Lambda's own or {ENDPOINT_NAME}",
                name,
                "more",
            )
    if sum(len(f"{name}{value}".encode()) for name, value in wanted.environment.items()) > ENVIRONMENT_BYTES:
        raise _bad(f"the environment has at most {ENVIRONMENT_BYTES:,} bytes", "more than that", "more")
    if bool(wanted.subnets) != bool(wanted.groups):
        raise _bad("a VPC takes a subnet and a security group, or neither", "one of the two is missing", "subnets")


def warnings(wanted: Wanted, *, serves: bool = True) -> tuple[str, ...]:
    """What is worth knowing before it is made. serves: whether the endpoint answers now."""
    found = []
    if not serves:
        found.append(f"the endpoint {wanted.endpoint} does not serve now: until it does, the function answers 503")
    if wanted.timeout < 10:
        found.append("the first answer of a new environment may take some seconds: a time-out this short cuts it off")
    if wanted.timeout > 29:
        found.append("API Gateway waits 29 s for an answer, whatever the function's own time-out is")
    if wanted.architecture is Architecture.ARM:
        found.append("what keeping ARM environments ready costs is not in the price book: it is shown as unknown")
    return tuple(found)


def parse_variables(text: str) -> tuple[tuple[str, str], ...]:
    """Lines such as NAME=value as pairs. Raises InvalidInput for a line that is none."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if not line.strip():
            continue
        if not sign:
            raise _bad("an environment variable is written NAME=value", line.strip(), "more")
        found[name.strip()] = value.strip()
    return tuple(sorted(found.items()))


def _within(what: str, value: int, bounds: tuple[int, int], unit: str, field: str) -> None:
    if not bounds[0] <= value <= bounds[1]:
        raise _bad(f"{what} is {bounds[0]} to {bounds[1]:,} {unit}", f"{Decimal(value):,} {unit}", field)


def _bad(what: str, value: str, field: str) -> InvalidInput:
    return InvalidInput(what, f'it is "{value}"' if value else "it is empty", "change it", field=field)
