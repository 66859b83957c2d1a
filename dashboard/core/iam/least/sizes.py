"""How long IAM lets a policy be, and how a longer one becomes several that say the same: never one that says more."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.core.errors import Refused
from dashboard.core.iam.documents import CURRENT

MANAGED, INLINE, TRUST = 6_144, 10_240, 2_048
"""Characters of one managed policy, of all inline policies of a role together, and of a trust policy (by default).
White space does not count (IAM User Guide, "IAM and AWS STS quotas")."""
SID_ROOM = 4
"""Characters that the number of a statement's half may take."""
ATTACHED = 10
"""Managed policies of one role, unless that quota was raised (to 20 at most)."""


def size(document: Mapping[str, Any]) -> int:
    """The characters that IAM counts."""
    told = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return sum(not letter.isspace() for letter in told)


def packed(statements: Sequence[Mapping[str, Any]], limit: int = MANAGED) -> tuple[dict[str, Any], ...]:
    """Documents of at most `limit` characters that say together what the statements say, in their order.

    A statement that is too long alone is split by its resources, its actions, or the values of its condition, where
    that changes nothing. Raises Refused for one that cannot be.
    """
    room = limit - size(_document([]))
    documents: list[list[Mapping[str, Any]]] = [[]]
    used = 0
    for part in (part for statement in statements for part in _fitting(statement, room - SID_ROOM)):
        length = size(part) + 1
        if used + length > room and documents[-1]:
            documents.append([])
            used = 0
        documents[-1].append(part)
        used += length + SID_ROOM
    return tuple(_document(_numbered(one)) for one in documents)


def _numbered(statements: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A Sid is there once in a document: the halves of a statement are numbered."""
    seen: dict[str, int] = {}
    found: list[Mapping[str, Any]] = []
    for one in statements:
        sid = one.get("Sid")
        if sid is not None:
            seen[sid] = seen.get(sid, 0) + 1
            one = one if seen[sid] == 1 else {**one, "Sid": f"{sid}x{seen[sid]}"}
        found.append(one)
    return found


def _document(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": CURRENT, "Statement": list(statements)}


def _fitting(statement: Mapping[str, Any], room: int) -> list[Mapping[str, Any]]:
    if size(statement) + 1 <= room:
        return [statement]
    halves = _halves(statement)
    if not halves:
        raise Refused(
            "this policy cannot be made short enough for IAM",
            f"one statement of it alone has {size(statement):,} characters, of {room:,} that fit",
            "name fewer folders, or one that holds them all",
        )
    return [part for half in halves for part in _fitting(half, room)]


def _halves(statement: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Two statements that together say the same, [] where it cannot be taken apart."""
    allows = statement.get("Effect") == "Allow"
    for key in ("Resource", "Action"):
        given = statement.get(key)
        if isinstance(given, list) and len(given) > 1:
            return [{**statement, key: _one(half)} for half in _cut(given)]
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items():
        positive = operator in ("StringEquals", "StringLike", "ArnLike", "ArnEquals")
        for key, given in keys.items():
            if allows and positive and isinstance(given, list) and len(given) > 1:
                return [
                    {**statement, "Condition": {**conditions, operator: {**keys, key: _one(half)}}}
                    for half in _cut(given)
                ]
    return []


def _cut(given: list[Any]) -> tuple[list[Any], list[Any]]:
    middle = len(given) // 2
    return given[:middle], given[middle:]


def _one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
