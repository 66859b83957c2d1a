"""What AWS has billed, as Cost Explorer tells it: one question, which itself costs money, and its answer.

Nothing here is asked without a person's word for it. The answer is the whole account's, every region's, and is never
added to receipts; `reconcile` puts the two beside each other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.bill.names import REQUEST_PRICE
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.errors import KennelError, Refused, ServiceFault

METRIC = "UnblendedCost"
"""What was charged for each day's use, before it is spread over reservations and plans (AWS's default)."""
MOST_PAGES = 5
CURRENCY = "USD"
USAGE = "Usage"
BYS = (By.SERVICE, By.PROJECT, By.OWNER)
"""What a bill is put together by here: AWS knows tags, not runs."""
TAGS = {By.PROJECT: tags.PROJECT, By.OWNER: tags.OWNER}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: which days, put together by what, of which project and owner. It is the key of its answer."""

    period: Period
    by: By
    only: tuple[tuple[By, str], ...] = ()

    @classmethod
    def of(cls, selection: Selection) -> "Question":
        """The question nearest to what a page shows. A filter that a bill does not know is left out (`unasked`)."""
        by = selection.by if selection.by in BYS else By.SERVICE
        return cls(selection.period, by, tuple(one for one in selection.only if one[0] in TAGS))

    @staticmethod
    def unasked(selection: Selection) -> tuple[By, ...]:
        """The filters of a page that a bill does not know: it cannot be held against such a page."""
        return tuple(by for by, _ in selection.only if by not in TAGS)

    def request(self, today: date) -> dict[str, Any]:
        """GetCostAndUsage's parameters. Raises Refused for days that have not begun."""
        if self.period.first > today:
            raise Refused(
                "nothing is billed yet", f"{self.period.first} has not begun", "choose days that have begun, UTC"
            )
        next_month = Period.month(today).last + DAY
        end = min(self.period.last + DAY, next_month)
        group = {"Type": "TAG", "Key": TAGS[self.by]} if self.by in TAGS else {"Type": "DIMENSION", "Key": "SERVICE"}
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": self.period.first.isoformat(), "End": end.isoformat()},
            "Granularity": "MONTHLY",
            "Metrics": [METRIC],
            "GroupBy": [group, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}],
        }
        filters = [_filter(TAGS[by], value) for by, value in self.only]
        if filters:
            asked["Filter"] = filters[0] if len(filters) == 1 else {"And": filters}
        return asked


@dataclass(frozen=True, slots=True)
class Billed:
    """AWS's answer. `groups`: name → record type ("Usage", "Credit", "Tax" …) → amount in `currency`.

    The name is a service as AWS writes it, or a tag's value, "" for what carries none. `unpriced`: usage that the bill
    has no price for, by group (the embedded AWS says so). `pages` is what was asked for it, $0.01 each.
    """

    question: Question
    request: Mapping[str, Any]
    groups: Mapping[str, Mapping[str, Decimal]]
    currency: str
    is_estimated: bool
    pages: int
    is_whole: bool = True
    unpriced: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        return sum((self.amount(group) for group in self.groups), Decimal(0))

    @property
    def is_comparable(self) -> bool:
        """Whether its amounts can be held against list prices, which are in USD."""
        return self.currency == CURRENCY

    @property
    def cost(self) -> Decimal:
        """What asking cost, in USD."""
        return REQUEST_PRICE * self.pages

    def amount(self, group: str) -> Decimal:
        return sum(self.groups.get(group, {}).values(), Decimal(0))

    def records(self) -> dict[str, Decimal]:
        """The sum by record type: usage apart from credits, taxes and the like."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for types in self.groups.values():
            for name, amount in types.items():
                found[name] += amount
        return dict(found)

    @property
    def lacks_tags(self) -> bool:
        """Whether everything stands under no tag at all: nobody uses it, or nobody activated it."""
        return self.question.by in TAGS and bool(self.groups) and set(self.groups) == {""}


@dataclass(frozen=True, slots=True)
class Answered:
    """Cost Explorer's answer page by page, each of which was paid for, before anything is made of it.

    `is_whole`: there is no further page.
    """

    question: Question
    request: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]
    is_whole: bool


def ask(aws: Aws, question: Question, now: datetime) -> Answered:
    """Ask Cost Explorer, which charges $0.01 for each page of its answer (usually one, `MOST_PAGES` at most).

    A further page that cannot be read is left out: the ones before are paid for, and stand. Raises the errors of
    `Aws.call` for the first; Refused for days that have not begun, and while AWS has no data yet.
    """
    request = question.request(now.astimezone(UTC).date())
    pages: list[Mapping[str, Any]] = []
    token = ""
    while not pages or (token and len(pages) < MOST_PAGES):
        try:
            page = aws.call("ce", "GetCostAndUsage", **request, **({"NextPageToken": token} if token else {}))
        except KennelError as error:
            if pages:
                break
            told = f"{error} {error.__cause__}"
            if "DataUnavailable" in told or "not enabled for cost explorer" in told:
                raise Refused(
                    "AWS has no billing data yet",
                    "Cost Explorer is switched on for an account once, in the Billing console",
                    "switch it on there; the first data comes within a day",
                ) from error
            raise
        pages.append(page)
        token = page.get("NextPageToken", "")
    return Answered(question, request, pages, not token)


def billed(answered: Answered) -> Billed:
    """What an answer says. Raises ServiceFault for what is no bill, and for one in several currencies."""
    groups, units = _groups(answered.pages, answered.question)
    if len(units) > 1:
        raise ServiceFault("the bill is in several currencies", ", ".join(sorted(units)), "look at it in AWS's console")
    results = [result for page in answered.pages for result in page.get("ResultsByTime", ())]
    return Billed(
        answered.question,
        answered.request,
        groups,
        next(iter(units), CURRENCY),
        any(result.get("Estimated", False) for result in results),
        len(answered.pages),
        answered.is_whole,
        _unpriced(answered.pages),
    )


def read_billed(aws: Aws, question: Question, now: datetime) -> Billed:
    """Ask, and say what the answer is; raises what `ask` and `billed` raise."""
    return billed(ask(aws, question, now))


def _groups(answers: Sequence[Mapping[str, Any]], question: Question) -> tuple[dict[str, dict[str, Decimal]], set[str]]:
    """The sums over all months, and the units they are in. Raises ServiceFault for what is no amount."""
    found: dict[str, dict[str, Decimal]] = {}
    units = set()
    for group in (
        group for answer in answers for result in answer.get("ResultsByTime", ()) for group in result.get("Groups", ())
    ):
        try:
            name, record = group["Keys"]
            amount = Decimal(group["Metrics"][METRIC]["Amount"])
            unit = str(group["Metrics"][METRIC]["Unit"])
        except (KeyError, ValueError, TypeError, InvalidOperation):
            raise _nonsense(str(group)) from None
        if not amount.is_finite():
            raise _nonsense(str(group))
        if question.by in TAGS:
            name = name.partition("$")[2]
        types = found.setdefault(name, {})
        types[record] = types.get(record, Decimal(0)) + amount
        units.add(unit)
    return found, units


def _nonsense(group: str) -> ServiceFault:
    return ServiceFault("Cost Explorer answered what is no bill", group[:200], "try again later")


def _unpriced(answers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    found = {}
    for answer in answers:
        for one in answer.get("DimensionValueAttributes", ()):
            if told := one.get("Attributes", {}).get("withoutPrice"):
                found[str(one.get("Value", ""))] = str(told)
    return found


def _filter(key: str, value: str) -> dict[str, Any]:
    if value:
        return {"Tags": {"Key": key, "Values": [value]}}
    return {"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}}
