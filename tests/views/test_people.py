"""What each role sees and may do, page by page; and what a visitor is told when something is wrong."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import connections, state
from dashboard.core.errors import AccessDenied, Unreachable
from dashboard.core.trail.book import Book
from dashboard.core.trail.model import Result
from dashboard.core.trail.read import deeds
from dashboard.core.trail.refusals import Refusals
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import deed, models_import
from dashboard.ui.pages import PAGES
from dashboard.uploads import Uploads
from tests.test_doorkeeper import ANN, say
from tests.views.conftest import APP, text
from tests.views.scripted import ScriptedAws
from tests.views.test_classify import drop, photo

ACCOUNT = "123456789012"
MAX = ANN | {"sub": "8", "email": "max@finance.example.com"}
VIC = ANN | {"sub": "9", "email": "vic@visitors.example.com"}
DENIED = AccessDenied(
    f"not allowed to sagemaker:InvokeEndpoint on arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/starter",
    "no policy of user/kennel allows it",
    action="sagemaker:InvokeEndpoint",
)
PEOPLE = """engineer = ["ann@example.com"]
manager = ["@finance.example.com"]
visitor = ["@visitors.example.com"]"""
As = Callable[..., AppTest]


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """People sign in here."""
    file = tmp_path / "secrets.toml"
    say(file, PEOPLE)
    monkeypatch.setenv("KENNEL_SECRETS", str(file))
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    doorkeeper.cache_clear()
    doorkeeper().is_guarded = True
    monkeypatch.setattr(deed, "refusals", Refusals(time.monotonic))
    return file


@pytest.fixture
def come(monkeypatch: pytest.MonkeyPatch) -> As:
    """come(aws, claims, "runs", run="name"): the dashboard as somebody sees it; claims: {} for nobody."""

    def open_page(aws: ScriptedAws, claims: dict[str, Any], page: str = "", **query: str) -> AppTest:
        monkeypatch.setattr(connections, "connect", lambda *_: aws)
        st.cache_resource.clear()
        st.cache_data.clear()
        test = AppTest.from_file(str(APP), default_timeout=20)
        test.user = now(claims)
        if page:
            test.run()
            test.switch_page(f"views/{page}.py")
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    return open_page


def now(claims: dict[str, Any]) -> dict[str, Any]:
    """As of a sign-in a minute ago."""
    return claims | {"iat": time.time() - 60} if claims else {}


def test_nobody_sees_anything_but_the_way_in(aws: ScriptedAws, secrets: Path, come: As) -> None:
    page = come(aws, {})
    for one in PAGES:
        page.switch_page(str(one.place)).run()
        said = text(page)
        assert not page.exception
        assert [button.label for button in page.button] == ["Sign in"]
        assert ACCOUNT not in said
        assert one.title not in said
    assert not aws.calls


def test_a_visitor_is_told_of_every_other_page_that_it_is_not_theirs(aws: ScriptedAws, secrets: Path, come: As) -> None:
    page = come(aws, VIC)
    assert "Classify" in text(page)  # the page at the root
    for one in PAGES:
        page.switch_page(str(one.place)).run()
        said = text(page)
        assert not page.exception
        assert ACCOUNT not in said
        if one.place.stem != "classify":
            assert f"{one.title} is for {one.role}s" in said
            assert "ask ops@example.com" in said.replace("Ask", "ask")


def test_a_manager_reads_and_does_not_launch(aws: ScriptedAws, secrets: Path, come: As) -> None:
    page = come(aws, MAX)
    assert "A manager: may read everything and set budgets" in text(page)
    assert re.search(r"Signed in until \d+ \w+, \d\d:\d\d", text(page))
    page.switch_page("views/train.py").run()
    assert "Train is for engineers" in text(page)


def test_a_manager_sees_the_plan_and_cannot_carry_it_out(aws: ScriptedAws, secrets: Path, come: As) -> None:
    page = come(aws, MAX, "endpoint", endpoint="starter")
    page.button("delete-endpoint").click().run()
    assert "This is for engineers" in text(page)
    assert "signed in as max@finance.example.com" in text(page)
    assert page.button("confirm-blocked").disabled
    assert [button for button in page.button if button.key == "confirm-do"] == []


@pytest.mark.parametrize(("who", "told"), [(MAX, "Whoever runs this server can add one."), (ANN, "aws configure")])
def test_commands_for_the_server_are_for_engineers(
    aws: ScriptedAws, secrets: Path, come: As, monkeypatch: pytest.MonkeyPatch, who: dict[str, Any], told: str
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(secrets.parent / "none"))
    said = text(come(aws, who, "settings"))
    assert f"has no profile. {told}" in said


def test_a_manager_sets_a_budget(aws: ScriptedAws, secrets: Path, come: As) -> None:
    page = come(aws, MAX, "costs")
    page.button(key="budget-set").click().run()
    assert not page.exception
    assert "This is for engineers" not in text(page)


def test_a_role_that_was_taken_away_is_gone_from_an_open_dialog(aws: ScriptedAws, secrets: Path, come: As) -> None:
    aws.add_job("dogs-9", "InProgress", age=30)
    page = come(aws, ANN, "run", run="dogs-9")
    page.button(key="stop-run").click().run()
    act = page.button("confirm-do")
    say(secrets, 'manager = ["ann@example.com"]')
    act.click().run()
    assert "is for engineers" in text(page)
    assert "StopTrainingJob" not in [name for name, _ in aws.calls]
    act.click().run()  # as often as they like: once a minute it is written down
    (tried,) = deeds(Book.kept())
    assert (tried.result, tried.who, tried.calls) == (Result.REFUSED, "ann@example.com", ())
    assert tried.what.startswith("Stop dogs-9")
    assert "you are signed in as ann@example.com, a manager" in tried.why
    assert tried.plan


def test_a_sign_in_that_ended_meanwhile_does_nothing_more(aws: ScriptedAws, secrets: Path, come: As) -> None:
    aws.add_job("dogs-9", "InProgress", age=30)
    page = come(aws, ANN, "run", run="dogs-9")
    page.button(key="stop-run").click().run()
    act = page.button("confirm-do")
    doorkeeper().end(dict(page.user))  # in another tab
    act.click().run()
    assert [button.label for button in page.button] == ["Sign in"]
    assert "StopTrainingJob" not in [name for name, _ in aws.calls]
    (tried,) = deeds(Book.kept())
    assert (tried.result, tried.who) == (Result.REFUSED, "ann@example.com")


@pytest.mark.parametrize(("who", "most"), [(MAX, 20), (ANN, 256)])
def test_a_model_is_taken_from_an_engineer_alone(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, who: dict[str, Any], most: int
) -> None:
    def dialog() -> None:
        from dashboard.ui import models_import

        models_import._uploaded("token")

    taken = Uploads()
    monkeypatch.setattr(models_import, "uploads", taken)
    page = AppTest.from_function(dialog)
    page.user = now(who)
    assert not page.run().exception
    length = {"content-length": str(300 * 1024**2)}
    with taken.taking("/_stcore/upload_file/test session id/file", length) as why_not:
        assert why_not == f"A file has at most {most} MB here."


def test_two_people_who_describe_the_same_training_mean_two(
    aws: ScriptedAws, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.core.runs.spec import TrainingSpec
    from dashboard.ui import access

    spec = TrainingSpec("dogs", "s3://b/d/")
    found = []
    for key in ("ann", "max", "ann"):
        monkeypatch.setattr(access, "key", lambda key=key: key)
        found.append(state.intent(aws, spec))  # type: ignore[arg-type]
    assert found[0] == found[2] != found[1]


# --- what a visitor is told when something is wrong ---------------------------------------------------------------


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_SHARE", "1")
    doorkeeper.cache_clear()
    doorkeeper().is_guarded = True


def test_where_classify_is_shared_a_photo_is_answered_and_nothing_is_named(
    aws: ScriptedAws, shared: None, come: As
) -> None:
    page = drop(come(aws, {}), ("rex.jpg", photo()))
    said = text(page)
    assert "Looks like a Beagle (93 %)." in said
    assert "answered in" in said
    assert "starter" not in said
    assert ACCOUNT not in said
    assert not page.selectbox
    assert not page.page_link


@pytest.mark.parametrize("wrong", [DENIED, Unreachable("127.0.0.1:4566 is not answering", "connection refused")])
def test_a_visitor_is_not_told_what_is_wrong_with_the_account(
    aws: ScriptedAws, shared: None, come: As, wrong: Exception
) -> None:
    page = come(aws, {})
    aws.errors["InvokeEndpoint"] = wrong  # type: ignore[assignment]
    said = text(drop(page, ("rex.jpg", photo())))
    assert "This photo has no answer: the model cannot be asked at this moment" in said
    assert not {"arn:aws", ACCOUNT, "starter", "127.0.0.1", "user/kennel"} & set(said.replace("/", " ").split())
    assert not page.code

    aws.errors["ListEndpoints"] = wrong  # type: ignore[assignment]
    st.cache_data.clear()
    said = text(page.run())
    assert "This cannot be shown at this moment" in said
    assert "sagemaker" not in said
    assert "4566" not in said


def test_a_visitor_is_told_what_is_wrong_with_the_photo(aws: ScriptedAws, shared: None, come: As) -> None:
    assert "The photo x.jpg was not classified" in text(drop(come(aws, {}), ("x.jpg", b"no photo")))


def test_where_one_endpoint_is_shared_no_other_answers(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch, come: As, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KENNEL_SHARE", "another")
    doorkeeper.cache_clear()
    doorkeeper().is_guarded = True
    page = come(aws, {})
    said = text(page)
    assert not page.exception
    assert "No model answers at this moment: the one that is shared here is not there" in said
    assert "another" not in said
    assert "KENNEL_SHARE names another, and there is no such endpoint" in caplog.text
    assert not page.file_uploader


def test_without_the_gate_nobody_is_let_in(aws: ScriptedAws, secrets: Path, come: As) -> None:
    doorkeeper().is_guarded = False
    page = come(aws, ANN)
    assert "app.py was started alone" in text(page).replace("App.py", "app.py")
    assert ACCOUNT not in text(page)


def test_on_an_address_that_others_reach_nobody_is_let_in_without_sign_in(
    aws: ScriptedAws, come: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = st.get_option
    monkeypatch.setattr(st, "get_option", lambda key: "192.168.1.5" if key == "server.address" else asked(key))
    page = come(aws, {})
    assert "does not listen on 192.168.1.5 without sign-in" in text(page)
    assert ACCOUNT not in text(page)
