"""What a CloudFormation stack is to be, in the order in which it is made, and how it differs from what it is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.services import cloudformation_parameters as parameters
from local_aws.services.cloudformation_functions import (
    NO_VALUE,
    UNKNOWN,
    Scope,
    check_references,
    references,
)
from local_aws.services.cloudformation_iam import InstanceProfileKind, ManagedPolicyKind, RoleKind
from local_aws.services.cloudformation_kinds import Kind, Params, Place, pairs, tags
from local_aws.services.cloudformation_s3 import BucketKind, BucketPolicyKind, LogGroupKind
from local_aws.services.cloudformation_template import Template, invalid, read

KINDS: Mapping[str, Kind] = {
    kind.type: kind
    for kind in (
        BucketKind(),
        BucketPolicyKind(),
        LogGroupKind(),
        RoleKind(),
        ManagedPolicyKind(),
        InstanceProfileKind(),
    )
}
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(frozen=True)
class Wanted:
    """A resource as the template has it. needs: the names of those it refers to."""

    name: str
    kind: Kind
    given: Params
    needs: tuple[str, ...]
    deletion_policy: str
    replace_policy: str


@dataclass(frozen=True)
class Design:
    """A template with the values of its parameters: what a stack is to be. tags: of the stack."""

    template: Template
    values: Mapping[str, str]
    tags: Mapping[str, str]
    place: Place
    stack_id: str
    order: tuple[Wanted, ...]

    def scope(self, known: Mapping[str, Mapping[str, str]]) -> Scope:
        """known: what each resource that is there says of itself ("" for Ref, or an attribute)."""
        kinds = {one.name: one for one in self.order}

        def attribute(name: str, asked: str) -> str:
            if name not in kinds:
                raise invalid(
                    f"Template format error: Unresolved resource dependencies [{name}] in the Resources block"
                )
            kind = kinds[name].kind
            if asked and asked not in kind.attributes:
                raise invalid(f"Template error: resource {name} does not support attribute type {asked} in Fn::GetAtt")
            return known.get(name, {}).get(asked, UNKNOWN)

        pseudo = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.place.name,
            "AWS::StackId": self.stack_id,
            "AWS::NotificationARNs": [],
        }
        return Scope(self.template, {**pseudo, **parameters.in_scope(self.template, self.values)}, attribute)

    def properties(self, wanted: Wanted, known: Mapping[str, Mapping[str, str]]) -> Params:
        """Of one resource, with the stack's tags. Raises ServiceError ValidationError."""
        found: Params = self.scope(known).value(wanted.given)
        if wanted.kind.has_tags and self.tags:
            found = {**found, "Tags": pairs({**self.tags, **tags(found)})}
        return found

    def outputs(self, known: Mapping[str, Mapping[str, str]]) -> list[Params]:
        """As DescribeStacks tells them."""
        scope = self.scope(known)
        told = []
        for name, one in self.template.outputs.items():
            if one.get("Condition") and not scope.holds(one["Condition"]):
                continue
            value = scope.value(one.get("Value", ""))
            about = {"Description": one["Description"]} if "Description" in one else {}
            told.append({"OutputKey": name, "OutputValue": "" if value is NO_VALUE else str(value), **about})
        return told

    @property
    def capabilities(self) -> tuple[str, ...]:
        return needed_capabilities(self.template)


def design(
    text: str, given: Sequence[Params], before: Mapping[str, str], marks: Mapping[str, str], place: Place, stack_id: str
) -> Design:
    """Read and check all of it. given: a request's parameters; before: the stack's. Raises ServiceError."""
    template = checked(text)
    values = parameters.values(template, given, before)
    whole = Design(template, values, dict(marks), place, stack_id, ())
    scope = whole.scope({})
    for name in template.conditions:
        scope.holds(name)
    wanted = []
    for one in template.resources.values():
        if one.condition and not scope.holds(one.condition):
            continue
        needs = {name for name in references(one.properties) if name in template.resources} | set(one.after)
        wanted.append(
            Wanted(
                one.name, KINDS[one.type], one.properties, tuple(sorted(needs)), one.deletion_policy, one.replace_policy
            )
        )
    return Design(template, values, dict(marks), place, stack_id, ordered(wanted))


def checked(text: str) -> Template:
    """A template of which everything is known here. Raises ServiceError ValidationError."""
    template = read(text)
    parameters.check(template)
    unknown = sorted({one.type for one in template.resources.values()} - set(KINDS))
    if unknown:
        raise invalid(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. The embedded AWS makes "
            f"{', '.join(sorted(KINDS))}."
        )
    for one in template.resources.values():
        kind = KINDS[one.type]
        if extra := sorted(set(one.properties) - kind.takes):
            raise invalid(f"The embedded AWS has no {', '.join(extra)} of {one.type} ({one.name}) yet. Leave it out.")
        if lacks := sorted(kind.required - set(one.properties)):
            raise invalid(f"Properties validation failed for resource {one.name}: required key [{lacks[0]}] not found")
    for name, output in template.outputs.items():
        if "Export" in output:
            raise invalid(f"The embedded AWS has no Export of outputs yet ({name}). Leave it out.")
        if "Value" not in output:
            raise invalid(f"Template format error: Output {name} has no Value")
    check_references(template)
    return template


def needed_capabilities(template: Template) -> tuple[str, ...]:
    """What a request has to acknowledge: roles, and roles with names of the template's choosing."""
    roles = [one for one in template.resources.values() if KINDS[one.type].is_iam]
    if any(KINDS[one.type].named in one.properties for one in roles):
        return ("CAPABILITY_NAMED_IAM",)
    return ("CAPABILITY_IAM",) if roles else ()


def ordered(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Each after those that it needs, else as they are written. Raises ServiceError for a circle."""
    left = {one.name: one for one in wanted}
    found: list[Wanted] = []
    while left:
        ready = [one for one in left.values() if not any(name in left for name in one.needs)]
        if not ready:
            raise invalid(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
        found += ready
        for one in ready:
            del left[one.name]
    return tuple(found)


def needs_new(kind: Kind, before: Params, after: Params) -> bool:
    """Whether a change of properties means another resource in its place."""
    return any(before.get(name) != after.get(name) for name in kind.replaced)


def changes(wanted: Design, there: Mapping[str, Params]) -> list[Params]:
    """As DescribeChangeSet tells them. there: the stack's resources by name, as they are kept."""
    known: dict[str, Mapping[str, str]] = {}
    told: list[Params] = []
    names = {one.name for one in wanted.order}
    for one in wanted.order:
        properties = wanted.properties(one, known)
        has = there.get(one.name)
        if has is not None and has["type"] == one.kind.type:
            differing = _differing(has["properties"], properties)
            renewed = needs_new(one.kind, has["properties"], properties)
            known[one.name] = one.kind.foreseen(properties, wanted.place) if renewed else has["attributes"]
            if differing:
                told.append(_modified(one, has, differing, renewed))
            continue
        known[one.name] = one.kind.foreseen(properties, wanted.place)
        told.append(_change({"Action": "Add", "LogicalResourceId": one.name, "ResourceType": one.kind.type}))
    for name, has in there.items():
        if name not in names:
            told.append(
                _change(
                    {
                        "Action": "Remove",
                        "LogicalResourceId": name,
                        "PhysicalResourceId": has["physical"],
                        "ResourceType": has["type"],
                        "PolicyAction": "Delete" if has["deletion_policy"] == "Delete" else "Retain",
                    }
                )
            )
    return told


def _modified(one: Wanted, has: Params, differing: Sequence[str], renewed: bool) -> Params:
    details = [
        {
            "Target": {
                "Attribute": "Tags" if name == "Tags" else "Properties",
                **({} if name == "Tags" else {"Name": name}),
                "RequiresRecreation": "Always" if name in one.kind.replaced else "Never",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for name in differing
    ]
    return _change(
        {
            "Action": "Modify",
            "LogicalResourceId": one.name,
            "PhysicalResourceId": has["physical"],
            "ResourceType": one.kind.type,
            "Replacement": "True" if renewed else "False",
            "Scope": sorted({"Tags" if name == "Tags" else "Properties" for name in differing}),
            "Details": details,
        }
    )


def _change(told: Params) -> Params:
    return {"Type": "Resource", "ResourceChange": {"Scope": [], "Details": [], **told}}


def _differing(before: Params, after: Params) -> list[str]:
    return [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def known_of(resources: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """What the resources of a stack say of themselves."""
    return {name: one["attributes"] for name, one in resources.items()}
