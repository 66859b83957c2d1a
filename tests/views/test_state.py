"""The caches: nothing is asked twice for nothing, and two accounts never see each other's readings."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard import connections, run_readings, state
from dashboard.core.errors import AccessDenied, NotFound, Unreachable
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.usage import Measure
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


def test_the_log_of_a_run_that_ended_long_ago_is_read_to_its_end_once(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = state.run(aws, DONE).value.ended
    assert ended is not None
    monkeypatch.setattr(run_readings, "now", lambda: ended + timedelta(minutes=9))
    lines = state.log(aws, DONE).count
    state.log(aws, DONE)
    aws.logs[DONE] += ["a line that came late"]
    assert state.log(aws, DONE).count == lines + 1
    monkeypatch.setattr(run_readings, "now", lambda: ended + timedelta(minutes=11))
    state.log(aws, DONE)
    asked = len(aws.asked("GetLogEvents"))
    assert state.log(aws, DONE).count == lines + 1
    assert len(aws.asked("GetLogEvents")) == asked


def test_a_million_lines_are_not_kept_but_counted(aws: ScriptedAws) -> None:
    aws.logs[LIVE] = ["epoch=1/2 train_loss=0.5", *[f"noise {number}" for number in range(30_000)]]
    tail = state.log(aws, LIVE)
    assert tail.count == 30_001
    assert len(tail.lines) == state.TAIL_LINES
    assert tail.progress.curves["train:loss"] == ((1, 0.5),)


def test_ping_says_which_account_answers(aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "connect", lambda environ: aws)
    assert state.ping().account_id == "123456789012"
    assert aws.asked("GetCallerIdentity")


def test_the_freeze_happens_once(monkeypatch: pytest.MonkeyPatch, aws: ScriptedAws) -> None:
    frozen = []
    monkeypatch.setattr(connections, "connect", lambda environ: aws)
    monkeypatch.setattr(state.gc, "freeze", lambda: frozen.append(True))
    state.warm_up()
    state.warm_up()
    assert frozen == [True]


def test_it_is_warm_without_an_account_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(environ: object) -> None:
        raise Unreachable("nothing answers")

    monkeypatch.setattr(connections, "connect", unreachable)
    state.warm_up()
    with pytest.raises(Unreachable):
        state.connection()


def test_every_kind_of_run_is_listed_and_found_by_its_key(aws: ScriptedAws) -> None:
    aws.add_tuning("search", [0.5, 0.3])
    aws.add_ec2("cats-1", age=100)
    listed = {run.key for run in state.listing(aws).runs}
    assert {"tuning:search", "search-001-00000001", "ec2:cats-1", DONE} <= listed
    for key in ("tuning:search", "ec2:cats-1"):
        assert state.run(aws, key).value.key == key


def test_a_run_that_was_looked_at_is_listed_as_it_is_now(aws: ScriptedAws) -> None:
    before = {run.key: run.status for run in state.runs(aws).value}
    assert before[LIVE] is RunStatus.TRAINING
    aws.add_job(LIVE, "Completed", age=48, seconds=40)
    state.run(aws, LIVE)
    assert {run.key: run.status for run in state.runs(aws).value}[LIVE] is RunStatus.COMPLETED


def test_a_tuning_job_costs_what_its_trials_cost_in_the_list_and_on_its_page(aws: ScriptedAws) -> None:
    aws.add_tuning("search", [0.5, 0.3])
    listed = next(run for run in state.listing(aws).runs if run.key == "tuning:search")
    shown = state.run(aws, "tuning:search").value
    trials = state.trials(aws, shown)
    assert [run.parent for run in trials] == ["search", "search"]
    amounts = [state.cost(aws, run).amount for run in trials]
    assert state.cost(aws, listed).amount == state.cost(aws, shown).amount == sum(a for a in amounts if a is not None)


def test_a_failure_is_explained_with_and_without_the_right_to_read_its_log(aws: ScriptedAws) -> None:
    failed = state.run(aws, "drawn-dogs-c77a1b02").value
    with_log = state.explanation(aws, failed)
    assert with_log is not None
    assert "one class only" in with_log.why
    state.log(aws, failed.key)
    aws.errors["DescribeLogStreams"] = AccessDenied("not allowed to read logs")
    without = state.explanation(aws, failed)
    assert without is not None
    assert without.what == with_log.what
    assert state.explanation(aws, state.run(aws, DONE).value) is None


def test_runs_are_compared_with_their_costs_and_curves(aws: ScriptedAws) -> None:
    aws.add_ec2("cats-1", age=100)
    found = state.comparison(aws, [state.run(aws, key).value for key in (DONE, "ec2:cats-1")])
    assert [one.run.key for one in found.measures] == [DONE, "ec2:cats-1"]
    assert all(one.amount for one in found.measures)
    assert len(found.curves["valid:loss"]) == 2
    assert all(found.curves["valid:loss"])


def test_the_use_of_a_run_that_has_ended_is_asked_for_once_in_a_while(aws: ScriptedAws) -> None:
    aws.series = {"CPUUtilization": [150.0]}
    run = state.run(aws, DONE).value
    assert state.usage(aws, run).value.highest(Measure.CPU) == 150
    state.usage(aws, run)
    assert len(aws.asked("GetMetricData")) == 1


def test_a_deleted_run_is_gone_from_every_reading(aws: ScriptedAws) -> None:
    state.runs(aws)
    state.run(aws, DONE)
    del aws.jobs[DONE]
    state.deleted(aws, [DONE])
    assert DONE not in {run.key for run in state.runs(aws).value}
    state.forget()
    with pytest.raises(NotFound):
        state.run(aws, DONE)


def test_a_name_that_is_used_again_has_a_log_of_its_own(aws: ScriptedAws) -> None:
    assert state.log(aws, DONE).count > 0
    state.deleted(aws, [DONE])
    aws.logs[DONE] = ["the new one's first line"]
    assert [line.text for line in state.log(aws, DONE).lines] == ["the new one's first line"]


def test_a_log_without_an_end_stays_small_and_keeps_its_curves(aws: ScriptedAws) -> None:
    epochs = [f"epoch={number}/40 train_loss=0.5 valid_loss=0.{number:02}" for number in range(1, 41)]
    steps = [f"progress=0.{number % 1000:03} stage=head done={number} total=60000" for number in range(60_000)]
    aws.logs[LIVE] = [*epochs[:20], *steps, *epochs[20:]]
    tail = state.log(aws, LIVE)
    while tail.count < len(aws.logs[LIVE]):
        tail = state.log(aws, LIVE)
    assert len(tail.progress.curves["valid:loss"]) == 40
    assert tail.progress.fraction == 0.999
    assert len(tail._figures) + len(tail._latest) < 100
    assert len(tail.lines) == state.TAIL_LINES
