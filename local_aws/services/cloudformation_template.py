"""CloudFormation templates, JSON or YAML with the short forms of the functions, as they are written down. Pure.

What does not have the form of a template, or holds what is not done here, is refused with the words of AWS where AWS
refuses it too. Source: CloudFormation Template Reference.
"""

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]

from local_aws.errors import ServiceError

LARGEST = 51_200  # bytes of a template in a request
MOST_RESOURCES = 500
FUNCTIONS = ("Base64", "FindInMap", "GetAtt", "If", "Join", "Select", "Split", "Sub", "And", "Equals", "Not", "Or")
"""Those that are done here, without the "Fn::" before them."""
_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
}
_NOT_HERE = ("Transform", "Rules", "Hooks")
_LOGICAL = re.compile(r"[A-Za-z0-9]{1,255}")
_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")
_OF_RESOURCE = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "Description",
}

Params = dict[str, Any]


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


@dataclass(frozen=True)
class Resource:
    """One resource as it is written. properties: with its functions. after: what DependsOn names."""

    name: str
    type: str
    properties: Params
    after: tuple[str, ...] = ()
    condition: str = ""
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"


@dataclass(frozen=True)
class Template:
    """text: as it came."""

    text: str
    resources: Mapping[str, Resource]
    description: str = ""
    parameters: Mapping[str, Params] = field(default_factory=dict)
    mappings: Params = field(default_factory=dict)
    conditions: Params = field(default_factory=dict)
    outputs: Mapping[str, Params] = field(default_factory=dict)
    version: str = ""


def read(text: str) -> Template:
    """Raises ServiceError ValidationError."""
    if len(text.encode()) > LARGEST:
        raise invalid(f"1 validation error detected: templateBody must be at most {LARGEST} bytes long")
    found = _parsed(text)
    for name in found:
        if name in _NOT_HERE:
            raise invalid(f"The embedded AWS has no {name} of templates yet. Leave it out.")
        if name not in _SECTIONS:
            raise invalid(f"Invalid template property or properties [{name}]")
    resources = _section(found, "Resources")
    if not resources:
        raise invalid("Template format error: At least one Resources member must be defined.")
    if len(resources) > MOST_RESOURCES:
        raise invalid(f"Template format error: Number of resources, {len(resources)}, is greater than maximum allowed")
    _section(found, "Metadata", of_objects=False)  # of no effect here but for its form
    description = found.get("Description", "")
    if not isinstance(description, str) or len(description) > 1024:
        raise invalid("Template format error: 'Description' length is greater than 1024 or is not a string.")
    return Template(
        text,
        {name: _resource(name, one) for name, one in resources.items()},
        description,
        _section(found, "Parameters"),
        _section(found, "Mappings"),
        _section(found, "Conditions", of_objects=False),
        _section(found, "Outputs"),
        str(found.get("AWSTemplateFormatVersion", "")),
    )


def _resource(name: str, given: Params) -> Resource:
    if not _LOGICAL.fullmatch(name):
        raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    kind, properties = given.get("Type"), given.get("Properties") or {}
    if not isinstance(kind, str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    if not isinstance(properties, dict):
        raise invalid(f"Template format error: [/Resources/{name}/Properties] must be an object.")
    for key in given:
        if key not in _OF_RESOURCE:
            raise invalid(f"Invalid template resource property '{key}' of {name}")
    policies = [given.get(key, "Delete") for key in ("DeletionPolicy", "UpdateReplacePolicy")]
    for one in policies:
        if one == "Snapshot" or one not in _POLICIES:
            raise invalid(f"Template error: the policy {one} of {name} is none of {', '.join(_POLICIES)}")
    after = given.get("DependsOn", [])
    after = [after] if isinstance(after, str) else after
    if not isinstance(after, list) or not all(isinstance(one, str) for one in after):
        raise invalid(f"Template format error: DependsOn of {name} must be a string or a list of strings.")
    condition = given.get("Condition", "")
    return Resource(name, kind, properties, tuple(after), str(condition), *policies)


def _section(found: Params, name: str, *, of_objects: bool = True) -> Params:
    section = found.get(name, {})
    if section is None:
        section = {}
    if not isinstance(section, dict) or (of_objects and not all(isinstance(one, dict) for one in section.values())):
        raise invalid(f"Template format error: [/{name}] must be an object of objects.")
    return {str(key): value for key, value in section.items()}


def _parsed(text: str) -> Params:
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 safe
    except yaml.YAMLError as wrong:
        told = getattr(wrong, "problem", None) or str(wrong)
        raise invalid(f"Template format error: YAML not well-formed. {_place(wrong)}{told}") from wrong
    except (ValueError, RecursionError) as wrong:
        raise invalid(f"Template format error: JSON not well-formed. {wrong}") from wrong
    if not isinstance(found, dict):
        raise invalid("Template format error: unsupported structure.")
    return found


def _place(wrong: Exception) -> str:
    mark = getattr(wrong, "problem_mark", None)
    return f"(line {mark.line + 1}, column {mark.column + 1}) " if mark else ""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML as CloudFormation reads it: no aliases, dates stay texts, a key is there once."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key}", problem_mark=key_node.start_mark)
            seen.add(key)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


_Loader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for start, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short(loader: Any, name: str, node: Any) -> Params:
    """`!Sub …` is {"Fn::Sub": …}."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    if name not in FUNCTIONS:
        raise yaml.MarkedYAMLError(problem=f"the embedded AWS has no !{name} yet", problem_mark=node.start_mark)
    return {f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short)
