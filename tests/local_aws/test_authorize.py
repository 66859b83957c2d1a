"""Whether a caller may: the layers of its policies, the sentences of AWS's errors, and what is kept meanwhile."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core.iam.rights import Right
from local_aws import ACCOUNT
from local_aws.authorize import Authority, Circumstances, denied
from local_aws.moto_app import Moto
from local_aws.principal import ROOT, Principal, session_of
from local_aws.standing import Standings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Circumstances(NOW, "us-east-1")
READ = Right("s3:GetObject", "arn:aws:s3:::dogs/a.jpg")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Moto:
    return Moto(tmp_path_factory.mktemp("moto"))


@pytest.fixture
def authority(moto: Moto) -> Authority:
    return Authority(Standings(moto))


class Account:
    """Roles and users made by moto's own operations, one after the other."""

    def __init__(self, moto: Moto) -> None:
        self.moto = moto

    def name(self) -> str:
        return f"r{uuid.uuid4().hex[:12]}"

    def role(self, *statements: dict[str, Any], boundary: str | None = None, tags: dict[str, str] | None = None) -> str:
        name = self.name()
        with self.moto.using("iam", changes=True) as backends:
            iam = backends[ACCOUNT]["aws"]
            listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
            role = iam.create_role(name, TRUST, "/team/", boundary, "", listed, "3600")
            if statements:
                iam.put_role_policy(name, "own", document(*statements))
            return str(role.arn)

    def policy(self, *statements: dict[str, Any]) -> str:
        with self.moto.using("iam", changes=True) as backends:
            made = backends[ACCOUNT]["aws"].create_policy("", "/", document(*statements), self.name(), [])
            return str(made.arn)

    def user(self, *statements: dict[str, Any], group: dict[str, Any] | None = None) -> str:
        name = self.name()
        with self.moto.using("iam", changes=True) as backends:
            iam = backends[ACCOUNT]["aws"]
            user = iam.create_user("us-east-1", name, tags=[])
            if statements:
                iam.put_user_policy(name, "own", document(*statements))
            if group:
                iam.create_group(f"g-{name}", "/")
                iam.put_group_policy(f"g-{name}", "own", document(group))
                iam.add_user_to_group(f"g-{name}", name)
            return str(user.arn)


@pytest.fixture
def account(moto: Moto) -> Iterator[Account]:
    yield Account(moto)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def test_the_root_user_may_everything_and_nobody_else_what_no_policy_allows(
    account: Account, authority: Authority
) -> None:
    assert authority.refusal(Principal(ROOT, ROOT), [READ], HERE) == ""
    session = session_of(account.role(), "SageMaker")
    told = authority.refusal(session, [READ], HERE)
    assert told == (
        f'User: {session.arn} is not authorized to perform: s3:GetObject on resource: "{READ.resource}" because no '
        "identity-based policy allows the s3:GetObject action"
    )


def test_every_right_of_a_request_is_needed(account: Account, authority: Authority) -> None:
    session = session_of(account.role(allow("sagemaker:*")), "x")
    create = Right("sagemaker:CreateModel", "arn:aws:sagemaker:us-east-1:123456789012:model/a")
    handed = Right("iam:PassRole", "arn:aws:iam::123456789012:role/a")
    assert authority.refusal(session, [create], HERE) == ""
    assert "iam:PassRole on resource: arn:aws:iam::123456789012:role/a" in authority.refusal(
        session, [create, handed], HERE
    )


def test_a_boundary_and_a_session_policy_only_take_away(account: Account, authority: Authority) -> None:
    boundary = account.policy(allow("s3:ListBucket"))
    bounded = session_of(account.role(allow(), boundary=boundary), "x")
    assert authority.refusal(bounded, [READ], HERE).endswith(
        "because no permissions boundary allows the s3:GetObject action"
    )
    alone = session_of(account.role(boundary=account.policy(allow())), "x")
    assert authority.refusal(alone, [READ], HERE).endswith(
        "because no identity-based policy allows the s3:GetObject action"
    )
    role = account.role(allow())
    arn = session_of(role, "x").arn
    narrowed = Principal(arn, role, session=(document(allow("s3:ListBucket")),))
    assert authority.refusal(narrowed, [READ], HERE).endswith(
        "because no session policy allows the s3:GetObject action"
    )
    by_arn = Principal(arn, role, session_arns=(account.policy(allow("s3:Get*")),))
    assert authority.refusal(by_arn, [READ], HERE) == ""
    gone = Principal(arn, role, session_arns=("arn:aws:iam::123456789012:policy/deleted",))
    assert "session policy" in authority.refusal(gone, [READ], HERE)


@pytest.mark.parametrize("where", ["identity-based policy", "permissions boundary", "session policy"])
def test_a_deny_wins_wherever_it_stands(account: Account, authority: Authority, where: str) -> None:
    boundary = account.policy(allow("*"), deny()) if where.startswith("permissions") else None
    statements = [allow(), deny()] if where.startswith("identity") else [allow()]
    role = account.role(*statements, boundary=boundary)
    given = (document(allow(), deny()),) if where.startswith("session") else ()
    article = "an" if where.startswith("identity") else "a"
    told = authority.refusal(Principal(session_of(role, "x").arn, role, session=given), [READ], HERE)
    assert told.endswith(f"with an explicit deny in {article} {where}")


def test_a_user_has_its_own_policies_and_those_of_its_groups(account: Account, authority: Authority) -> None:
    own, grouped = account.user(allow()), account.user(group=allow())
    for arn in (own, grouped):
        assert authority.refusal(Principal(arn, arn), [READ], HERE) == ""
    nobody = account.user()
    assert "no identity-based policy" in authority.refusal(Principal(nobody, nobody), [READ], HERE)


def test_a_changed_policy_counts_from_the_next_request_on(account: Account, authority: Authority) -> None:
    role = account.role(allow())
    session = session_of(role, "x")
    assert authority.refusal(session, [READ], HERE) == ""
    assert authority.is_quick(session, [READ])
    with account.moto.using("iam", changes=True) as backends:
        backends[ACCOUNT]["aws"].put_role_policy(role.rpartition("/")[2], "own", document(deny()))
    assert not authority.is_quick(session, [READ])
    assert "explicit deny" in authority.refusal(session, [READ], HERE)


def test_a_role_that_is_gone_opens_nothing_and_one_of_its_name_is_another(
    account: Account, authority: Authority
) -> None:
    role = account.role(allow())
    name = role.rpartition("/")[2]
    with account.moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        begun = Principal(session_of(role, "x").arn, role, identity_id=iam.get_role(name).id)
        service = session_of(role, "SageMaker")
    for one in (begun, service):
        assert authority.refusal(one, [READ], HERE) == ""
    with account.moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        iam.delete_role_policy(name, "own")
        iam.delete_role(name)
    for one in (begun, service):
        assert f"because {role} does not exist any more" in authority.refusal(one, [READ], HERE)
    with account.moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        iam.create_role(name, TRUST, "/team/", None, "", [], "3600")
        iam.put_role_policy(name, "own", document(allow()))
    assert "does not exist any more" in authority.refusal(begun, [READ], HERE)
    assert authority.refusal(service, [READ], HERE) == ""  # a service begins a new session whenever it needs one


def test_conditions_see_who_calls_from_where_and_when(account: Account, authority: Authority) -> None:
    role = account.role(tags={"team": "dogs"})
    name = role.rpartition("/")[2]
    session = session_of(role, "i-1", {"ec2:SourceInstanceARN": "arn:aws:ec2:us-east-1:123456789012:instance/i-1"})
    met: dict[str, dict[str, str]] = {
        "StringEquals": {
            "aws:PrincipalAccount": ACCOUNT,
            "aws:PrincipalType": "AssumedRole",
            "aws:PrincipalTag/team": "dogs",
            "aws:RequestedRegion": "us-east-1",
            "aws:ResourceAccount": ACCOUNT,
        },
        "StringLike": {"aws:userid": "AROA*:i-1"},
        "ArnEquals": {
            "aws:PrincipalArn": role,
            "ec2:SourceInstanceARN": "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
        },
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
        "Bool": {"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "false"},
        "DateLessThan": {"aws:CurrentTime": "2026-03-01T12:00:01Z"},
        "DateGreaterThan": {"aws:CurrentTime": "2026-03-01T11:59:59Z"},
        "Null": {"aws:username": "true"},
    }
    with account.moto.using("iam", changes=True) as backends:
        backends[ACCOUNT]["aws"].put_role_policy(name, "own", document(allow(Condition=met)))
    assert authority.refusal(session, [READ], HERE) == ""
    later = Circumstances(NOW.replace(hour=13), "us-east-1")
    elsewhere = Circumstances(NOW, "us-east-1", "10.0.0.1")
    for changed in (later, elsewhere, Circumstances(NOW, "eu-west-1")):
        assert authority.refusal(session, [READ], changed)


def test_what_the_request_says_and_what_it_is_about_are_context_too(moto: Moto, account: Account) -> None:
    tags = {"arn:aws:sagemaker:us-east-1:123456789012:endpoint/a": {"team": "dogs"}}
    authority = Authority(Standings(moto), lambda arn: tags.get(arn, {}))
    tagged = allow("sagemaker:DeleteEndpoint", Condition={"StringEquals": {"aws:ResourceTag/team": "dogs"}})
    listed = allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "dogs/*"}})
    session = session_of(account.role(tagged, listed), "x")
    delete = [Right("sagemaker:DeleteEndpoint", f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{n}") for n in "ab"]
    assert authority.refusal(session, delete[:1], HERE) == ""
    assert authority.refusal(session, delete[1:], HERE)
    assert not authority.is_quick(session, delete)  # tags are looked up, which may wait
    for prefix, may in (("dogs/a", True), ("cats/", False)):
        right = Right("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": (prefix,)})
        assert authority.may(session, right, HERE) is may


def test_a_policy_that_cannot_be_judged_lets_nothing_through(account: Account, authority: Authority) -> None:
    wrong = allow(Condition={"IpAddress": {"aws:SourceIp": "here"}})
    told = authority.refusal(session_of(account.role(wrong, allow()), "x"), [READ], HERE)
    assert "because a policy of it cannot be judged" in told


def test_who_is_asking_is_told_to_everybody_even_where_it_is_denied(account: Account, authority: Authority) -> None:
    """STS API Reference, GetCallerIdentity: "No permissions are required", whatever a Deny says."""
    session = session_of(account.role(deny("*")), "x")
    assert authority.refusal(session, [Right("sts:GetCallerIdentity")], HERE) == ""


@pytest.mark.parametrize(
    ("service", "protocol", "code", "status"),
    [
        ("s3", "rest-xml", "AccessDenied", 403),
        ("iam", "query", "AccessDenied", 403),
        ("ec2", "ec2", "UnauthorizedOperation", 403),
        ("sns", "query", "AuthorizationError", 403),
        ("sagemaker", "json", "AccessDeniedException", 400),
        ("lambda", "rest-json", "AccessDeniedException", 403),
        ("sagemaker-runtime", "rest-json", "AccessDeniedException", 403),
    ],
)
def test_each_service_has_its_own_word_for_it(service: str, protocol: str, code: str, status: int) -> None:
    error = denied(service, protocol, "User: x is not authorized")
    assert (error.code, error.status) == (code, status)
    assert error.message.endswith("User: x is not authorized")
