"""The functions of CloudFormation templates: what they stand for, given parameters, conditions and resources. Pure.

Source: CloudFormation Template Reference, "Intrinsic function reference" and "Pseudo parameters reference".
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.services.cloudformation_template import FUNCTIONS, Template, invalid

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What a change set says of what only the making of a resource will tell."""
NO_VALUE = object()
_IN_TEXT = re.compile(r"\$\{(!?)\s*([A-Za-z0-9:.]+)\s*\}")
_CONDITIONAL = ("And", "Equals", "Not", "Or")
MOST_DEEP = 60

Attribute = Callable[[str, str], str]
"""Of a resource by its logical name: what Ref says where the second is "", else that attribute."""


@dataclass(frozen=True)
class Scope:
    """Where functions are worked out. parameters: their values, and the pseudo parameters'."""

    template: Template
    parameters: Mapping[str, Any]
    attribute: Attribute

    def value(self, given: Any, deep: int = 0) -> Any:
        """What a value of a template stands for; members that are AWS::NoValue are left out. Raises ValidationError."""
        if deep > MOST_DEEP:
            raise invalid("Template error: functions are nested too deeply")
        name, argument = function(given)
        if name:
            return self._worked_out(name, argument, deep + 1)
        if isinstance(given, dict):
            pairs = ((key, self.value(one, deep + 1)) for key, one in given.items())
            return {key: one for key, one in pairs if one is not NO_VALUE}
        if isinstance(given, list):
            return [one for one in (self.value(one, deep + 1) for one in given) if one is not NO_VALUE]
        return given

    def holds(self, condition: str, seen: tuple[str, ...] = ()) -> bool:
        """Whether a condition of the template is true."""
        if condition not in self.template.conditions:
            raise invalid(f"Template error: unresolved condition dependency {condition}")
        if condition in seen:
            raise invalid(f"Template error: circular dependency of the conditions {', '.join(seen)}")
        return self._true(self.template.conditions[condition], (*seen, condition))

    def _true(self, given: Any, seen: tuple[str, ...]) -> bool:
        name, argument = function(given)
        if name == "Condition" and isinstance(argument, str):
            return self.holds(argument, seen)
        if name not in _CONDITIONAL or not isinstance(argument, list):
            raise invalid("Template error: every condition is an Fn::And, Fn::Equals, Fn::Not or Fn::Or, or names one")
        match name:
            case "Equals" if len(argument) == 2:
                left, right = (self.value(one) for one in argument)
                return text(left) == text(right)
            case "Not" if len(argument) == 1:
                return not self._true(argument[0], seen)
            case "And" | "Or" if 2 <= len(argument) <= 10:
                answers = [self._true(one, seen) for one in argument]
                return all(answers) if name == "And" else any(answers)
        raise invalid(f"Template error: Fn::{name} has not as many values as it takes")

    def _worked_out(self, name: str, argument: Any, deep: int) -> Any:
        match name, argument:
            case "Ref", str():
                return self._ref(argument)
            case "GetAtt", [str() as resource, attribute]:
                return self._attribute(resource, text(self.value(attribute, deep)))
            case "GetAtt", str() if "." in argument:
                return self._attribute(*argument.split(".", 1))
            case "If", [str() as condition, yes, no]:
                return self.value(yes if self.holds(condition) else no, deep)
            case "Join", [str() as between, several]:
                return between.join(text(one) for one in _list(self.value(several, deep), name))
            case "Split", [str() as between, whole] if between:
                return text(self.value(whole, deep)).split(between)
            case "Select", [place, several]:
                return self._selected(self.value(place, deep), _list(self.value(several, deep), name))
            case "Sub", str():
                return self._filled(argument, {})
            case "Sub", [str() as written, dict() as own]:
                return self._filled(written, {key: self.value(one, deep) for key, one in own.items()})
            case "FindInMap", [table, top, second]:
                keys = [text(self.value(one, deep)) for one in (table, top, second)]
                return self._mapped(*keys)
            case "Base64", _:
                return base64.b64encode(text(self.value(argument, deep)).encode()).decode()
            case "Condition", str():
                return self.holds(argument)
        if name in _CONDITIONAL:
            raise invalid(f"Template error: Fn::{name} may stand in Conditions only")
        raise invalid(f"Template error: every {name} has the form that its reference says: {str(argument)[:100]}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        if name in self.template.resources:
            return self._attribute(name, "")
        raise _unresolved([name])

    def _attribute(self, resource: str, attribute: str) -> str:
        if resource not in self.template.resources:
            raise invalid(
                f"Template error: instance of Fn::GetAtt references undefined resource {resource}"
                if attribute
                else f"Template format error: Unresolved resource dependencies [{resource}]"
            )
        return self.attribute(resource, attribute)

    def _filled(self, written: str, own: Mapping[str, Any]) -> str:
        def fill(found: re.Match[str]) -> str:
            literal, name = found[1], found[2]
            if literal:
                return f"${{{name}}}"
            if name in own:
                return text(own[name])
            value = self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)
            return text(value)

        return _IN_TEXT.sub(fill, written)

    @staticmethod
    def _selected(place: Any, several: Sequence[Any]) -> Any:
        number = text(place)
        if not number.isdecimal() or int(number) >= len(several):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {number}")
        return several[int(number)]

    def _mapped(self, table: str, top: str, second: str) -> Any:
        try:
            return self.template.mappings[table][top][second]
        except (KeyError, TypeError):
            raise invalid(f"Template error: Unable to get mapping for {table}::{top}::{second}") from None


def function(given: Any) -> tuple[str, Any]:
    """The function that a value is, without "Fn::", and its argument; "" for what is none."""
    if isinstance(given, dict) and len(given) == 1:
        (key,) = given
        if key in ("Ref", "Condition") and isinstance(given[key], str):
            return key, given[key]
        if isinstance(key, str) and key.startswith("Fn::"):
            name = key.removeprefix("Fn::")
            if name not in FUNCTIONS:
                raise invalid(f"The embedded AWS has no {key} yet.")
            return name, given[key]
    return "", None


def text(value: Any) -> str:
    """As CloudFormation writes a value into a text. Raises ValidationError for a list or an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise invalid("Template error: a text was expected where a list or an object is")


def references(given: Any) -> Iterator[str]:
    """Every name that a value refers to: of parameters, pseudo parameters and resources."""
    name, argument = function(given)
    if name == "Ref":
        yield argument
    elif name == "GetAtt":
        yield argument.split(".", 1)[0] if isinstance(argument, str) else str(_list(argument, name)[0])
    elif name == "Sub":
        written, own = (
            (argument[0], argument[1]) if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        )
        for found in _IN_TEXT.finditer(str(written)):
            if not found[1] and found[2] not in own:
                yield found[2].split(".", 1)[0]
        yield from references(own)
    elif name:
        yield from references(argument)
    elif isinstance(given, dict):
        for one in given.values():
            yield from references(one)
    elif isinstance(given, list):
        for one in given:
            yield from references(one)


def check_references(template: Template) -> None:
    """Raises ValidationError for a name that is nowhere."""
    known = {*template.resources, *template.parameters}
    for section, values in (
        ("Resources", [one.properties for one in template.resources.values()]),
        ("Outputs", list(template.outputs.values())),
        ("Conditions", list(template.conditions.values())),
    ):
        named = {name for value in values for name in references(value)}
        lost = sorted(name for name in named if name not in known and not name.startswith("AWS::"))
        lost += [one for one in sorted(named) if section == "Conditions" and one in template.resources]
        if lost:
            raise _unresolved(lost, section)
    for resource in template.resources.values():
        lost = [one for one in resource.after if one not in template.resources]
        if lost:
            raise _unresolved(lost)


def _unresolved(names: Sequence[str], section: str = "Resources") -> Exception:
    listed = ", ".join(names)
    return invalid(
        f"Template format error: Unresolved resource dependencies [{listed}] in the {section} block of the template"
    )


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise invalid(f"Template error: Fn::{name} needs a list")
    return value
