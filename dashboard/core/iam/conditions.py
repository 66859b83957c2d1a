"""Condition operators of IAM policies, all of them, by the rules of the IAM User Guide.

Operators and keys are joined by AND, the values of one by OR (of a negated operator: NOR). Without the key a positive
operator is false and a negated one true; `…IfExists` is true, `ForAllValues:` true, `ForAnyValue:` false.
"""

import base64
import binascii
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from dashboard.core.iam.documents import Condition, PolicyError
from dashboard.core.iam.variables import Context, filled
from dashboard.core.iam.wildcard import ANY, ONE, fits, fits_arn

Test = Callable[[str, str], bool]
"""Whether a value of the policy (as a prepared pattern) agrees with one of the request."""

_ALL, _ANY = "forallvalues:", "foranyvalue:"
_IF_EXISTS = "ifexists"


def holds(condition: Condition, context: Context, *, variables: bool) -> bool:
    """Whether a condition is met. variables: `${…}` in it means something.

    Raises PolicyError for an operator that is none, or values it cannot compare: neither yes nor no would be true.
    """
    quantifier, name, if_exists = _split(condition.operator)
    values = context.get(condition.key.lower())
    if name == "null" and not if_exists:
        absent = values is None or not any(values)
        return any(value.lower() == str(absent).lower() for value in condition.values)
    if name not in _OPERATORS:
        raise PolicyError(f"{condition.operator} is no condition operator")
    test, negated, takes_variables = _OPERATORS[name]
    if values is None and if_exists:
        return True
    if quantifier == _ALL and not any(values or ()):
        return True
    if values is None:
        return negated and quantifier != _ANY
    patterns = [filled(value, context, enabled=variables and takes_variables) for value in condition.values]

    def agrees(value: str) -> bool:
        found = any(pattern is not None and _tested(test, pattern, value, condition) for pattern in patterns)
        return found != negated

    if quantifier == _ALL:
        return all(agrees(value) for value in values)
    if quantifier == _ANY:
        return any(agrees(value) for value in values)
    return all(agrees(value) for value in values) if negated else any(agrees(value) for value in values)


@lru_cache(maxsize=512)
def _split(operator: str) -> tuple[str, str, bool]:
    """ForAllValues:StringLikeIfExists → "forallvalues:", "stringlike", True."""
    name = operator.lower()
    quantifier = next((one for one in (_ALL, _ANY) if name.startswith(one)), "")
    name = name.removeprefix(quantifier)
    return quantifier, name.removesuffix(_IF_EXISTS), name.endswith(_IF_EXISTS)


def _tested(test: Test, pattern: str, value: str, condition: Condition) -> bool:
    try:
        return test(pattern, value)
    except (ValueError, InvalidOperation, OverflowError, binascii.Error) as wrong:
        raise PolicyError(
            f"{condition.operator} cannot compare {_plain(pattern)!r} with {value!r} ({condition.key})"
        ) from wrong


def _plain(pattern: str) -> str:
    return pattern.replace(ANY, "*").replace(ONE, "?")


def _on(read: Callable[[str], object], compare: Callable[..., bool]) -> Test:
    return lambda pattern, value: compare(read(value), read(_plain(pattern)))


def _number(text: str) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError(text)
    return number


def _date(text: str) -> datetime:
    """ISO 8601, a date alone, or seconds since the epoch."""
    text = text.strip()
    if text.lstrip("-").replace(".", "", 1).isdigit() and len(text) != 8:
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _true(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _in_network(pattern: str, value: str) -> bool:
    network, address = ipaddress.ip_network(_plain(pattern), strict=False), ipaddress.ip_address(value)
    return network.version == address.version and address in network


def _equal(one: object, other: object) -> bool:
    return one == other


# name: test, whether it is negated, whether policy variables work in it
_OPERATORS: dict[str, tuple[Test, bool, bool]] = {
    "stringequals": (lambda pattern, value: _plain(pattern) == value, False, True),
    "stringnotequals": (lambda pattern, value: _plain(pattern) == value, True, True),
    "stringequalsignorecase": (lambda pattern, value: _plain(pattern).lower() == value.lower(), False, True),
    "stringnotequalsignorecase": (lambda pattern, value: _plain(pattern).lower() == value.lower(), True, True),
    "stringlike": (fits, False, True),
    "stringnotlike": (fits, True, True),
    "numericequals": (_on(_number, _equal), False, False),
    "numericnotequals": (_on(_number, _equal), True, False),
    "numericlessthan": (_on(_number, lambda found, limit: found < limit), False, False),
    "numericlessthanequals": (_on(_number, lambda found, limit: found <= limit), False, False),
    "numericgreaterthan": (_on(_number, lambda found, limit: found > limit), False, False),
    "numericgreaterthanequals": (_on(_number, lambda found, limit: found >= limit), False, False),
    "dateequals": (_on(_date, _equal), False, False),
    "datenotequals": (_on(_date, _equal), True, False),
    "datelessthan": (_on(_date, lambda found, limit: found < limit), False, False),
    "datelessthanequals": (_on(_date, lambda found, limit: found <= limit), False, False),
    "dategreaterthan": (_on(_date, lambda found, limit: found > limit), False, False),
    "dategreaterthanequals": (_on(_date, lambda found, limit: found >= limit), False, False),
    "bool": (_on(_true, _equal), False, False),
    "binaryequals": (_on(_bytes, _equal), False, False),
    "ipaddress": (_in_network, False, False),
    "notipaddress": (_in_network, True, False),
    "arnequals": (fits_arn, False, True),
    "arnlike": (fits_arn, False, True),
    "arnnotequals": (fits_arn, True, True),
    "arnnotlike": (fits_arn, True, True),
}
