"""Lambda on the embedded bill: requests, gigabyte-seconds, and what is kept ready in whole five minutes."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dashboard.core.costs.prices import PriceBook
from local_aws.services.billing import Bill
from local_aws.services.billing_functions import FunctionMeters
from local_aws.services.billing_journal import Journal
from local_aws.services.billing_tags import CostTags
from local_aws.store import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
ARN = "arn:aws:lambda:us-east-1:123456789012:function:dogs"


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


def function(memory: int = 1024, architecture: str = "x86_64", **provisioned: int) -> dict[str, Any]:
    latest = {"FunctionArn": ARN, "MemorySize": memory, "Architectures": [architecture]}
    return {
        "Latest": latest,
        "Versions": {"1": {**latest, "FunctionArn": f"{ARN}:1"}},
        "Aliases": {"live": {"FunctionVersion": "1"}},
        "Tags": {"project": "dogs"},
        "Provisioned": {name: {"Count": count} for name, count in provisioned.items()},
    }


def billed(store: Store, clock: Clock) -> dict[str, tuple[Decimal, Decimal | None]]:
    """Quantity and USD by usage type, of the hours around NOW."""
    bill = Bill(Journal(store), CostTags(store), prices=PriceBook.load, now=clock)
    found: dict[str, tuple[Decimal, Decimal | None]] = {}
    for item in bill.items(NOW - 3600, NOW + 36_000):
        quantity, amount = found.get(item.usage_type, (Decimal(0), Decimal(0)))
        total = None if amount is None or item.amount is None else amount + item.amount
        found[item.usage_type] = quantity + item.quantity, total
    return found


def test_requests_and_their_milliseconds_are_added_up_and_billed(tmp_path: Path) -> None:
    store, clock = Store(tmp_path), Clock()
    meters = FunctionMeters(Journal(store), now=clock)
    for _ in range(10):
        meters.ran(function(), "$LATEST", 200, False)
        clock.at += 1
    meters.write()
    assert billed(store, clock) == {}  # not yet a minute
    meters.write(everything=True)
    found = billed(store, clock)
    assert found["Request"] == (Decimal(10), Decimal("0.000002"))
    assert found["Lambda-GB-Second"][0] == Decimal(2)
    assert found["Lambda-GB-Second"][1] == Decimal(2) * Decimal("0.0000166667")
    store.close()


def test_what_ran_where_it_was_kept_ready_has_its_own_rate(tmp_path: Path) -> None:
    store, clock = Store(tmp_path), Clock()
    meters = FunctionMeters(Journal(store), now=clock)
    meters.ran(function(), "$LATEST", 1000, True)
    meters.ran(function(architecture="arm64"), "$LATEST", 1000, False)
    clock.at += 61
    meters.write()
    found = billed(store, clock)
    assert found["Lambda-Provisioned-GB-Second"][0] == Decimal(1)
    assert found["Lambda-GB-Second-ARM"][0] == Decimal(1)
    store.close()


def test_what_is_kept_ready_is_billed_in_whole_five_minutes_from_when_it_was_enabled(tmp_path: Path) -> None:
    store, clock = Store(tmp_path), Clock()
    meters = FunctionMeters(Journal(store), now=clock)
    meters.kept([function(memory=512, live=2)])
    clock.at += 100
    meters.kept([function(memory=512, live=3)])  # more of them: the five minutes go on
    clock.at += 100
    meters.kept([function(memory=512)])
    found = billed(store, clock)["Lambda-Provisioned-Concurrency"]
    assert found[0] == Decimal(2 * 100 + 3 * 200) / 2
    assert found[1] is not None
    meters.kept([])
    assert billed(store, clock)["Lambda-Provisioned-Concurrency"] == found
    store.close()


def test_what_is_kept_ready_costs_what_its_version_is_whatever_has_become_of_the_function(tmp_path: Path) -> None:
    store, clock = Store(tmp_path), Clock()
    meters = FunctionMeters(Journal(store), now=clock)
    document = function(memory=1024, live=1)
    document["Latest"] = {**document["Latest"], "MemorySize": 4096, "Architectures": ["arm64"]}
    meters.kept([document])
    clock.at += 600
    meters.kept([function()])
    (found,) = (one for kind, one in billed(store, clock).items() if "Provisioned-Concurrency" in kind)
    assert found[0] == Decimal(600)
    store.close()


def test_a_server_that_was_down_has_not_disabled_anything(tmp_path: Path) -> None:
    store, clock = Store(tmp_path), Clock()
    journal = Journal(store)
    FunctionMeters(journal, now=clock).kept([function(live=1)])
    journal.pause(clock.at + 10)
    clock.at += 600
    FunctionMeters(Journal(store), now=clock).kept([function(live=1)])
    assert billed(store, clock)["Lambda-Provisioned-Concurrency"][0] == Decimal(600)
    store.close()
