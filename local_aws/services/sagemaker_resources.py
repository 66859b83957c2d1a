"""SageMaker's resources of one kind: kept in the store, read from memory, listed page by page.

Orders by name and time are kept up to date with every change, so that a page costs what is on it and not what is in
the account: a listing of what changed since a moment ago looks at nothing older.
"""

import base64
import hashlib
import json
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.store import Documents, Store

Document = Mapping[str, Any]  # never changed in place, so that a reader needs no lock

DEFAULT_PAGE = 10
LAST = chr(0x10FFFF)  # after every ARN


Listener = Callable[[Document | None, Document | None], None]
"""Called with a document before and after a change: (None, new) when it is added, (old, None) when it is removed."""


class Resources:
    """Documents by ARN. What a reader gets is on disk already, except what was changed with keep=False."""

    def __init__(self, store: Store, kind: str) -> None:
        self.kind = kind
        self.title = "".join(word.capitalize() for word in kind.split("-"))  # training-job → TrainingJob
        self.listeners: list[Listener] = []
        self._documents = Documents(store, f"sagemaker/{kind}")
        self._found: dict[str, Document] = {one[f"{self.title}Arn"]: one for one in self._documents.all()}
        self._orders = {
            field: _Order(field, self._found) for field in (f"{self.title}Name", "CreationTime", "LastModifiedTime")
        }
        self._lock = threading.RLock()

    def add(self, arn: str, document: Document) -> bool:
        """False when there is one of that ARN already."""
        with self._lock:
            if arn in self._found:
                return False
            self._documents.put(arn, dict(document))
            self._set(arn, None, document)
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
                self._set(arn, before, after)
            return after

    def remove(self, arn: str) -> bool:
        with self._lock:
            self._documents.delete(arn)
            before = self._found.get(arn)
            if before is not None:
                self._set(arn, before, None)
            return before is not None

    def _set(self, arn: str, before: Document | None, after: Document | None) -> None:
        if after is None:
            del self._found[arn]
        else:
            self._found[arn] = after
        for order in self._orders.values():
            order.change(arn, before, after)
        for listener in self.listeners:
            listener(before, after)

    def all(self) -> list[Document]:
        with self._lock:
            return list(self._found.values())

    def between(self, field: str, low: float, high: float) -> list[Document]:
        """Those with a time (CreationTime or LastModifiedTime) from low to high, both included, in its order."""
        with self._lock:
            return [self._found[arn] for arn in self._orders[field].between(low, high)]

    def page(
        self,
        region: str,
        params: Mapping[str, Any],
        *,
        newest_first: bool,
        sort_by: str = "CreationTime",
        also: Callable[[Document], bool] = lambda one: True,
    ) -> tuple[list[Document], dict[str, str]]:
        """One page of what the filters in `params` let through, and {"NextToken": …} when there is more.

        newest_first, sort_by: the order when SortOrder and SortBy are not given. also: a filter of this kind alone.

        Raises ServiceError ValidationException for a token that is not of this listing.
        """
        by = params.get("SortBy", sort_by)
        field = {"Name": f"{self.title}Name", "Status": f"{self.title}Status"}.get(by, by)
        descending = params.get("SortOrder", "Descending" if newest_first else "Ascending") == "Descending"
        digest = listing_digest(self.kind, region, params)
        after = last_shown(params["NextToken"], digest) if params.get("NextToken") else None
        ours = f":sagemaker:{region}:"

        def wanted(arn: str, one: Document) -> bool:
            return (
                ours in arn
                and params.get("NameContains", "") in one[f"{self.title}Name"]
                and params.get("StatusEquals") in (None, one.get(f"{self.title}Status"))
                and _between(one, params, "CreationTime")
                and _between(one, params, "LastModifiedTime")
                and also(one)
            )

        with self._lock:
            keys = self._keys(field, params, after, descending=descending)
            return take((key for key in keys if wanted(key[1], self._found[key[1]])), self._found, params, digest)

    def _keys(self, field: str, params: Mapping[str, Any], after: "Key | None", *, descending: bool) -> Iterator["Key"]:
        """The keys (value of `field`, ARN) that may be on the page, in its order, after the last one shown."""
        since = max(
            (epoch(params[name]) for name in ("LastModifiedTimeAfter", "CreationTimeAfter") if params.get(name)),
            default=None,  # whatever was created since was modified since
        )
        order = self._orders.get(field)
        if since is not None or order is None:
            arns: Iterable[str] = self._orders["LastModifiedTime"].after(since) if since is not None else self._found
            keys = sorted(((_value(self._found[arn], field), arn) for arn in arns), reverse=descending)
            return (key for key in keys if after is None or (key < after if descending else key > after))
        return order.walk(after, descending=descending)


Key = tuple[Any, str]


class _Order:
    """The keys (value of a field, ARN) of all documents, sorted."""

    def __init__(self, field: str, documents: Mapping[str, Document]) -> None:
        self._field = field
        self._keys: list[Key] = sorted(self._key(arn, one) for arn, one in documents.items())

    def change(self, arn: str, before: Document | None, after: Document | None) -> None:
        old = None if before is None else self._key(arn, before)
        new = None if after is None else self._key(arn, after)
        if old == new:
            return
        if old is not None:
            del self._keys[bisect_left(self._keys, old)]
        if new is not None:
            insort(self._keys, new)

    def walk(self, after: Key | None, *, descending: bool) -> Iterator[Key]:
        """In order, from the key after the given one. To be read before anything changes."""
        if descending:
            start = len(self._keys) if after is None else bisect_left(self._keys, after)
            return (self._keys[number] for number in range(start - 1, -1, -1))
        start = 0 if after is None else bisect_right(self._keys, after)
        return (self._keys[number] for number in range(start, len(self._keys)))

    def after(self, value: Any) -> list[str]:
        """The ARNs of which the field is greater than the value."""
        return [arn for _, arn in self._keys[bisect_right(self._keys, (value, LAST)) :]]

    def between(self, low: Any, high: Any) -> list[str]:
        """The ARNs of which the field is from low to high, both included."""
        return [
            arn for _, arn in self._keys[bisect_left(self._keys, (low, "")) : bisect_right(self._keys, (high, LAST))]
        ]

    def _key(self, arn: str, one: Document) -> Key:
        return _value(one, self._field), arn


def _value(one: Document, field: str) -> Any:
    """What a document is sorted by; one that never changes was last modified when it was made."""
    return one[field] if field in one else one["CreationTime"]


def take(
    keys: Iterable[Key], documents: Mapping[str, Document], params: Mapping[str, Any], digest: str
) -> tuple[list[Document], dict[str, str]]:
    """As many documents as MaxResults says, and {"NextToken": …} when there are more.

    The token holds the last key: nothing is shown twice or left out while things come and go.
    """
    size = params.get("MaxResults", DEFAULT_PAGE)
    shown: list[Key] = []
    for key in keys:
        if len(shown) == size:
            token = base64.urlsafe_b64encode(json.dumps([digest, *shown[-1]]).encode()).decode()
            return [documents[arn] for _, arn in shown], {"NextToken": token}
        shown.append(key)
    return [documents[arn] for _, arn in shown], {}


def last_shown(token: str, digest: str) -> Key:
    """The key that the page before this one ended with.

    Raises ServiceError ValidationException for a token that is not of this listing.
    """
    try:
        of, value, arn = json.loads(base64.urlsafe_b64decode(token))
        if of == digest and isinstance(arn, str) and isinstance(value, str | int | float):
            return value, arn
    except (ValueError, TypeError):
        pass
    raise ServiceError("ValidationException", "The NextToken is not one of this listing with these filters.")


def listing_digest(kind: str, region: str, params: Mapping[str, Any]) -> str:
    """What a token must have been made for: the same listing with the same filters."""
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
