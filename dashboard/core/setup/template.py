"""The CloudFormation template that makes what an account lacks, every resource in words. Pure.

It names the account and the region by CloudFormation's own pseudo parameters, so that it can be reviewed and kept as
code. What is not missing is not in it: CloudFormation refuses to make what is there.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.data.bucket_policy import with_tls
from dashboard.core.data.buckets import BLOCKS
from dashboard.core.iam.own import own_roles
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.setup import roles, yaml_text
from dashboard.core.setup.pieces import Kind, Piece
from dashboard.core.setup.yaml_text import Attribute, Filled, Ref

STACK = "kennel"
CAPABILITIES = ("CAPABILITY_NAMED_IAM",)
"""The roles have the names that Kennel looks for."""
DAYS = 30
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
"""Days that CloudWatch Logs takes, up to two years."""
LARGEST = 51_200
"""Bytes of a template that a request may hold (CloudFormation User Guide, "Quotas")."""
POLICY = "kennel"
POLICY_OF_BUCKET, BOUNDARY = "BucketPolicy", "OwnRolesBoundary"
_MARKS = tags.listed({tags.MADE_BY: tags.KENNEL})
_STAYS = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
"""Taken back when it could not be made whole, kept when the stack is deleted: what is in it is a person's."""


@dataclass(frozen=True)
class Made:
    """One resource of the template. piece: what it is a part of. body: as the template has it."""

    name: str
    type: str
    does: str
    piece: Piece
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """resources: in the order in which they are written. text: YAML."""

    resources: tuple[Made, ...]
    text: str

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(dict.fromkeys(one.piece for one in self.resources))


def template(account: Account, wanted: Collection[Piece], *, versions: bool = False) -> Template:
    """What makes these pieces. versions: the bucket keeps earlier versions of every object, which are paid for.

    Raises InvalidInput for a region that AWS has no images in, Refused for a policy that is too long.
    """
    made = [one for piece in Piece if piece in wanted for one in _of(piece, account, wanted, versions=versions)]
    if any(piece.is_optional for piece in wanted):
        made.insert(next(place for place, one in enumerate(made) if one.piece.is_optional), _boundary(account))
    placed = [replace(one, body=_placed(one.body, account)) for one in made]
    return Template(tuple(placed), _text(placed))


def pieces_in(names: Collection[str]) -> tuple[Piece, ...]:
    """The pieces that a stack holds, by the logical names of its resources."""
    return tuple(piece for piece in Piece if piece.value in names)


def _placed(value: Any, account: Account) -> Any:
    """The same with the account and the region as CloudFormation names them, wherever it is made. AWS's own images are
    of another account in each region, and stay as they are.
    """
    if isinstance(value, Mapping):
        return {key: _placed(one, account) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_placed(one, account) for one in value]
    if type(value) is not str or ":ecr:" in value:
        return value
    text = value.replace("${", "${!")
    text = text.replace(account.account_id, "${AWS::AccountId}").replace(account.region, "${AWS::Region}")
    return value if "${AWS::" not in text else Filled(text)


def _of(piece: Piece, account: Account, wanted: Collection[Piece], *, versions: bool) -> tuple[Made, ...]:
    match piece.kind:
        case Kind.BUCKET:
            return _bucket(account, versions=versions)
        case Kind.PROFILE:
            role: Any = Ref(Piece.INSTANCE_ROLE) if Piece.INSTANCE_ROLE in wanted else piece.called(account)
            named = {"InstanceProfileName": piece.called(account), "Roles": [role]}
            return (Made(piece, "AWS::IAM::InstanceProfile", piece.purpose, piece, {"Properties": named}),)
        case Kind.LOG:
            kept = {"LogGroupName": piece.called(account), "RetentionInDays": Ref("LogDays"), "Tags": _MARKS}
            body = {**_STAYS, "Properties": kept}
            return (Made(piece, "AWS::Logs::LogGroup", piece.purpose, piece, body),)
    return _own_role(piece, account) if piece.is_optional else (_role(piece, account),)


def _bucket(account: Account, *, versions: bool) -> tuple[Made, ...]:
    properties: dict[str, Any] = {
        "BucketName": account.bucket,
        "PublicAccessBlockConfiguration": dict.fromkeys(sorted(BLOCKS), True),
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "Tags": _MARKS,
    }
    if versions:
        properties["VersioningConfiguration"] = {"Status": "Enabled"}
    only_tls = with_tls({}, account.bucket, account.partition)
    policy = {"Bucket": Ref(Piece.BUCKET), "PolicyDocument": only_tls}
    return (
        Made(
            Piece.BUCKET,
            "AWS::S3::Bucket",
            "holds data sets, code, runs and models; it stays when the stack is deleted",
            Piece.BUCKET,
            {**_STAYS, "Properties": properties},
        ),
        Made(
            POLICY_OF_BUCKET,
            "AWS::S3::BucketPolicy",
            "refuses whatever comes without TLS; it stays with the bucket",
            Piece.BUCKET,
            {**_STAYS, "Properties": policy},
        ),
    )


def _role(piece: Piece, account: Account) -> Made:
    properties = {
        "RoleName": piece.called(account),
        "Description": _described(piece),
        "AssumeRolePolicyDocument": roles.trusted(piece, account),
        "Policies": [{"PolicyName": POLICY, "PolicyDocument": roles.policy(piece, account)}],
        "Tags": _MARKS,
    }
    return Made(piece, "AWS::IAM::Role", piece.purpose, piece, {"Properties": properties})


def _own_role(piece: Piece, account: Account) -> tuple[Made, ...]:
    """A role that people work as: its policies first, each as long as IAM takes one."""
    own = own_roles.reader(account) if piece is Piece.READER_ROLE else own_roles.operator(account)
    stem = piece.removesuffix("Role")
    policies = [
        Made(
            f"{stem}Policy{place}",
            "AWS::IAM::ManagedPolicy",
            f"a part of what {own.name} may",
            piece,
            {"Properties": {"ManagedPolicyName": name, "Path": PATH, "PolicyDocument": text}},
        )
        for place, (name, text) in enumerate(own.policies.items(), 1)
    ]
    properties = {
        "RoleName": own.name,
        "Description": _described(piece),
        "AssumeRolePolicyDocument": own.trust,
        "PermissionsBoundary": Ref(BOUNDARY),
        "ManagedPolicyArns": [Ref(one.name) for one in policies],
        "Tags": _MARKS,
    }
    return (*policies, Made(piece, "AWS::IAM::Role", piece.purpose, piece, {"Properties": properties}))


def _boundary(account: Account) -> Made:
    properties = {"ManagedPolicyName": own_roles.BOUNDARY, "Path": PATH, "PolicyDocument": own_roles.boundary(account)}
    does = "the most that Kennel's own roles may do, whatever else they are given"
    return Made(BOUNDARY, "AWS::IAM::ManagedPolicy", does, Piece.READER_ROLE, {"Properties": properties})


def _described(piece: Piece) -> str:
    """IAM takes no typographic quotes in descriptions."""
    return f"Kennel: {piece.purpose}"


def _text(made: list[Made]) -> str:
    days = {
        "Type": "Number",
        "Default": DAYS,
        "AllowedValues": list(RETENTIONS),
        "Description": "Days that log groups keep what is written to them",
    }
    with_logs = any(one.piece.kind is Kind.LOG for one in made)
    head = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What Kennel, the operations dashboard of an image classification service, needs in an account",
        **({"Parameters": {"LogDays": days}} if with_logs else {}),
    }
    lines = [yaml_text.block(head), "Resources:"]
    for one in made:
        lines.append(f"  # {one.does}")
        lines.append(yaml_text.block({one.name: {"Type": one.type, **one.body}}, indent=2).rstrip("\n"))
    outputs = {
        one.name: {"Description": one.does, "Value": Attribute(f"{one.name}.Arn")}
        for one in made
        if one.type in ("AWS::IAM::Role", "AWS::S3::Bucket")
    }
    if outputs:
        lines.append(yaml_text.block({"Outputs": outputs}).rstrip("\n"))
    return "\n".join(lines) + "\n"
