"""What requests to CloudFormation ask for that is not done here: refused by name. And names that it takes. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.cloudformation_template import invalid

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_UNDONE = (
    "DeploymentConfig",
    "DeploymentMode",
    "EnableTerminationProtection",
    "ImportExistingResources",
    "IncludeNestedStacks",
    "NotificationARNs",
    "OnStackFailure",
    "ResourceTypes",
    "ResourcesToImport",
    "RetainExceptOnCreate",
    "RoleARN",
    "RollbackConfiguration",
    "StackPolicyBody",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "StackPolicyURL",
    "TemplateURL",
    "TimeoutInMinutes",
)
_NAMES = {
    "DeploymentMode": ("STANDARD",),
    "OnStackFailure": ("ROLLBACK",),
}
"""Values that ask for what is done anyway."""
MOST_TAGS = 50

Params = dict[str, Any]


def check(params: Mapping[str, Any]) -> None:
    """Raises ServiceError ValidationError for what is asked for and not done."""
    for name in _UNDONE:
        value = params.get(name)
        if value and value not in _NAMES.get(name, ()) and value != {"RollbackTriggers": []}:
            raise invalid(f"The embedded AWS has no {name} of stacks yet. Leave it out.")
    if params.get("DeletionMode", "STANDARD") != "STANDARD":
        raise invalid("The embedded AWS has no DeletionMode FORCE_DELETE_STACK yet. Leave it out.")


def check_name(name: str, what: str = "stackName") -> None:
    """Raises ServiceError ValidationError."""
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name[:140]}' at '{what}' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*, with at most 128 characters"
        )


def tags(given: Any) -> dict[str, str]:
    """Raises ServiceError ValidationError."""
    found = {str(one["Key"]): str(one["Value"]) for one in given or ()}
    if len(found) > MOST_TAGS:
        raise invalid(f"A stack can have at most {MOST_TAGS} tags")
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    return found


def check_capabilities(needed: tuple[str, ...], given: Any) -> None:
    """Raises ServiceError InsufficientCapabilitiesException."""
    has = set(given or ())
    if "CAPABILITY_NAMED_IAM" in has:
        has.add("CAPABILITY_IAM")
    if not set(needed) <= has:
        raise ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(needed)}]")
