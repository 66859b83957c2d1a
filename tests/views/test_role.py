"""The page of a role on a real embedded AWS: what is wrong with it, what would do, and the way there and back."""

import json
import time
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import connections, state
from dashboard.core.aws import Account, Aws
from dashboard.core.trail import read
from dashboard.core.trail.book import Book
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.views.conftest import APP, text
from tests.views.role_account import client, fill

PATIENCE = 60
BROAD, GOOD, SHARED, OLD = "DogInferLambda", "DogInferOneEndpoint", "DogProject", "DogNotebookOld"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("home") / "aws", "--time-scale", "60")
    fill(running)
    yield running
    stop_embedded(running)


@pytest.fixture
def page(own: Embedded, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("KENNEL_HOME", str(own.state.parent))
    test = AppTest.from_file(str(APP), default_timeout=30)
    test.context = {"timezone": "Europe/Berlin"}
    return test.run()


def go(page: AppTest, role: str, part: str = "") -> str:
    """The role's page at a part; what it says."""
    page.switch_page("views/role.py")
    page.query_params["role"] = role
    page.run()
    if part:
        page.segmented_control(key="part").set_value(part).run()
    assert not page.exception
    return text(page)


def until_over(page: AppTest) -> str:
    """Look again until what is done to the role has ended; what the page says then."""
    deadline = time.monotonic() + PATIENCE
    while not any(button.key == "role-put-away" for button in page.button):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        page.run()
        assert not page.exception
    return text(page)


def attached(own: Embedded, role: str) -> list[str]:
    return [
        one["PolicyName"] for one in client(own, "iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    ]


def test_a_role_with_full_access_shows_the_statement_that_gives_it(page: AppTest) -> None:
    said = go(page, BROAD)
    assert "AmazonSageMakerFullAccess" in said
    assert "kn-guilty" in said and "full access" in said
    assert "Attack" in said and "Mend" in said
    assert "works for functions" in said


def test_what_others_changed_of_a_role_is_seen_by_looking_again(page: AppTest, own: Embedded) -> None:
    assert "0 statements" not in go(page, OLD)
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    client(own, "iam").detach_role_policy(RoleName=OLD, PolicyArn=arn)
    page.button(key="role-again").click().run()
    assert "0 statements" in text(page)
    client(own, "iam").attach_role_policy(RoleName=OLD, PolicyArn=arn)
    page.button(key="role-again").click().run()


def test_the_good_role_has_no_finding(page: AppTest) -> None:
    said = go(page, GOOD)
    assert "nothing was found" in said and "Nothing was found." in said
    assert "kn-guilty" not in said


def test_every_policy_is_shown_with_its_trust(page: AppTest) -> None:
    said = go(page, GOOD, "Policies")
    assert "Trust policy" in "".join(one.label for one in page.expander)
    assert "sagemaker:InvokeEndpoint" in said and "lambda.amazonaws.com" in said
    assert "it has no permissions boundary" in said


def test_a_role_that_is_not_there_is_said_so(page: AppTest) -> None:
    assert "no such role" in go(page, "Cat")


def test_what_works_as_a_role_and_what_it_was_seen_to_do(page: AppTest) -> None:
    said = go(page, BROAD, "Use")
    (uses,) = [one.value for one in page.dataframe if "Is" in one.value.columns]
    assert list(uses["Name"]) == ["dog-infer"] and list(uses["Is"]) == ["function"]
    assert "What it was seen to do" in said and "What IAM says it used" in said


def test_a_role_that_nothing_uses_gets_no_proposal(page: AppTest) -> None:
    said = go(page, OLD, "Proposal")
    assert "Nothing is proposed." in said and "retire it" in said


@pytest.mark.parametrize("view", ["Difference", "Policy", "Trust", "Evidence", "As code"])
def test_a_proposal_is_shown_in_every_way(page: AppTest, view: str) -> None:
    said = go(page, BROAD, "Proposal")
    assert "needed by the code path" in said
    page.segmented_control(key="role-proposal-view").set_value(view).run()
    assert not page.exception
    shown = text(page) + "".join(one.value for one in page.code)
    assert {
        "Difference": "AmazonSageMakerFullAccess",
        "Policy": "logs:PutLogEvents",
        "Trust": "lambda.amazonaws.com",
        "Evidence": "not seen, dropped",
        "As code": "create_policy",
    }[view] in shown


def test_a_shared_role_gets_a_role_of_its_own_for_each_duty(page: AppTest) -> None:
    said = go(page, SHARED, "Proposal")
    assert "Several duties share this role" in said and "It makes the role DogProject-endpoint" in said
    assert "> goes</span>" not in said and "> comes</span>" in said, "the shared role keeps what it has"
    page.segmented_control(key="duty").set_value("Functions").run()
    assert not page.exception
    assert "It makes the role DogProject-function" in text(page)


@pytest.mark.parametrize(("asked", "made"), [("function", "DogProject-function"), ("cooking", "DogProject-endpoint")])
def test_an_address_may_name_the_duty(page: AppTest, asked: str, made: str) -> None:
    page.switch_page("views/role.py")
    for name, value in (("role", SHARED), ("part", "Proposal"), ("duty", asked)):
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert f"It makes the role {made}" in text(page)


def test_a_role_is_replaced_after_its_name_is_typed_and_given_back_by_one_click(page: AppTest, own: Embedded) -> None:
    before = attached(own, BROAD)
    go(page, BROAD, "Proposal")
    page.button(key="role-apply").click().run()
    assert not page.exception
    assert page.button(key="confirm-blocked").disabled, "the name is not typed yet"
    assert attached(own, BROAD) == before
    page.text_input(key="confirm-name").set_value(BROAD).run()
    page.button(key="confirm-do").click().run()
    go(page, BROAD, "Proposal")
    said = until_over(page)
    assert "> changed</span>" in said
    assert "AmazonSageMakerFullAccess" not in attached(own, BROAD)

    assert "rights changed" in go(page, BROAD, "History")
    assert [one for one in page.button if str(one.key).startswith("role-undo-")]
    go(page, BROAD, "Proposal")
    page.button(key="role-back").click().run()
    page.button(key="confirm-do").click().run()
    go(page, BROAD, "History")
    said = until_over(page)
    assert "> as before</span>" in said and "· undone " in said
    assert sorted(attached(own, BROAD)) == sorted(before)
    back, change = read.deeds(Book.kept(), since=None)[:2]
    assert (back.undoes, change.is_undone) == (change.id, True), "the trail knows what took it back"
    assert change.what.startswith("Replace the rights of")


def test_a_role_that_nobody_misses_is_switched_off_and_given_back(page: AppTest, own: Embedded) -> None:
    go(page, OLD)
    page.button(key="role-retire").click().run()
    assert not page.exception
    assert "1 of 2: switch it off" in text(page)
    page.text_input(key="confirm-name").set_value(OLD).run()
    page.button(key="confirm-do").click().run()
    go(page, OLD, "History")
    assert "> done</span>" in until_over(page)
    assert attached(own, OLD) == []
    go(page, OLD, "History")
    assert page.button(key="role-retire").label == "Delete"
    next(one for one in page.button if str(one.key).startswith("role-undo-")).click().run()
    page.button(key="confirm-do").click().run()
    go(page, OLD, "History")
    assert "> as before</span>" in until_over(page)
    assert attached(own, OLD) == ["AdministratorAccess"]
    assert page.button(key="role-retire").label == "Retire"


def test_a_role_that_something_works_as_is_not_switched_off(page: AppTest, own: Embedded) -> None:
    go(page, GOOD)
    page.button(key="role-retire").click().run()
    assert not page.exception
    assert "works as it" in text(page) and "dog-infer-one" in text(page)


def test_a_real_account_is_asked_by_its_simulator_and_that_is_called_no_proof(
    page: AppTest, own: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = state.connection()
    real = Account("work", own.region, "123456789012", False, True, own.endpoint_url)
    monkeypatch.setattr(connections, "connect", lambda environ: Aws(real, connection._session))
    st.cache_resource.clear()
    said = go(page, BROAD, "Proposal")
    assert "Simulate it" in said and "Prove it" not in said
    page.button(key="role-prove").click().run()
    assert "that is no proof" in text(page)
    before = len(client(own, "iam").list_roles()["Roles"])
    page.button(key="confirm-do").click().run()
    go(page, BROAD, "Proposal")
    said = until_over(page)
    assert "simulated only" in said and "nothing was run" in said
    assert len(client(own, "iam").list_roles()["Roles"]) == before


def test_a_policy_that_nothing_has_is_marked_first_and_deleted_by_name_then(page: AppTest, own: Embedded) -> None:
    iam, name = client(own, "iam"), "DogOldS3"

    def there() -> bool:
        return name in {one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]}

    def let_go() -> None:
        page.switch_page("views/security.py").run()
        page.segmented_control(key="part").set_value("Old and unused").run()
        next(one for one in page.button if one.label == "Let it go").click().run()
        assert not page.exception

    let_go()
    assert "1 of 2: mark it" in text(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception and there()
    let_go()
    assert "before its time" in "".join(one.label for one in page.text_input)
    page.text_input(key="confirm-name").set_value(name).run()
    page.button(key="confirm-do").click().run()
    assert not page.exception and not there()
    page.switch_page("views/security.py").run()
    page.segmented_control(key="part").set_value("Old and unused").run()
    undo = [one for one in page.button if str(one.key).startswith("role-undo-")]
    assert [one.disabled for one in undo] == [False, True], "the deletion comes before the mark"
    undo[0].click().run()
    assert "makes it again" in text(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception and there()


def test_a_role_that_is_gone_keeps_its_record(page: AppTest, own: Embedded) -> None:
    iam = client(own, "iam")
    trust = iam.get_role(RoleName=OLD)["Role"]["AssumeRolePolicyDocument"]
    iam.create_role(RoleName="Gone", AssumeRolePolicyDocument=json.dumps(trust))
    state.forget()
    for step in ("1 of 2", "2 of 2"):
        state.forget_security()
        go(page, "Gone")
        page.button(key="role-retire").click().run()
        assert step in text(page)
        page.text_input(key="confirm-name").set_value("Gone").run()
        page.button(key="confirm-do").click().run()
        page.switch_page("views/role.py")
        page.query_params["role"] = "Gone"
        page.query_params["part"] = "History"
        page.run()
        until_over(page)
    state.forget_security()
    said = go(page, "Gone")
    assert "no such role" in said and "What Kennel did with it" in said and "deleted" in said
