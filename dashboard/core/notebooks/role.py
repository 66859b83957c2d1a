"""Each notebook instance's own role: one folder of one bucket, its own log, stopping itself, trainings if asked for.

Made by the generator that proposes roles elsewhere (iam/least), from what this notebook is for.
"""

import json
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.iam.least import grants
from dashboard.core.iam.least.duties import needs
from dashboard.core.iam.least.duty_trust import trust
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.usage import Duty
from dashboard.core.notebooks.wanted import Wanted

PREFIX = "kennel-notebook-"
LONGEST = 64
"""Characters of a role's name."""
POLICY = "kennel-notebook"
STOPS = "StopItself"
"""The name of the statement by which a notebook stops itself (iam/least)."""
TRAINING = "KennelTraining"
"""The role that the trainings of a notebook are given."""


def name_of(notebook: str) -> str:
    """The role of a notebook instance of this name."""
    return f"{PREFIX}{notebook}"[:LONGEST]


def policy(account: Account, wanted: Wanted) -> dict[str, Any]:
    """What the notebook may do."""
    here = f"arn:{account.partition}:sagemaker:{account.region}:{account.account_id}"
    folder = (Folder(wanted.bucket, wanted.prefix),)
    works_on = Resources(
        reads=folder,
        writes=folder,
        jobs=(f"{wanted.name}-*",) if wanted.trains else (),
        roles=(account.role_arn(TRAINING),) if wanted.trains else (),
        notebooks=(f"{here}:notebook-instance/{wanted.name}",) if wanted.idle_minutes else (),
        subnets=(wanted.subnet,) if wanted.subnet else (),
        security_groups=wanted.groups,
    )
    return grants.document(needs(Duty.NOTEBOOK, works_on, account.where))


def stops_itself(account: Account, notebook: str) -> dict[str, Any]:
    """The statement by which a notebook stops itself."""
    whole = policy(account, Wanted(notebook, account.bucket, idle_minutes=1))
    found: dict[str, Any] = next(one for one in whole["Statement"] if one["Sid"] == STOPS)
    return found


def words(wanted: Wanted) -> tuple[str, ...]:
    """What the role may do, a phrase each."""
    where = f"s3://{wanted.bucket}/{wanted.prefix}"
    return (
        f"reads and writes {where} and no other bucket" if not wanted.prefix else f"reads and writes {where} alone",
        *(("starts, watches and stops trainings named " + f"{wanted.name}-…",) if wanted.trains else ()),
        *(("stops itself",) if wanted.idle_minutes else ()),
        *(("joins its VPC",) if wanted.subnet else ()),
        "writes its own log",
    )


def create_calls(account: Account, wanted: Wanted) -> tuple[Call, Call]:
    """Make the role, which only SageMaker can act as, and give it its policy."""
    name = name_of(wanted.name)
    made = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps(trust(Duty.NOTEBOOK, account.where)),
        "Description": f"The notebook instance {wanted.name} acts as this role",
        "Tags": tags.of_own_role(account.region),
    }
    grant = {"RoleName": name, "PolicyName": POLICY, "PolicyDocument": json.dumps(policy(account, wanted))}
    return (
        Call("iam", "CreateRole", made, f"makes the role {name}, which only SageMaker can act as"),
        Call("iam", "PutRolePolicy", grant, f"its rights: it {'; '.join(words(wanted))}"),
    )


def delete_calls(notebook: str) -> tuple[Call, Call]:
    """Take the role away, its policy first."""
    name = name_of(notebook)
    return (
        Call("iam", "DeleteRolePolicy", {"RoleName": name, "PolicyName": POLICY}, f"takes the rights of {name} away"),
        Call("iam", "DeleteRole", {"RoleName": name}, f"deletes the role {name}"),
    )
