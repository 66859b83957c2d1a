"""Values as the YAML of a CloudFormation template, in the short forms of its functions. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

WIDTH = 110
"""Characters of a line, unless one word alone is longer."""
_QUOTED = re.compile(r"(!Ref|!GetAtt) '([\w.]+)'")


class Ref(str):
    """The value of a parameter or resource of the template."""


class Attribute(str):
    """An attribute of a resource: "Bucket.Arn"."""


class Filled(str):
    """A text in which ${…} stands for something of the template."""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """No aliases, which CloudFormation refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def _text(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value))


def _filled(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("!Sub", str(value), style='"')


def _ref(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("!Ref", str(value))


def _attribute(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("!GetAtt", str(value))


_Dumper.add_multi_representer(str, _text)
_Dumper.add_representer(Ref, _ref)
_Dumper.add_representer(Attribute, _attribute)
_Dumper.add_representer(Filled, _filled)


def block(value: Mapping[str, Any], indent: int = 0) -> str:
    """A mapping as a block of lines, which all begin that far in."""
    text: str = yaml.dump(
        _plain(value), Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=WIDTH, allow_unicode=True
    )
    text = _QUOTED.sub(r"\1 \2", text)
    return "".join(f"{' ' * indent}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _plain(value: Any) -> Any:
    """Mappings and sequences as YAML knows them; texts stay what they are."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
