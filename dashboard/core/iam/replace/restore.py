"""What brings a role back to what it was before a change, and leaves alone what others did to it since. Pure.

Each part of a role (one attached policy, one inline policy, its trust, its boundary) is compared three ways: as it was
before, as the change was to make it, and as it is. What is as the change made it goes back; what is as it was is done;
what is neither was changed by somebody else since, and stays with a sentence about it. So a change that broke off
half-way, one that went through, and one that was undone already are all brought back by the same calls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core.calls import Call
from dashboard.core.iam.replace.standing import Attached, Standing, canonical


@dataclass(frozen=True)
class Back:
    """calls: in the order in which the role never has less than it needs. stays: what others changed, a sentence each.

    result: the role as it is to be afterwards.
    """

    calls: tuple[Call, ...]
    stays: tuple[str, ...]
    result: Standing


def back(before: Standing, after: Standing, present: Standing) -> Back:
    """What undoes the change from `before` to `after` on a role that is as `present`."""
    role = before.name
    gives, takes, stays = [], [], []
    attached = {one.arn: one for one in present.attached}
    was, became = ({one.arn: one for one in side.attached} for side in (before, after))
    for arn in dict.fromkeys((*was, *became)):
        if (arn in was) == (arn in became) or (arn in attached) == (arn in was):
            continue
        if arn in was:
            gives.append(_attach(role, arn, was[arn].name))
            attached[arn] = was[arn]
        else:
            takes.append(_detach(role, arn, became[arn].name))
            del attached[arn]
    inline = dict(present.inline)
    for name in sorted({*before.inline, *after.inline}):
        old, new, now = (canonical(side.inline.get(name)) for side in (before, after, present))
        if old == new or now == old:
            continue
        if now != new:
            stays.append(f"the inline policy {name} was changed by somebody else since, and stays as it is")
        elif name in before.inline:
            gives.append(_put(role, name, before.inline[name]))
            inline[name] = before.inline[name]
        else:
            takes.append(_delete(role, name))
            del inline[name]
    call, what = _trust(before, after, present)
    if call is not None:
        gives.append(call)
    if what:
        stays.append(what)
    if _limit(present) != _limit(before):  # no change of ours is about it
        stays.append("its permissions boundary was changed by somebody else since, and stays as it is")
    trust = present.trust if call is None else before.trust
    result = replace(present, attached=tuple(attached.values()), inline=inline, trust=trust)
    return Back((*gives, *takes), tuple(stays), result)


def forward(before: Standing, after: Standing) -> Iterator[Call]:
    """What takes off a role all that `after` has not, and gives it the trust of `after`: the last step of a change."""
    kept = {one.arn for one in after.attached}
    for one in before.attached:
        if one.arn not in kept:
            yield _detach(before.name, one.arn, one.name)
    for name in before.inline:
        if name not in after.inline:
            yield _delete(before.name, name)
    if canonical(before.trust) != canonical(after.trust):
        yield _set_trust(before.name, after.trust, "lets in only whom the new trust policy names")


def attach(role: str, policy: Attached) -> Call:
    return _attach(role, policy.arn, policy.name)


def _limit(role: Standing) -> str:
    """The ARN of its boundary, "" without one."""
    return role.boundary.arn if role.boundary else ""


def _trust(before: Standing, after: Standing, present: Standing) -> tuple[Call | None, str]:
    old, new, now = (canonical(side.trust) for side in (before, after, present))
    if old == new or now == old:
        return None, ""
    if now != new:
        return None, "the trust policy was changed by somebody else since, and stays as it is"
    return _set_trust(before.name, before.trust, "gives it the trust policy that it had"), ""


def _attach(role: str, arn: str, name: str) -> Call:
    return Call("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn}, f"attaches {name}")


def _detach(role: str, arn: str, name: str) -> Call:
    return Call("iam", "DetachRolePolicy", {"RoleName": role, "PolicyArn": arn}, f"detaches {name}")


def _put(role: str, name: str, document: Mapping[str, Any]) -> Call:
    asked = {"RoleName": role, "PolicyName": name, "PolicyDocument": canonical(document)}
    return Call("iam", "PutRolePolicy", asked, f"puts the inline policy {name}")


def _delete(role: str, name: str) -> Call:
    asked = {"RoleName": role, "PolicyName": name}
    return Call("iam", "DeleteRolePolicy", asked, f"deletes the inline policy {name}")


def _set_trust(role: str, trust: Mapping[str, Any], does: str) -> Call:
    asked = {"RoleName": role, "PolicyDocument": canonical(trust)}
    return Call("iam", "UpdateAssumeRolePolicy", asked, does)
