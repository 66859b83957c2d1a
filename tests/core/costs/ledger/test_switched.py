"""What is switched on and off: told twice, not at all, or in an order that nobody meant."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.ledger.switched import On, notebook_lives, provisioned_lives
from dashboard.core.costs.ledger.trail import Happening, in_order

T = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(at: int, name: str, **more: Any) -> Happening:
    return Happening(f"{name}{at}", T + at * HOUR, name, {"notebookInstanceName": "lab"} | more)


def ready(at: int, count: int | None, qualifier: str = "live", function: str = "photo") -> Happening:
    name = "DeleteProvisionedConcurrencyConfig" if count is None else "PutProvisionedConcurrencyConfig"
    asked = {"functionName": function, "qualifier": qualifier} | (
        {"provisionedConcurrentExecutions": count} if count else {}
    )
    return Happening(f"{name}{qualifier}{at}", T + at * HOUR, name, asked)


def test_starts_and_stops_that_are_told_twice_count_once() -> None:
    events = [
        told(0, "CreateNotebookInstance", instanceType="ml.t3.medium"),
        told(1, "StartNotebookInstance"),
        told(5, "StopNotebookInstance"),
        told(6, "StopNotebookInstance"),
    ]
    (life,) = notebook_lives(events)["lab"]
    assert life.on == (On(T, T + 5 * HOUR, "ml.t3.medium"),)
    assert life.gigabytes == 5  # what SageMaker makes when nobody says


def test_another_instance_type_counts_from_the_next_start() -> None:
    events = [
        told(0, "CreateNotebookInstance", instanceType="ml.t3.medium", volumeSizeInGB=20),
        told(2, "StopNotebookInstance"),
        told(3, "UpdateNotebookInstance", instanceType="ml.m5.large"),
        told(4, "StartNotebookInstance"),
        told(9, "DeleteNotebookInstance"),
    ]
    (life,) = notebook_lives(events)["lab"]
    assert [one.size for one in life.on] == ["ml.t3.medium", "ml.m5.large"]
    assert (life.ended, life.on[-1].ended, life.gigabytes) == (T + 9 * HOUR, T + 9 * HOUR, 20)


def test_a_history_that_begins_in_the_middle_says_so() -> None:
    (life,) = notebook_lives([told(2, "StopNotebookInstance"), told(3, "StartNotebookInstance")])["lab"]
    assert life.began_before
    assert [one.started for one in life.on] == [T + 3 * HOUR]


def test_environments_kept_ready_change_with_each_call_and_by_qualifier() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:photo"
    events = [ready(0, 2), ready(3, 5), ready(4, 1, "beta", arn), ready(7, None), ready(8, None)]
    found = provisioned_lives(events)
    assert found["photo", "live"] == [On(T, T + 3 * HOUR, "2"), On(T + 3 * HOUR, T + 7 * HOUR, "5")]
    assert found["photo", "beta"] == [On(T + 4 * HOUR, None, "1")]


STEPS = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from(["Create", "Start", "Stop", "Update", "Delete"])), max_size=15
)


@settings(deadline=None)
@given(STEPS)
def test_times_never_overlap_whatever_is_told(steps: list[tuple[int, str]]) -> None:
    events = in_order(told(at, f"{what}NotebookInstance", instanceType="ml.t3.medium") for at, what in steps)
    lives = notebook_lives(events).get("lab", [])
    times = [one for life in lives for one in life.on]
    for one in times[:-1]:
        assert one.ended is None or one.started <= one.ended
    for life in lives:
        for before, after in zip(life.on, life.on[1:], strict=False):
            assert before.ended is not None
            assert before.ended <= after.started
