"""Security: which role is the worst, what is behind each finding, and which risks were accepted."""

import json
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import role_readings, sample_account, security_readings
from dashboard.core.errors import AccessDenied
from dashboard.core.iam.judge.risks import Risks
from dashboard.core.iam.replace.going import Deed, Progress
from dashboard.core.iam.replace.standing import RETIRED
from dashboard.core.iam.seen.account import AccountIam, read
from dashboard.ui.page import GOING, Place
from tests.views.conftest import Open, links, text
from tests.views.scripted import NOW
from tests.views.scripted_roles import OWN, RolesAws


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Accepted risks and scores of a test lie in its folder."""
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def account() -> RolesAws:
    return RolesAws().with_risks()


def table(page: AppTest, column: str = "Role") -> list[str]:
    """A column of the page's first table that has it."""
    return next([str(one) for one in each.value[column]] for each in page.dataframe if column in each.value)


def button(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click().run()


def test_the_first_look_names_the_worst_and_shows_the_statement(visit: Open, account: RolesAws) -> None:
    page = visit(account, "security")
    assert not page.exception
    told = text(page)
    assert "3 of 4 roles and 2 other things have findings, the worst is DogProject: critical" in told
    assert "4 roles, 2 managed policies, 1 function" in told
    assert "critical, full access" in told  # at the statement itself
    assert "&quot;*&quot;" in told
    found = table(page, "Role")
    assert found[0] == "DogProject"
    assert "DogGood" not in found
    assert ("Open the role", "role=DogProject") in [(label, query) for label, _, query in links(page)]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"q": "partner"}, {"DogPartner"}),
        ({"kind": "policy attached to nothing"}, {"DogOldS3"}),
        ({"kind": "who may call it"}, {"dog-infer"}),
        ({"severity": "critical"}, {"DogProject"}),
    ],
)
def test_the_address_is_the_filter(visit: Open, account: RolesAws, query: dict[str, str], left: set[str]) -> None:
    page = visit(account, "security", **query)
    assert set(table(page)) == left


def test_a_link_opens_exactly_its_finding(visit: Open, account: RolesAws) -> None:
    one = next(one for one in read(account).findings() if one.role == "DogPartner")
    page = visit(account, "security", finding=one.key)
    told = text(page)
    assert "without sts:ExternalId" in told
    assert "arn:aws:iam::444455556666:root" in told
    assert "DogPartner</h2>" in told


def test_a_risk_is_accepted_with_a_reason_a_name_and_an_end_and_counts_again(
    visit: Open, account: RolesAws, home: Path
) -> None:
    page = visit(account, "security", q="without sts:ExternalId")
    before = int(next(one for one in text(page).split("kn-figure-value") if " of 100" in one)[2:].split(" ")[0])
    button(page, "Accept this risk")
    assert any(one.label == "Not possible yet" for one in page.button)
    page.text_area(key="security-reason").set_value("Their contract ends in March")
    page.text_input(key="security-by").set_value("Kim")
    page.run()
    button(page, "Accept the risk")
    (held,) = Risks(OWN).accepted().values()
    assert (held.by, held.subject) == ("Kim", "DogPartner")
    page = visit(account, "security")
    assert "DogPartner" not in table(page)
    assert "1 risk accepted" in text(page)
    scores = [one.score for one in Risks(OWN).trend()]
    assert scores[0] == before
    assert scores[-1] >= before
    page = visit(account, "security", accepted="true", finding=held.key)
    assert "DogPartner" in table(page)
    assert "accepted by Kim" in text(page)
    assert "accepted by Kim" in text(visit(account, "role", role="DogPartner"))
    page = visit(account, "security", accepted="true", finding=held.key)
    button(page, "Accept it no longer")
    button(page, "Let it count again")
    assert Risks(OWN).accepted() == {}
    assert "DogPartner" in table(visit(account, "security"))


def test_without_the_right_to_read_roles_nothing_is_called_safe(visit: Open, account: RolesAws) -> None:
    account.errors["GetAccountAuthorizationDetails"] = AccessDenied(
        "not allowed", action="iam:GetAccountAuthorizationDetails", resource="*"
    )
    page = visit(account, "security")
    assert not page.exception
    told = text(page)
    assert "unknown" in told
    assert "of 100" not in told
    assert "roles and their policies: not allowed" in told
    assert any("iam:GetAccountAuthorizationDetails" in one.value for one in page.code)
    assert table(page) == ["dog-infer", "the account"]  # what could be read stands, and an export says what was not
    assert Risks(OWN).trend() == ()


def test_an_account_in_which_all_is_well_says_what_would_be_found(visit: Open) -> None:
    page = visit(RolesAws(), "security")
    assert "Nothing was found." in text(page)
    assert "100 of 100" in text(page)
    assert "0 of 0" not in text(page)
    assert not page.pills and not page.get("plotly_chart")


def test_a_file_of_risks_that_cannot_be_read_takes_nothing_else_along(
    visit: Open, account: RolesAws, home: Path
) -> None:
    home.mkdir()
    (home / "risks.sqlite").write_text("this is no database, though it is long enough to look like one at first")
    page = visit(account, "security")
    assert not page.exception
    assert table(page)[0] == "DogProject"
    assert "accepted risks and the score" in text(page)


def test_every_role_with_what_it_works_for(visit: Open, account: RolesAws) -> None:
    page = visit(account, "security", part="Roles")
    assert table(page, "Role") == ["DogProject", "DogPartner", "DogOld", "DogGood"]
    assert table(page, "Works for") == ["training, instance", "–", "–", "function"]


def test_an_account_that_is_being_filled_is_read_again_and_gets_no_score_before(
    visit: Open, account: RolesAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_account, "is_filling", lambda state: True)
    page = visit(account, "security", part="Roles")
    account.add_role("DogLate", account.roles["DogGood"]["AssumeRolePolicyDocument"])
    assert "DogLate" not in table(page)
    assert not Risks(OWN).trend()
    monkeypatch.setattr(sample_account, "is_filling", lambda state: False)
    page.run()
    assert "DogLate" in table(page)
    assert [point.roles for point in Risks(OWN).trend()] == [5]


def test_roles_that_change_while_they_are_read_are_read_again(
    visit: Open, account: RolesAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_meanwhile(aws: RolesAws, *more: object) -> AccountIam:
        found = read(aws, *more)  # type: ignore[arg-type]
        if "DogLate" not in account.roles:
            account.add_role("DogLate", account.roles["DogGood"]["AssumeRolePolicyDocument"])
            security_readings.forget_security()
        return found

    monkeypatch.setattr(security_readings.account, "read", changed_meanwhile)
    page = visit(account, "security", part="Roles")
    assert "DogLate" in table(page.run())


def test_a_deed_that_ends_while_the_roles_page_is_drawn_shows_what_is_then(
    visit: Open, account: RolesAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()

    def ends_at_once(aws: RolesAws, role: str) -> Progress:
        is_over = next(looks) > 0
        if is_over:
            account.roles["DogGood"]["Tags"] = [{"Key": RETIRED, "Value": NOW.isoformat()}]
        return Progress(role, Deed.RETIREMENT, "", NOW, is_over=is_over)

    monkeypatch.setattr(role_readings, "going", ends_at_once)
    assert "switched off" in text(visit(account, "role", role="DogGood"))


def test_a_role_that_was_made_since_the_last_reading_is_found(
    visit: Open, account: RolesAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit(account, "role", role="DogLate")
    assert "no such role" in text(page)
    account.add_role("DogLate", account.roles["DogGood"]["AssumeRolePolicyDocument"])
    monkeypatch.setattr(role_readings, "SOON", timedelta(0))
    assert "no such role" not in text(page.run())


def test_old_roles_and_loose_policies_with_their_two_steps(visit: Open, account: RolesAws) -> None:
    account.add_role("DogOff", account.roles["DogGood"]["AssumeRolePolicyDocument"],
                     tags={"kennel:switched-off": "2020-01-02T03:04:05+00:00"})  # fmt: skip
    page = visit(account, "security", part="Old and unused")
    assert not page.exception
    told = text(page)
    assert "400 days" in told
    assert "DogOldS3" in told
    labels = [one.label for one in page.button]
    assert labels.count("Switch it off") == 1
    assert labels.count("Let it go") == 1


def test_from_one_page_with_parts_to_a_part_of_another(visit: Open, account: RolesAws) -> None:
    page = visit(account, "security", part="Old and unused")
    page.session_state[GOING] = (Place.ROLE, {"role": "DogOld", "part": "History"})
    page.run()
    assert not page.exception
    assert page.segmented_control(key="part").value == "History"
    assert "DogOld" in text(page)


def test_an_address_that_asks_for_what_is_not_there_is_said(visit: Open, account: RolesAws) -> None:
    page = visit(account, "security", part="Old and unused", unused="7")
    assert "the number of days 7" in text(page)
    assert not page.exception


def test_an_exported_file_is_audited_and_put_away(visit: Open, account: RolesAws) -> None:
    details = account.call("iam", "GetAccountAuthorizationDetails")
    page = visit(RolesAws(), "security", part="Audit a file")
    page.file_uploader[0].set_value(("account.json", json.dumps(details, default=str).encode(), "application/json"))
    page.run()
    assert not page.exception
    assert "account.json" in text(page) and "Score of the file: " in text(page)
    assert "of this file alone" in text(page) and "counted for the first time" not in text(page)
    assert table(page)[0] == "DogProject"
    assert "dog-infer" not in table(page)  # functions are not in such a file
    assert not [one for one in page.button if one.label == "Accept this risk"]
    button(page, "Close the file")
    assert len(page.file_uploader) == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2]", b"\xff\xfe\x00", b"{" * 5000])
def test_a_file_that_is_no_export_is_refused_in_words(visit: Open, content: bytes) -> None:
    page = visit(RolesAws(), "security", part="Audit a file")
    page.file_uploader[0].set_value(("junk.json", content, "application/json")).run()
    assert not page.exception
    assert "invalid input" in text(page)
