"""The audit on every policy that AWS itself wrote, as moto ships them: 1,582 documents that nobody made for us."""

import json
from functools import cache
from typing import Any

import moto.iam.aws_managed_policies
import pytest

from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from tests.core.iam.accounts import NOW, details, role


@cache
def policies() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(moto.iam.aws_managed_policies.aws_managed_policies_data)
    return found


@cache
def audited() -> dict[str, list[Finding]]:
    """What is found of a role with each policy, by the policy's name."""
    given = [_managed(name, told) for name, told in policies().items()]
    roles = [
        role(name=one["PolicyName"], AttachedManagedPolicies=[{"PolicyName": "x", "PolicyArn": one["Arn"]}])
        for one in given
    ]
    found: dict[str, list[Finding]] = {name: [] for name in policies()}
    for one in audit(details(roles, given), now=NOW):
        found[one.role].append(one)
    return found


def _managed(name: str, told: dict[str, Any]) -> dict[str, Any]:
    version = {"VersionId": told["DefaultVersionId"], "IsDefaultVersion": True, "Document": told["Document"]}
    return {
        "PolicyName": name,
        "Arn": f"arn:aws:iam::aws:policy{told.get('Path', '/')}{name}",
        "DefaultVersionId": told["DefaultVersionId"],
        "AttachmentCount": 1,
        "PolicyVersionList": [version],
    }


def has_full_access(name: str) -> bool:
    return any(one.kind is Kind.FULL_ACCESS for one in audited()[name])


def test_all_of_them_are_judged() -> None:
    assert len(policies()) > 1_500
    unjudged = [one.reason for found in audited().values() for one in found if one.kind is Kind.UNKNOWN]
    assert unjudged == []


def test_every_full_access_and_the_administrator_s_are_found() -> None:
    meant = [name for name in policies() if "FullAccess" in name or name.startswith("AdministratorAccess")]
    assert len(meant) > 300
    assert [name for name in (*meant, "PowerUserAccess") if not has_full_access(name)] == []


def test_no_read_only_policy_is_taken_for_full_access() -> None:
    meant = [name for name in policies() if "ReadOnly" in name]
    assert len(meant) > 200
    assert [name for name in (*meant, "ViewOnlyAccess", "SecurityAudit") if has_full_access(name)] == []


def test_whatever_has_a_service_whole_is_found_whatever_it_is_called() -> None:
    """Held against the plainest reading of a document, which knows one spelling only."""

    def plainly(document: dict[str, Any]) -> bool:
        statements = document["Statement"]
        for one in [statements] if isinstance(statements, dict) else statements:
            given = one.get("Action", [])
            wanted = [given] if isinstance(given, str) else given
            whole = any(action == "*" or action.endswith(":*") for action in wanted)
            if one["Effect"] == "Allow" and whole and one.get("Resource") == "*" and not one.get("Condition"):
                return True
        return False

    plain = [name for name, told in policies().items() if plainly(told["Document"])]
    assert len(plain) > 200
    assert [name for name in plain if not has_full_access(name)] == []


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("AdministratorAccess", Severity.CRITICAL),
        ("IAMFullAccess", Severity.CRITICAL),
        ("PowerUserAccess", Severity.HIGH),
        ("AmazonSageMakerFullAccess", Severity.HIGH),
        ("AmazonS3FullAccess", Severity.HIGH),
        ("AmazonEC2FullAccess", Severity.HIGH),
    ],
)
def test_the_worst_are_told_as_such(name: str, severity: Severity) -> None:
    assert min(one.severity.rank for one in audited()[name]) == severity.rank


def test_sagemaker_s_own_full_access_opens_a_way_to_any_role() -> None:
    found = [one for one in audited()["AmazonSageMakerFullAccess"] if one.kind is Kind.PRIVILEGE_ESCALATION]
    assert any("iam:PassRole + sagemaker:CreateTrainingJob" in one.reason for one in found)
    whole = next(one for one in audited()["AmazonSageMakerFullAccess"] if one.kind is Kind.FULL_ACCESS)
    assert "NotResource" in whole.reason and whole.statement is not None and "NotResource" in whole.statement


@pytest.mark.parametrize(
    "name",
    [
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaVPCAccessExecutionRole",
        "AmazonSSMManagedInstanceCore",
        "AWSXRayDaemonWriteAccess",
        "SecurityAudit",
    ],
)
def test_what_functions_and_instances_need_and_what_only_reads_is_left_alone(name: str) -> None:
    assert audited()[name] == []
