"""How requests name a function: by name, ARN or part of one, with a version or alias after it or beside it."""

import re
from dataclasses import dataclass, replace
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:aws:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}))?"
)


@dataclass(frozen=True)
class Named:
    """A function of one region. qualifier: "$LATEST", a version's number, an alias; "" when none was named."""

    region: str
    account: str
    name: str
    qualifier: str = ""

    @property
    def key(self) -> str:
        return f"{self.region}/{self.name}"

    @property
    def arn(self) -> str:
        """The function's own, without a qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def resource(self) -> str:
        """CloudWatch's "Resource" of what was named: "name" or "name:qualifier"."""
        return f"{self.name}:{self.qualifier}" if self.qualifier else self.name

    @property
    def qualified_arn(self) -> str:
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn

    def at(self, qualifier: str) -> "Named":
        """The same function by another qualifier."""
        return replace(self, qualifier=qualifier)


def named(told: str, caller: Caller, qualifier: str | None = None) -> Named:
    """Raises ServiceError ValidationException for what names no function, or names two qualifiers."""
    found = _NAME.fullmatch(told)
    if found is None:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{told[:140]}' at 'functionName' is no name of a function: 1 to 64 "
            "letters, digits, - and _, or its ARN.",
        )
    within = found["qualifier"] or ""
    if within and qualifier and within != qualifier:
        raise ServiceError(
            "InvalidParameterValueException",
            f"The derived qualifier from the function name does not match the specified qualifier: {within}, "
            f"{qualifier}.",
        )
    if (found["region"] or caller.region) != caller.region:
        raise not_found(told)
    if (found["account"] or caller.account) != caller.account:
        raise not_found(told)
    return Named(caller.region, caller.account, found["name"], qualifier or within)


def of(params: dict[str, Any], caller: Caller) -> Named:
    """What FunctionName and Qualifier of a request name."""
    return named(params["FunctionName"], caller, params.get("Qualifier"))


def not_found(arn: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)


def conflict(message: str) -> ServiceError:
    return ServiceError("ResourceConflictException", message, 409)
