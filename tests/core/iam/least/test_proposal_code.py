"""A proposal as code: what is made before anything is taken, and every text says the same."""

import ast
import json

import pytest

from dashboard.core.aws import Account
from dashboard.core.iam.entities import Role
from dashboard.core.iam.least import proposal_code
from dashboard.core.iam.policy_text import PolicyText
from dashboard.core.iam.proposal import Basis, Evidence, Proposal
from dashboard.core.iam.usage import Duty

ACCOUNT = Account("work", "eu-west-1", "210987654321", False, True)
FULL = PolicyText("AmazonS3FullAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess", {"Statement": []})
INLINE = PolicyText("old", "", {"Statement": []})
ROLE = Role("Dog", "arn:aws:iam::210987654321:role/Dog", policies=(FULL, INLINE))
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}


def proposal(new_role: str = "") -> Proposal:
    evidence = (Evidence("s3:GetObject", Basis.NEEDED, "reads its data"),)
    return Proposal("Dog", Duty.TRAINING, "Dog-training", POLICY, TRUST, evidence, new_role, further=(POLICY,))


def test_nothing_is_taken_before_what_replaces_it_is_there() -> None:
    names = [one.operation for one in proposal_code.calls(proposal(), ROLE, ACCOUNT)]
    assert names == [
        "CreatePolicy",
        "AttachRolePolicy",
        "CreatePolicy",
        "AttachRolePolicy",
        "UpdateAssumeRolePolicy",
        "DetachRolePolicy",
        "DeleteRolePolicy",
    ]


def test_a_shared_role_keeps_what_it_has_while_the_new_one_is_made() -> None:
    asked = proposal_code.calls(proposal("Dog-training"), ROLE, ACCOUNT)
    assert [one.operation for one in asked][:1] == ["CreateRole"]
    assert not [one for one in asked if one.operation.startswith(("Detach", "Delete", "Update"))]
    assert json.loads(str(asked[0].parameters["AssumeRolePolicyDocument"])) == TRUST


def test_the_documents_are_the_proposals() -> None:
    found = proposal_code.texts(proposal(), ROLE, ACCOUNT)
    assert list(found) == ["Policy", "Policy 2", "Trust", "boto3", "AWS CLI"]
    assert json.loads(found["Policy"]) == POLICY and json.loads(found["Trust"]) == TRUST


def test_the_programs_send_every_request_with_its_parameters() -> None:
    asked = proposal_code.calls(proposal(), ROLE, ACCOUNT)
    found = proposal_code.texts(proposal(), ROLE, ACCOUNT)
    ast.parse(found["boto3"])
    assert found["AWS CLI"].count("\naws iam ") == len(asked)
    assert found["boto3"].count("iam.") == len(asked)
    assert "secret" not in found["AWS CLI"]


@pytest.mark.parametrize("name", ["boto3", "AWS CLI"])
def test_the_made_policies_are_kennels_to_find_again(name: str) -> None:
    assert "kennel:made-by" in proposal_code.texts(proposal(), ROLE, ACCOUNT)[name]
