"""A Search expression as one function of a record. Source of the rules: SearchExpression and Filter in AWS's API."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from local_aws.errors import ServiceError
from local_aws.services.sagemaker_search_property import (
    Kind,
    Record,
    element_property,
    find_property,
    stamp,
)

Condition = Callable[[Record], bool]
Test = Callable[[list[Any]], bool]
"""Whether the values of one property satisfy a filter."""

MOST_CONDITIONS = 50  # filters, nested filters and subexpressions in all
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda value, limit: value > limit,
    "GreaterThanOrEqualTo": lambda value, limit: value >= limit,
    "LessThan": lambda value, limit: value < limit,
    "LessThanOrEqualTo": lambda value, limit: value <= limit,
}


def condition(expression: Mapping[str, Any], resource: str) -> Condition:
    """What a record must satisfy; an empty expression is satisfied by all. Raises ServiceError ValidationException."""
    if _count(expression) > MOST_CONDITIONS:
        _wrong(f"A search expression can hold {MOST_CONDITIONS} filters and subexpressions in all.")
    return _expression(expression, resource) if expression else lambda _: True


def _expression(expression: Mapping[str, Any], resource: str) -> Condition:
    parts = [
        *(_filter(one, resource) for one in expression.get("Filters", ())),
        *(_nested(one, resource) for one in expression.get("NestedFilters", ())),
        *(_expression(one, resource) for one in expression.get("SubExpressions", ())),
    ]
    if not parts:
        _wrong("A search expression needs at least one filter, nested filter or subexpression.")
    if len(parts) == 1:
        return parts[0]
    if expression.get("Operator", "And") == "Or":
        return lambda record: any(part(record) for part in parts)
    return lambda record: all(part(record) for part in parts)


def _filter(one: Mapping[str, Any], resource: str) -> Condition:
    found = find_property(resource, one["Name"])
    test, values = _test(one, found.kind), found.values
    return lambda record: test(values(record))


def _nested(one: Mapping[str, Any], resource: str) -> Condition:
    """Satisfied when a single element of the list satisfies all filters."""
    parent = one["NestedPropertyName"]
    elements = find_property(resource, parent).values
    parts = []
    for item in one["Filters"]:
        kind, values = element_property(resource, parent, item["Name"])
        parts.append((_test(item, kind), values))
    return lambda record: any(all(test(values(element)) for test, values in parts) for element in elements(record))


def _test(one: Mapping[str, Any], kind: Kind) -> Test:
    operator, name = one.get("Operator", "Equals"), one["Name"]
    if operator == "Exists":
        return bool
    if operator == "NotExists":
        return lambda values: not values
    text = one.get("Value")
    if text is None:
        _wrong(f"The filter on {name} needs a Value for the operator {operator}.")
    if kind is Kind.OBJECT:
        _wrong(f"{name} is not a single value: filter on a property of it, or use Exists or NotExists.")
    if operator in ("Contains", "In"):
        if not kind.is_text:
            _wrong(f"The operator {operator} is only for text properties, and {name} is not one.")
        if operator == "Contains":
            return lambda values: any(text in value for value in values)
        allowed = {item.strip() for item in text.split(",")}
        return lambda values: any(value in allowed for value in values)
    if operator in _ORDERED and not kind.is_ordered:
        _wrong(f"The operator {operator} is not for text properties, and {name} is one.")
    equals = _equality(name, kind, text)
    if operator == "Equals":
        return equals
    if operator == "NotEquals":
        return lambda values: not equals(values)
    return _order(_ORDERED[operator], name, kind, text)


def _equality(name: str, kind: Kind, text: str) -> Test:
    match kind:
        case Kind.NUMBER:
            number = _number(name, text)
            return lambda values: any(value == number for value in values)
        case Kind.TIME:  # asked for in whole seconds
            second = int(_time(name, text))
            return lambda values: any(int(stamp(value)) == second for value in values)
        case Kind.BOOLEAN:
            wanted = text.lower() == "true"
            return lambda values: any(value is wanted for value in values)
        case _:
            return lambda values: text in values


def _order(compare: Callable[[Any, Any], bool], name: str, kind: Kind, text: str) -> Test:
    if kind is Kind.TIME:
        moment = _time(name, text)
        return lambda values: any(compare(stamp(value), moment) for value in values)
    limit = _number(name, text)
    if kind is Kind.NUMBER:
        return lambda values: any(compare(value, limit) for value in values)
    # as documented: an integer Value compares hyperparameters as integers
    whole = text.lstrip("+-").isdigit()

    def holds(values: list[Any]) -> bool:
        for value in values:
            try:
                number = float(value)
            except ValueError:
                continue
            if compare(int(number) if whole else number, limit):
                return True
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
