"""What the part "Set up" says: rows of its tables, its sentences and figures. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.format import count
from dashboard.core.setup.change import Change, ChangeSet
from dashboard.core.setup.missing import Found, Standing, kinds
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.quotas import Quotas, Zero
from dashboard.core.setup.stack import Event, Stack
from dashboard.core.setup.template import STACK
from dashboard.ui.strip import Figure


def needed(found: Sequence[Found]) -> tuple[Found, ...]:
    """Those that Kennel does not work without."""
    return tuple(one for one in found if not one.piece.is_optional)


def settled(found: Sequence[Found], stack: Stack) -> tuple[Found, ...]:
    """While CloudFormation is at work a piece that is half made lacks nothing yet: nothing is known of it."""
    if not stack.status.is_busy:
        return tuple(found)
    why = "CloudFormation is at work on it"
    return tuple(
        replace(one, standing=Standing.UNKNOWN, lacks=(), why=why) if one.standing is Standing.LACKING else one
        for one in found
    )


def sentence(found: Sequence[Found]) -> str:
    """How far the account is: "6 of 8 pieces are here; 2 are missing"."""
    all_needed = needed(found)
    here = sum(one.standing in (Standing.THERE, Standing.LACKING) for one in all_needed)
    gone = sum(one.is_missing for one in all_needed)
    unknown = sum(one.standing is Standing.UNKNOWN for one in all_needed)
    said = f"{here} of {count(len(all_needed), 'piece')} that Kennel needs {'is' if here == 1 else 'are'} here"
    if gone:
        said += f"; {gone} {'is' if gone == 1 else 'are'} missing"
    return f"{said}; of {unknown} nothing is known" if unknown else said


def figures(found: Sequence[Found], stack: Stack, quotas: Quotas | None) -> list[Figure]:
    all_needed = needed(found)
    gone = [one for one in all_needed if one.is_missing]
    lacking = [one for one in all_needed if one.standing is Standing.LACKING]
    here = len(all_needed) - len(gone) - sum(one.standing is Standing.UNKNOWN for one in all_needed)
    zero = "…" if quotas is None else str(len(quotas.zero))
    looked = "being read" if quotas is None else f"of {quotas.looked} that Kennel's launches count against"
    return [
        Figure("setup-here", "In place", f"{here} of {len(all_needed)}", "pieces that Kennel needs"),
        Figure("setup-missing", "Missing", str(len(gone)), kinds(gone) or "nothing", tone="failed" if gone else ""),
        Figure(
            "setup-lacking",
            "Made otherwise",
            str(len(lacking)),
            kinds(lacking) or "none",
            tone="waiting" if lacking else "",
        ),
        Figure("setup-stack", f"Stack {STACK}", stack.status.words.split(":")[0], _of_stack(stack)),
        Figure(
            "setup-quotas", "Quotas at zero", zero, looked, tone="waiting" if quotas is not None and quotas.zero else ""
        ),
    ]


def _of_stack(stack: Stack) -> str:
    if not stack.status.is_there:
        return "CloudFormation"
    return f"{count(len(stack.held), 'resource')} in CloudFormation"


def rows(found: Sequence[Found], stack: Stack) -> list[dict[str, str]]:
    """A row for each piece."""
    own = set(stack.pieces)
    return [
        {
            "Piece": one.name,
            "Kind": str(one.piece.kind),
            "State": _state(one),
            "What it is for": one.piece.purpose,
            "Told": _told(one),
            "Made by": f"stack {STACK}" if one.piece in own else "" if one.is_missing else "others",
        }
        for one in found
    ]


def _state(one: Found) -> str:
    """What is not needed is not missing, only not there."""
    return "not there" if one.is_missing and one.piece.is_optional else str(one.standing)


def _told(one: Found) -> str:
    if one.standing is Standing.THERE:
        return ""
    if one.is_missing:
        return one.piece.without
    return one.sentence.partition(": ")[2]


def tone(one: Found) -> str:
    """The tone of its state: what is not needed may be missing."""
    return "ahead" if one.is_missing and one.piece.is_optional else one.standing.tone


def change_rows(prepared: ChangeSet, account: Account) -> list[dict[str, str]]:
    """What CloudFormation says that it would do, each resource in words."""
    return [
        {
            "CloudFormation": one.sentence,
            "Resource": _called(one, account) or one.name,
            "Kind": kind(one.type),
            "What it is for": prepared.does(one.name) or one.physical,
        }
        for one in prepared.changes
    ]


def kind(of: str) -> str:
    """ "AWS::IAM::Role" as people say it."""
    return {
        "AWS::S3::Bucket": "bucket",
        "AWS::S3::BucketPolicy": "policy of the bucket",
        "AWS::IAM::Role": "role",
        "AWS::IAM::ManagedPolicy": "policy",
        "AWS::IAM::InstanceProfile": "instance profile",
        "AWS::Logs::LogGroup": "log group",
        "AWS::CloudFormation::Stack": "the stack itself",
    }.get(of, of)


def named(changes: Sequence[Change], account: Account) -> str:
    """ "makes bucket kennel-…, role KennelTraining": every change by the name that its resource has, or gets."""
    by_deed: dict[str, list[str]] = {}
    for one in changes:
        by_deed.setdefault(one.sentence, []).append(_named(one, account))
    return "; ".join(f"{does} {', '.join(names)}" for does, names in by_deed.items())


def _named(one: Change, account: Account) -> str:
    return f"{kind(one.type)} {_called(one, account)}".strip()


def _called(one: Change, account: Account) -> str:
    """The name that the resource has in the account, or gets; "" for one that has none of its own."""
    physical = one.physical.rpartition("/")[2] if one.physical.startswith("arn:") else one.physical
    return physical or (Piece(one.name).called(account) if one.name in [*map(str, Piece)] else "")


def button(prepared: ChangeSet) -> str:
    """What the dialog's button does and costs: nothing of this is paid for by being there."""
    made = prepared.made
    others = len(prepared.changes) - made
    parts = []
    if made:
        parts.append(f"Make {count(made, 'resource')}")
    if others:
        parts.append(f"{'change' if made else 'Change'} {others if made else count(others, 'resource')}")
    return f"{', '.join(parts)} · $0.00"


def summary(changes: Sequence[Change]) -> str:
    """ "makes 9, changes 1, removes 1"."""
    made = sum(one.action == "Add" for one in changes)
    changed = sum(one.action == "Modify" for one in changes)
    gone = sum(one.action == "Remove" for one in changes)
    found = [
        f"{word} {number}" for word, number in (("makes", made), ("changes", changed), ("removes", gone)) if number
    ]
    return ", ".join(found) or "does nothing"


def event_rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What happened, the newest first."""
    return [
        {
            "When": one.at,
            "Resource": one.resource,
            "Kind": kind(one.type),
            "State": one.status.replace("_", " ").lower(),
            "Why": one.reason,
        }
        for one in reversed(events)
    ]


def progress(stack: Stack) -> tuple[int, int]:
    """How many of the stack's resources are done with, of how many."""
    done = sum(not one.status.endswith("IN_PROGRESS") for one in stack.resources)
    return done, max(stack.size, len(stack.resources))


def zero_rows(zero: Sequence[Zero], account: Account) -> list[dict[str, Any]]:
    return [
        {
            "Stops": one.stops,
            "Quota": one.name,
            "Service": one.service,
            "Ask for": one.wish,
            "Raise it": one.link(account) if one.is_adjustable else "",
        }
        for one in zero
    ]
