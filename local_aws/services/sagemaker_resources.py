"""SageMaker's resources of one kind: kept in the store, read from memory, listed page by page."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.store import Documents, Store

Document = Mapping[str, Any]  # never changed in place, so that a reader needs no lock

DEFAULT_PAGE = 10


class Resources:
    """Documents by ARN. What a reader gets is on disk already, except what was changed with keep=False."""

    def __init__(self, store: Store, kind: str) -> None:
        self.kind = kind
        self._documents = Documents(store, f"sagemaker/{kind}")
        self._name = "".join(word.capitalize() for word in kind.split("-"))  # training-job → TrainingJob
        self._found: dict[str, Document] = {one[f"{self._name}Arn"]: one for one in self._documents.all()}
        self._lock = threading.RLock()

    def add(self, arn: str, document: Document) -> bool:
        """False when there is one of that ARN already."""
        with self._lock:
            if arn in self._found:
                return False
            self._documents.put(arn, dict(document))
            self._found[arn] = document
            return True

    def get(self, arn: str) -> Document | None:
        return self._found.get(arn)

    def change(self, arn: str, change: Callable[[Document], Document], *, keep: bool = True) -> Document | None:
        """Replace a document by what `change` makes of it; None when it is gone. keep: write it to disk."""
        with self._lock:
            before = self._found.get(arn)
            if before is None:
                return None
            after = change(before)
            if after is not before:
                if keep:
                    self._documents.put(arn, dict(after))
                self._found[arn] = after
            return after

    def remove(self, arn: str) -> bool:
        with self._lock:
            self._documents.delete(arn)
            return self._found.pop(arn, None) is not None

    def all(self) -> list[Document]:
        with self._lock:
            return list(self._found.values())

    def page(
        self, region: str, params: Mapping[str, Any], *, newest_first: bool
    ) -> tuple[list[Document], dict[str, str]]:
        """One page of what the filters in `params` let through, and {"NextToken": …} when there is more.

        newest_first: the order when SortOrder is not given. Raises ServiceError ValidationException for a token that
        is not of this listing.
        """
        name, arn = f"{self._name}Name", f"{self._name}Arn"
        status = f"{self._name}Status"
        found = [
            one
            for one in self.all()
            if one[arn].split(":")[3] == region
            and params.get("NameContains", "") in one[name]
            and params.get("StatusEquals") in (None, one.get(status))
            and _between(one, params, "CreationTime")
            and _between(one, params, "LastModifiedTime")
        ]
        sort_by = params.get("SortBy", "CreationTime")
        field = {"Name": name, "Status": status}.get(sort_by, sort_by)
        descending = params.get("SortOrder", "Descending" if newest_first else "Ascending") == "Descending"
        keyed = sorted((((one[field], one[arn]), one) for one in found), key=lambda pair: pair[0], reverse=descending)
        return _page(keyed, params, _digest(self.kind, region, params), descending=descending)


def _page(
    keyed: Sequence[tuple[tuple[Any, str], Document]], params: Mapping[str, Any], digest: str, *, descending: bool
) -> tuple[list[Document], dict[str, str]]:
    """The page after the one that NextToken ended. The token holds the last key: nothing is shown twice or left out."""
    after = _key_of(params["NextToken"], digest, type(keyed[0][0][0])) if params.get("NextToken") and keyed else None
    left = [(key, one) for key, one in keyed if after is None or (key < after if descending else key > after)]
    size = params.get("MaxResults", DEFAULT_PAGE)
    shown = left[:size]
    if len(left) <= size:
        return [one for _, one in shown], {}
    token = base64.urlsafe_b64encode(json.dumps([digest, *shown[-1][0]]).encode()).decode()
    return [one for _, one in shown], {"NextToken": token}


def _key_of(token: str, digest: str, kind: type) -> tuple[Any, str]:
    try:
        of, value, arn = json.loads(base64.urlsafe_b64decode(token))
        if of == digest and isinstance(arn, str) and isinstance(value, kind):
            return value, arn
    except (ValueError, TypeError):
        pass
    raise ServiceError("ValidationException", "The NextToken is not one of this listing with these filters.")


def _digest(kind: str, region: str, params: Mapping[str, Any]) -> str:
    asked = {name: str(value) for name, value in params.items() if name not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps([kind, region, asked], sort_keys=True).encode()).hexdigest()[:12]


def _between(one: Document, params: Mapping[str, Any], field: str) -> bool:
    after, before = params.get(f"{field}After"), params.get(f"{field}Before")
    time = one.get(field, one["CreationTime"])
    return (after is None or time > epoch(after)) and (before is None or time < epoch(before))


def epoch(value: datetime) -> float:
    """Seconds since the epoch of a time that a request named (moto gives naive times in UTC)."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def moment(seconds: float) -> datetime:
    """The time as a response holds it."""
    return datetime.fromtimestamp(seconds, UTC)
