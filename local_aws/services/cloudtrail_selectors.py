"""Event selectors: which events a trail delivers, in the older form and in the advanced one. Pure.

Source: CloudTrail API Reference, EventSelector, AdvancedEventSelector and AdvancedFieldSelector.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.errors import ServiceError

MOST_SELECTORS = 5
MOST_DATA_RESOURCES = 250
MOST_CONDITIONS = 500
DEFAULT = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
"""What a trail delivers that was given no selectors: all management events and no data events."""

_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")
_EXCLUDED = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
_ALL_OF = {"AWS::S3::Object": ("arn:aws:s3", "arn:aws:s3:::"), "AWS::Lambda::Function": ("arn:aws:lambda",),
           "AWS::DynamoDB::Table": ("arn:aws:dynamodb",)}  # fmt: skip
_FIELDS = {
    "Management": ("eventCategory", "eventSource", "readOnly"),
    "Data": (
        "eventCategory",
        "eventName",
        "eventSource",
        "eventType",
        "readOnly",
        "resources.ARN",
        "resources.type",
        "sessionCredentialFromConsole",
        "userIdentity.arn",
    ),
}
_ONLY_EQUALS = ("eventCategory", "readOnly", "resources.type")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "NotEquals": str.__eq__,
    "NotStartsWith": str.startswith,
    "NotEndsWith": str.endswith,
}


@dataclass(frozen=True)
class Facts:
    """What selectors look at. resource_type is "" for a management event.

    arns: of the resources; None while they are not known, when any selector of ARNs may still fit.
    """

    name: str
    source: str
    read_only: bool
    identity: str
    resource_type: str = ""
    arns: tuple[str, ...] | None = ()

    @property
    def category(self) -> str:
        return "Data" if self.resource_type else "Management"

    def values(self, field: str) -> tuple[str, ...]:
        """What a field selector of that name compares."""
        match field:
            case "eventCategory":
                return (self.category,)
            case "eventName":
                return (self.name,)
            case "eventSource":
                return (self.source,)
            case "readOnly":
                return ("true" if self.read_only else "false",)
            case "resources.type":
                return (self.resource_type,)
            case "resources.ARN":
                return self.arns or ()
            case "userIdentity.arn":
                return (self.identity,)
            case "eventType":
                return ("AwsApiCall",)
        return ("false",)  # sessionCredentialFromConsole: there is no console here


def wants(basic: Sequence[Mapping[str, Any]], advanced: Sequence[Mapping[str, Any]], facts: Facts) -> bool:
    """Whether one of a trail's selectors takes the event."""
    if advanced:
        return any(all(_fits(field, facts) for field in one["FieldSelectors"]) for one in advanced)
    return any(_takes(one, facts) for one in basic or (DEFAULT,))


def _takes(one: Mapping[str, Any], facts: Facts) -> bool:
    asked = one.get("ReadWriteType", "All")
    if asked != "All" and (asked == "ReadOnly") is not facts.read_only:
        return False
    if not facts.resource_type:
        excluded = one.get("ExcludeManagementEventSources") or ()
        return bool(one.get("IncludeManagementEvents", True)) and facts.source not in excluded
    return any(
        resource["Type"] == facts.resource_type and any(_covers(resource["Type"], v, facts.arns) for v in values)
        for resource in one.get("DataResources") or ()
        if (values := resource.get("Values") or ())
    )


def _covers(kind: str, value: str, arns: Sequence[str] | None) -> bool:
    if arns is None or value in _ALL_OF[kind]:
        return True
    if kind == "AWS::S3::Object":  # "arn:aws:s3:::bucket/" and any prefix of a key behind it; also without the slash
        return any(arn.startswith(value) or arn == value.rstrip("/") for arn in arns)
    return value in arns


def _fits(field: Mapping[str, Any], facts: Facts) -> bool:
    """One of the positive operators' values must fit, and none of the negated ones'."""
    if field["Field"] == "resources.ARN" and facts.arns is None:
        return True
    values = facts.values(field["Field"])
    positive: list[bool] = []
    for operator, compare in _OPERATORS.items():
        if not (wanted := field.get(operator)):
            continue
        fits = any(compare(value, one) for value in values for one in wanted)
        if operator.startswith("Not"):
            if fits:
                return False
        else:
            positive.append(fits)
    return any(positive) if positive else True


def check_basic(selectors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The selectors with their defaults filled in. Raises ServiceError InvalidEventSelectorsException."""
    if not 1 <= len(selectors) <= MOST_SELECTORS:
        raise _wrong(f"A trail has 1 to {MOST_SELECTORS} event selectors.")
    checked = []
    for one in selectors:
        kind = one.get("ReadWriteType", "All")
        if kind not in ("All", "ReadOnly", "WriteOnly"):
            raise _wrong(f"ReadWriteType is All, ReadOnly or WriteOnly, not {kind}.")
        excluded = list(one.get("ExcludeManagementEventSources") or ())
        if set(excluded) - set(_EXCLUDED):
            raise _wrong(f"ExcludeManagementEventSources takes {' and '.join(_EXCLUDED)}.")
        resources = list(one.get("DataResources") or ())
        for resource in resources:
            if resource.get("Type") not in _TYPES:
                raise _wrong(
                    f"DataResources take the types {', '.join(_TYPES)}, not {resource.get('Type')}. "
                    "Use AdvancedEventSelectors for others."
                )
        checked.append(
            {
                "ReadWriteType": kind,
                "IncludeManagementEvents": one.get("IncludeManagementEvents", True),
                "DataResources": [{"Type": r["Type"], "Values": list(r.get("Values") or ())} for r in resources],
                "ExcludeManagementEventSources": excluded,
            }
        )
    if sum(len(r["Values"]) for one in checked for r in one["DataResources"]) > MOST_DATA_RESOURCES:
        raise _wrong(f"A trail has at most {MOST_DATA_RESOURCES} data resources.")
    return checked


def check_advanced(selectors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The selectors as they came. Raises ServiceError InvalidEventSelectorsException."""
    if not selectors:
        raise _wrong("AdvancedEventSelectors is empty.")
    conditions = 0
    for one in selectors:
        fields: dict[str, Mapping[str, Any]] = {}
        for field in one["FieldSelectors"]:
            if field["Field"] in fields:
                raise _wrong(f"A selector names the field {field['Field']} twice.")
            fields[field["Field"]] = field
            conditions += _check_field(field)
        category = _only(fields, "eventCategory", tuple(_FIELDS))
        unknown = set(fields) - set(_FIELDS[category])
        if unknown:
            raise _wrong(f"{', '.join(sorted(unknown))} is no field of {category} events of a trail.")
        if category == "Data":
            _only(fields, "resources.type", ())
        if "readOnly" in fields:
            _only(fields, "readOnly", ("true", "false"))
    if conditions > MOST_CONDITIONS:
        raise _wrong(f"A trail has at most {MOST_CONDITIONS} conditions in all its selectors.")
    return [dict(one) for one in selectors]


def _check_field(field: Mapping[str, Any]) -> int:
    """How many conditions it has."""
    name = field["Field"]
    given = {operator: field[operator] for operator in _OPERATORS if field.get(operator)}
    if not given:
        raise _wrong(f"The field {name} has no operator.")
    if name in _ONLY_EQUALS and set(given) != {"Equals"}:
        raise _wrong(f"The field {name} takes Equals only.")
    return sum(len(values) for values in given.values())


def _only(fields: Mapping[str, Mapping[str, Any]], name: str, known: tuple[str, ...]) -> str:
    values: Sequence[str] = fields.get(name, {}).get("Equals") or ()
    of = f" of {', '.join(known)}" if known else ""
    if len(values) != 1 or (known and values[0] not in known):
        raise _wrong(f"A selector needs {name} with Equals and one value{of}.")
    return str(values[0])


def _wrong(message: str) -> ServiceError:
    return ServiceError("InvalidEventSelectorsException", message)
