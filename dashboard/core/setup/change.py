"""Plan → confirm → execute for the stack: a change set is prepared and shown, then carried out, or thrown away.

Preparing asks CloudFormation what it would do, and makes nothing. A change set is found by a name that is made of all
that it holds, so that asking twice prepares one.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, send
from dashboard.core.errors import AlreadyExists, InvalidInput, KennelError, NotFound, Refused, ServiceFault
from dashboard.core.runs.as_code_cli import connection
from dashboard.core.setup import stack as stacks
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.stack import Stack
from dashboard.core.setup.template import CAPABILITIES, DAYS, LARGEST, STACK, Made, Template, template

LOOKS, PAUSE = 60, 1.0
"""How often, and after how many seconds, CloudFormation is asked whether a change set is ready: it takes some."""
BEGINS = 10
"""How often it is looked whether a change that was accepted has begun: whoever looks next is to see it."""
SAME = ("didn't contain changes", "No updates are to be performed")
FILE = "kennel.yaml"


@dataclass(frozen=True)
class Wish:
    """What a person chose. days: that logs are kept; versions: whether the bucket keeps earlier ones of each object."""

    pieces: tuple[Piece, ...]
    days: int = DAYS
    versions: bool = False


@dataclass(frozen=True)
class Change:
    """One thing that CloudFormation would do. is_kept: what leaves the stack stays in the account."""

    action: str
    name: str
    type: str
    physical: str = ""
    is_replaced: bool = False
    is_kept: bool = False
    of: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What it does, as the beginning of a sentence."""
        if self.action == "Remove":
            return "leaves the stack and stays" if self.is_kept else "deletes"
        if self.action == "Modify":
            what = f" ({', '.join(self.of)})" if self.of else ""
            return f"replaces with another one{what}" if self.is_replaced else f"changes{what}"
        return "makes"


@dataclass(frozen=True)
class ChangeSet:
    """A prepared change. template: what the stack would be."""

    name: str
    is_new: bool
    changes: tuple[Change, ...]
    template: Template
    days: int

    @property
    def made(self) -> int:
        return sum(one.action == "Add" for one in self.changes)

    def does(self, name: str) -> str:
        """What a resource is for, "" for one that is not in the template any more."""
        found: Made | None = next((one for one in self.template.resources if one.name == name), None)
        return found.does if found else ""


def wanted(stack: Stack, missing: Collection[Piece], wish: Wish) -> tuple[Piece, ...]:
    """The pieces that the stack is to hold: what it has, and what of the wish is missing. Others are there already."""
    return tuple(piece for piece in Piece if piece in stack.pieces or (piece in missing and piece in wish.pieces))


def designed(account: Account, stack: Stack, missing: Collection[Piece], wish: Wish) -> Template:
    """What the stack would be. Raises Refused for a template longer than CloudFormation takes, and as `template`."""
    versions = wish.versions or "VersioningConfiguration" in stack.template
    made = template(account, wanted(stack, missing, wish), versions=versions)
    if len(made.text.encode()) > LARGEST:
        raise Refused(
            "the template is too long",
            f"it has {len(made.text.encode()):,} bytes, of {LARGEST:,} that CloudFormation takes",
            "leave Kennel's own roles out, and make them under Security",
        )
    return made


def request(stack: Stack, made: Template, days: int) -> dict[str, Any]:
    """CreateChangeSet's parameters."""
    parameters = [{"ParameterKey": "LogDays", "ParameterValue": str(days)}] if "LogDays" in made.text else []
    since = (stack.id, stack.events[0].at) if stack.events and not stack.status.is_new else ()
    name = hashlib.sha256(repr((made.text, days, since)).encode()).hexdigest()[:12]
    return {
        "StackName": STACK,
        "ChangeSetName": f"kennel-{name}",
        "ChangeSetType": "CREATE" if stack.status.is_new else "UPDATE",
        "TemplateBody": made.text,
        "Parameters": parameters,
        "Capabilities": list(CAPABILITIES),
        "Tags": tags.listed({tags.MADE_BY: tags.KENNEL}),
        "Description": "Prepared by Kennel",
    }


def prepare(
    aws: Aws, stack: Stack, made: Template, days: int, sleep: Callable[[float], None] = time.sleep
) -> ChangeSet:
    """Have CloudFormation say what it would do. Nothing is made by that.

    Raises Refused where nothing would change, where the stack cannot be changed now or is not Kennel's, ServiceFault
    when CloudFormation does not come to an end, and the errors of `Aws.call`.
    """
    _check(stack)
    asked = request(stack, made, days)
    named = {"StackName": STACK, "ChangeSetName": asked["ChangeSetName"]}
    with suppress(AlreadyExists):  # prepared a moment ago: the name says that it holds the same
        aws.call("cloudformation", "CreateChangeSet", **asked)
    for _ in range(LOOKS):
        told = aws.call("cloudformation", "DescribeChangeSet", **named)
        if told["Status"] == "CREATE_COMPLETE":
            return ChangeSet(asked["ChangeSetName"], stack.status.is_new, _changes(aws, told, named), made, days)
        if told["Status"] == "FAILED":
            aws.call("cloudformation", "DeleteChangeSet", **named)
            raise _refusal(told.get("StatusReason", ""))
        sleep(PAUSE)
    raise ServiceFault(
        "CloudFormation has not prepared the change yet",
        f"the change set {asked['ChangeSetName']} is still {told['Status']}",
        "try again: it goes on with the same one",
    )


def calls(prepared: ChangeSet) -> tuple[Call, ...]:
    """What confirming asks AWS for."""
    named = {"StackName": STACK, "ChangeSetName": prepared.name, "ClientRequestToken": prepared.name}
    does = "makes, changes and deletes what the change set lists, in your name"
    return (Call("cloudformation", "ExecuteChangeSet", named, does),)


def execute(aws: Aws, prepared: ChangeSet, sleep: Callable[[float], None] = time.sleep) -> str:
    """Carry a prepared change out; a sentence that says so, once CloudFormation has begun. Once, however often it is
    asked for.

    Raises Refused when it is no longer there or something else happened to the stack, and the errors of `Aws.call`.
    """
    now = stacks.read(aws)
    named = {"StackName": STACK, "ChangeSetName": prepared.name}
    said = f"CloudFormation {'makes' if prepared.is_new else 'changes'} the stack {STACK}"
    try:
        told = aws.call("cloudformation", "DescribeChangeSet", **named)
    except (NotFound, InvalidInput) as error:
        raise Refused(
            "the prepared change is gone", "it was thrown away, or another one was carried out", "prepare it again"
        ) from error
    if told["ExecutionStatus"] in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE"):
        return f"{said} already"
    if told["ExecutionStatus"] != "AVAILABLE" or now.status.is_busy:
        raise Refused(
            "the prepared change cannot be carried out any more",
            f"it is {told['ExecutionStatus'].lower()}, the stack is {now.status.words}",
            "prepare it again",
        )
    for call in calls(prepared):
        send(aws, call)
    for _ in range(BEGINS):
        if stacks.read(aws).events[:1] != now.events[:1]:
            break
        sleep(PAUSE)
    return said


def withdraw(aws: Aws) -> str:
    """Throw away what was prepared for a stack that is not made yet: it holds nothing. Raises Refused where it was
    made meanwhile, and the errors of `Aws.call`.
    """
    now = stacks.read(aws)
    if now.status.is_there:
        raise Refused("it was not thrown away", f"the stack is {now.status.words} by now", "look at it again")
    if now.status is stacks.StackStatus.REVIEW_IN_PROGRESS:
        aws.call("cloudformation", "DeleteStack", StackName=now.id)
    return "Thrown away: nothing was made"


def deletion(stack: Stack) -> tuple[Call, ...]:
    """What deleting the stack asks AWS for."""
    latest = stack.events[0].at.isoformat() if stack.events else ""
    token = hashlib.sha256(f"{stack.id} {latest}".encode()).hexdigest()[:12]
    named = {"StackName": stack.id or STACK, "ClientRequestToken": f"kennel-{token}"}
    does = "deletes its roles and its instance profile, in your name" if stack.held else "deletes its record"
    return (Call("cloudformation", "DeleteStack", named, does),)


def delete(aws: Aws, planned: Stack) -> str:
    """Delete the stack; its bucket and logs stay. Raises Refused where it is not Kennel's, or at work, and the errors
    of `Aws.call`.
    """
    now = stacks.read(aws)
    if not now.status.is_there:
        return f"The stack {STACK} is gone already"
    if not now.is_kennels:
        raise _not_ours()
    if now.status.is_busy and now.status is not stacks.StackStatus.DELETE_IN_PROGRESS:
        raise Refused("the stack cannot be deleted now", f"it is {now.status.words}", "wait until that is done")
    for call in deletion(planned):
        send(aws, call)
    return f"CloudFormation deletes the stack {STACK}"


def is_outdated(stack: Stack, account: Account) -> bool:
    """Whether this version of Kennel would make the same pieces otherwise than the stack has them."""
    if not stack.status.can_change or not stack.pieces or not stack.template:
        return False
    try:
        return designed(account, stack, (), Wish(())).text != stack.template
    except KennelError:
        return False  # it cannot be made here at all, which preparing says


def as_code(account: Account, made: Template, days: int) -> str:
    """The same from a shell, with the template beside it."""
    override = f" \\\n  --parameter-overrides LogDays={days}" if "LogDays" in made.text else ""
    lines = [
        f"{connection(account)}# {FILE} is the template above.",
        f"aws cloudformation deploy --stack-name {STACK} --template-file {FILE} \\",
        f"  --capabilities {' '.join(CAPABILITIES)} --tags {tags.MADE_BY}={tags.KENNEL}{override}",
    ]
    return "\n".join(lines) + "\n"


def _check(stack: Stack) -> None:
    if not stack.is_kennels:
        raise _not_ours()
    if not stack.status.can_change:
        raise Refused(
            f"the stack {STACK} cannot be changed now",
            f"it is {stack.status.words}",
            "delete it first" if stack.status.must_go else "wait until that is done",
        )


def _not_ours() -> Refused:
    return Refused(
        f"the stack {STACK} is not Kennel's",
        f"it does not carry the tag {tags.MADE_BY}={tags.KENNEL}",
        "rename that stack, or make what is missing from the template by hand",
    )


def _changes(aws: Aws, told: Mapping[str, Any], named: Mapping[str, str]) -> tuple[Change, ...]:
    found = list(told["Changes"])
    while told.get("NextToken"):
        told = aws.call("cloudformation", "DescribeChangeSet", NextToken=told["NextToken"], **named)
        found += told["Changes"]
    return tuple(_change(one["ResourceChange"]) for one in found if "ResourceChange" in one)


def _change(told: Mapping[str, Any]) -> Change:
    targets = [one.get("Target", {}) for one in told.get("Details", [])]
    return Change(
        told["Action"],
        told["LogicalResourceId"],
        told["ResourceType"],
        told.get("PhysicalResourceId", ""),
        told.get("Replacement") in ("True", "Conditional"),
        "Retain" in told.get("PolicyAction", ""),
        tuple(dict.fromkeys(str(one.get("Name") or one.get("Attribute", "")) for one in targets)),
    )


def _refusal(reason: str) -> Refused:
    if any(words in reason for words in SAME):
        return Refused("there is nothing to change", "the stack is what the template says already", "")
    return Refused("CloudFormation cannot carry this out", reason or "it gives no reason", "correct what it names")
