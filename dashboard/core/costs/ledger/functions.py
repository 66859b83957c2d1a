"""Lambda functions: what they ran, as CloudWatch tells it by day, and what was kept ready for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.daily_metrics import Metric, by_day
from dashboard.core.costs.ledger.switched import On, provisioned_lives
from dashboard.core.costs.ledger.trail import Happening
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.parallel import gather

MOST = 200
"""Functions that are read, in the order in which Lambda lists them: 2 calls each, and 3 of CloudWatch's metrics."""
BEYOND = f"only the first {MOST} functions of a region are looked at"
WORKERS = 8
FIGURES = ("Invocations", "Duration", "ProvisionedConcurrencyInvocations")
MEASURED = (
    "by CloudWatch's Duration, as large as it is now: Lambda bills each invocation to the next ms, and cold starts"
)
SHARED = "what ran in environments that were kept ready is taken to have run as long as the others"
NO_END = "it is gone, and CloudTrail does not tell (yet) when it was removed"
SINCE_LAST = "CloudTrail tells nothing of {}'s provisioned concurrency: counted from its last change"


@dataclass(frozen=True)
class _Function:
    """A function as Lambda tells it, its tags, and what is kept ready for it: (qualifier, how many, since)."""

    told: Mapping[str, Any]
    marks: Mapping[str, str]
    ready: tuple[tuple[str, int, datetime], ...]

    @property
    def name(self) -> str:
        return str(self.told["FunctionName"])

    @property
    def memory_mb(self) -> int:
        return int(self.told["MemorySize"])

    @property
    def is_arm(self) -> bool:
        return "arm64" in self.told.get("Architectures", ())

    @property
    def ephemeral_mb(self) -> int:
        return int(self.told.get("EphemeralStorage", {}).get("Size", 512))


def functions(aws: Aws, prices: PriceBook, now: datetime, happenings: Sequence[Happening]) -> tuple[Receipt, ...]:
    """Receipts of the functions that are there, those of the ones beyond MOST unknown. Raises those of `Aws.call`."""
    listed = [one for page in aws.pages("lambda", "ListFunctions") for one in page.get("Functions", [])]
    found = gather(lambda told: _read(aws, told), listed[:MOST], workers=WORKERS)
    metrics = [Metric("AWS/Lambda", name, (("FunctionName", one.name),)) for one in found for name in FIGURES]
    figures = iter(by_day(aws, metrics, now)) if metrics else iter(())
    ready = provisioned_lives(happenings)
    read = [_receipt(one, next(figures), next(figures), next(figures), ready, aws, prices, now) for one in found]
    return (*read, *(_beyond(told, aws, now) for told in listed[MOST:]))


def _beyond(told: Mapping[str, Any], aws: Aws, now: datetime) -> Receipt:
    """Of a function that is not looked at: there, and of unknown cost."""
    made = min(datetime.fromisoformat(told["LastModified"]), now)
    return Receipt(
        key=f"function:{told['FunctionName']}",
        name=str(told["FunctionName"]),
        service=Service.LAMBDA,
        nature=Nature.of({}, is_embedded=aws.account.is_embedded),
        started=made,
        ended=None,
        lines=(Line("requests and duration", None, "requests", None, None, made, now, "", BEYOND),),
        status="there",
    )


def _read(aws: Aws, told: Mapping[str, Any]) -> _Function:
    try:
        marks = aws.call("lambda", "ListTags", Resource=told["FunctionArn"]).get("Tags", {})
    except (AccessDenied, NotFound):
        marks = {}  # it costs what it costs, whosever it is
    pages = aws.pages("lambda", "ListProvisionedConcurrencyConfigs", FunctionName=told["FunctionName"])
    return _Function(
        told,
        marks,
        tuple(
            (
                one["FunctionArn"].rpartition(":")[2],
                int(one.get("AllocatedProvisionedConcurrentExecutions", 0)),
                datetime.fromisoformat(one["LastModified"]),
            )
            for page in pages
            for one in page.get("ProvisionedConcurrencyConfigs", [])
        ),
    )


def _receipt(
    one: _Function,
    invocations: Mapping[date, float],
    durations: Mapping[date, float],
    inside: Mapping[date, float],
    happened: Mapping[tuple[str, str], Sequence[On]],
    aws: Aws,
    prices: PriceBook,
    now: datetime,
) -> Receipt:
    region = aws.account.region
    lines: list[Line] = []
    for day in sorted(invocations):
        lines += _ran(one, day, invocations[day], durations.get(day, 0.0), inside.get(day, 0.0), prices, region, now)
    notes = [MEASURED, *([SHARED] if inside else [])]
    kept, lost, untold = _kept_ready(one, happened)
    lines += [_lost(times, now) for times in lost]
    notes += [SINCE_LAST.format(f"{one.name}:{qualifier}") for qualifier in untold]
    for times in kept:
        lines += _ready(one, times, prices, region, now)
    made = min(datetime.fromisoformat(one.told["LastModified"]), now)
    return Receipt(
        key=f"function:{one.name}",
        name=one.name,
        service=Service.LAMBDA,
        nature=Nature.of(one.marks, is_embedded=aws.account.is_embedded),
        started=min((line.started for line in lines), default=made),
        ended=None,
        lines=tuple(lines),
        status="there",
        project=one.marks.get(tags.PROJECT, ""),
        owner=one.marks.get(tags.OWNER, ""),
        facts=(
            Fact("ListFunctions", "MemorySize", str(one.memory_mb)),
            Fact("ListFunctions", "Architectures", "arm64" if one.is_arm else "x86_64"),
            Fact("GetMetricData", "AWS/Lambda Invocations", f"{sum(invocations.values()):,.0f}"),
            Fact("GetMetricData", "AWS/Lambda Duration", f"{sum(durations.values()):,.0f} ms"),
        ),
        notes=tuple(notes),
    )


def _ran(
    one: _Function,
    day: date,
    invocations: float,
    duration_ms: float,
    inside: float,
    prices: PriceBook,
    region: str,
    now: datetime,
) -> tuple[Line, ...]:
    """What ran on a day, in environments that were kept ready (whose duration has its own rate) and in others."""
    started = min(datetime(day.year, day.month, day.day, tzinfo=UTC), now)
    ended = min(started + timedelta(days=1), now)
    requests, ready = round(invocations), min(round(inside), round(invocations))
    if not requests:
        return ()
    shared = duration_ms * ready / requests
    lines: tuple[Line, ...] = ()
    if requests > ready:
        lines += charges.function(
            prices,
            region,
            requests=requests - ready,
            duration_ms=duration_ms - shared,
            memory_mb=one.memory_mb,
            started=started,
            ended=ended,
            arm=one.is_arm,
            ephemeral_mb=one.ephemeral_mb,
        )
    if ready:
        ran = charges.provisioned(
            prices,
            region,
            memory_mb=one.memory_mb,
            count=0,
            started=started,
            ended=ended,
            requests=ready,
            duration_ms=shared,
            arm=one.is_arm,
            ephemeral_mb=one.ephemeral_mb,
        )
        lines += tuple(line for line in ran if line.quantity)  # what was kept ready is counted by its own times
    return lines


def _ready(one: _Function, kept: Sequence[On], prices: PriceBook, region: str, now: datetime) -> Iterator[Line]:
    """What one qualifier kept ready, number after number."""
    before = Decimal(0)
    for place, times in enumerate(kept):
        started = min(times.started, now)
        ended = max(started, min(times.ended or now, now))
        goes_on = place + 1 < len(kept) and kept[place + 1].started == times.ended
        yield from charges.provisioned(
            prices,
            region,
            memory_mb=one.memory_mb,
            count=int(times.size),
            started=started,
            ended=ended,
            arm=one.is_arm,
            before=before,
            goes_on=goes_on,
        )
        before = before + Decimal(str((ended - started).total_seconds())) if goes_on else Decimal(0)


def _lost(times: On, now: datetime) -> Line:
    """What was kept ready until nobody knows when: it is not counted on, and named as missing."""
    started = min(times.started, now)
    what = "kept ready until it was removed"
    return Line(what, None, "GB-seconds", None, None, started, started, "", NO_END, essential=False)


def _kept_ready(
    one: _Function, happened: Mapping[tuple[str, str], Sequence[On]]
) -> tuple[list[list[On]], list[On], list[str]]:
    """When each qualifier kept how many; those whose end is not known; qualifiers of which CloudTrail tells nothing."""
    there = {qualifier: (count, since) for qualifier, count, since in one.ready}
    found: list[list[On]] = []
    lost: list[On] = []
    untold: list[str] = []
    for (name, qualifier), times in happened.items():
        if name != one.name:
            continue
        gone = [each for each in times if each.ended is None and qualifier not in there]
        found.append([each for each in times if each not in gone])
        lost += gone
        there.pop(qualifier, None)
    for qualifier, (count, since) in there.items():
        found.append([On(since, None, str(count))])
        untold.append(qualifier)
    return found, lost, untold
