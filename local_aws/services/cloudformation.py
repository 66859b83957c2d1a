"""CloudFormation: stacks of buckets, roles and log groups, made through the services of this server, for the caller.

What is made is real here: the same calls as a person's, judged by the same policies, written down by CloudTrail. A
stack whose making fails is taken back; one that was being made when the server died is gone on with at its next start.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.errors import ServiceError
from local_aws.inward import Inward
from local_aws.protocol import Caller, Service
from local_aws.services import cloudformation_parameters as parameters
from local_aws.services import cloudformation_plan as plan
from local_aws.services import cloudformation_requests as requests
from local_aws.services.cloudformation_kinds import Place
from local_aws.services.cloudformation_plan import Design
from local_aws.services.cloudformation_record import GONE, REVIEW, Records, kept_caller
from local_aws.services.cloudformation_steps import STACK, Steps, begin, event
from local_aws.services.cloudformation_template import invalid
from local_aws.services.cloudformation_told import (
    summary,
    told_change_set,
    told_resource,
    told_stack,
)
from local_aws.store import Store

ADDRESS = "cloudformation.amazonaws.com"
PAGE = 100
_CHANGEABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

Params = dict[str, Any]


class CloudFormation(Service):
    """now: epoch seconds."""

    name = "cloudformation"
    invalid_code = "ValidationError"

    def __init__(self, store: Store, inward: Inward, *, now: Callable[[], float]) -> None:
        self._records = Records(store, now)
        self._inward = inward
        self._steps = Steps(self._records, inward)
        self._threads: list[threading.Thread] = []
        self._deciding = threading.RLock()
        """Held while a request looks at a stack and begins something with it."""

    async def start(self) -> None:
        self._inward.begin()
        await run_in_threadpool(self._records.prune)
        for stack in await run_in_threadpool(self._records.all):
            if stack.get("operation"):
                self._run(stack)

    async def stop(self) -> None:
        """What is going on ends after its present step, and goes on at the next start."""
        self._steps.is_ending = True
        for thread in self._threads:
            await run_in_threadpool(thread.join)

    # change sets

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
            same = not changes and (kind == "CREATE" or _is_same(design, stack))
            made = {
                "id": _arn(caller, "changeSet", params["ChangeSetName"]),
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
                "target": _target(design, params),
            }
            with self._records.transaction():
                if stack["status"] == REVIEW and not self._records.events(stack["id"]):
                    self._records.put(stack, self._of_stack(stack))
                self._records.put_change_set(made)
        return {"Id": made["id"], "StackId": stack["id"]}

    def describe_change_set(self, params: Params, caller: Caller) -> Params:
        found = self._change_set(params, caller)
        first, token = _page(params, len(found["changes"]))
        shown = {**found, "changes": found["changes"][first : first + PAGE]}
        return told_change_set(shown, self._design_of(found)) | token

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

    # stacks

    def create_stack(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        on_failure = params.get("OnFailure") or "ROLLBACK"
        if on_failure == "DELETE":
            raise invalid("The embedded AWS has no OnFailure DELETE of stacks yet. Leave it out.")
        keep = bool(params.get("DisableRollback")) or on_failure == "DO_NOTHING"
        token = params.get("ClientRequestToken", "")
        with self._deciding:
            there = self._records.live(params["StackName"], caller.region)
            if there is not None and token and there.get("token") == token:
                return {"StackId": there["id"]}
            if there is not None:
                raise ServiceError("AlreadyExistsException", f"Stack [{params['StackName']}] already exists")
            stack = self._new(params["StackName"], caller)
            design = self._design(params, stack, caller)
            requests.check_capabilities(design.capabilities, params.get("Capabilities"))
            self._begin(stack, "create", _target(design, params), caller, token, keep=keep)
            self._records.put(stack, self._of_stack(stack, "User Initiated"))
            self._run(stack)
        return {"StackId": stack["id"]}

    def update_stack(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        with self._deciding:
            stack = self._records.find(params["StackName"], caller)
            self._check_changeable(stack)
            design = self._design(params, stack, caller)
            requests.check_capabilities(design.capabilities, params.get("Capabilities"))
            if not plan.changes(design, stack["resources"]) and _is_same(design, stack):
                raise invalid("No updates are to be performed.")
            token, keep = params.get("ClientRequestToken", ""), bool(params.get("DisableRollback"))
            self._begin(stack, "update", _target(design, params), caller, token, keep=keep)
            self._records.put(stack, self._of_stack(stack, "User Initiated"))
            self._run(stack)
        return {"StackId": stack["id"]}

    def delete_stack(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        with self._deciding:
            try:
                stack = self._records.find(params["StackName"], caller)
            except ServiceError:
                return {}  # as on AWS: what is not there is deleted
            if stack["status"] in (GONE, "DELETE_IN_PROGRESS"):
                return {}
            if stack.get("operation"):
                raise invalid(f"Stack [{stack['name']}] cannot be deleted while in status {stack['status']}")
            retain = params.get("RetainResources") or []
            if retain and stack["status"] != "DELETE_FAILED":
                raise invalid("Retain resources can only be specified for stacks in DELETE_FAILED state")
            stack["operation"] = {
                "kind": "delete",
                "phase": "delete",
                "caller": kept_caller(caller),
                "retain": retain,
                "begun": "",
            }
            stack |= {"status": "DELETE_IN_PROGRESS", "reason": "", "token": params.get("ClientRequestToken", "")}
            self._records.put(stack, self._of_stack(stack, "User Initiated"))
            self._run(stack)
        return {}

    def describe_stacks(self, params: Params, caller: Caller) -> Params:
        if params.get("StackName"):
            return {"Stacks": [told_stack(self._records.find(params["StackName"], caller))]}
        found = [one for one in self._records.all() if one["region"] == caller.region and one["status"] != GONE]
        first, token = _page(params, len(found))
        return {"Stacks": [told_stack(one) for one in found[first : first + PAGE]], **token}

    def list_stacks(self, params: Params, caller: Caller) -> Params:
        wanted = params.get("StackStatusFilter") or ()
        found = [one for one in self._records.all() if one["region"] == caller.region]
        found = [one for one in found if not wanted or one["status"] in wanted]
        first, token = _page(params, len(found))
        return {"StackSummaries": [summary(one) for one in found[first : first + PAGE]], **token}

    def describe_stack_events(self, params: Params, caller: Caller) -> Params:
        stack = self._records.find(_stack_name(params), caller)
        token = params.get("NextToken")
        if token and not token.isdecimal():
            raise invalid("The NextToken is not one of DescribeStackEvents.")
        found = self._records.events(stack["id"], int(token) if token else None, PAGE)
        told = [{**one, "Timestamp": datetime.fromtimestamp(one["Timestamp"], UTC)} for _, one in found]
        return {"StackEvents": told, **({"NextToken": str(found[-1][0])} if len(found) == PAGE else {})}

    def describe_stack_resources(self, params: Params, caller: Caller) -> Params:
        if params.get("PhysicalResourceId"):
            raise invalid("The embedded AWS finds resources by their stack only. Give the StackName.")
        stack = self._records.find(_stack_name(params), caller)
        wanted = params.get("LogicalResourceId")
        found = [told_resource(stack, name) for name in stack["resources"] if wanted in (None, name)]
        if wanted and not found:
            raise invalid(f"Resource {wanted} does not exist for stack {stack['name']}")
        return {"StackResources": found}

    # templates

    def get_template(self, params: Params, caller: Caller) -> Params:
        if params.get("TemplateStage", "Original") not in ("Original", "Processed"):
            raise invalid("TemplateStage is Original or Processed.")
        if params.get("ChangeSetName"):
            body = self._change_set(params, caller)["target"]["template"]
        else:
            body = self._records.find(_stack_name(params), caller)["template"]
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        body = params.get("TemplateBody")
        if not body:
            body = self._records.find(_stack_name(params), caller)["template"]
        template = plan.checked(body)
        return {
            **_about(plan.needed_capabilities(template)),
            "Description": template.description,
            "Parameters": parameters.described(template),
            "ResourceTypes": sorted({one.type for one in template.resources.values()}),
            "Version": template.version,
        }

    def validate_template(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        if not params.get("TemplateBody"):
            raise invalid("Either Template URL or Template Body must be specified.")
        template = plan.checked(params["TemplateBody"])
        keys = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
        told = [{key: one[key] for key in keys if key in one} for one in parameters.described(template)]
        about = _about(plan.needed_capabilities(template))
        return {**about, "Description": template.description, "Parameters": told}

    # within

    def _stack_for(self, params: Params, kind: str, caller: Caller) -> Params:
        """The stack that a change set is for; a new one for the first. Raises ServiceError ValidationError."""
        named = params["StackName"]
        there = self._records.live(named, caller.region)
        if named.startswith("arn:"):
            there = self._records.find(named, caller)
        if kind == "CREATE":
            if there is None:
                return self._new(named, caller)
            if there["status"] != REVIEW:
                raise invalid(f"Stack [{there['name']}] already exists and cannot be created again with the changeSet "
                              f"[{params['ChangeSetName']}].")  # fmt: skip
            return there
        if there is None:
            raise invalid(f"Stack [{named}] does not exist")
        self._check_changeable(there)
        return there

    @staticmethod
    def _check_changeable(stack: Mapping[str, Any]) -> None:
        if stack["status"] not in _CHANGEABLE:
            raise invalid(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")

    def _new(self, name: str, caller: Caller) -> Params:
        requests.check_name(name)
        return {
            "id": _arn(caller, "stack", name),
            "name": name,
            "account": caller.account,
            "region": caller.region,
            "status": REVIEW,
            "reason": "",
            "created": self._records.now(),
            "updated": None,
            "description": "",
            "template": "",
            "parameters": {},
            "tags": {},
            "capabilities": [],
            "resources": {},
            "outputs": [],
            "operation": None,
        }

    def _design(self, params: Params, stack: Params, caller: Caller) -> Design:
        """What a request makes of a stack. Raises ServiceError."""
        body = params.get("TemplateBody")
        if params.get("UsePreviousTemplate"):
            body = stack["template"]
        if not body:
            raise invalid("Either Template URL or Template Body must be specified.")
        marks = requests.tags(params["Tags"]) if "Tags" in params else stack["tags"]
        place = Place(caller.account, caller.region, stack["name"])
        return plan.design(body, params.get("Parameters") or [], stack["parameters"], marks, place, stack["id"])

    def _design_of(self, change_set: Params) -> Design:
        target = change_set["target"]
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in target["parameters"].items()]
        account, region = change_set["id"].split(":")[4], change_set["id"].split(":")[3]
        place = Place(account, region, change_set["stack_name"])
        return plan.design(target["template"], given, {}, target["tags"], place, change_set["stack_id"])

    def _begin(self, stack: Params, kind: str, target: Params, caller: Caller, token: str, *, keep: bool) -> None:
        stack["operation"] = begin(kind, target, kept_caller(caller), stack, keep=keep)
        creating = kind == "create"
        stack |= {
            "status": "CREATE_IN_PROGRESS" if creating else "UPDATE_IN_PROGRESS",
            "reason": "User Initiated",
            "token": token,
            "keep": keep,
        }
        if creating:  # what is shown of it while it is made
            stack |= {name: target[name] for name in ("template", "parameters", "tags", "capabilities")}
        else:
            stack["updated"] = self._records.now()

    def _run(self, stack: Params) -> None:
        self._threads = [one for one in self._threads if one.is_alive()]
        thread = threading.Thread(target=self._steps.run, args=(stack["id"],), name="cloudformation", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _change_set(self, params: Params, caller: Caller) -> Params:
        named = params["ChangeSetName"]
        if named.startswith("arn:"):
            return self._records.change_set(named, None)
        return self._records.change_set(named, self._records.find(_stack_name(params), caller))

    def _of_stack(self, stack: Params, reason: str = "") -> Params:
        return event(stack, stack["name"], stack["id"], STACK, stack["status"], reason, self._records.now())


def _arn(caller: Caller, kind: str, name: str) -> str:
    return f"arn:aws:cloudformation:{caller.region}:{caller.account}:{kind}/{name}/{uuid.uuid4()}"


def _target(design: Design, params: Params) -> Params:
    return {
        "template": design.template.text,
        "parameters": dict(design.values),
        "tags": dict(design.tags),
        "capabilities": list(params.get("Capabilities") or ()),
    }


def _is_same(design: Design, stack: Params) -> bool:
    """Whether nothing at all would change, of outputs and tags neither."""
    outputs = design.outputs(plan.known_of(stack["resources"]))
    return bool(outputs == stack["outputs"] and dict(design.tags) == stack["tags"])


def _about(capabilities: tuple[str, ...]) -> Params:
    if not capabilities:
        return {"Capabilities": []}
    why = "The following resource(s) require capabilities: [AWS::IAM]"
    return {"Capabilities": list(capabilities), "CapabilitiesReason": why}


def _stack_name(params: Params) -> str:
    name: str = params.get("StackName") or ""
    if not name:
        raise invalid("StackName must be specified.")
    return name


def _page(params: Params, total: int) -> tuple[int, Params]:
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        raise invalid("The NextToken is not one of this operation.")
    rest = int(token) + PAGE
    return int(token), {"NextToken": str(rest)} if rest < total else {}
