"""Each function's own role: it may ask its one endpoint, write its own log, and nothing else but what was asked for.

The reference projects gave theirs AmazonSageMakerFullAccess, which can delete every endpoint of the account.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call
from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.iam.least import grants
from dashboard.core.iam.least.duties import needs
from dashboard.core.iam.least.duty_trust import trust
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.usage import Duty
from dashboard.core.s3_address import parts

PREFIX = "kennel-lambda-"
LONGEST = 64
"""Characters of a role's name."""
POLICY = "kennel-lambda"


def name_of(function: str) -> str:
    """The role of a function of this name."""
    return f"{PREFIX}{function}"[:LONGEST]


def policy(
    account: Account, function: str, endpoint_arn: str, *, photos: str = "", subnets: Sequence[str] = ()
) -> dict[str, Any]:
    """What it may do. endpoint_arn: of the one that it asks. subnets: of the VPC that it is in, if it is in one.

    photos: an S3 prefix (s3://bucket/folder/) whose objects it reads, "" for none.
    """
    works_on = Resources(
        endpoints=(endpoint_arn,),
        groups=(f"/aws/lambda/{function}",),
        reads=(Folder(*parts(photos)),) if photos else (),
        subnets=tuple(subnets),
    )
    return grants.document(needs(Duty.FUNCTION, works_on, account.where))


def words(document: dict[str, Any]) -> tuple[str, ...]:
    """The statements of such a policy, one sentence each."""
    said = {
        "InvokeOneEndpoint": "asks the endpoint {}",
        "OwnLogs": "writes its own log and no other",
        "ReadPhotos": "reads photos below {}",
        "JoinNetwork": "makes and removes its network interfaces in the VPC",
    }
    return tuple(
        said[one["Sid"]].format(str(one["Resource"]).rpartition(":")[2].removeprefix("endpoint/"))
        for one in document["Statement"]
    )


def create_calls(function: str, document: dict[str, Any], account: Account) -> tuple[Call, Call]:
    """Make the role, which only Lambda can act as, and give it its policy."""
    name = name_of(function)
    made = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps(trust(Duty.FUNCTION, account.where)),
        "Description": f"The Lambda function {function} acts as this role",
        "Tags": tags.of_own_role(account.region),
    }
    return (
        Call("iam", "CreateRole", made, f"makes the role {name}, which only Lambda can act as"),
        policy_call(function, document),
    )


def policy_call(function: str, document: dict[str, Any]) -> Call:
    """Give the role exactly this policy."""
    grant = {"RoleName": name_of(function), "PolicyName": POLICY, "PolicyDocument": json.dumps(document)}
    return Call("iam", "PutRolePolicy", grant, f"its rights: {'; '.join(words(document))}")


def granted(aws: Aws, function: str) -> dict[str, Any] | None:
    """The policy that the function's own role has; {} without one, None where it may not be read."""
    try:
        told = aws.call("iam", "GetRolePolicy", RoleName=name_of(function), PolicyName=POLICY)["PolicyDocument"]
    except NotFound:
        return {}
    except AccessDenied:
        return None
    found: dict[str, Any] = json.loads(told) if isinstance(told, str) else dict(told)
    return found


def photos_in(document: Mapping[str, Any] | None) -> str:
    """The S3 folder whose photos such a policy lets it read; "" for none."""
    for one in (document or {}).get("Statement", ()):
        if one.get("Sid") == "ReadPhotos":
            return f"s3://{str(one['Resource']).removeprefix('arn:aws:s3:::').removesuffix('*')}"
    return ""


def delete_calls(function: str) -> tuple[Call, Call]:
    """Take the role away, its policy first."""
    name = name_of(function)
    return (
        Call("iam", "DeleteRolePolicy", {"RoleName": name, "PolicyName": POLICY}, f"takes the rights of {name} away"),
        Call("iam", "DeleteRole", {"RoleName": name}, f"deletes the role {name}"),
    )
