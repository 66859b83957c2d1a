"""How a CloudFormation stack becomes what it is to be: one step after the other, each on disk before the next.

A stack's document says how far its operation has come, so that after the death of the server it goes on where it was.
Phases: "apply" makes and changes what the template says; when that fails, "undo" takes it back, then "clear" removes
what was made; when it works, "cleanup" removes what is no longer wanted. "delete" removes the whole stack.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from local_aws.errors import ServiceError, internal
from local_aws.inward import Inward
from local_aws.services import cloudformation_plan as plan
from local_aws.services.cloudformation_kinds import Call, Kind, Place
from local_aws.services.cloudformation_operation import STACK, event, resource, told
from local_aws.services.cloudformation_plan import KINDS, Design, Wanted
from local_aws.services.cloudformation_record import GONE, Records, caller_of

log = logging.getLogger(__name__)

Params = dict[str, Any]


def place_of(stack: Params) -> Place:
    return Place(stack["account"], stack["region"], stack["name"])


def design_of(stack: Params, target: Params) -> Design:
    """What an operation makes of a stack."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in target["parameters"].items()]
    return plan.design(target["template"], given, {}, target["tags"], place_of(stack), stack["id"])


class Steps:
    """random: eight to thirteen capital letters and digits for names that are made up."""

    def __init__(
        self, records: Records, inward: Inward, random: Callable[[], str] = lambda: secrets.token_hex(6).upper()
    ) -> None:
        self._records = records
        self._inward = inward
        self._random = random
        self.is_ending = False

    def run(self, stack_id: str) -> None:
        """Carry out a stack's operation, until it is done or the server stops."""
        while not self.is_ending:
            stack = self._records.get(stack_id)
            if not stack.get("operation"):
                return
            {
                "apply": self._apply,
                "cleanup": self._clean_up,
                "undo": self._undo,
                "clear": self._clear,
                "delete": self._delete,
            }[stack["operation"]["phase"]](stack)

    # forward

    def _apply(self, stack: Params) -> None:
        operation = stack["operation"]
        wanted = design_of(stack, operation["target"])
        for one in wanted.order:
            if self.is_ending:
                return
            if one.name in operation["done"]:
                continue
            try:
                self._bring(stack, wanted, one)
            except ServiceError as error:
                self._failed(stack, one, error)
                return
            operation["done"].append(one.name)
            self._records.put(stack)
        known = plan.known_of(stack["resources"])
        stack["outputs"] = wanted.outputs(known)
        stack |= {name: operation["target"][name] for name in ("template", "parameters", "tags", "capabilities")}
        stack["description"] = wanted.template.description
        if operation["kind"] == "create":
            self._finish(stack, "CREATE_COMPLETE")
        else:
            operation["phase"] = "cleanup"
            self._turn(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    def _bring(self, stack: Params, wanted: Design, one: Wanted) -> None:
        """Make a resource what the template says. What was begun before the server died is gone on with."""
        resources, operation = stack["resources"], stack["operation"]
        has, begun = resources.get(one.name), operation.get("begun") == one.name
        properties = wanted.properties(one, plan.known_of(resources))
        if has is None or has["type"] != one.kind.type or has["status"] == "CREATE_IN_PROGRESS":
            self._make(stack, one, properties, begun=begun)
            return
        has |= {"deletion_policy": one.deletion_policy, "replace_policy": one.replace_policy, "needs": list(one.needs)}
        if has["properties"] == properties and not begun:
            return
        if plan.needs_new(one.kind, has["properties"], properties):
            self._replace(stack, one, properties)
            return
        before = has["properties"]
        has["going_to"] = properties
        if not begun:
            self._touch(stack, one.name, "update")
            self._mark(stack, one.name, "UPDATE_IN_PROGRESS", begun=True)
        one.kind.change(self._call(stack), has["physical"], before, properties)
        has["properties"] = has.pop("going_to")
        has["attributes"] = one.kind.told(self._call(stack), has["physical"], properties, place_of(stack))
        self._mark(stack, one.name, "UPDATE_COMPLETE", begun=False)

    def _make(self, stack: Params, one: Wanted, properties: Params, *, begun: bool) -> None:
        call, resources, place = self._call(stack), stack["resources"], place_of(stack)
        if not begun:
            generated = f"{stack['name']}-{one.name}-{self._random()}"[:64]
            last = max((other["order"] for other in resources.values()), default=0)
            resources[one.name] = resource(one, properties, last + 1)
            self._mark(stack, one.name, "CREATE_IN_PROGRESS")
            physical = one.kind.physical(properties, generated, place)
            if one.kind.exists(call, physical, properties):
                raise ServiceError("AlreadyExists", f"{physical} already exists", 409)
            self._touch(stack, one.name, "create")
            resources[one.name] |= {"physical": physical, "is_ours": True}
            self._mark(stack, one.name, "CREATE_IN_PROGRESS", "Resource creation Initiated", begun=True)
        has = resources[one.name]
        one.kind.make(call, has["physical"], has["properties"], place)
        has["attributes"] = one.kind.told(call, has["physical"], has["properties"], place)
        self._mark(stack, one.name, "CREATE_COMPLETE", begun=False)

    def _replace(self, stack: Params, one: Wanted, properties: Params) -> None:
        """Another one in its place; the old one stays until the whole update has worked."""
        resources, operation = stack["resources"], stack["operation"]
        old = resources[one.name]
        generated = f"{stack['name']}-{one.name}-{self._random()}"[:64]
        if one.kind.physical(properties, generated, place_of(stack)) == old["physical"]:
            raise ServiceError(
                "AlreadyExists",
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{old['physical']} and update the stack again.",
            )
        operation["replaced"][one.name] = old
        self._make(stack, one, properties, begun=False)

    def _failed(self, stack: Params, one: Wanted, error: ServiceError) -> None:
        operation, has = stack["operation"], stack["resources"].get(one.name)
        creating = has is None or not has["attributes"]
        if has is None:  # its properties could not even be worked out
            stack["resources"][one.name] = resource(one, {}, 0)
        elif creating and has["is_ours"]:
            has["is_ours"] = self._is_there(stack, one, has)
        self._mark(stack, one.name, "CREATE_FAILED" if creating else "UPDATE_FAILED", told(error), begun=False)
        whole = operation["kind"] == "create"
        verb = "create" if creating else "update"
        reason = f"The following resource(s) failed to {verb}: [{one.name}]. "
        if operation.get("keep"):
            self._finish(stack, "CREATE_FAILED" if whole else "UPDATE_FAILED", reason)
            return
        operation["phase"] = "undo"
        requested = "Rollback requested by user." if whole else ""
        self._turn(stack, "ROLLBACK_IN_PROGRESS" if whole else "UPDATE_ROLLBACK_IN_PROGRESS", reason + requested)

    def _is_there(self, stack: Params, one: Wanted, has: Params) -> bool:
        """Whether anything was made before it failed; what cannot be looked at may be."""
        try:
            return one.kind.exists(self._call(stack), has["physical"], has["properties"])
        except ServiceError:
            return True

    # back

    def _undo(self, stack: Params) -> None:
        """Give what was changed its old properties again; what was made new is removed in the next phase."""
        operation, resources = stack["operation"], stack["resources"]
        for name, deed in reversed(operation["touched"]):
            if self.is_ending:
                return
            if deed != "update" or name in operation["undone"]:
                continue
            has, old = resources[name], operation["old"][name]
            now = has.pop("going_to", has["properties"])
            try:
                self._event_only(stack, name, "UPDATE_IN_PROGRESS")
                KINDS[has["type"]].change(self._call(stack), has["physical"], now, old["properties"])
            except ServiceError as error:
                self._mark(stack, name, "UPDATE_FAILED", told(error))
                self._finish(stack, "UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{name}]. ")
                return
            resources[name] = {**old, "status": "UPDATE_COMPLETE"}
            operation["undone"].append(name)
            self._mark(stack, name, "UPDATE_COMPLETE")
        operation["phase"] = "clear"
        if operation["kind"] == "create":
            self._records.put(stack)
        else:
            self._turn(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

    def _clear(self, stack: Params) -> None:
        """Remove what the operation made."""
        operation, resources, lost = stack["operation"], stack["resources"], []
        whole = operation["kind"] == "create"
        for name, deed in reversed(operation["touched"]):
            if self.is_ending:
                return
            has = resources.get(name)
            if deed != "create" or has is None or has["status"] in (GONE, "DELETE_SKIPPED"):
                continue
            if not self._removed(stack, name, has, keep=has["deletion_policy"] == "Retain" and whole):
                lost.append(name)
        if lost:
            status = "ROLLBACK_FAILED" if whole else "UPDATE_ROLLBACK_FAILED"
            self._finish(stack, status, f"The following resource(s) failed to delete: [{', '.join(lost)}]. ")
            return
        if not whole:
            stack["resources"] = {
                name: {**one, "status": resources[name]["status"] if name in operation["undone"] else one["status"]}
                for name, one in operation["old"].items()
            }
        self._finish(stack, "ROLLBACK_COMPLETE" if whole else "UPDATE_ROLLBACK_COMPLETE")

    # what is no longer wanted

    def _clean_up(self, stack: Params) -> None:
        """After an update; what cannot be removed stays, and the update has worked all the same, as on AWS."""
        operation, resources = stack["operation"], stack["resources"]
        for name, old in list(operation["replaced"].items()):
            if self.is_ending:
                return
            self._removed(stack, name, old, keep=old["replace_policy"] != "Delete", shown=False)
            del operation["replaced"][name]
            self._records.put(stack)
        wanted = {one.name for one in design_of(stack, operation["target"]).order}
        for name, has in _backwards(resources):
            if self.is_ending:
                return
            if name not in wanted:
                self._removed(stack, name, has, keep=has["deletion_policy"] != "Delete")
                del resources[name]
                self._records.put(stack)
        self._finish(stack, "UPDATE_COMPLETE")

    def _delete(self, stack: Params) -> None:
        operation, lost = stack["operation"], []
        for name, has in _backwards(stack["resources"]):
            if self.is_ending:
                return
            if has["status"] in (GONE, "DELETE_SKIPPED"):
                continue
            if not has["is_ours"]:
                has["status"] = GONE
                continue
            users = [other for other, one in stack["resources"].items() if name in one["needs"] and other in lost]
            if users:
                lost.append(name)  # what still stands needs it
                continue
            keep = has["deletion_policy"] != "Delete" or name in operation["retain"]
            if not self._removed(stack, name, has, keep=keep):
                lost.append(name)
        if lost:
            self._finish(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(lost)}]. ")
            return
        stack["deleted"] = self._records.now()
        for one in self._records.change_sets(stack["id"]):
            self._records.drop_change_set(one)
        self._finish(stack, GONE)

    def _removed(self, stack: Params, name: str, has: Params, *, keep: bool, shown: bool = True) -> bool:
        """Whether a resource is gone, or stays as it was asked to. shown: not for what another has the place of."""
        note = self._mark if shown else self._event_only
        if keep:
            note(stack, name, "DELETE_SKIPPED", of=has)
            return True
        kind: Kind = KINDS[has["type"]]
        if not has["is_ours"]:
            return True
        note(stack, name, "DELETE_IN_PROGRESS", of=has)
        try:
            kind.remove(self._call(stack), has["physical"], has.get("going_to") or has["properties"])
        except ServiceError as error:
            note(stack, name, "DELETE_FAILED", told(error), of=has)
            return False
        note(stack, name, GONE, of=has)
        return True

    # notes

    def _call(self, stack: Params) -> Call:
        caller = caller_of(stack["operation"]["caller"])

        def call(service: str, operation: str, **params: Any) -> Params:
            try:
                return self._inward.call(caller, service, operation, params)
            except ServiceError:
                raise
            except Exception as failure:
                log.exception("%s:%s failed for a stack", service, operation)
                raise internal(f"The embedded AWS failed on {operation}; its log has the details.") from failure

        return call

    def _touch(self, stack: Params, name: str, deed: str) -> None:
        stack["operation"]["touched"].append([name, deed])

    def _mark(
        self,
        stack: Params,
        name: str,
        status: str,
        reason: str = "",
        *,
        begun: bool | None = None,
        of: Params | None = None,
    ) -> None:
        """Set a resource's status, and tell it. begun: whether work on it is going on from now on."""
        stack["resources"][name] |= {"status": status, "reason": reason, "at": self._records.now()}
        if begun is not None:
            stack["operation"]["begun"] = name if begun else ""
        self._event_only(stack, name, status, reason, of=of)

    def _event_only(self, stack: Params, name: str, status: str, reason: str = "", *, of: Params | None = None) -> None:
        has = of or stack["resources"][name]
        self._records.put(stack, event(stack, name, has["physical"], has["type"], status, reason, self._records.now()))

    def _turn(self, stack: Params, status: str, reason: str = "") -> None:
        stack |= {"status": status, "reason": reason, "updated": self._records.now()}
        told_event = event(stack, stack["name"], stack["id"], STACK, status, reason, self._records.now())
        self._records.put(stack, told_event)

    def _finish(self, stack: Params, status: str, reason: str = "") -> None:
        stack["operation"] = None
        self._turn(stack, status, reason)


def _backwards(resources: Params) -> Iterator[tuple[str, Params]]:
    """What was made last comes first."""
    yield from sorted(resources.items(), key=lambda one: one[1]["order"], reverse=True)
