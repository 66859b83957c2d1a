"""What a variant's auto scaling would have done with some traffic: instances, waits, failures and cost. Pure.

The simulation goes through time in steps of a second, ten for more than six hours, a minute for more than two days
where no policy looks at less. Each step: scheduled actions happen; alarms see the periods that have been published by
now; what they decide begins; activities complete; then the step's requests are served, queued or refused by the
instances that serve. AWS's delays are parameters (`Delays`), because AWS does not publish them all. Same arguments,
same result.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from dashboard.core.costs.quantities import MONTH_HOURS
from dashboard.core.serving.scaling.policy import Settings, Tracked
from dashboard.core.serving.scaling.scaler import Activity, AlarmChange, Scaler, Watched
from dashboard.core.serving.scaling.schedule import occurrences
from dashboard.core.serving.scaling.serving import METRICS, Service, Serving, Variant
from dashboard.core.serving.scaling.traffic import Traffic
from dashboard.core.serving.scaling.waiting import Wait, quantile

FINE_SECONDS, LONG_SECONDS = 6 * 3600, 2 * 86_400
"""Traffic up to the first is simulated second by second; longer than the second, minute by minute."""
START_SECONDS = 240.0
"""Assumed where nothing is known of an endpoint: AWS takes some minutes for an instance, and promises no time."""


@dataclass(frozen=True)
class Delays:
    """Seconds. AWS publishes none of them; these are assumptions which a page shows and lets a person change.

    publication: from the end of a period until an alarm has seen it, None: as long as the period; start: from an
    activity until new instances serve; stop: until instances that are not needed any more are gone.
    """

    publication: float | None = None
    start: float = START_SECONDS
    stop: float = 60.0


@dataclass(frozen=True)
class Moment:
    """The state over one stretch of time, `at` seconds after the begin: means, but for what is counted in it.

    needed: instances that the requests would keep wholly busy.
    """

    at: float
    requests: float
    needed: float
    desired: int
    serving: int
    waiting: float
    late: float
    failed: float


@dataclass(frozen=True)
class Replay:
    """What came of it. Counts are of requests; `waits` are seconds; cost is None where the instance's price is unknown.

    left_out: what of the settings was not simulated, in sentences.
    """

    settings: Settings
    traffic: Traffic
    service: Service
    delays: Delays
    moments: tuple[Moment, ...]
    activities: tuple[Activity, ...]
    alarms: tuple[AlarmChange, ...]
    requests: float
    late: float
    failed: float
    wait_p50: float
    wait_p90: float
    wait_p99: float
    instance_seconds: float
    left_out: tuple[str, ...] = ()

    @property
    def late_share(self) -> float:
        return self.late / self.requests if self.requests else 0.0

    @property
    def failed_share(self) -> float:
        return self.failed / self.requests if self.requests else 0.0

    @property
    def instance_hours(self) -> float:
        return self.instance_seconds / 3600

    @property
    def most(self) -> int:
        """The most instances that served at once."""
        return max((moment.serving for moment in self.moments), default=0)

    @property
    def cost(self) -> Decimal | None:
        """Of this traffic: instances × seconds in service × price."""
        hourly = self.service.hourly
        return None if hourly is None else hourly * Decimal(repr(self.instance_seconds)) / 3600

    def month(self, hours: Decimal = MONTH_HOURS) -> Decimal | None:
        """An estimate: a month in which the same traffic comes again and again. hours: of a month."""
        if self.cost is None or not self.traffic.seconds:
            return None
        return self.cost * hours * 3600 / self.traffic.seconds


def simulate(
    settings: Settings,
    traffic: Traffic,
    service: Service,
    delays: Delays | None = None,
    *,
    instances: int | None = None,
) -> Replay:
    """Run traffic through the settings.

    instances: how many serve at the begin, within minimum and maximum (default: the minimum). Raises InvalidInput for
    a scheduled action whose schedule is none.
    """
    run = _Run(settings, traffic, service, delays or Delays(), instances)
    step = step_of(settings, traffic.seconds)
    for number in range(traffic.seconds // step):
        run.step(float(number * step), step)
    return run.replay()


def step_of(settings: Settings, seconds: int) -> int:
    """Seconds of one step for traffic that is so long; it divides the periods of all that is tracked."""
    if seconds <= FINE_SECONDS:
        return 1
    shortest = min((one.tracked.period for one in settings.tracking), default=60)
    return 10 if seconds <= LONG_SECONDS else min(60, shortest)


def steady(instances: int) -> Settings:
    """No auto scaling: always so many."""
    return Settings(instances, instances)


@dataclass
class _Run:
    """A simulation on its way; all times are seconds after the traffic's begin."""

    settings: Settings
    traffic: Traffic
    service: Service
    delays: Delays
    begin_with: int | None
    activities: list[Activity] = field(default_factory=list)
    changes: list[AlarmChange] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        tracked = [one for one in self.settings.tracking if one.tracked in METRICS]
        self.scaler = Scaler(self.settings.minimum, self.settings.maximum, [Watched(one) for one in tracked])
        first = self.scaler.clamp(self.settings.minimum if self.begin_with is None else self.begin_with)
        self.desired = first
        self.variant = Variant(self.service, first, is_even=self.traffic.is_even)
        self.planned = sorted(self._scheduled(), key=lambda one: one[0])
        self.going: Activity | None = None
        self.waits: dict[Wait, float] = {}
        self.seconds = 0.0
        self.stretch = max(1, self.traffic.seconds // 720)  # of one moment: at most some 720 of them are kept
        self._open: list[tuple[Serving, int]] = []
        self._since = 0.0

    def step(self, at: float, length: int) -> None:
        self._schedule(at)
        self._look(at)
        self._complete(at)  # seen by looking now and then, and so never at the very moment that an alarm acts
        served = self.variant.serve(at, length, self.traffic.per_second(at))
        self.seconds += self.variant.instances * length
        self.waits[served.wait] = self.waits.get(served.wait, 0.0) + served.taken
        self._open.append((served, length))
        if at + length - self._since >= self.stretch:
            self._close(at + length)

    def _complete(self, at: float) -> None:
        if self.going and self.going.done <= at:
            self.scaler.completed(self.going.done, self.going)
            self.variant.instances = self.going.after
            self.going = None

    def _schedule(self, at: float) -> None:
        while self.planned and self.planned[0][0] <= at:
            _, minimum, maximum = self.planned.pop(0)
            self.scaler.minimum = self.scaler.minimum if minimum is None else minimum
            self.scaler.maximum = self.scaler.maximum if maximum is None else maximum
        if self.scaler.clamp(self.desired) != self.desired:
            self._change(at, self.scaler.clamp(self.desired), "a scheduled action moved the minimum or the maximum")

    def _look(self, at: float) -> None:
        looked = []
        for one in self.scaler.watched:
            tracked = one.policy.tracked
            late = tracked.period if self.delays.publication is None else self.delays.publication
            while (one.seen + 1) * tracked.period + late <= at:
                self.changes += one.see(at, self.variant.point(tracked, one.seen))
                looked.append(one)
        if looked and not self.going:
            wanted, policy = self.scaler.decide(at, self.desired, looked)
            self._change(at, wanted, policy, policy)

    def _change(self, at: float, wanted: int, why: str, policy: str = "") -> None:
        if wanted == self.desired or self.going:
            return
        is_out = wanted > self.desired
        done = at + (self.delays.start if is_out else self.delays.stop)
        self.going = Activity(at, done, self.desired, wanted, why, policy)
        self.activities.append(self.going)
        self.desired = wanted

    def _scheduled(self) -> Iterator[tuple[float, int | None, int | None]]:
        for one in self.settings.scheduled:
            begin = max(self.traffic.begin, one.start) if one.start else self.traffic.begin
            end = min(self.traffic.end, one.end) if one.end else self.traffic.end
            for moment in occurrences(one.schedule, one.timezone, begin, end):
                yield (moment - self.traffic.begin).total_seconds(), one.minimum, one.maximum

    def _close(self, at: float) -> None:
        whole = sum(length for _, length in self._open)
        requests = sum(one.asked for one, _ in self._open)
        self.moments.append(
            Moment(
                self._since,
                requests,
                requests * self.service.latency / self.service.places / whole,
                self.desired,
                min(one.instances for one, _ in self._open),
                sum(one.waiting * length for one, length in self._open) / whole,
                sum(one.late for one, _ in self._open),
                sum(one.failed for one, _ in self._open),
            )
        )
        self._open, self._since = [], at

    def replay(self) -> Replay:
        if self._open:
            self._close(float(self.traffic.seconds))
        waits = list(self.waits.items())
        return Replay(
            self.settings,
            self.traffic,
            self.service,
            self.delays,
            tuple(self.moments),
            tuple(self.activities),
            tuple(self.changes),
            requests=sum(one.requests for one in self.moments),
            late=sum(one.late for one in self.moments),
            failed=sum(one.failed for one in self.moments),
            wait_p50=quantile(waits, 0.5),
            wait_p90=quantile(waits, 0.9),
            wait_p99=quantile(waits, 0.99),
            instance_seconds=self.seconds,
            left_out=tuple(self._left_out()),
        )

    def _left_out(self) -> Iterator[str]:
        for one in self.settings.tracking:
            if one.tracked not in METRICS:
                what = "a metric of your own" if one.tracked is Tracked.CUSTOM else one.tracked.value
                yield f"{one.name} tracks {what}, of which requests alone tell nothing: it is taken to do nothing"
        for step in self.settings.steps:
            yield f"{step.name} is a step policy on an alarm of your own: it is taken to do nothing"


def capacities(replay: Replay) -> tuple[tuple[float, int], ...]:
    """(seconds, desired instances) from each change on, the first at 0."""
    first = replay.activities[0].before if replay.activities else replay.moments[0].desired if replay.moments else 0
    return ((0.0, first), *((one.at, one.after) for one in replay.activities))
