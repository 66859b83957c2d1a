"""Change sets of CloudFormation: what a stack would become, told before anything is made, and carried out."""

from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import cloudformation_plan as plan
from local_aws.services import cloudformation_requests as requests
from local_aws.services.cloudformation_record import REVIEW
from local_aws.services.cloudformation_stacks import PAGE, Stacks, arn_of, is_same, page_of, target_of
from local_aws.services.cloudformation_steps import design_of
from local_aws.services.cloudformation_template import invalid
from local_aws.services.cloudformation_told import told_change_set

Params = dict[str, Any]


class ChangeSets(Stacks):
    """Operations on them."""

    def create_change_set(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        requests.check_name(params["ChangeSetName"], "changeSetName")
        kind = params.get("ChangeSetType") or "UPDATE"
        if kind == "IMPORT":
            raise invalid("The embedded AWS cannot import resources into stacks yet (ChangeSetType IMPORT).")
        with self._deciding:
            stack = self._stack_for(params, kind, caller)
            design = self._design(params, stack, caller)
            requests.check_capabilities(design.capabilities, params.get("Capabilities"))
            known = next(
                (one for one in self._records.change_sets(stack["id"]) if one["name"] == params["ChangeSetName"]), None
            )
            if known is not None:
                if params.get("ClientToken") and known.get("token") == params["ClientToken"]:
                    return {"Id": known["id"], "StackId": stack["id"]}
                raise ServiceError("AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists")
            changes = plan.changes(design, {} if kind == "CREATE" else stack["resources"])
            same = not changes and (kind == "CREATE" or is_same(design, stack))
            made = {
                "id": arn_of(caller, "changeSet", params["ChangeSetName"]),
                "name": params["ChangeSetName"],
                "stack_id": stack["id"],
                "stack_name": stack["name"],
                "kind": kind.lower(),
                "token": params.get("ClientToken", ""),
                "description": params.get("Description", ""),
                "created": self._records.now(),
                "status": "FAILED" if same else "CREATE_COMPLETE",
                "reason": plan.NO_CHANGES if same else "",
                "execution": "UNAVAILABLE" if same else "AVAILABLE",
                "changes": changes,
                "target": target_of(design, params),
            }
            with self._records.transaction():
                if stack["status"] == REVIEW and not self._records.events(stack["id"]):
                    self._records.put(stack, self._of_stack(stack))
                self._records.put_change_set(made)
        return {"Id": made["id"], "StackId": stack["id"]}

    def describe_change_set(self, params: Params, caller: Caller) -> Params:
        found = self._change_set(params, caller)
        first, token = page_of(params, len(found["changes"]))
        shown = {**found, "changes": found["changes"][first : first + PAGE]}
        design = design_of(self._records.get(found["stack_id"]), found["target"])
        return told_change_set(shown, design) | token

    def list_change_sets(self, params: Params, caller: Caller) -> Params:
        stack = self._records.find(params["StackName"], caller)
        found = [told_change_set(one, None) for one in self._records.change_sets(stack["id"])]
        return {"Summaries": found}

    def delete_change_set(self, params: Params, caller: Caller) -> Params:
        with self._deciding:
            try:
                found = self._change_set(params, caller)
            except ServiceError as error:
                if error.code == "ChangeSetNotFound":
                    return {}
                raise
            self._records.drop_change_set(found)
        return {}

    def execute_change_set(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        with self._deciding:
            found = self._change_set(params, caller)
            stack = self._records.get(found["stack_id"])
            token = params.get("ClientRequestToken", "")
            if token and stack.get("token") == token and stack.get("change_set") == found["id"]:
                return {}
            if found["execution"] != "AVAILABLE":
                raise ServiceError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{found['id']}] cannot be executed in its current execution status of "
                    f"[{found['execution']}]",
                )
            self._begin(stack, found["kind"], found["target"], caller, token, keep=bool(params.get("DisableRollback")))
            stack["change_set"] = found["id"]
            with self._records.transaction():
                for other in self._records.change_sets(stack["id"]):
                    if other["id"] != found["id"]:
                        self._records.drop_change_set(other)
                self._records.put_change_set({**found, "execution": "EXECUTE_COMPLETE"})
                self._records.put(stack, self._of_stack(stack, "User Initiated"))
            self._run(stack)
        return {}
