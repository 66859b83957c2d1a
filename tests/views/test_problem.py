"""Errors as cards, and mistakes of our own."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import connections
from dashboard.core.errors import AccessDenied, AlreadyExists, CredentialsProblem, KennelError, Throttled
from dashboard.ui import problem
from tests.views.conftest import Open, text, with_faults
from tests.views.scripted import ScriptedAws


def failing() -> None:
    from dashboard.ui import problem

    problem.unexpected(ValueError("the secret is 42"))


def test_a_mistake_of_ours_is_said_with_a_number_and_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="dashboard.ui.problem"):
        page = AppTest.from_function(failing).run()
    said = with_faults(page)
    assert "This page could not be drawn (number" in said
    assert "42" not in said.split("number")[0]
    assert "the secret is" not in said
    [record] = [r for r in caplog.records if r.name == "dashboard.ui.problem"]
    number = said.split("(number ")[1].split(")")[0]
    assert number in record.getMessage()
    assert record.exc_info


def guarded() -> None:
    import streamlit as st

    from dashboard.core.errors import NotFound
    from dashboard.ui import problem

    st.write("above")
    with problem.shown(title="Runs"):
        raise NotFound("the run <b>x</b> is not there", "it was deleted", "choose another")
    st.write("below")


def test_a_card_replaces_what_failed_and_nothing_else() -> None:
    page = AppTest.from_function(guarded).run()
    said = text(page)
    assert not page.exception
    assert "above" in said
    assert "below" in said
    assert "The run &lt;b&gt;x&lt;/b&gt; is not there" in said
    assert "It was deleted" in said
    assert "Choose another" in said
    assert "not found" in said
    assert not page.button  # trying again would not help


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AccessDenied("no"), "access denied"),
        (AlreadyExists("no"), "already exists"),
        (Throttled("no"), "throttled"),
        (KennelError("no"), "kennel error"),
    ],
)
def test_an_errors_kind_is_said_in_words(error: KennelError, words: str) -> None:
    assert problem.kind(error) == words


def test_an_account_that_cannot_be_connected_to_is_still_named(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_profile(environ: object) -> None:
        raise CredentialsProblem("there is no profile nope", "no file names it", "name another")

    page = visit(ScriptedAws())
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "nope")
    monkeypatch.setattr(connections, "connect", no_such_profile)
    said = text(page.run())
    assert "There is no profile nope" in said
    assert "Real AWS · profile nope · read-only" in said
    assert "stHeader" in said


def twice() -> None:
    import streamlit as st

    from dashboard.core.errors import ServiceFault
    from dashboard.ui import page, problem

    with st.container(key="panel-waste"):
        st.button("Look again", key="waste-again")
    with problem.shown("waste", title="Waste"):
        page.title("Waste", "nothing is wasted")
        raise ServiceFault("sagemaker Search failed inside AWS")


def test_a_page_that_fails_below_its_title_keeps_it_and_its_own_buttons() -> None:
    page = AppTest.from_function(twice).run()
    said = text(page)
    assert not page.exception
    assert said.count("<h1>Waste</h1>") == 1
    assert "nothing is wasted" in said
    assert {one.key for one in page.button} == {"waste-again", "problem-waste-again"}
