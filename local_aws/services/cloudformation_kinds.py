"""What a CloudFormation resource type is made of: what it takes, and the calls that make, change and remove one.

Every kind works through the services themselves, as the caller. Making and removing can be done again after the server
was killed half way: what is there already is what was begun. Source: CloudFormation Template Reference, each type's
"Properties", "Update requires" and "Return values".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from local_aws.errors import ServiceError

Params = dict[str, Any]
Call = Callable[..., Params]
"""call(service, operation, **parameters); raises ServiceError."""


@dataclass(frozen=True)
class Place:
    """Where a stack is. name: the stack's."""

    account: str
    region: str
    name: str = ""


class Kind:
    """A resource type. takes: its properties; required: those it must have. named: the one with its name, "" for none.

    replaced: properties whose change needs a new one. attributes: what Fn::GetAtt may ask for. is_iam: whether a
    template with it needs a capability.
    """

    type: ClassVar[str]
    takes: ClassVar[frozenset[str]]
    required: ClassVar[frozenset[str]] = frozenset()
    named: ClassVar[str] = ""
    replaced: ClassVar[frozenset[str]] = frozenset()
    attributes: ClassVar[frozenset[str]] = frozenset()
    is_iam: ClassVar[bool] = False
    has_tags: ClassVar[bool] = False

    def physical(self, properties: Params, generated: str, place: Place) -> str:
        """Its physical id. generated: a name that nothing else has."""
        return str(properties.get(self.named) or generated)

    def foreseen(self, properties: Params, place: Place) -> dict[str, str]:
        """What Ref ("") and attributes will say, as far as its properties tell before it is made."""
        name = properties.get(self.named)
        return {"": str(name)} if isinstance(name, str) else {}

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        """Whether something of that id is there already."""
        raise NotImplementedError

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        """Raises ServiceError."""
        raise NotImplementedError

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        """Raises ServiceError."""
        raise NotImplementedError

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        """Nothing where it is gone already. Raises ServiceError."""
        raise NotImplementedError

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        """What Ref ("") and each attribute say of one that was made."""
        raise NotImplementedError


def there(call: Call, missing: tuple[str, ...], service: str, operation: str, **params: Any) -> bool:
    """Whether a reading call finds what it asks for. missing: the codes that say it does not."""
    try:
        call(service, operation, **params)
    except ServiceError as error:
        if error.code in missing:
            return False
        raise
    return True


def unless(codes: tuple[str, ...], call: Call, service: str, operation: str, **params: Any) -> None:
    """A call whose answer may also be one of these codes: what it asks for is so already."""
    try:
        call(service, operation, **params)
    except ServiceError as error:
        if error.code not in codes:
            raise


def tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {str(one["Key"]): str(one.get("Value", "")) for one in properties.get("Tags") or ()}


def pairs(marks: Mapping[str, str]) -> list[Params]:
    """Tags as services and answers hold them."""
    return [{"Key": key, "Value": value} for key, value in marks.items()]
