"""The billing journal: intervals open and close with what is used, and nothing is lost when the server dies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.store import Store

START = 1_800_000_000.0
SERVING = Usage(Used.ENDPOINT, "arn:e/AllTraffic", "us-east-1", 0.0, "ml.m5.large", 1)
RUNNING = Usage(Used.INSTANCE, "i-1", "us-east-1", 0.0, "m5.large")
DISK = Usage(Used.VOLUME, "vol-1", "us-east-1", 0.0, "gp3", 30)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store)


def spans(journal: Journal, **wanted: Any) -> list[tuple[float, float | None]]:
    """From and to, in seconds since START, of every interval with these attributes."""
    return [
        (one.started - START, None if one.ended is None else one.ended - START)
        for one in journal.between(0, START * 2)
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]


def test_what_comes_is_opened_and_what_goes_is_closed(journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.there("endpoint", [SERVING], START + 50)
    assert spans(journal) == [(0, None)]
    journal.there("endpoint", [], START + 100)
    assert spans(journal) == [(0, 100)]
    journal.there("endpoint", [SERVING], START + 200)
    assert spans(journal) == [(0, 100), (200, None)]


def test_another_number_of_instances_or_another_tag_is_another_interval(journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.there("endpoint", [replace(SERVING, size=3)], START + 100)
    journal.there("endpoint", [replace(SERVING, size=3, tags={"project": "dogs"})], START + 150)
    assert spans(journal, size=1) == [(0, 100)]
    assert spans(journal, size=3) == [(100, 150), (150, None)]
    assert spans(journal, tags={"project": "dogs"}) == [(150, None)]


def test_scopes_do_not_close_each_other(journal: Journal) -> None:
    journal.there("one", [SERVING], START)
    journal.there("other", [], START + 10)
    assert spans(journal) == [(0, None)]


def test_an_instance_is_billed_for_a_minute_at_least(journal: Journal) -> None:
    journal.there("ec2", [RUNNING], START)
    journal.there("ec2", [], START + 7)
    (short,) = journal.between(0, START * 2)
    assert (short.ended, short.seconds) == (START + 7, 60)
    journal.there("ec2", [RUNNING], START + 100)
    journal.there("ec2", [], START + 200)
    assert [one.seconds for one in journal.between(START + 50, START * 2)] == [100]


def test_a_tag_that_changes_does_not_bring_the_minute_twice(journal: Journal) -> None:
    journal.there("ec2", [RUNNING], START)
    journal.there("ec2", [replace(RUNNING, tags={"owner": "ada"})], START + 10)
    journal.there("ec2", [], START + 30)
    first, last = journal.between(0, START * 2)
    assert first.seconds is None
    assert first.ended == START + 10
    assert last.seconds == 50


def test_a_sample_is_not_billed(journal: Journal) -> None:
    sample = {"kennel:sample": "true"}
    journal.there("endpoint", [replace(SERVING, tags=sample)], START)
    journal.add(Usage(Used.TRAINING, "arn:t", "us-east-1", START, "ml.m5.large", ended=START + 9, tags=sample))
    assert spans(journal) == []


def test_what_becomes_a_sample_is_billed_until_then(journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.there("endpoint", [replace(SERVING, tags={"kennel:sample": "true"})], START + 5)
    assert spans(journal) == [(0, 5)]


def test_after_a_kill_processes_end_when_they_were_last_seen_and_disks_go_on(store: Store, journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.there("ec2", [RUNNING, DISK], START)
    journal.seen(START + 40)
    after = Journal(store)
    after.recover()
    assert spans(after, used=Used.ENDPOINT) == [(0, 40)]
    assert spans(after, used=Used.INSTANCE) == [(0, 40)]
    assert spans(after, used=Used.VOLUME) == [(0, None)]
    after.there("endpoint", [SERVING], START + 500)
    assert spans(after, used=Used.ENDPOINT) == [(0, 40), (500, None)]


def test_a_server_that_was_never_seen_bills_nothing_it_cannot_know(store: Store, journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    after = Journal(store)
    after.recover()
    assert spans(after) == [(0, 0)]


def test_a_server_that_stops_ends_what_it_ran(store: Store, journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.pause(START + 20)
    journal.there("endpoint", [], START + 90)
    assert spans(Journal(store)) == [(0, 20)]


def test_a_clock_that_goes_back_makes_no_negative_interval(journal: Journal) -> None:
    journal.there("endpoint", [SERVING], START)
    journal.there("endpoint", [], START - 1000)
    assert spans(journal) == [(0, 0)]


def test_what_was_told_twice_is_there_once(journal: Journal) -> None:
    told = Usage(Used.TRAINING, "arn:t", "us-east-1", START, "ml.m5.large", ended=START + 9, seconds=9)
    journal.add(told)
    journal.add(told)
    assert spans(journal) == [(0, 9)]
    assert journal.has(Used.TRAINING) == {"arn:t"}


def test_the_tags_that_were_used(journal: Journal) -> None:
    journal.there("endpoint", [replace(SERVING, tags={"project": "dogs"})], START)
    journal.add(
        Usage(
            Used.TRAINING, "arn:t", "us-east-1", START, ended=START + 9, tags={"project": "cats", "team: a.b": "x"}
        )
    )  # fmt: skip
    assert journal.tag_keys() == {"project": START + 9, "team: a.b": START + 9}
