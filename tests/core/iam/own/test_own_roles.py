"""Kennel's own roles: made from what its code calls, held to its own audit, and within their boundary."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest

import dashboard
from dashboard.core.aws import Account
from dashboard.core.aws_writes import changes
from dashboard.core.iam import actions
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.findings import audit
from dashboard.core.iam.least import sizes
from dashboard.core.iam.own import own_roles, work_boundary
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.own.own_calls import IMPLIED, MENDS, OPERATES, READS, SETS_UP
from dashboard.core.iam.own.own_roles import OwnRole
from dashboard.core.iam.replace.refusals import OWN_ROLES
from dashboard.core.iam.requests import rights_of
from tests.core.iam.generated import ACCOUNT, BUCKET, HERE, details

WORK = Account("work", "us-east-1", ACCOUNT, False, True)
DOGS = f"arn:aws:iam::{ACCOUNT}:role/DogProject"
BROAD = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
TABLES = (READS, OPERATES, MENDS, SETS_UP)
NAMED_ONLY = frozenset(
    # named in the code for what they are, and never called with a role of Kennel's own: events in CloudTrail, codes of
    # errors, examples of what changes something, programs that are shown, and what a proof does (embedded AWS only)
    {"AllocateAddress", "AssumeRole", "CreateTrail",
     "DeleteBucket", "DeleteLogGroup", "GetAccessToken", "GetAuthorizationToken", "GetCallerIdentity",
     "GetConsoleOutput", "GetDelegatedAccessToken", "GetFederationToken", "GetRoleCredentials",
     "GetScalingConfigurationRecommendation", "GetSessionToken",
     "GetWebIdentityToken", "InvokeEndpointAsync",
     "InvokeEndpointWithResponseStream", "ListObjects", "Publish",
     "PutEventSelectors", "PutRolePermissionsBoundary", "StartLogging",
     "UpdateNotebookInstance"}
)  # fmt: skip

READER = own_roles.reader(WORK, ["team-data"])
OPERATOR = own_roles.operator(WORK)
MENDED = Mended(
    DOGS,
    (BROAD,),
    actions=frozenset({"s3:GetObject", "s3:PutObject", "sagemaker:CreateTrainingJob", "lambda:InvokeFunction"}),
    functions=(f"arn:aws:lambda:{HERE}:function:dog-infer",),
    endpoints=(f"arn:aws:sagemaker:{HERE}:endpoint/dogs",),
)
REMEDIATOR = own_roles.remediator(WORK, [MENDED])
WORKS_IN = {"iam__PermissionsBoundary": work_boundary.arn(WORK)}
ALL = (READER, OPERATOR, REMEDIATOR)


def may(role: OwnRole, action: str, resource: str = "*", **context: str) -> bool:
    given = {key.replace("__", ":"): value for key, value in context.items()}
    limit = own_roles.boundary(WORK)
    return evaluate(list(role.policies.values()), action, resource, given, boundary=limit).allowed


def test_the_tables_hold_every_operation_that_the_code_names() -> None:
    """Every text in the dashboard that is an operation of a service it uses is in a table, and the other way round."""
    session = botocore.session.get_session()
    services = {service for table in TABLES for service in table}
    operations = {one for service in services for one in session.get_service_model(service).operation_names}
    named: set[str] = set()
    for path in Path(dashboard.__path__[0]).rglob("*.py"):
        if path.name == "own_calls.py" or "needs" in path.parts:
            continue
        texts = (one.value for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Constant))
        named.update(one for one in texts if isinstance(one, str) and one in operations)
    held = {one for table in TABLES for names in table.values() for one in names}
    assert named - held - NAMED_ONLY == set()
    assert held - named - {name for _, name in IMPLIED} == set()


def test_reading_is_what_a_read_only_connection_lets_through() -> None:
    assert [one for names in READS.values() for one in names if changes(one)] == []
    assert [
        one for table in (OPERATES, MENDS, SETS_UP) for names in table.values() for one in names if not changes(one)
    ] == []


@pytest.mark.parametrize("role", ALL, ids=lambda one: one.name)
def test_the_audit_finds_nothing_in_kennels_own_roles(role: OwnRole) -> None:
    found = audit(details(role.name, inline=list(role.policies.values()), trust=role.trust))
    assert [(one.kind, one.severity, one.reason) for one in found] == []


@pytest.mark.parametrize("role", ALL, ids=lambda one: one.name)
def test_they_are_made_of_actions_that_there_are_and_fit_into_iam(role: OwnRole) -> None:
    for document in (*role.policies.values(), own_roles.boundary(WORK)):
        assert sizes.size(document) <= sizes.MANAGED
        for statement in document["Statement"]:
            named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert all(actions.known(one) or one.endswith(":*") for one in named)
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for one in resources:  # IAM itself refuses a resource of no kind
                assert one == "*" or ":iam:" not in one or "/" in one.split(":", 5)[5]
    assert len(role.policies) <= sizes.ATTACHED
    assert sizes.size(role.trust) <= sizes.TRUST


def test_a_reader_reads_kennels_bucket_and_those_it_is_given_and_changes_nothing() -> None:
    assert may(READER, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/runs/x")
    assert may(READER, "s3:GetObject", "arn:aws:s3:::team-data/x")
    assert may(READER, "s3:GetObject", f"arn:aws:s3:::kennel-trail-{ACCOUNT}-us-east-1/AWSLogs/x")
    assert not may(READER, "s3:GetObject", "arn:aws:s3:::another/x")
    names = {
        one
        for document in READER.policies.values()
        for statement in document["Statement"]
        for one in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    # asking an endpoint counts as writing in the reference, and costs nothing beyond the endpoint itself
    assert {one for one in names if actions.access_level(one).changes} <= {"sagemaker:InvokeEndpoint"}


def test_an_operator_changes_what_carries_kennels_mark_only() -> None:
    endpoint = f"arn:aws:sagemaker:{HERE}:endpoint/dogs"
    mark = {"aws__ResourceTag/kennel__made-by": "kennel"}
    assert may(OPERATOR, "sagemaker:DeleteEndpoint", endpoint, **{"aws__ResourceTag/kennel:made-by": "kennel"}), mark
    assert not may(OPERATOR, "sagemaker:DeleteEndpoint", endpoint)
    job = f"arn:aws:sagemaker:{HERE}:training-job/dogs"
    assert may(OPERATOR, "sagemaker:CreateTrainingJob", job, **{"aws__RequestTag/kennel:made-by": "kennel"})
    assert not may(OPERATOR, "sagemaker:CreateTrainingJob", job)


def test_an_operator_passes_kennels_roles_each_to_its_service_and_no_other() -> None:
    training = f"arn:aws:iam::{ACCOUNT}:role/KennelTraining"
    assert may(OPERATOR, "iam:PassRole", training, iam__PassedToService="sagemaker.amazonaws.com")
    assert not may(OPERATOR, "iam:PassRole", training, iam__PassedToService="ec2.amazonaws.com")
    assert not may(OPERATOR, "iam:PassRole", DOGS, iam__PassedToService="sagemaker.amazonaws.com")
    assert not may(OPERATOR, "iam:AttachRolePolicy", DOGS, iam__PolicyARN=BROAD)


def test_a_remediator_takes_from_its_roles_only_what_it_can_give_back() -> None:
    new = f"arn:aws:iam::{ACCOUNT}:policy/kennel/DogProject-least"
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    for action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        assert may(REMEDIATOR, action, DOGS, iam__PolicyARN=BROAD, **WORKS_IN)
        assert may(REMEDIATOR, action, DOGS, iam__PolicyARN=new, **WORKS_IN)
        assert not may(REMEDIATOR, action, DOGS, iam__PolicyARN=new), "only what the boundary holds"
        assert not may(REMEDIATOR, action, DOGS, iam__PolicyARN=admin, **WORKS_IN)
        assert not may(REMEDIATOR, action, f"arn:aws:iam::{ACCOUNT}:role/Other", iam__PolicyARN=new, **WORKS_IN)
    assert may(REMEDIATOR, "iam:CreatePolicy", new)
    assert not may(REMEDIATOR, "iam:CreatePolicy", f"arn:aws:iam::{ACCOUNT}:policy/DogProject-least")


def test_a_remediator_writes_and_makes_only_roles_that_the_boundary_holds_and_cannot_take_it_off() -> None:
    new = f"arn:aws:iam::{ACCOUNT}:role/kennel/DogProject-training"
    for action, role in (("iam:CreateRole", new), ("iam:PutRolePolicy", new), ("iam:PutRolePolicy", DOGS)):
        assert may(REMEDIATOR, action, role, **WORKS_IN)
        assert not may(REMEDIATOR, action, role)
        assert not may(REMEDIATOR, action, role, iam__PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/kennel/wide")
    assert not may(REMEDIATOR, "iam:CreateRole", DOGS, **WORKS_IN), "nor makes one of theirs anew"
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"):
        assert not may(REMEDIATOR, action, DOGS, **WORKS_IN)
    assert not may(REMEDIATOR, "iam:DeletePolicy", work_boundary.arn(WORK))
    theirs = replace(MENDED, boundary=f"arn:aws:iam::{ACCOUNT}:policy/team")
    made = own_roles.remediator(WORK, [theirs])
    assert may(made, "iam:PutRolePolicy", DOGS, iam__PermissionsBoundary=theirs.boundary) and not made.bounded


def test_the_roles_of_a_remediator_do_their_work_and_lead_to_no_other() -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    limit = work_boundary.document_for(WORK, [MENDED])

    def may_work(action: str, resource: str = "*") -> bool:
        return evaluate([everything], action, resource, boundary=limit).allowed

    assert may_work("s3:GetObject", "arn:aws:s3:::b/x") and may_work("iam:PassRole", DOGS)
    for action in (
        "iam:PutRolePolicy",
        "iam:CreateUser",
        "sts:AssumeRole",
        "lambda:UpdateFunctionCode",
        "ec2:RunInstances",
    ):
        assert not may_work(action), action
    assert not may_work("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Admin")
    widest = replace(MENDED, actions=actions.expand(["*"]))
    assert sizes.size(work_boundary.document_for(WORK, [widest])) <= sizes.MANAGED


def test_twenty_roles_to_mend_fit_into_iam() -> None:
    many = [
        replace(MENDED, arn=f"{DOGS}-with-a-long-name-{number}", policies=(f"{BROAD}{number}",)) for number in range(20)
    ]
    made = own_roles.remediator(WORK, many)
    assert all(sizes.size(one) <= sizes.MANAGED for one in (*made.policies.values(), made.work or {}))
    assert len(made.policies) <= sizes.ATTACHED


@pytest.mark.parametrize("name", OWN_ROLES)
def test_none_of_them_can_change_what_limits_it_whatever_is_attached(name: str) -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    limit = own_roles.boundary(WORK)
    for path in ("", "kennel/"):
        own = f"arn:aws:iam::{ACCOUNT}:role/{path}{name}"
        for action in ("iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"):
            assert not evaluate([everything], action, own, boundary=limit).allowed, (action, own)
    bounds = f"arn:aws:iam::{ACCOUNT}:policy/kennel/{own_roles.BOUNDARY}"
    assert not evaluate([everything], "iam:DeletePolicyVersion", bounds, boundary=limit).allowed
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "sts:AssumeRole", "organizations:LeaveOrganization"):
        assert not evaluate([everything], action, "*", boundary=limit).allowed


def test_the_boundary_takes_nothing_from_any_of_them() -> None:
    """All that their policies allow is within it: what it cuts off would be denied to a person for no reason."""
    limit = own_roles.boundary(WORK)
    for role in ALL:
        for document in role.policies.values():
            for statement in json.loads(json.dumps(document))["Statement"]:
                named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                found = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                for action in named:
                    for resource in found:
                        if resource.startswith(f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/"):
                            continue
                        assert evaluate([limit], action, resource).allowed, (role.name, action, resource)


def test_an_operator_launches_on_ec2_what_carries_the_mark() -> None:
    """Every right of the requests, in the context that EC2 gives it."""
    marks = [{"Key": "kennel:made-by", "Value": "kennel"}]
    group = {"GroupName": "kennel", "Description": "d", "VpcId": "vpc-1"}
    run = {"ImageId": "ami-1", "InstanceType": "m5.large", "KeyName": "ada", "SecurityGroupIds": ["sg-1"]}

    def all_of(operation: str, asked: dict[str, object], *kinds: str) -> bool:
        said = [{"ResourceType": kind, "Tags": marks} for kind in kinds]
        given = rights_of("ec2", operation, {**asked, "TagSpecifications": said}, WORK.where)
        owner = {"ec2:Owner": ("amazon",)}
        return all(
            evaluate(list(OPERATOR.policies.values()), one.action, one.resource, {**one.context, **owner}).allowed
            for one in given
        )

    assert all_of("CreateSecurityGroup", group, "security-group") and not all_of("CreateSecurityGroup", group)
    assert all_of("RunInstances", run, "instance", "volume") and not all_of("RunInstances", run)
