"""What people click, done with the operator role's own session, as the embedded AWS enforces it."""

import json
from collections.abc import Iterator

import pytest

from dashboard.core import role_making, tags
from dashboard.core.aws import Aws, connect
from dashboard.core.errors import AccessDenied
from dashboard.core.iam.own import own_roles
from tests.conftest import Embedded, start_embedded, stop_embedded

MARK = [{"Key": tags.MADE_BY, "Value": tags.KENNEL}]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    embedded = start_embedded(tmp_path_factory.mktemp("operated") / "aws")
    yield embedded
    stop_embedded(embedded)


@pytest.fixture(scope="module")
def root(running: Embedded) -> Aws:
    return connect({"KENNEL_HOME": str(running.state.parent)})


@pytest.fixture(scope="module")
def operator(root: Aws) -> Aws:
    """A session of the role, made by the program that the page shows."""
    root.call("s3", "CreateBucket", Bucket=root.account.bucket)
    root.call("s3", "PutObject", Bucket=root.account.bucket, Key="models/dogs/model.tar.gz", Body=b"x")
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{root.account.bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    for name in ("KennelEndpoint", "Another"):
        root.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        root.call("iam", "PutRolePolicy", RoleName=name, PolicyName="reads", PolicyDocument=policy)
    made = own_roles.operator(root.account)
    for one in own_roles.calls(root.account, made):
        root.call(one.service, one.operation, **one.parameters)
    arn = root.account.role_arn(made.name)
    return root.acting(root.call("sts", "AssumeRole", RoleArn=arn, RoleSessionName="ada")["Credentials"])


def model(aws: Aws, name: str, role: str = "KennelEndpoint", marks: list[dict[str, str]] | None = None) -> None:
    where = f"s3://{aws.account.bucket}/models/dogs/model.tar.gz"
    aws.call(
        "sagemaker",
        "CreateModel",
        ModelName=name,
        ExecutionRoleArn=aws.account.role_arn(role),
        PrimaryContainer={"Image": "kennel/sample", "ModelDataUrl": where},
        Tags=MARK if marks is None else marks,
    )


def test_it_makes_and_deletes_what_carries_kennels_mark(operator: Aws) -> None:
    model(operator, "ours")
    variant = {"VariantName": "v", "ModelName": "ours", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    operator.call(
        "sagemaker", "CreateEndpointConfig", EndpointConfigName="ours", ProductionVariants=[variant], Tags=MARK
    )
    operator.call("sagemaker", "DeleteEndpointConfig", EndpointConfigName="ours")
    operator.call("sagemaker", "DeleteModel", ModelName="ours")


def test_what_carries_no_mark_is_not_made_and_not_touched(root: Aws, operator: Aws) -> None:
    with pytest.raises(AccessDenied):
        model(operator, "unmarked", marks=[])
    model(root, "theirs", marks=[])
    with pytest.raises(AccessDenied):
        operator.call("sagemaker", "DeleteModel", ModelName="theirs")
    root.call("sagemaker", "DeleteModel", ModelName="theirs")


def test_it_passes_no_role_but_kennels(operator: Aws) -> None:
    with pytest.raises(AccessDenied, match="PassRole"):
        model(operator, "passing", role="Another")


def test_it_writes_kennels_bucket_and_reads_what_a_reader_does(root: Aws, operator: Aws) -> None:
    operator.call("s3", "PutObject", Bucket=root.account.bucket, Key="code/x", Body=b"x")
    assert operator.call("s3", "GetObject", Bucket=root.account.bucket, Key="code/x")["ContentLength"] == 1
    operator.call("iam", "GetAccountAuthorizationDetails")
    root.call("s3", "CreateBucket", Bucket="not-kennels")
    with pytest.raises(AccessDenied):
        operator.call("s3", "PutObject", Bucket="not-kennels", Key="x", Body=b"x")


def test_what_it_lacks_to_make_a_role_for_something_is_told_before(root: Aws, operator: Aws) -> None:
    for role, service in (
        ("kennel-notebook-*", "sagemaker.amazonaws.com"),
        ("kennel-lambda-*", "lambda.amazonaws.com"),
    ):
        lacks = role_making.lacking(operator, role, service)
        assert lacks == ("iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole")
    assert role_making.lacking(operator, "KennelTraining", "sagemaker.amazonaws.com") == role_making.MAKES
    assert role_making.lacking(root, "kennel-notebook-*", "sagemaker.amazonaws.com") == ()


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("AttachRolePolicy", {"RoleName": "Another", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("PutRolePolicy", {"RoleName": "kennel-operator", "PolicyName": "more", "PolicyDocument": "{}"}),
        ("DeleteRolePermissionsBoundary", {"RoleName": "kennel-operator"}),
        ("CreateUser", {"UserName": "ada"}),
    ],
)
def test_it_gives_itself_nothing(operator: Aws, operation: str, asked: dict[str, str]) -> None:
    with pytest.raises(AccessDenied):
        operator.call("iam", operation, **asked)
