"""The parameters of a CloudFormation template: which values they take, and what they are for a stack. Pure.

Source: CloudFormation User Guide, "Parameters".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.cloudformation_template import Template, invalid

NUMBER, LIST = "Number", "CommaDelimitedList"
TYPES = ("String", NUMBER, LIST, "List<Number>")
_MEMBERS = {
    "Type",
    "Default",
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
}
HIDDEN = "****"

Params = dict[str, Any]


def check(template: Template) -> None:
    """Raises ServiceError ValidationError for a parameter that has not its form, or one of a type that is not here."""
    for name, one in template.parameters.items():
        if one.get("Type") not in TYPES:
            raise invalid(
                f"Template format error: Unrecognized parameter type: {one.get('Type')} ({name}). The embedded AWS has "
                f"{', '.join(TYPES)}."
            )
        for member in one:
            if member not in _MEMBERS:
                raise invalid(f"Invalid template parameter property '{member}'")


def values(template: Template, given: Sequence[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter, as text. given: a request's; before: what the stack has.

    Raises ServiceError ValidationError.
    """
    asked = {one["ParameterKey"]: one for one in given}
    if lost := [name for name in asked if name not in template.parameters]:
        raise invalid(f"Parameters: [{', '.join(lost)}] do not exist in the template")
    found: dict[str, str] = {}
    missing: list[str] = []
    for name, one in template.parameters.items():
        wish = asked.get(name, {})
        if wish.get("UsePreviousValue"):
            if name not in before:
                raise invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                              "parameter key not in the previous template")  # fmt: skip
            found[name] = before[name]
        elif "ParameterValue" in wish:
            found[name] = wish["ParameterValue"]
        elif "Default" in one:
            found[name] = _written(one["Default"])
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in found.items():
        _check(name, template.parameters[name], value)
    return found


def in_scope(template: Template, texts: Mapping[str, str]) -> dict[str, Any]:
    """As functions see them: lists are lists."""
    return {
        name: [part.strip() for part in value.split(",")]
        if template.parameters[name]["Type"] in (LIST, "List<Number>")
        else value
        for name, value in texts.items()
    }


def shown(template: Template, texts: Mapping[str, str]) -> list[Params]:
    """As DescribeStacks tells them: what asks not to be echoed is hidden."""
    secret = {name for name, one in template.parameters.items() if str(one.get("NoEcho", "")).lower() == "true"}
    return [
        {"ParameterKey": name, "ParameterValue": HIDDEN if name in secret else value} for name, value in texts.items()
    ]


def described(template: Template) -> list[Params]:
    """As GetTemplateSummary tells them."""
    return [
        {
            "ParameterKey": name,
            "ParameterType": one["Type"],
            "NoEcho": str(one.get("NoEcho", "")).lower() == "true",
            **({"DefaultValue": _written(one["Default"])} if "Default" in one else {}),
            **({"Description": str(one["Description"])} if "Description" in one else {}),
            "ParameterConstraints": {"AllowedValues": [_written(value) for value in one["AllowedValues"]]}
            if "AllowedValues" in one
            else {},
        }
        for name, one in template.parameters.items()
    ]


def _check(name: str, one: Mapping[str, Any], value: str) -> None:
    kind = one["Type"]
    several = [part.strip() for part in value.split(",")] if kind in (LIST, "List<Number>") else [value]
    said = one.get("ConstraintDescription")
    for each in several:
        if kind in (NUMBER, "List<Number>") and not re.fullmatch(r"[+-]?\d+(\.\d+)?", each):
            raise invalid(f"Parameter '{name}' must be a number.")
        if "AllowedValues" in one and each not in [_written(allowed) for allowed in one["AllowedValues"]]:
            raise _misfit(name, said or f"Member must satisfy enum value set: {one['AllowedValues']}")
    if "AllowedPattern" in one and not _fits(str(one["AllowedPattern"]), value, name):
        raise _misfit(name, said or f"must match pattern {one['AllowedPattern']}")
    for member in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
        if member not in one:
            continue
        limit = float(one[member])
        size = len(value) if member.endswith("Length") else float(value)
        if size < limit if member.startswith("Min") else size > limit:
            raise _misfit(name, said or f"{member} is {one[member]}")


def _fits(pattern: str, value: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error as wrong:
        raise invalid(f"Template format error: AllowedPattern of {name} is no regular expression: {wrong}") from wrong


def _misfit(name: str, why: str) -> ServiceError:
    return invalid(f"Parameter '{name}' failed to satisfy constraint: {why}")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
