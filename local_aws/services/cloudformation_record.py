"""The stacks, change sets and events of CloudFormation, on disk before anybody is told of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.principal import Principal
from local_aws.protocol import Caller
from local_aws.services.cloudformation_template import invalid
from local_aws.store import Documents, Store

GONE = "DELETE_COMPLETE"
REVIEW = "REVIEW_IN_PROGRESS"
KEPT_SECONDS = 90 * 86_400.0
"""How long AWS tells of a stack that was deleted."""
_TABLE = """
CREATE TABLE IF NOT EXISTS cloudformation_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, stack TEXT, body TEXT
);
CREATE INDEX IF NOT EXISTS cloudformation_events_of ON cloudformation_events (stack, number);
"""

Params = dict[str, Any]


class Records:
    """now: epoch seconds."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._stacks = Documents(store, "cloudformation-stack")
        self._sets = Documents(store, "cloudformation-change-set")
        self.now = now
        self.transaction = store.transaction
        store.connection().executescript(_TABLE)

    # stacks

    def all(self) -> list[Params]:
        """Every stack, those that were deleted lately too, the newest first."""
        return sorted(self._stacks.all(), key=lambda one: float(one["created"]), reverse=True)

    def get(self, stack_id: str) -> Params:
        found = self._stacks.get(stack_id)
        if found is None:
            raise invalid(f"Stack with id {stack_id} does not exist")
        return found

    def live(self, name: str, region: str) -> Params | None:
        """The stack of that name in a region, unless it was deleted."""
        return next(
            (
                one
                for one in self._stacks.all()
                if one["name"] == name and one["region"] == region and one["status"] != GONE
            ),
            None,
        )

    def find(self, named: str, caller: Caller) -> Params:
        """By its name or its ARN, by which one that was deleted is found too. Raises ServiceError ValidationError."""
        found = self._stacks.get(named) if named.startswith("arn:") else self.live(named, caller.region)
        if found is None or found["region"] != caller.region:
            raise invalid(f"Stack with id {named} does not exist")
        return found

    def put(self, stack: Params, *events: Params) -> None:
        """Keep a stack as it is now, and what happened, at once."""
        with self._store.transaction() as connection:
            self._stacks.put(stack["id"], stack)
            for one in events:
                connection.execute(
                    "INSERT INTO cloudformation_events (stack, body) VALUES (?, ?)", (stack["id"], json.dumps(one))
                )

    def forget(self, stack: Params) -> None:
        with self._store.transaction() as connection:
            self._stacks.delete(stack["id"])
            connection.execute("DELETE FROM cloudformation_events WHERE stack = ?", (stack["id"],))

    def prune(self) -> None:
        """Forget the stacks that were deleted long ago."""
        for one in self._stacks.all():
            if one["status"] == GONE and self.now() - float(one.get("deleted") or 0) > KEPT_SECONDS:
                self.forget(one)

    def events(self, stack_id: str, before: int | None = None, limit: int = 100) -> list[tuple[int, Params]]:
        """The newest first, each with its number; those before a number."""
        rows = self._store.read(
            "SELECT number, body FROM cloudformation_events "
            "WHERE stack = ? AND number < ? ORDER BY number DESC LIMIT ?",
            stack_id,
            before if before is not None else 1 << 62,
            limit,
        )
        return [(row["number"], json.loads(row["body"])) for row in rows]

    # change sets

    def change_sets(self, stack_id: str) -> list[Params]:
        return [one for one in self._sets.all() if one["stack_id"] == stack_id]

    def change_set(self, named: str, stack: Params | None) -> Params:
        """By its ARN, or by its name and its stack. Raises ServiceError ChangeSetNotFound."""
        if named.startswith("arn:"):
            found = self._sets.get(named)
        else:
            sets = self.change_sets(stack["id"]) if stack else []
            found = next((one for one in sets if one["name"] == named), None)
        if found is None:
            raise ServiceError("ChangeSetNotFound", f"ChangeSet [{named}] does not exist", 404)
        return found

    def put_change_set(self, one: Params) -> None:
        self._sets.put(one["id"], one)

    def drop_change_set(self, one: Params) -> None:
        self._sets.delete(one["id"])


def kept_caller(caller: Caller) -> Params:
    """A caller as a document, for work that goes on after a restart."""
    who = asdict(caller.who)
    who["issued"] = caller.who.issued.isoformat() if caller.who.issued else None
    return {**{name: value for name, value in asdict(caller).items() if name != "principal"}, "principal": who}


def caller_of(kept: Mapping[str, Any]) -> Caller:
    who = dict(kept["principal"])
    who["issued"] = datetime.fromisoformat(who["issued"]) if who["issued"] else None
    for name in ("session", "session_arns"):
        who[name] = tuple(who[name])
    who["facts"] = tuple((key, value) for key, value in who["facts"])
    return Caller(kept["account"], kept["region"], kept["access_key_id"], kept["arn"], Principal(**who))
