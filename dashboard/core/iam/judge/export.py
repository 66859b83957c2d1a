"""An account's authorization details from a file, in the forms in which people have them.

What `aws iam get-account-authorization-details` writes (merged or, with --no-paginate, page after page), a list of
pages, one page a line, documents as objects or URL-encoded as IAM's own API sends them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.errors import InvalidInput
from dashboard.core.iam.entities import LISTS, TRUNCATED, merged

LARGEST = 512 * 1024 * 1024
"""Bytes. A thousand roles with their policies are some ten million."""
HOW = "export one with: aws iam get-account-authorization-details > account.json"


@dataclass(frozen=True)
class Export:
    """details: the merged answer. partial: why it is not all of the account, a sentence each."""

    details: Mapping[str, Any]
    partial: tuple[str, ...] = ()


def read(content: bytes | str, name: str = "the file") -> Export:
    """Read a file's content. Raises InvalidInput, with the reason, for what is no such answer."""
    return of_pages(pages(content, name), name)


def of_pages(found: Sequence[Any], name: str = "the file") -> Export:
    """The same of pages that are read already."""
    if not found:
        raise InvalidInput(f"There is nothing in {name}", next_step=HOW)
    for page in found:
        if not isinstance(page, Mapping) or not any(key in page for key in LISTS):
            raise InvalidInput(
                f"This is no answer of GetAccountAuthorizationDetails: {name}",
                f"an object in it has none of {', '.join(LISTS)}",
                HOW,
            )
    details = merged(found)
    if not any("RoleDetailList" in page for page in found):
        raise InvalidInput(f"There are no roles in {name}", "it has no RoleDetailList", HOW)
    return Export(details, tuple(_partial(details)))


def pages(content: bytes | str, name: str = "the file") -> list[Any]:
    """The pages in a file, one after the other or as a list. Raises InvalidInput for what is not JSON."""
    if len(content) > LARGEST:
        raise InvalidInput(f"{name} has {len(content):,} bytes", f"more than {LARGEST:,} are not read")
    try:
        text = content.decode(_encoding(content)) if isinstance(content, bytes) else content
        return list(_values(text.lstrip("\ufeff")))
    except (ValueError, RecursionError) as wrong:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidInput(f"This is not JSON: {name}", str(wrong), HOW) from wrong


def _encoding(content: bytes) -> str:
    """PowerShell's > writes UTF-16."""
    return "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


def _values(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found, at = decoder.raw_decode(text, at)
        if isinstance(found, list):
            yield from found
        else:
            yield found


def _partial(details: Mapping[str, Any]) -> Iterator[str]:
    if details.get(TRUNCATED):
        yield "the last page says that more follow: the roles and policies on those are not in this audit"
    elif not details["Policies"] and any(
        isinstance(role, Mapping) and role.get("AttachedManagedPolicies") for role in details["RoleDetailList"]
    ):
        yield "no policy is in it, only roles: it was exported with a filter, and attached policies cannot be judged"
