"""A Search expression as one function of a record. Source of the rules: SearchExpression and Filter in AWS's API."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from local_aws.errors import ServiceError
from local_aws.services.sagemaker_resources import Document
from local_aws.services.sagemaker_search_property import (
    Described,
    Kind,
    element_property,
    find_property,
    stamp,
)

Condition = Callable[[Document], bool]
Test = Callable[[Any], bool]
"""Whether one value of a property satisfies a filter."""

MOST_CONDITIONS = 50  # filters, nested filters and subexpressions in all
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def condition(expression: Mapping[str, Any], resource: str, described: Described) -> Condition:
    """What a record must satisfy; an empty expression is satisfied by all. Raises ServiceError ValidationException."""
    if _count(expression) > MOST_CONDITIONS:
        _wrong(f"A search expression can hold {MOST_CONDITIONS} filters and subexpressions in all.")
    return _expression(expression, resource, described) if expression else lambda _: True


def creation_window(expression: Mapping[str, Any]) -> tuple[float, float]:
    """The moments (epoch seconds, both included) outside of which nothing was created that satisfies the expression.

    As far as its own filters say so: others are looked at record by record, these save looking.
    """
    low, high = float("-inf"), float("inf")
    if expression.get("Operator", "And") == "And":
        for one in expression.get("Filters", ()):
            if one["Name"] == "CreationTime" and one.get("Operator") in _ORDERED and "Value" in one:
                moment = _time("CreationTime", one["Value"])
                if one["Operator"].startswith("Greater"):
                    low = max(low, moment)
                else:
                    high = min(high, moment)
    return low, high


def _expression(expression: Mapping[str, Any], resource: str, described: Described) -> Condition:
    parts = [
        *(_filter(one, resource, described) for one in expression.get("Filters", ())),
        *(_nested(one, resource, described) for one in expression.get("NestedFilters", ())),
        *(_expression(one, resource, described) for one in expression.get("SubExpressions", ())),
    ]
    if not parts:
        _wrong("A search expression needs at least one filter, nested filter or subexpression.")
    if len(parts) == 1:
        return parts[0]
    # plain loops: this runs for each of thousands of records, and a generator would take twice as long
    wanted = expression.get("Operator", "And") == "Or"

    def holds(document: Document) -> bool:
        for part in parts:
            if part(document) is wanted:
                return wanted
        return not wanted

    return holds


def _filter(one: Mapping[str, Any], resource: str, described: Described) -> Condition:
    found = find_property(resource, one["Name"], described)
    return _matches(one, found.kind, found.values)


def _nested(one: Mapping[str, Any], resource: str, described: Described) -> Condition:
    """Satisfied when a single element of the list satisfies all filters."""
    parent = one["NestedPropertyName"]
    elements = find_property(resource, parent, described).values
    parts = [_matches(item, *element_property(resource, parent, item["Name"])) for item in one["Filters"]]
    return lambda document: any(all(part(element) for part in parts) for element in elements(document))


def _matches(one: Mapping[str, Any], kind: Kind, values: Callable[[Any], list[Any]]) -> Callable[[Any], bool]:
    """Whether a record, or an element of a list, satisfies a filter: any value of its property may."""
    asked, name = one.get("Operator", "Equals"), one["Name"]
    if asked in ("Exists", "NotExists"):
        exists = asked == "Exists"
        return lambda subject: bool(values(subject)) is exists
    if "Value" not in one:
        _wrong(f"The filter on {name} needs a Value for the operator {asked}.")
    test = _test(asked, name, kind, one["Value"])
    negated: bool = asked == "NotEquals"

    def holds(subject: Any) -> bool:
        for value in values(subject):
            if test(value):
                return not negated
        return negated

    return holds


def _test(wanted: str, name: str, kind: Kind, text: str) -> Test:
    if kind is Kind.OBJECT:
        _wrong(f"{name} is not a single value: filter on a property of it, or use Exists or NotExists.")
    if wanted in ("Contains", "In"):
        if not kind.is_text:
            _wrong(f"The operator {wanted} is only for text properties, and {name} is not one.")
        if wanted == "Contains":
            return lambda value: text in value
        allowed = {item.strip() for item in text.split(",")}
        return lambda value: value in allowed
    if wanted in ("Equals", "NotEquals"):
        return _equality(name, kind, text)
    if not kind.is_ordered:
        _wrong(f"The operator {wanted} is not for text properties, and {name} is one.")
    return _order(_ORDERED[wanted], name, kind, text)


def _equality(name: str, kind: Kind, text: str) -> Test:
    match kind:
        case Kind.NUMBER:
            number = _number(name, text)
            return lambda value: bool(value == number)
        case Kind.TIME:  # asked for in whole seconds
            second = int(_time(name, text))
            return lambda value: int(stamp(value)) == second
        case Kind.BOOLEAN:
            wanted = text.lower() == "true"
            return lambda value: value is wanted
        case _:
            return lambda value: bool(value == text)


def _order(compare: Callable[[Any, Any], bool], name: str, kind: Kind, text: str) -> Test:
    if kind is Kind.TIME:
        moment = _time(name, text)
        return lambda value: compare(stamp(value), moment)
    limit = _number(name, text)
    if kind is Kind.NUMBER:
        return lambda value: compare(value, limit)
    # as documented: an integer Value compares hyperparameters as integers
    whole = text.lstrip("+-").isdigit()

    def holds(value: str) -> bool:
        try:
            number = float(value)
            return bool(compare(int(number) if whole else number, limit))
        except (ValueError, OverflowError):  # a text, or infinite
            return False

    return holds


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        _wrong(f"The filter on {name} needs a number, not {text!r}.")


def _time(name: str, text: str) -> float:
    """Epoch seconds of an ISO 8601 time; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        _wrong(f"The filter on {name} needs a time such as 2026-01-31T23:59:59, not {text!r}.")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _count(expression: Mapping[str, Any]) -> int:
    return (
        len(expression.get("Filters", ()))
        + sum(1 + len(one["Filters"]) for one in expression.get("NestedFilters", ()))
        + sum(1 + _count(one) for one in expression.get("SubExpressions", ()))
    )


def _wrong(sentence: str) -> NoReturn:
    raise ServiceError("ValidationException", sentence)
