"""Looks at the alarms again and again, each at its own rate, and puts them into the state that their metrics say.

An alarm is evaluated each minute, one of a shorter period at each of its periods (CloudWatch User Guide, "Alarm
evaluation"). With a time scale both are that much shorter, but never below a second: metrics are kept per second. Where
periods would be shorter, fewer of them take the time that all should.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller
from local_aws.services.cloudwatch_alarms_judge import Point, Rule, State, Verdict, judge
from local_aws.services.cloudwatch_alarms_request import at_width, queries_of
from local_aws.services.cloudwatch_alarms_states import Transitions, stamp
from local_aws.services.cloudwatch_alarms_store import Document
from local_aws.services.cloudwatch_data import series_of
from local_aws.services.cloudwatch_store import MetricStore

log = logging.getLogger(__name__)

LAG = 1.25  # seconds until what was measured in a period is in the store: metrics are written once a second
LONGEST_SLEEP = 5.0


class Watch:
    """now: epoch seconds. `start` begins a thread that does `look` whenever an alarm is due."""

    def __init__(
        self, states: Transitions, metrics: MetricStore, now: Callable[[], float], *, pace: Pace = AS_AWS
    ) -> None:
        self.states = states
        self._alarms = states.alarms
        self._metrics = metrics
        self._now = now
        self._pace = pace
        self._seen: dict[str, float] = {}  # by alarm: the end of the last period that was looked at
        self._news = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ended = False
        self._alarms.changed = self._news.set
        self._thread = threading.Thread(target=self._go_on, name="alarms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended = True
        self._news.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _go_on(self) -> None:
        while not self._ended:
            self._news.clear()
            pause = self.look() - self._now()
            self._news.wait(min(max(pause, 0.01), LONGEST_SLEEP))

    def look(self) -> float:
        """Evaluate the alarms that are due; when the next one is (epoch seconds)."""
        found = self._alarms.all()
        following = self._now() + LONGEST_SLEEP
        for alarm in found:
            if self._ended:
                break
            every = self._every(alarm)
            end = (self._now() - LAG) // every * every
            if self._seen.get(alarm["AlarmArn"]) != end:
                self._seen[alarm["AlarmArn"]] = end
                self._evaluate(alarm, int(end))
            following = min(following, end + every + LAG)
        names = {alarm["AlarmArn"] for alarm in found}
        self._seen = {arn: end for arn, end in self._seen.items() if arn in names}
        self.states.forget(names)
        return following

    def _every(self, alarm: Document) -> int:
        return self._width(min(period_of(alarm), 60))

    def _width(self, period: int) -> int:
        """Real seconds of a period: a whole number of evaluations."""
        every = max(1, round(self._pace.seconds(min(period, 60))))
        return every * max(1, round(period / 60)) if period > 60 else every

    def _evaluate(self, alarm: Document, end: int) -> None:
        try:
            try:
                verdict, data = self._judged(alarm, end)
            except ServiceError as wrong:  # metric math that cannot be worked out with these figures
                verdict, data = Verdict(State.INSUFFICIENT_DATA, wrong.message), {"version": "1.0"}
            self.states.judged(alarm, verdict, data)
        except Exception:  # a full disk, a locked database: the other alarms go on, and the next look tries again
            log.exception("alarm %s", alarm["AlarmName"])

    def _judged(self, alarm: Document, end: int) -> tuple[Verdict, dict[str, Any]]:
        period = period_of(alarm)
        width = self._width(period)
        rule = Rule.of(alarm).shorter(self._pace.seconds(period) / width)
        start = end - rule.range * width
        caller = Caller(ACCOUNT, alarm["Region"], "", "")
        queries = at_width(queries_of(alarm, caller), period, width)
        found = series_of(self._metrics, queries, alarm["Region"], start, end, self._now(), exact=True)
        if len(found) != 1:
            raise ServiceError("ValidationError", f"An alarm watches one time series, and this gives {len(found)}.")
        values = found[0].points
        moments = range(end - width, start - 1, -width)
        periods = [Point(at, values[at]) if at in values else None for at in moments]
        verdict = judge(rule, periods, State(alarm["StateValue"]))
        return verdict, _data(alarm, verdict, self._now(), period)


def period_of(alarm: Document) -> int:
    """The seconds that one data point of an alarm stands for; of several metrics the longest."""
    if alarm.get("Metrics"):
        return max(int(one["MetricStat"]["Period"]) for one in alarm["Metrics"] if one.get("MetricStat"))
    return int(alarm["Period"])


def _data(alarm: Document, verdict: Verdict, now: float, period: int) -> dict[str, Any]:
    """StateReasonData."""
    oldest_first = verdict.points[::-1]
    return {
        "version": "1.0",
        "queryDate": stamp(now),
        **({"startDate": stamp(oldest_first[0].at)} if oldest_first else {}),
        **({"statistic": alarm["Statistic"]} if alarm.get("Statistic") else {}),
        "period": period,
        "recentDatapoints": [point.value for point in oldest_first],
        "threshold": alarm["Threshold"],
        "evaluatedDatapoints": [{"timestamp": stamp(point.at), "value": point.value} for point in verdict.points],
    }
