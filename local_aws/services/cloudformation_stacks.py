"""What all of CloudFormation's operations share: its records, what is going on, and the design of a stack."""

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.inward import Inward
from local_aws.protocol import Caller, Service
from local_aws.services import cloudformation_plan as plan
from local_aws.services import cloudformation_requests as requests
from local_aws.services.cloudformation_kinds import Place
from local_aws.services.cloudformation_operation import STACK, begin, event
from local_aws.services.cloudformation_plan import Design
from local_aws.services.cloudformation_record import REVIEW, Records, kept_caller
from local_aws.services.cloudformation_steps import Steps
from local_aws.services.cloudformation_template import invalid
from local_aws.store import Store

PAGE = 100
_CHANGEABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

Params = dict[str, Any]


class Stacks(Service):
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
            "id": arn_of(caller, "stack", name),
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
        return self._records.change_set(named, self._records.find(stack_name(params), caller))

    def _of_stack(self, stack: Params, reason: str = "") -> Params:
        return event(stack, stack["name"], stack["id"], STACK, stack["status"], reason, self._records.now())


def arn_of(caller: Caller, kind: str, name: str) -> str:
    return f"arn:aws:cloudformation:{caller.region}:{caller.account}:{kind}/{name}/{uuid.uuid4()}"


def target_of(design: Design, params: Params) -> Params:
    return {
        "template": design.template.text,
        "parameters": dict(design.values),
        "tags": dict(design.tags),
        "capabilities": list(params.get("Capabilities") or ()),
    }


def is_same(design: Design, stack: Params) -> bool:
    """Whether nothing at all would change, of outputs and tags neither."""
    outputs = design.outputs(plan.known_of(stack["resources"]))
    return bool(outputs == stack["outputs"] and dict(design.tags) == stack["tags"])


def stack_name(params: Params) -> str:
    name: str = params.get("StackName") or ""
    if not name:
        raise invalid("StackName must be specified.")
    return name


def page_of(params: Params, total: int) -> tuple[int, Params]:
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        raise invalid("The NextToken is not one of this operation.")
    rest = int(token) + PAGE
    return int(token), {"NextToken": str(rest)} if rest < total else {}
