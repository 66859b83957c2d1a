"""Roles and policies of an account's authorization details, in the forms they come in and where they are broken."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.iam.entities import ManagedPolicy, merged, parse, policies

ACCOUNT = "111122223333"
READ = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/team/Read"


def role(name: str = "Trainer", **more: Any) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "Path": "/",
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        **more,
    }


def managed(document: Any = READ, **more: Any) -> dict[str, Any]:
    versions = [
        {"VersionId": "v1", "Document": {}, "IsDefaultVersion": False},
        {"VersionId": "v2", "Document": document, "IsDefaultVersion": True},
    ]
    return {"PolicyName": "Read", "Arn": MANAGED, "DefaultVersionId": "v2", "PolicyVersionList": versions, **more}


def details(*roles: Any, policies: Any = ()) -> dict[str, Any]:
    return {"RoleDetailList": list(roles), "Policies": list(policies), "UserDetailList": [], "GroupDetailList": []}


def test_a_role_has_its_attached_and_inline_policies_its_boundary_and_when_it_was_used() -> None:
    attached = [{"PolicyName": "Read", "PolicyArn": MANAGED}]
    (found,) = parse(
        details(
            role(
                Path="/ml/",
                AttachedManagedPolicies=attached,
                RolePolicyList=[{"PolicyName": "inline", "PolicyDocument": READ}],
                PermissionsBoundary={"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": MANAGED},
                RoleLastUsed={"LastUsedDate": "2026-03-01T10:00:00+01:00", "Region": "us-east-1"},
                CreateDate=datetime(2025, 1, 2, tzinfo=UTC),
                Tags=[{"Key": "owner", "Value": "ada"}],
                InstanceProfileList=[{"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/T"}],
            ),
            policies=[managed()],
        )
    )
    assert [(one.name, one.is_inline, one.error) for one in found.policies] == [
        ("Read", False, ""),
        ("inline", True, ""),
    ]
    assert found.boundary is not None and found.boundary.name == "Read"
    assert found.last_used == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert found.created == datetime(2025, 1, 2, tzinfo=UTC)
    assert found.tags == {"owner": "ada"} and found.path == "/ml/" and found.account == ACCOUNT
    assert found.instance_profiles == (f"arn:aws:iam::{ACCOUNT}:instance-profile/T",)
    assert found.trust == TRUST and not found.errors


@pytest.mark.parametrize("written", [json.dumps, lambda document: quote(json.dumps(document))])
def test_documents_may_be_text_and_url_encoded_as_iam_itself_sends_them(written: Any) -> None:
    given = role(
        AssumeRolePolicyDocument=written(TRUST),
        RolePolicyList=[{"PolicyName": "inline", "PolicyDocument": written(READ)}],
    )
    (found,) = parse(details(given))
    assert found.trust == TRUST
    assert found.policies[0].document == READ and found.policies[0].policy is not None
    assert found.policies[0].written == (READ["Statement"],)


def test_a_managed_policy_is_parsed_once_however_many_roles_have_it() -> None:
    attached = {"AttachedManagedPolicies": [{"PolicyName": "Read", "PolicyArn": MANAGED}]}
    one, other = parse(details(role("a", **attached), role("b", **attached), policies=[managed()]))
    assert one.policies[0] is other.policies[0]


def test_pages_are_put_together_and_a_role_that_comes_twice_counts_once() -> None:
    attached = {"AttachedManagedPolicies": [{"PolicyName": "Read", "PolicyArn": MANAGED}]}
    pages = [details(role("a", **attached)), details(role("a", **attached), role("b")), details(policies=[managed()])]
    found = parse(merged(pages))
    assert [one.name for one in found] == ["a", "b"]
    assert found[0].policies[0].policy is not None, "the policy stands on a later page than the role"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{not json", "is not JSON"),
        ('["a"]', "is not a JSON object"),
        (None, "has no document"),
        (7, "neither an object nor text"),
        ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}, "neither Resource nor"),
        ('{"Statement": [], "Statement": []}', "given twice"),
        ("[" * 100_000, "is not JSON"),
        ('{"a": "' + "x" * 500_000 + '"}', "longer than"),
    ],
)
def test_a_document_that_cannot_be_read_keeps_its_place_and_says_why(document: Any, why: str) -> None:
    (found,) = parse(details(role(RolePolicyList=[{"PolicyName": "odd", "PolicyDocument": document}])))
    assert found.policies[0].policy is None
    assert why in found.policies[0].error


def test_a_policy_whose_document_is_not_in_the_answer_says_so() -> None:
    attached = [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    (found,) = parse(details(role(AttachedManagedPolicies=attached, PermissionsBoundary="gone")))
    assert "is not among" in found.policies[0].error and found.policies[0].is_aws_managed
    assert found.boundary is not None and "is not among" in found.boundary.error


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("a text", "has no RoleName"),
        ({"Arn": "x"}, "has no RoleName"),
        (role(Arn=None), "has no ARN"),
        (role(RolePolicyList="inline"), "is no list"),
        (role(AttachedManagedPolicies=["arn"]), "no object"),
        (role(AttachedManagedPolicies=[{"PolicyName": "x"}]), "has no ARN"),
        (role(CreateDate="yesterday"), "a date that is none"),
        (role(CreateDate=1e300), "a date that is none"),
    ],
)
def test_a_broken_role_is_told_of_and_the_others_are_read(broken: Any, why: str) -> None:
    found = parse(details(broken, role("Good")))
    assert why in " ".join(found[0].errors)
    assert found[1].name == "Good" and not found[1].errors


def test_a_single_object_may_stand_where_a_list_is_due() -> None:
    given = {"RoleDetailList": role(RolePolicyList={"PolicyName": "inline", "PolicyDocument": READ})}
    (found,) = parse(given)
    assert found.policies[0].name == "inline" and not found.errors


@pytest.mark.parametrize("given", [{}, {"Roles": []}, [], "RoleDetailList"])
def test_what_is_no_such_answer_is_refused_with_how_to_get_one(given: Any) -> None:
    with pytest.raises(InvalidInput, match="get-account-authorization-details"):
        parse(given)


def test_roles_of_services_and_of_the_identity_center_are_known_by_their_path() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    linked, reserved, plain = parse(
        details(
            {**role("AWSServiceRoleForAutoScaling", Arn=arn), "Path": None},
            role("AWSReservedSSO_Admin", Path="/aws-reserved/sso.amazonaws.com/"),
            role(),
        )
    )
    assert linked.is_service_linked and not linked.is_reserved
    assert reserved.is_reserved and not reserved.is_service_linked
    assert not plain.is_service_linked and not plain.is_reserved


def test_a_policy_is_attached_to_nothing_when_it_neither_grants_nor_bounds() -> None:
    def one(attached: int, bounds: int) -> ManagedPolicy:
        (found,) = policies(details(policies=[managed(AttachmentCount=attached, PermissionsBoundaryUsageCount=bounds)]))
        return found

    assert one(0, 0).is_unattached
    assert not one(1, 0).is_unattached and not one(0, 1).is_unattached
