"""Recorded calls that a duty's usual work does not explain, as grants: what its code does besides. Pure.

A call is on one object, one stream, one job; the next one is on another of its kind. So an object stands for its
folder, a stream for its group, a job for those whose names begin alike; everything else for itself.
"""

import re
from collections.abc import Iterable

from dashboard.core.iam import actions
from dashboard.core.iam.least.evidence import manages_permissions
from dashboard.core.iam.least.grants import Grant, Limit
from dashboard.core.iam.least.resources import family
from dashboard.core.iam.recorded import RecordedCall
from dashboard.core.iam.rights import Right
from dashboard.core.iam.usage import Duty, Use

_LIMITS = {
    "iam:passedtoservice": ("StringEquals", "iam:PassedToService"),
    "cloudwatch:namespace": ("StringEquals", "cloudwatch:namespace"),
    "s3:prefix": ("StringLike", "s3:prefix"),
}
"""What a request says of itself and a policy should ask for too."""
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_SAGEMAKER = (Duty.TRAINING, Duty.ENDPOINT, Duty.NOTEBOOK)
WHY = "it was seen doing so"


def allowed(calls: Iterable[RecordedCall]) -> tuple[RecordedCall, ...]:
    """Those that were let through at least once."""
    return tuple(one for one in calls if one.denied < one.count)


def of_duty(
    calls: Iterable[RecordedCall], duty: Duty, duties: tuple[Duty, ...], uses: Iterable[Use]
) -> tuple[RecordedCall, ...]:
    """The calls that this duty of the role may have made, going by the names of the role's sessions.

    A call whose sessions are not known, or whose session SageMaker does not tell apart, is every duty's that it may be.
    """
    return tuple(one for one in calls if duty in may_be_of(one, duties, uses))


def may_be_of(call: RecordedCall, duties: tuple[Duty, ...], uses: Iterable[Use]) -> tuple[Duty, ...]:
    """The duties that may have made a call; () for one that was made by hand."""
    if len(duties) == 1:
        return duties
    found = _duties_of(call, duties, {use.name for use in uses if use.duty is Duty.FUNCTION})
    return tuple(duty for duty in duties if duty in found)


def by_hand(calls: Iterable[RecordedCall], duties: tuple[Duty, ...], uses: Iterable[Use]) -> tuple[str, ...]:
    """Names of sessions that none of the duties has: somebody assumed the role by hand."""
    functions = {use.name for use in uses if use.duty is Duty.FUNCTION}
    found = [
        session
        for one in calls
        for session in one.sessions
        if not _of_session(session, duties, functions) and one.right.service != "sts"
    ]
    return tuple(dict.fromkeys(found))


def grants(calls: Iterable[RecordedCall]) -> tuple[tuple[Grant, ...], dict[str, str]]:
    """Grants for these calls, and the actions that are left out all the same, each with why."""
    found: list[Grant] = []
    refused: dict[str, str] = {}
    for call in calls:
        right = call.right
        if not actions.known(right.action):
            refused[right.action] = "Used, but the Service Authorization Reference lists no such action."
        elif manages_permissions(right.action):
            refused[right.action] = (
                f"Used on {right.resource}, but it decides what others may do: no role of a workload is proposed that."
            )
        else:
            found.append(_grant(right))
    return tuple(found), refused


def _duties_of(call: RecordedCall, duties: tuple[Duty, ...], functions: set[str]) -> set[Duty]:
    if call.sessions:
        return {duty for session in call.sessions for duty in _of_session(session, duties, functions)}
    if call.right.action == "sagemaker:InvokeEndpoint" and Duty.FUNCTION in duties:
        return {Duty.FUNCTION}
    return set(duties)


def _of_session(session: str, duties: tuple[Duty, ...], functions: set[str]) -> set[Duty]:
    if _INSTANCE.fullmatch(session):
        return {Duty.INSTANCE} & set(duties)
    if session in functions:
        return {Duty.FUNCTION} & set(duties)
    if session.startswith("SageMaker"):
        return set(_SAGEMAKER) & set(duties)
    return set()


def _grant(right: Right) -> Grant:
    limits = tuple(
        Limit(*_LIMITS[key.lower()], tuple(values)) for key, values in right.context.items() if key.lower() in _LIMITS
    )
    sid = f"Seen{re.sub('[^A-Za-z0-9]', '', right.service.title())}"
    return Grant(sid, (actions.canonical(right.action),), (_kind(right),), limits, WHY)


def _kind(right: Right) -> str:
    """The resource, and those like it."""
    resource = right.resource
    if right.service == "s3" and "/" in resource:
        return f"{resource.rpartition('/')[0]}/*"
    if right.service == "logs" and ":log-stream:" in resource:
        return f"{resource.partition(':log-stream:')[0]}:*"
    if right.service == "sagemaker" and ("-job/" in resource):
        start, _, name = resource.rpartition("/")
        begun = family(name)
        return f"{start}/{begun}*" if begun != name else resource
    return resource
