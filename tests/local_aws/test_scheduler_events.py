"""What becomes of a schedule's event: it is tried again, given up in time, and the next one comes; by our clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.cloudwatch_store import Metric, MetricStore
from local_aws.services.scheduler import Scheduler
from local_aws.store import Store

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC).timestamp()
CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
BUSY = ServiceError("InternalFailure", "not now", 500)
DENIED = ServiceError("AccessDeniedException", "no", 403)


class Account:
    """A scheduler whose targets only note that they were called, or fail as they are told to."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.called: list[float] = []
        self.failures: list[Exception] = []
        self.folder = folder
        self.store = Store(folder)
        self.metrics = MetricStore(folder / "metrics")
        self.scheduler = self.started()

    def started(self) -> Scheduler:
        return Scheduler(self.store, self, self.metrics, now=lambda: self.now)  # type: ignore[arg-type]

    def check(self, target: Any, schedule_arn: str) -> None:
        """Every target will do."""

    def call(self, target: Any, schedule_arn: str) -> None:
        self.called.append(self.now - NOON)
        if self.failures:
            raise self.failures.pop(0)

    def make(self, expression: str, **more: Any) -> None:
        target = {"Arn": "a", "RoleArn": "r", "RetryPolicy": more.pop("retry", {})}
        asked = {"Name": "s", "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
        self.scheduler.create_schedule({**asked, **more}, CALLER)

    def run(self, seconds: float) -> None:
        """Let time go by, looking whenever something is due."""
        end = self.now + seconds
        while True:
            following = self.scheduler.fire_due()
            if following is None or following > end:
                self.now = end
                return
            self.now = max(self.now, following)

    def counted(self, metric: str) -> float:
        name = Metric("AWS/Scheduler", metric, (("ScheduleGroup", "default"),))
        bins = self.metrics.bins("us-east-1", name, start=int(NOON) - 60, end=int(NOON) + 10**6, period=10**7)
        return sum(one.total for one in bins)

    def there(self) -> int:
        return len(self.scheduler.list_schedules({}, CALLER)["Schedules"])


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    made = Account(tmp_path)
    yield made
    made.metrics.close()
    made.store.close()


def test_a_single_time_fires_once_and_stays_or_goes(account: Account) -> None:
    account.make("at(2030-06-01T12:01:00)")
    account.run(59)
    assert account.called == []
    account.run(3600)
    assert account.called == [60]
    assert account.there() == 1
    account.scheduler.delete_schedule({"Name": "s"}, CALLER)
    account.make("at(2030-06-01T13:30:00)", ActionAfterCompletion="DELETE")
    account.run(3600)
    assert (len(account.called), account.there()) == (2, 0)


def test_a_rate_fires_from_its_making_on_until_its_end(account: Account) -> None:
    account.make("rate(1 minute)", EndDate=datetime(2030, 6, 1, 12, 3, 30, tzinfo=UTC), ActionAfterCompletion="DELETE")
    account.run(600)
    assert account.called == [0, 60, 120, 180]
    assert account.there() == 0, "it goes after its last"


def test_what_fails_for_a_while_is_tried_again_more_and_more_slowly(account: Account) -> None:
    account.failures = [BUSY, BUSY, BUSY]
    account.make("at(2030-06-01T12:01:00)")
    account.run(3600)
    assert account.called == [60, 61, 63, 67]
    assert (account.counted("InvocationAttemptCount"), account.counted("TargetErrorCount")) == (4, 3)
    assert account.counted("InvocationDroppedCount") == 0


def test_one_that_breaks_does_not_keep_the_others_from_firing(account: Account) -> None:
    account.make("at(2030-06-01T12:01:00)", Name="a")
    account.make("at(2030-06-01T12:01:00)", Name="b")
    account.failures = [KeyError("a bug"), KeyError("again")]
    account.run(3600)
    assert account.called == [60, 60, 61, 61], "both, and both again"
    assert account.counted("InvocationDroppedCount") == 0


def test_it_is_given_up_after_as_many_attempts_as_were_asked_for(account: Account) -> None:
    account.failures = [BUSY] * 9
    account.make("at(2030-06-01T12:01:00)", retry={"MaximumRetryAttempts": 2})
    account.run(3600)
    assert account.called == [60, 61, 63]
    assert account.counted("InvocationDroppedCount") == 1


def test_what_is_not_allowed_is_not_tried_again(account: Account) -> None:
    account.failures = [DENIED]
    account.make("at(2030-06-01T12:01:00)")
    account.run(3600)
    assert account.called == [60]
    assert account.counted("InvocationDroppedCount") == 1


def test_what_was_due_while_nothing_ran_fires_late_or_not_at_all(account: Account) -> None:
    account.make("at(2030-06-01T12:01:00)", retry={"MaximumEventAgeInSeconds": 600})
    account.now += 300
    account.scheduler = account.started()  # the server was away for five minutes
    account.scheduler.fire_due()
    assert account.called == [300]
    account.scheduler.update_schedule(
        {
            "Name": "s",
            "ScheduleExpression": "at(2030-06-01T12:10:00)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "a", "RoleArn": "r", "RetryPolicy": {"MaximumEventAgeInSeconds": 600}},
        },
        CALLER,
    )
    account.now += 3600
    account.scheduler.fire_due()
    assert account.called == [300], "an hour later the event is too old"
    assert account.counted("InvocationDroppedCount") == 1


def test_a_disabled_schedule_waits(account: Account) -> None:
    account.make("at(2030-06-01T12:01:00)", State="DISABLED")
    account.run(3600)
    assert account.called == []


def test_one_that_is_deleted_while_it_fires_stays_deleted(account: Account) -> None:
    account.make("rate(1 minute)")
    account.call = lambda target, arn: account.scheduler.delete_schedule({"Name": "s"}, CALLER) and None  # type: ignore[method-assign]
    account.scheduler.fire_due()
    assert account.there() == 0
