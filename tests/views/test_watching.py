"""A run that was looked at while it went on: whatever page is open says when it ends."""

from dashboard import state
from dashboard.core.errors import Unreachable
from tests.views.conftest import Open, text
from tests.views.scripted import ScriptedAws

LIVE = "drawn-dogs-2f91c0aa"


def test_its_end_is_said_on_another_page_once(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    page.query_params.clear()
    page.switch_page("views/overview.py").run()
    assert not page.toast
    aws.add_job(LIVE, "Completed", age=60, seconds=74)
    state.forget()
    page.run()
    said = page.toast[0].value.replace("\\", "")
    assert said.startswith(f"{LIVE} completed in 1 min 14 s, 91.7 % of the test photos right · $0.0024")
    assert said.endswith("simulated")
    assert not page.run().toast


def test_on_its_own_page_nothing_needs_saying(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    aws.add_job(LIVE, "Completed", age=60, seconds=74)
    state.forget()
    page.run()
    assert "completed in" in text(page)
    assert not page.toast


def test_a_run_that_was_not_looked_at_is_not_watched(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    aws.add_job(LIVE, "Completed", age=60, seconds=74)
    state.forget()
    assert not page.run().toast


def test_a_deleted_run_is_forgotten_and_an_account_that_is_away_is_asked_again(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    page.query_params.clear()
    page.switch_page("views/overview.py").run()
    aws.errors["*"] = Unreachable("nothing answers")
    state.forget()
    assert not page.run().exception
    aws.errors.clear()
    del aws.jobs[LIVE]
    state.forget()
    page.run()
    assert not page.exception
    assert page.session_state["watched-runs"] == []
