"""The caches: nothing is asked twice for nothing, and two accounts never see each other's readings."""

from dataclasses import replace

import pytest

from dashboard import state
from dashboard.core.errors import Unreachable
from tests.views.scripted import EMBEDDED, ScriptedAws

DONE, LIVE = "drawn-dogs-5d20e9f1", "drawn-dogs-2f91c0aa"


def test_many_looks_are_one_question(aws: ScriptedAws) -> None:
    for _ in range(5):
        state.run(aws, LIVE)
        state.endpoints(aws)
    assert len(aws.asked("DescribeTrainingJob")) == 1
    assert len(aws.asked("ListEndpoints")) == 1


def test_a_run_that_has_ended_is_never_asked_about_again(aws: ScriptedAws) -> None:
    first = state.run(aws, DONE)
    state.forget()
    assert state.run(aws, DONE) is first
    assert len(aws.asked("DescribeTrainingJob")) == 1


def test_after_a_change_the_next_look_asks_again(aws: ScriptedAws) -> None:
    assert len(state.endpoints(aws).value) == 3
    aws.add_endpoint("one-more")
    assert len(state.endpoints(aws).value) == 3
    state.forget()
    assert len(state.endpoints(aws).value) == 4


@pytest.mark.parametrize(
    "other",
    [
        replace(EMBEDDED, account_id="999999999999"),
        replace(EMBEDDED, region="eu-west-1"),
        replace(EMBEDDED, endpoint_url="http://127.0.0.1:2"),
        replace(EMBEDDED, name="work", is_embedded=False),
    ],
)
def test_two_accounts_never_see_each_others_readings(aws: ScriptedAws, other: object) -> None:
    elsewhere = ScriptedAws(other)
    assert len(state.runs(aws).value) == 6
    assert state.runs(elsewhere).value == ()
    assert state.endpoints(elsewhere).value == ()
    assert state.datasets(elsewhere).value == ()
    assert state.overview(elsewhere).value.is_empty


def test_a_failed_look_is_not_kept(aws: ScriptedAws) -> None:
    aws.errors["*"] = Unreachable("nothing answers")
    with pytest.raises(Unreachable):
        state.runs(aws)
    aws.errors.clear()
    assert len(state.runs(aws).value) == 6


def test_a_log_is_read_on_and_not_from_its_start(aws: ScriptedAws) -> None:
    tail = state.log(aws, LIVE)
    before = tail.count
    aws.logs[LIVE] += ["one more line", "epoch=13/20 train_loss=0.05 valid_loss=0.16"]
    tail = state.log(aws, LIVE)
    assert tail.count == before + 2
    assert tail.lines[-2].text == "one more line"
    assert tail.progress.curves["train:loss"][-1] == (13, 0.05)
    assert aws.asked("GetLogEvents")[-1]["nextToken"] != "0"


def test_a_million_lines_are_not_kept_but_counted(aws: ScriptedAws) -> None:
    aws.logs[LIVE] = ["epoch=1/2 train_loss=0.5", *[f"noise {number}" for number in range(30_000)]]
    tail = state.log(aws, LIVE)
    assert tail.count == 30_001
    assert len(tail.lines) == state.TAIL_LINES
    assert tail.progress.curves["train:loss"] == ((1, 0.5),)


def test_ping_says_which_account_answers(aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "connect", lambda environ: aws)
    assert state.ping().account_id == "123456789012"
    assert aws.asked("GetCallerIdentity")


def test_the_freeze_happens_once(monkeypatch: pytest.MonkeyPatch, aws: ScriptedAws) -> None:
    frozen = []
    monkeypatch.setattr(state, "connect", lambda environ: aws)
    monkeypatch.setattr(state.gc, "freeze", lambda: frozen.append(True))
    state.warm_up()
    state.warm_up()
    assert frozen == [True]


def test_it_is_warm_without_an_account_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(environ: object) -> None:
        raise Unreachable("nothing answers")

    monkeypatch.setattr(state, "connect", unreachable)
    state.warm_up()
    with pytest.raises(Unreachable):
        state.connection()
