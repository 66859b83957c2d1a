"""What somebody needs to be allowed who sets an account up with the template: CloudFormation works in their name. Pure.

Source: the handlers of each resource type, as `aws cloudformation describe-type` lists their permissions.
"""

from typing import Any

from dashboard.core.aws import Account
from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.own.own_calls import SETS_UP
from dashboard.core.setup.template import STACK, Made, Template

_OF = {
    "AWS::S3::Bucket": (
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:GetBucketTagging",
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:ListBucket",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
    ),
    "AWS::S3::BucketPolicy": ("s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"),
    "AWS::IAM::Role": (
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ),
    "AWS::IAM::ManagedPolicy": (
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:ListEntitiesForPolicy",
        "iam:ListPolicyVersions",
    ),
    "AWS::IAM::InstanceProfile": (
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:GetInstanceProfile",
        "iam:RemoveRoleFromInstanceProfile",
    ),
    "AWS::Logs::LogGroup": (
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ),
}
_LISTS = ("cloudformation:ListStacks", "logs:DescribeLogGroups")
"""What takes no resource."""
_READS = (
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
)


def document_for(account: Account, made: Template) -> dict[str, Any]:
    """A policy that is enough to make, change and delete this stack, and names what it is about."""
    where = account.where
    stack = f"arn:{where.partition}:cloudformation:{where.region}:{where.account}:stack/{STACK}/*"
    changes = [f"cloudformation:{one}" for one in SETS_UP["cloudformation"]]
    statements: list[dict[str, Any]] = [
        {"Sid": "Stack", "Effect": "Allow", "Action": sorted([*changes, *_READS]), "Resource": stack},
        {"Sid": "Lists", "Effect": "Allow", "Action": list(_LISTS), "Resource": "*"},
    ]
    by_type: dict[str, list[Made]] = {}
    for one in made.resources:
        by_type.setdefault(one.type, []).append(one)
    for kind, several in by_type.items():
        resources = sorted({arn for one in several for arn in _arns(one, account)})
        name = kind.removeprefix("AWS::").replace("::", "")
        statements.append({"Sid": name, "Effect": "Allow", "Action": list(_OF[kind]), "Resource": resources})
    if "AWS::IAM::InstanceProfile" in by_type:
        passed = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
        role = account.role_arn("KennelInstance")
        pass_role: dict[str, Any] = {"Sid": "Pass", "Effect": "Allow", "Action": "iam:PassRole", "Resource": role}
        statements.append({**pass_role, "Condition": passed})
    return {"Version": CURRENT, "Statement": statements}


def _arns(one: Made, account: Account) -> tuple[str, ...]:
    where = account.where
    iam = f"arn:{where.partition}:iam::{where.account}"
    named = one.body["Properties"]
    match one.type:
        case "AWS::S3::Bucket" | "AWS::S3::BucketPolicy":
            return (f"arn:{where.partition}:s3:::{account.bucket}",)
        case "AWS::IAM::Role":
            return (f"{iam}:role/{named['RoleName']}",)
        case "AWS::IAM::ManagedPolicy":
            return (f"{iam}:policy{named['Path']}{named['ManagedPolicyName']}",)
        case "AWS::IAM::InstanceProfile":
            return (f"{iam}:instance-profile/{named['InstanceProfileName']}",)
    group = f"arn:{where.partition}:logs:{where.region}:{where.account}:log-group:{named['LogGroupName']}"
    return (group, f"{group}:*")
