"""Invoke a function's code once more as the trial role, in a function of the trial's name with a log of its own."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from dashboard.core import tags
from dashboard.core.calls import Call
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.iam.replace.picture import GREY
from dashboard.core.iam.replace.rerun import NotRunError, Running, Told
from dashboard.core.iam.replace.trial import Trial, cleared
from dashboard.core.iam.usage import Use
from dashboard.core.serving.functions.act import settled
from dashboard.core.serving.functions.invoke import event, invoke

MOST_BYTES = 60 * 1024 * 1024
FETCH_SECONDS = 30.0
_KEPT = ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures")
_DENIED = ("AccessDenied", "is not authorized to perform", "UnauthorizedOperation")


def names(uses: Iterable[Use], trial: Trial) -> dict[str, str]:
    """What the policy of functions names and the trial has in another place: their own logs."""
    return {f":log-group:/aws/lambda/{one.name}:": f":log-group:/aws/lambda/{trial.name}:" for one in uses}


def run(running: Running) -> Told:
    """Make the function, invoke it, and delete it. Raises Refused when it lacks a right, NotRunError without one."""
    told = _found(running)
    settings, name = told["Configuration"], running.trial.name
    group = f"/aws/lambda/{name}"
    running.later.append(
        cleared(
            Call("lambda", "DeleteFunction", {"FunctionName": name}, ""),
            Call("logs", "DeleteLogGroup", {"logGroupName": group}, ""),
        )
    )
    with suppress(AlreadyExists):
        running.aws.call("logs", "CreateLogGroup", logGroupName=group)
    request: dict[str, Any] = {
        "FunctionName": name,
        "Role": running.trial.arn,
        "Code": {"ZipFile": _code(told["Code"]["Location"])},
        "Tags": {tags.MADE_BY: tags.KENNEL, tags.ORDER: running.trial.mark},
        **{member: settings[member] for member in _KEPT if settings.get(member)},
        "Environment": {"Variables": (settings.get("Environment") or {}).get("Variables", {})},
    }
    try:
        running.aws.call("lambda", "CreateFunction", **request)
    except InvalidInput as wrong:
        raise Refused(f"the function {name} was not accepted", str(wrong), "mend the proposal") from wrong
    settled(running.aws, name, sleep=running.sleep)
    tried = invoke(running.aws, name, event(jpeg=GREY))
    answered = json.dumps(tried.payload, ensure_ascii=False)
    if any(word in answered or any(word in line for line in tried.log) for word in _DENIED):
        raise Refused(
            f"the function {settings['FunctionName']} lacks a right under the proposed policy",
            tried.failure or answered[:300],
            "add it to the proposal",
        )
    streams = running.aws.call("logs", "DescribeLogStreams", logGroupName=group)["logStreams"]
    if not streams:
        raise Refused(f"the function {name} wrote no log", "its role may not", "add its log to the proposal")
    ended = f"it broke off ({tried.failure}), for another reason than a right" if tried.failure else "it answered"
    return Told(
        f"the function {settings['FunctionName']} was invoked once more as {name}, and lacked no right",
        (f"asked with a grey picture, {ended}: {answered[:200]}", f"its log {group} has {len(streams)} stream"),
    )


def _found(running: Running) -> dict[str, Any]:
    for use in running.uses:
        try:
            told = running.aws.call("lambda", "GetFunction", FunctionName=use.name)
        except NotFound:
            continue
        if told["Configuration"].get("PackageType", "Zip") != "Zip":
            raise NotRunError(f"the function {use.name} is a container image, which is not run here")
        return told
    raise NotRunError("no function of it is there any more")


def _code(address: str) -> bytes:
    """The package, from where Lambda says that it can be fetched."""
    opener = build_opener(ProxyHandler({}))  # it is on this machine, whatever the environment says about the way out
    try:
        with opener.open(address, timeout=FETCH_SECONDS) as answer:
            found: bytes = answer.read(MOST_BYTES + 1)
    except (URLError, OSError) as error:
        raise NotRunError(f"the function's code cannot be fetched ({error})") from error
    if len(found) > MOST_BYTES:
        raise NotRunError(f"the function's code is larger than {MOST_BYTES:,} bytes")
    return found
