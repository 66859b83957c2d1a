"""A role with too many rights on a running embedded AWS, a proposal for it, and an AWS that fails where told to."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any

import botocore.session

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import KennelError, NotFound, Unreachable
from dashboard.core.iam.own import own_roles
from dashboard.core.iam.own.own_roles import OwnRole
from dashboard.core.iam.proposal import Basis, Evidence, Proposal
from dashboard.core.iam.replace import made
from dashboard.core.iam.usage import Duty
from tests.conftest import Embedded

ACCOUNT = "123456789012"
MANAGED = "arn:aws:iam::aws:policy/"
BUCKET = "ml-data"


class Faulty(Aws):
    """The embedded AWS. `fails(number, operation)` says of each request, counted from 0, whether it is answered:
    "" it is, "lost" it is carried out and its answer is lost, "unsent" it never arrives.
    """

    def __init__(self, embedded: Embedded) -> None:
        session = botocore.session.Session()
        session.set_credentials(embedded.access_key_id, embedded.secret_access_key)
        account = Account("embedded", embedded.region, ACCOUNT, True, True, embedded.endpoint_url)
        super().__init__(account, session)
        self.fails: Callable[[int, str], str] = lambda *_: ""
        self.sent: list[str] = []

    def failing(self, fails: Callable[[int, str], str]) -> "Faulty":
        """The same account, through the same connections, failing from now on."""
        other = copy(self)
        other.fails, other.sent = fails, []
        return other

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        fate = self._fate(operation)
        if fate == "unsent":
            raise _lost(operation)
        answer = super().call(service, operation, **parameters)
        if fate == "lost":
            raise _lost(operation)
        return answer

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        if self._fate(operation):
            raise _lost(operation)
        yield from super().pages(service, operation, limit, **parameters)

    def _fate(self, operation: str) -> str:
        number = len(self.sent)
        self.sent.append(operation)
        return self.fails(number, operation)


def _lost(operation: str) -> KennelError:
    return Unreachable(f"iam {operation} got no answer", "the network broke", "try again")


def statement(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(*services: str, account: str = "") -> dict[str, Any]:
    one: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    if account:
        one["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document(one)


LEAST = document(
    statement("s3:GetObject", resource=f"arn:aws:s3:::{BUCKET}/dogs/*"),
    statement(
        "s3:ListBucket",
        resource=f"arn:aws:s3:::{BUCKET}",
        Condition={"StringLike": {"s3:prefix": ["dogs", "dogs/*"]}},
    ),
    statement(
        "cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}}
    ),
)


def broad_role(aws: Aws, *, boundary: str = "", path: str = "/", **inline: dict[str, Any]) -> str:
    """A role with two FullAccess policies of AWS, and inline ones; its name."""
    name = f"broad-{secrets.token_hex(4)}"
    limit = {"PermissionsBoundary": boundary} if boundary else {}
    aws.call(
        "iam",
        "CreateRole",
        RoleName=name,
        Path=path,
        AssumeRolePolicyDocument=json.dumps(trust("sagemaker.amazonaws.com", "lambda.amazonaws.com")),
        **limit,
    )
    for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
        aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=MANAGED + policy)
    for policy, text in inline.items():
        aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(text))
    return name


def proposal(role: str, policy: dict[str, Any] = LEAST, **changes: Any) -> Proposal:
    """A training's least rights for a role."""
    usual = {
        "role_name": role,
        "duty": Duty.TRAINING,
        "policy_name": f"{role}-least",
        "policy": policy,
        "trust": trust("sagemaker.amazonaws.com", account=ACCOUNT),
        "evidence": (
            Evidence("s3:GetObject", Basis.RECORDED, "read the channel"),
            Evidence("sagemaker:DeleteEndpoint", Basis.DROPPED, "not seen"),
            Evidence("s3:ListAllMyBuckets", Basis.DROPPED, "not seen"),
        ),
    }
    return Proposal(**(usual | changes))


@contextmanager
def session_of(root: Aws, role: OwnRole) -> Iterator[Aws]:
    """A session of one of Kennel's own roles, made by the program that the page shows, and taken away again."""
    sent = own_roles.calls(root.account, role)
    for one in sent:
        root.call(one.service, one.operation, **one.parameters)
    arn = root.account.role_arn(role.name)
    yield root.acting(root.call("sts", "AssumeRole", RoleArn=arn, RoleSessionName="ada")["Credentials"])
    for name in role.bounded:
        with suppress(NotFound):
            root.call("iam", "DeleteRolePermissionsBoundary", RoleName=name)
    made.delete_role(root, role.name)
    for one in sent:
        if one.operation == "CreatePolicy":
            name = one.parameters["PolicyName"]
            root.call("iam", "DeletePolicy", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/kennel/{name}")
