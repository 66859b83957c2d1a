"""A proposal as texts: its documents, and what sets them up as a program and as commands. No text has secrets.

What they do is what "Apply" does without its checks on the way: make the new policies, attach them, set the trust, and
only then take away what the role had. Of a shared role that stays they make the new role beside it.
"""

import json
import shlex
from collections.abc import Mapping, Sequence

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.calls import Call, code
from dashboard.core.iam.entities import Role
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.runs.as_code_cli import connection
from dashboard.core.tags import KENNEL, MADE_BY

POLICY, TRUST, BOTO3, CLI = "Policy", "Trust", "boto3", "AWS CLI"
LANGUAGES = {BOTO3: "python", CLI: "bash"}
"""What each text is written in, as syntax highlighting names it; the others are JSON."""


def texts(proposal: Proposal, role: Role, account: Account) -> Mapping[str, str]:
    """By name, in the order to show."""
    documents = list(proposal.documents.items())
    policies = {
        POLICY if number == 1 else f"{POLICY} {number}": _json(one) for number, (_, one) in enumerate(documents, 1)
    }
    asked = calls(proposal, role, account)
    return {**policies, TRUST: _json(proposal.trust), BOTO3: code(asked, account), CLI: _cli(asked, account)}


def calls(proposal: Proposal, role: Role, account: Account) -> tuple[Call, ...]:
    """The requests, in their order."""
    mark = [{"Key": MADE_BY, "Value": KENNEL}]
    target = proposal.new_role or proposal.role_name
    trust = json.dumps(proposal.trust)
    asked: list[Call] = []
    if proposal.new_role:
        made = {"RoleName": target, "Path": PATH, "AssumeRolePolicyDocument": trust, "Tags": mark}
        asked.append(Call("iam", "CreateRole", made, f"makes the role {target}"))
    for name, document in proposal.documents.items():
        arn = f"arn:{account.partition}:iam::{account.account_id}:policy{PATH}{name}"
        new = {"PolicyName": name, "Path": PATH, "PolicyDocument": json.dumps(document), "Tags": mark}
        asked.append(Call("iam", "CreatePolicy", new, f"makes the policy {name}"))
        asked.append(Call("iam", "AttachRolePolicy", {"RoleName": target, "PolicyArn": arn}, f"attaches {name}"))
    return (*asked, *([] if proposal.new_role else _taken(proposal, role, trust)))


def _taken(proposal: Proposal, role: Role, trust: str) -> Sequence[Call]:
    """The trust, and what the role had: only after the new policies are there."""
    name = proposal.role_name
    kept = set(proposal.documents)
    found = [
        Call("iam", "UpdateAssumeRolePolicy", {"RoleName": name, "PolicyDocument": trust}, "says who may become it")
    ]
    for one in role.policies:
        if one.is_inline:
            asked = {"RoleName": name, "PolicyName": one.name}
            found.append(Call("iam", "DeleteRolePolicy", asked, f"takes the inline policy {one.name} away"))
        elif one.name not in kept:
            asked = {"RoleName": name, "PolicyArn": one.arn}
            found.append(Call("iam", "DetachRolePolicy", asked, f"takes {one.name} away"))
    return found


def _cli(asked: Sequence[Call], account: Account) -> str:
    lines = ["#!/usr/bin/env bash\nset -euo pipefail\n", connection(account)]
    for call in asked:
        told = shlex.quote(json.dumps(dict(call.parameters), indent=2))
        lines.append(f"aws {call.service} {xform_name(call.operation, '-')} --cli-input-json {told}")
    return "\n".join(lines) + "\n"


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
