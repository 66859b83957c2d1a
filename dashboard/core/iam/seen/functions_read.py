"""The account's Lambda functions as others see them, read: resource policies and URLs of each and of its aliases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.iam.judge.functions import Address, Exposure
from dashboard.core.parallel import gather

WORKERS = 4
"""Functions at once: Lambda takes some fifteen such calls a second from an account."""
MOST, ALIASES = 200, 20
"""Functions, and aliases of one, that are looked at. Each takes a few calls."""


def exposures(aws: Aws) -> tuple[tuple[Exposure, ...], tuple[Unread, ...], tuple[str, ...]]:
    """The functions, what of them could not be read, and why not all of them were looked at.

    Raises the errors of `Aws.call` where they cannot be listed.
    """
    listed: list[Mapping[str, Any]] = []
    for page in aws.pages("lambda", "ListFunctions"):
        listed += page.get("Functions", [])
    denied: dict[str, KennelError] = {}

    def look(one: Mapping[str, Any]) -> Exposure | None:
        name = str(one["FunctionName"])
        try:
            aliases = _aliases(aws, name, denied)
            documents = {
                qualifier: text for qualifier in ("", *aliases) if (text := _policy(aws, name, qualifier, denied))
            }
            addresses = _addresses(aws, name, denied)
        except NotFound:
            return None  # deleted since it was listed
        changed = datetime.fromisoformat(str(one["LastModified"])) if one.get("LastModified") else None
        return Exposure(name, str(one["FunctionArn"]), str(one.get("Role", "")), changed, documents, addresses)

    found = tuple(one for one in gather(look, listed[:MOST], workers=WORKERS) if one is not None)
    partial = (f"of {len(listed):,} functions the first {MOST} were looked at",) if len(listed) > MOST else ()
    return found, tuple(Unread(what, problem) for what, problem in sorted(denied.items())), partial


def _aliases(aws: Aws, name: str, denied: dict[str, KennelError]) -> tuple[str, ...]:
    try:
        pages = aws.pages("lambda", "ListAliases", FunctionName=name)
        return tuple(str(one["Name"]) for page in pages for one in page.get("Aliases", []))[:ALIASES]
    except NotFound:
        raise
    except KennelError as problem:
        denied["the aliases of functions"] = problem
        return ()


def _policy(aws: Aws, name: str, qualifier: str, denied: dict[str, KennelError]) -> str:
    asked = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    try:
        return str(aws.call("lambda", "GetPolicy", **asked)["Policy"])
    except NotFound:
        return ""  # it has none: only whoever has the right as a person or role may call it
    except KennelError as problem:
        denied["the resource policies of functions"] = problem
        return ""


def _addresses(aws: Aws, name: str, denied: dict[str, KennelError]) -> tuple[Address, ...]:
    try:
        pages = aws.pages("lambda", "ListFunctionUrlConfigs", FunctionName=name)
        told = [one for page in pages for one in page.get("FunctionUrlConfigs", [])]
    except NotFound:
        raise
    except KennelError as problem:
        denied["the URLs of functions"] = problem
        return ()
    return tuple(
        Address(
            str(one["FunctionUrl"]),
            str(one["AuthType"]),
            str(one["FunctionArn"]).rpartition(f"function:{name}")[2].lstrip(":"),
        )
        for one in told
    )
