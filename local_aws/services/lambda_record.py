"""Lambda's functions as they are kept: one document each, with its versions, aliases and all that hangs on it.

One document, so that a change is whole or not at all. It is read from memory and is on disk before it is answered.
A document: "Latest" (a configuration as AWS tells it), "Versions" by number, "Aliases" by name, "Reserved" (a number or
None), "Provisioned", "Policies", "Urls" and "Events" by qualifier, "Tags", and "Next", the next version's number.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.lambda_names import LATEST, Named, conflict, not_found
from local_aws.store import Documents, Store

Document = Mapping[str, Any]  # never changed in place, so that a reader needs no lock
Configuration = Mapping[str, Any]


class Functions:
    """Documents by "region/name". changed(): called after each change, in the thread that made it."""

    def __init__(self, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        self._documents = Documents(store, "lambda/function")
        self._found: dict[str, Document] = {one["Key"]: one for one in self._documents.all()}
        self._lock = threading.RLock()
        self.changed = changed

    def add(self, which: Named, document: Document) -> None:
        """Raises ServiceError ResourceConflictException when it is there."""
        with self._lock:
            if which.key in self._found:
                raise conflict(f"Function already exist: {which.name}")
            self._put(which.key, document)
        self.changed()

    def find(self, which: Named) -> Document:
        """Raises ServiceError ResourceNotFoundException."""
        found = self._found.get(which.key)
        if found is None:
            raise not_found(which.qualified_arn)
        return found

    def get(self, key: str) -> Document | None:
        """By "region/name"; None when it is not there."""
        return self._found.get(key)

    def change(self, which: Named, change: Callable[[Document], Document]) -> Document:
        """Replace a document by what `change` makes of it; nothing changes when that raises."""
        with self._lock:
            after = change(self.find(which))
            self._put(which.key, after)
        self.changed()
        return after

    def remove(self, which: Named) -> Document:
        with self._lock:
            found = self.find(which)
            self._documents.delete(which.key)
            self._found = {key: one for key, one in self._found.items() if key != which.key}
        self.changed()
        return found

    def all(self) -> list[Document]:
        return list(self._found.values())

    def of_region(self, region: str) -> list[Document]:
        """By name."""
        found = (one for key, one in list(self._found.items()) if key.startswith(f"{region}/"))
        return sorted(found, key=lambda one: str(one["Key"]))

    def holding(self) -> threading.RLock:
        """The lock under which documents change: what looks at several and then changes one holds it."""
        return self._lock

    def _put(self, key: str, document: Document) -> None:
        self._documents.put(key, dict(document))
        self._found = {**self._found, key: document}


def new(which: Named, configuration: Configuration, tags: Mapping[str, str]) -> Document:
    return {
        "Key": which.key,
        "Latest": configuration,
        "Versions": {},
        "Aliases": {},
        "Reserved": None,
        "Provisioned": {},
        "Policies": {},
        "Urls": {},
        "Events": {},
        "Tags": dict(tags),
        "Next": 1,
    }


def version_of(document: Document, which: Named) -> str:
    """The version ("$LATEST", "3") that a qualifier means first, whatever an alias's weights are. Raises
    ResourceNotFoundException for one that is not there."""
    qualifier = which.qualifier or LATEST
    if qualifier == LATEST or qualifier in document["Versions"]:
        return qualifier
    alias = document["Aliases"].get(qualifier)
    if alias is None:
        raise not_found(which.qualified_arn)
    return str(alias["FunctionVersion"])


def configuration_of(document: Document, version: str) -> Configuration:
    found: Configuration = document["Latest"] if version == LATEST else document["Versions"][version]
    return found


def told(document: Document, which: Named) -> dict[str, Any]:
    """A configuration as GetFunctionConfiguration tells it, with the ARN that was asked for."""
    found = configuration_of(document, version_of(document, which))
    return {**found, "FunctionArn": which.qualified_arn}


def check_revision(found: Mapping[str, Any], asked: str | None) -> None:
    """Raises ServiceError PreconditionFailedException when it is another revision than the caller knew."""
    if asked and asked != found["RevisionId"]:
        raise ServiceError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
            412,
        )


def by_qualifier(
    kept: Mapping[str, Any], which: Named, told: Callable[[Named], dict[str, Any]], params: Mapping[str, Any]
) -> tuple[list[Any], Any]:
    """A page of what is kept of a function by qualifier, as `told` tells each (with its FunctionArn)."""
    return page([told(which.at(qualifier)) for qualifier in sorted(kept)], params, "FunctionArn")


def page(items: list[dict[str, Any]], params: Mapping[str, Any], key: str, most: int = 50) -> tuple[list[Any], Any]:
    """One page after Marker, of at most MaxItems, and the next marker or None. items: in the order of item[key]."""
    after = params.get("Marker") or ""
    rest = [one for one in items if str(one[key]) > after] if after else items
    size = min(params.get("MaxItems") or most, most)
    shown = rest[:size]
    return shown, str(shown[-1][key]) if len(rest) > size else None
