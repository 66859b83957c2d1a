"""Stacks, their resources and change sets in the words of CloudFormation's answers. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.services import cloudformation_parameters as parameters
from local_aws.services.cloudformation_kinds import pairs
from local_aws.services.cloudformation_plan import Design
from local_aws.services.cloudformation_template import read

Params = dict[str, Any]


def summary(stack: Mapping[str, Any]) -> Params:
    """As ListStacks tells it."""
    return _without_none(
        {
            "StackId": stack["id"],
            "StackName": stack["name"],
            "TemplateDescription": stack["description"] or None,
            "CreationTime": _at(stack["created"]),
            "LastUpdatedTime": _at(stack["updated"]),
            "DeletionTime": _at(stack.get("deleted")),
            "StackStatus": stack["status"],
            "StackStatusReason": stack["reason"] or None,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def told_stack(stack: Mapping[str, Any]) -> Params:
    """As DescribeStacks tells it."""
    shown = parameters.shown(read(stack["template"]), stack["parameters"]) if stack["template"] else []
    return _without_none(
        {
            "StackId": stack["id"],
            "StackName": stack["name"],
            "ChangeSetId": stack.get("change_set"),
            "Description": stack["description"] or None,
            "Parameters": shown,
            "CreationTime": _at(stack["created"]),
            "LastUpdatedTime": _at(stack["updated"]),
            "DeletionTime": _at(stack.get("deleted")),
            "RollbackConfiguration": {},
            "StackStatus": stack["status"],
            "StackStatusReason": stack["reason"] or None,
            "DisableRollback": bool(stack.get("keep")),
            "NotificationARNs": [],
            "Capabilities": stack["capabilities"],
            "Outputs": stack["outputs"],
            "Tags": pairs(stack["tags"]),
            "EnableTerminationProtection": False,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def told_resource(stack: Mapping[str, Any], name: str) -> Params:
    """As DescribeStackResources tells one."""
    has = stack["resources"][name]
    return _without_none(
        {
            "StackName": stack["name"],
            "StackId": stack["id"],
            "LogicalResourceId": name,
            "PhysicalResourceId": has["physical"] or None,
            "ResourceType": has["type"],
            "Timestamp": _at(has["at"]),
            "ResourceStatus": has["status"],
            "ResourceStatusReason": has["reason"] or None,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
    )


def told_change_set(change_set: Mapping[str, Any], design: Design | None) -> Params:
    """As DescribeChangeSet tells it; without a design as ListChangeSets does."""
    found: Params = {
        "ChangeSetId": change_set["id"],
        "ChangeSetName": change_set["name"],
        "StackId": change_set["stack_id"],
        "StackName": change_set["stack_name"],
        "Description": change_set["description"] or None,
        "CreationTime": _at(change_set["created"]),
        "Status": change_set["status"],
        "StatusReason": change_set["reason"] or None,
        "ExecutionStatus": change_set["execution"],
        "IncludeNestedStacks": False,
        "ImportExistingResources": False,
    }
    if design is not None:
        found |= {
            "Parameters": parameters.shown(design.template, design.values),
            "Capabilities": change_set["target"]["capabilities"],
            "Tags": pairs(design.tags),
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            "Changes": change_set["changes"],
        }
    return _without_none(found)


def _at(told: float | None) -> datetime | None:
    return datetime.fromtimestamp(told, UTC) if told else None


def _without_none(found: Params) -> Params:
    return {name: value for name, value in found.items() if value is not None}
