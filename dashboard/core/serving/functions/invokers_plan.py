"""Let somebody invoke a function, or no longer: the changes of its resource policy and of its URL, planned.

Everything is about the alias `live`, so that whoever is let in gets what answers everybody else.
"""

import hashlib

from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.errors import Refused
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.invokers import (
    INVOKE_URL,
    Caller,
    Invitation,
    Statement,
    has,
    permissions,
    refuse,
)
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.functions.plan import About, Change, Plan, account_warnings, ours, standing

OPEN_URL = (
    "anybody in the world can call it, without keys, as often as they like; every call is paid by this account: "
    "reserve a small concurrency first, it is the only ceiling"
)


def plan_invite(details: Details, wanted: Invitation, *, account: Account) -> Plan:
    """What letting somebody in takes; an empty plan when it is so already.

    Raises InvalidInput for a source that does not fit, Refused for a function without the alias `live`.
    """
    one = details.function
    ours(one, "change")
    if details.live is None:
        raise Refused(
            f"the function {one.name} has no alias {LIVE}",
            "callers are let in to the alias",
            "update the function first",
        )
    problem = refuse(wanted, account)
    if problem is not None:
        raise problem
    auth = "NONE" if wanted.caller is Caller.URL_OPEN else "AWS_IAM"
    if wanted.caller.is_url and details.url is not None and details.url.auth != auth:
        raise Refused(
            f"the URL of {one.name} takes {'unsigned' if details.url.is_open else 'signed'} requests",
            "a URL has one way of knowing its callers",
            "take the URL away first",
        )
    which = {"FunctionName": one.name, "Qualifier": LIVE}
    calls = []
    if wanted.caller.is_url and details.url is None:
        does = "makes an address for it" if auth == "NONE" else "makes an address that takes signed requests"
        calls.append(Call("lambda", "CreateFunctionUrlConfig", {**which, "AuthType": auth}, does))
    rows = [row for row in permissions(wanted, name_of(wanted)) if not has(details.policy, row["StatementId"])]
    calls += [
        Call("lambda", "AddPermission", {**which, **row}, f"lets {_who(wanted)} in: {row['Action']}") for row in rows
    ]
    return Plan(
        function=one.name,
        about=About.INVOKERS,
        title=f"Let {_who(wanted)} invoke {one.name}",
        button="Let them in",
        calls=tuple(calls),
        said=f"{_who(wanted)} may invoke {one.name}:{LIVE}",
        before=standing(details, About.INVOKERS, calls),
        changes=tuple(Change(_who(wanted), "may not", _may(row["Action"])) for row in rows),
        warnings=(*([OPEN_URL] if wanted.caller is Caller.URL_OPEN else []), *account_warnings(account)),
    )


def plan_remove(details: Details, statement: Statement, *, account: Account) -> Plan:
    """What taking one statement away does. Raises Refused for one that is not there any more."""
    one = details.function
    ours(one, "change")
    if statement not in details.policy:
        raise Refused("that statement is not there any more", "somebody took it away", "nothing is left to do")
    asked = {"FunctionName": one.name, "StatementId": statement.sid}
    asked |= {"Qualifier": statement.qualifier} if statement.qualifier else {}
    asked |= {"RevisionId": statement.revision} if statement.revision else {}
    call = Call("lambda", "RemovePermission", asked, f"removes the statement {statement.sid}")
    return Plan(
        function=one.name,
        about=About.INVOKERS,
        title=f"Take a right to invoke {one.name} away",
        button="Take it away",
        calls=(call,),
        said=f"the statement {statement.sid} is gone",
        before=standing(details, About.INVOKERS, [call]),
        goes=(statement.words,),
        stays=("whoever has lambda:InvokeFunction by an identity policy of this account",),
        warnings=account_warnings(account),
    )


def plan_no_url(details: Details, *, account: Account) -> Plan:
    """Take the function's URL away, with the statements that were for it alone. Raises Refused without one."""
    one = details.function
    ours(one, "change")
    url = details.url
    if url is None:
        raise Refused(f"the function {one.name} has no URL", "somebody took it away", "nothing is left to do")
    which = {"FunctionName": one.name, **({"Qualifier": url.qualifier} if url.qualifier else {})}
    for_it = [row for row in details.policy if _is_for_url(row) and row.qualifier == url.qualifier]
    calls = [Call("lambda", "DeleteFunctionUrlConfig", which, "takes the address away")]
    for row in for_it:
        does = f"removes the statement {row.sid}, which was for it"
        calls.append(Call("lambda", "RemovePermission", {**which, "StatementId": row.sid}, does))
    return Plan(
        function=one.name,
        about=About.INVOKERS,
        title=f"Take the URL of {one.name} away",
        button="Take the URL away",
        calls=tuple(calls),
        said=f"{one.name} has no URL any more",
        before=standing(details, About.INVOKERS, calls),
        goes=(f"the address {url.url}: a new one will be another", *(row.words for row in for_it)),
        warnings=account_warnings(account),
    )


def name_of(wanted: Invitation) -> str:
    """The statement's name: the same for the same invitation, so that nobody is let in twice."""
    known = f"{wanted.caller.name} {wanted.source}"
    return f"kennel-{wanted.caller.name.lower().replace('_', '-')}-{hashlib.sha256(known.encode()).hexdigest()[:8]}"


def _is_for_url(row: Statement) -> bool:
    return row.is_through_url or row.actions == (INVOKE_URL,)


def _who(wanted: Invitation) -> str:
    if wanted.caller is Caller.API_GATEWAY:
        return "API Gateway"
    if wanted.caller is Caller.URL_OPEN:
        return "anybody, by its URL,"
    by = ", by signed requests to its URL," if wanted.caller is Caller.URL_SIGNED else ""
    return f"the account {wanted.source}{by}"


def _may(action: str) -> str:
    return "may call its URL" if action == INVOKE_URL else "may invoke it"
