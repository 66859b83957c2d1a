"""CloudFormation: stacks of buckets, roles and log groups, made through the services of this server, for the caller.

What is made is real here: the same calls as a person's, judged by the same policies, written down by CloudTrail. A
stack whose making fails is taken back; one that was being made when the server died is gone on with at its next start.
"""

from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import cloudformation_parameters as parameters
from local_aws.services import cloudformation_plan as plan
from local_aws.services import cloudformation_requests as requests
from local_aws.services.cloudformation_change_sets import ChangeSets
from local_aws.services.cloudformation_record import GONE, kept_caller
from local_aws.services.cloudformation_stacks import PAGE, is_same, page_of, stack_name, target_of
from local_aws.services.cloudformation_template import invalid
from local_aws.services.cloudformation_told import summary, told_resource, told_stack

ADDRESS = "cloudformation.amazonaws.com"

Params = dict[str, Any]


class CloudFormation(ChangeSets):
    """The service."""

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
            self._begin(stack, "create", target_of(design, params), caller, token, keep=keep)
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
            if not plan.changes(design, stack["resources"]) and is_same(design, stack):
                raise invalid("No updates are to be performed.")
            token, keep = params.get("ClientRequestToken", ""), bool(params.get("DisableRollback"))
            self._begin(stack, "update", target_of(design, params), caller, token, keep=keep)
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
        first, token = page_of(params, len(found))
        return {"Stacks": [told_stack(one) for one in found[first : first + PAGE]], **token}

    def list_stacks(self, params: Params, caller: Caller) -> Params:
        wanted = params.get("StackStatusFilter") or ()
        found = [one for one in self._records.all() if one["region"] == caller.region]
        found = [one for one in found if not wanted or one["status"] in wanted]
        first, token = page_of(params, len(found))
        return {"StackSummaries": [summary(one) for one in found[first : first + PAGE]], **token}

    def describe_stack_events(self, params: Params, caller: Caller) -> Params:
        stack = self._records.find(stack_name(params), caller)
        token = params.get("NextToken")
        if token and not token.isdecimal():
            raise invalid("The NextToken is not one of DescribeStackEvents.")
        found = self._records.events(stack["id"], int(token) if token else None, PAGE)
        told = [{**one, "Timestamp": datetime.fromtimestamp(one["Timestamp"], UTC)} for _, one in found]
        return {"StackEvents": told, **({"NextToken": str(found[-1][0])} if len(found) == PAGE else {})}

    def describe_stack_resources(self, params: Params, caller: Caller) -> Params:
        if params.get("PhysicalResourceId"):
            raise invalid("The embedded AWS finds resources by their stack only. Give the StackName.")
        stack = self._records.find(stack_name(params), caller)
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
            body = self._records.find(stack_name(params), caller)["template"]
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, params: Params, caller: Caller) -> Params:
        requests.check(params)
        body = params.get("TemplateBody")
        if not body:
            body = self._records.find(stack_name(params), caller)["template"]
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


def _about(capabilities: tuple[str, ...]) -> Params:
    if not capabilities:
        return {"Capabilities": []}
    why = "The following resource(s) require capabilities: [AWS::IAM]"
    return {"Capabilities": list(capabilities), "CapabilitiesReason": why}
