"""The page of a role that is not as roles should be: malformed, reserved, unreadable, or on an account that refuses."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import role_readings
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied
from dashboard.core.iam.entities import LISTS
from dashboard.core.iam.judge.audited import of_account
from dashboard.core.iam.replace.records import Records
from dashboard.core.iam.seen.account import ROLES, AccountIam
from dashboard.core.iam.usage import Duty, Usage, Use
from dashboard.readings import Reading
from tests.views.conftest import Open, text
from tests.views.scripted import REAL, ScriptedAws

NOW = datetime.now(UTC)
ARN = "arn:aws:iam::123456789012:role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "S3:*", "Resource": "*"}}
PARTS = ("Findings", "Policies", "Use", "Proposal", "History")
Known = Callable[..., None]


def role(name: str, path: str = "/", trust: Any = TRUST, **policies: Any) -> dict[str, Any]:
    inline = [{"PolicyName": policy, "PolicyDocument": document} for policy, document in policies.items()]
    return {
        "RoleName": name,
        "Arn": f"{ARN}{path}{name}",
        "Path": path,
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": inline,
    }


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Known:
    """known(role, …): the account has these roles, as far as its pages know."""

    def has(*roles: Mapping[str, Any], unread: tuple[Unread, ...] = (), usage: Usage | None = None) -> None:
        details = {name: [] for name in LISTS} | {"RoleDetailList": list(roles)}
        found = of_account(AccountIam(NOW, details, usage or Usage(), unread=unread))
        monkeypatch.setattr(role_readings, "security", lambda aws: Reading(found, NOW))
        monkeypatch.setattr(Records, "kept", classmethod(lambda cls: Records(tmp_path / "changes.sqlite")))

    return has


def at(visit: Open, name: str, part: str = "", aws: ScriptedAws | None = None) -> AppTest:
    query = {"role": name} | ({"part": part} if part else {})
    page = visit(aws or ScriptedAws(), "role", **query)
    assert not page.exception
    return page


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("document", ["{not json", {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}, "[]"])
def test_a_malformed_policy_is_shown_and_said_not_to_be_judged(
    visit: Open, known: Known, part: str, document: Any
) -> None:
    use = Use(Duty.FUNCTION, "f", "arn:aws:lambda:us-east-1:123456789012:function:f", NOW)
    known(role("Dog", Broken=document), usage=Usage({f"{ARN}/Dog": (use,)}))
    said = text(at(visit, "Dog", part))
    if part == "Findings":
        assert "could not be judged" in said
    if part == "Policies":
        assert "cannot be judged" in said


def test_a_role_without_a_trust_that_can_be_read_stands(visit: Open, known: Known) -> None:
    known(role("Dog", trust="%7Bbroken", Any=ALL))
    assert "cannot be judged" in text(at(visit, "Dog", "Policies"))


def test_names_from_outside_are_text(visit: Open, known: Known) -> None:
    evil = {"Version": "2012-10-17", "Statement": [{"Sid": "<img src=x>", **ALL["Statement"]}]}
    known(role("Ünï=cødé", **{"<script>alert(1)</script>": evil}))
    for part in PARTS:
        said = text(at(visit, "Ünï=cødé", part))
        assert "<script>" not in said and "<img" not in said


@pytest.mark.parametrize(
    ("path", "why"),
    [("/aws-service-role/x.amazonaws.com/", "AWS refuses every change"), ("/aws-reserved/sso/", "Identity Center")],
)
def test_what_is_not_kennels_to_change_has_no_button(visit: Open, known: Known, path: str, why: str) -> None:
    known(role("Linked", path, Any=ALL))
    page = at(visit, "Linked", "Proposal")
    assert why in text(page) and "Nothing is proposed for it" in text(page)
    assert not {"Retire", "Apply"} & {button.label for button in page.button}


def test_roles_that_may_not_be_read_say_which_right_is_missing(visit: Open, known: Known) -> None:
    action = "iam:GetAccountAuthorizationDetails"
    known(unread=(Unread(ROLES, AccessDenied("not allowed to read roles", action=action)),))
    page = at(visit, "Dog")
    assert "access denied" in text(page) and action in "".join(one.value for one in page.code)


def test_a_read_only_account_shows_everything_and_changes_nothing(visit: Open, known: Known) -> None:
    known(role("Dog", Any=ALL))
    page = at(visit, "Dog", "Findings", ScriptedAws(REAL))
    assert "every action of s3" in text(page)
    assert not {"Retire", "Apply", "Undo"} & {button.label for button in page.button}
