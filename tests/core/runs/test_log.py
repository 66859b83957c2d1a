import json

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.runs import log
from dashboard.core.runs.log import read_log, search_log, whole_log
from tests.core.conftest import refusal


class Streams:
    """CloudWatch Logs' paging: a forward token that stays the same at the end."""

    def __init__(self, fake):
        self.events: dict[str, list[dict]] = {}
        fake.on("DescribeLogStreams", self.describe)
        fake.on("GetLogEvents", self.get)
        fake.on("FilterLogEvents", self.filter)
        self.groups: set[str] = set()

    def add(self, stream, *texts, start=1_000):
        have = self.events.setdefault(stream, [])
        have += [{"timestamp": start + n, "message": text, "ingestionTime": 0} for n, text in enumerate(texts)]

    def describe(self, asked):
        if not self.events:
            return refusal("ResourceNotFoundException", "The specified log group does not exist.")
        names = [name for name in self.events if name.startswith(asked["logStreamNamePrefix"])]
        return {"logStreams": [{"logStreamName": name} for name in names]}

    def filter(self, asked):
        if not self.events:
            return refusal("ResourceNotFoundException", "The specified log group does not exist.")
        text = json.loads(asked["filterPattern"])
        found = [
            event | {"logStreamName": name}
            for name, events in self.events.items()
            if name.startswith(asked["logStreamNamePrefix"])
            for event in events
            if text in event["message"]
        ]
        return {"events": found}

    def get(self, asked):
        self.groups.add(asked["logGroupName"])
        assert asked["startFromHead"] is True
        begin = int(asked.get("nextToken", "f/0").removeprefix("f/"))
        events = self.events[asked["logStreamName"]][begin : begin + asked["limit"]]
        end = begin + len(events)
        return {"events": events, "nextForwardToken": f"f/{end}", "nextBackwardToken": f"b/{begin}"}


@pytest.fixture
def streams(fake):
    return Streams(fake)


def test_a_run_that_has_not_printed_yet_has_an_empty_log(aws, streams):
    page = read_log(aws, "dogs-1")
    assert page.lines == ()
    assert not page.has_more


def test_the_log_is_read_from_its_start(aws, streams):
    streams.add("dogs-1/algo-1-1763715600", "first", "second")
    streams.add("dogs-10/algo-1-1763715600", "of another run")
    page = read_log(aws, "dogs-1")
    assert [line.text for line in page.lines] == ["first", "second"]
    assert page.lines[0].host == "algo-1"
    assert page.lines[0].time.timestamp() == 1.0


def test_a_token_reads_on(aws, streams):
    streams.add("dogs-1/algo-1-1", "first")
    page = read_log(aws, "dogs-1")
    assert read_log(aws, "dogs-1", page.token).lines == ()
    streams.add("dogs-1/algo-1-1", "second", start=2_000)
    assert [line.text for line in read_log(aws, "dogs-1", page.token).lines] == ["second"]


def test_a_token_from_before_the_first_line_reads_it_later(aws, streams):
    page = read_log(aws, "dogs-1")
    streams.add("dogs-1/algo-1-1", "first")
    assert [line.text for line in read_log(aws, "dogs-1", page.token).lines] == ["first"]


def test_hosts_are_woven_together_by_time(aws, streams):
    streams.add("dogs-1/algo-1-1", "a", start=1_000)
    streams.add("dogs-1/algo-2-1", "b", start=1_500)
    streams.add("dogs-1/algo-1-1", "c", start=2_000)
    assert [(line.host, line.text) for line in read_log(aws, "dogs-1").lines] == [
        ("algo-1", "a"),
        ("algo-2", "b"),
        ("algo-1", "c"),
    ]


def test_a_very_long_log_is_read_in_pieces(aws, streams, monkeypatch):
    monkeypatch.setattr(log, "PAGE_EVENTS", 10)
    streams.add("dogs-1/algo-1-1", *(str(n) for n in range(120)))
    page, read = read_log(aws, "dogs-1"), []
    for _ in range(10):
        read += [line.text for line in page.lines]
        if not page.has_more:
            break
        page = read_log(aws, "dogs-1", page.token)
    assert read == [str(n) for n in range(120)]


@pytest.mark.parametrize("token", ["x", "[]", '{"a": 1}'])
def test_a_foreign_token_is_refused(aws, token):
    with pytest.raises(InvalidInput):
        read_log(aws, "dogs-1", token)


def test_an_ec2_training_has_its_own_group_and_one_host(aws, streams):
    streams.add("dogs-1/algo-1", "on an instance")
    (line,) = read_log(aws, "ec2:dogs-1").lines
    assert (line.host, line.text) == ("algo-1", "on an instance")
    assert streams.groups == {"/kennel/ec2-runs"}


def test_a_tuning_job_prints_nothing_itself(aws, streams, fake):
    assert read_log(aws, "tuning:search").lines == ()
    assert search_log(aws, "tuning:search", "x") == ()
    assert fake.calls == []


def test_the_whole_log_is_searched_on_every_host(aws, streams):
    streams.add("dogs-1/algo-1-1", "epoch=1/5 loss=0.5", "nothing", start=2_000)
    streams.add("dogs-1/algo-2-1", "epoch=1/5 loss=0.6", start=1_000)
    streams.add("dogs-10/algo-1-1", "epoch=1/5 of another run")
    found = search_log(aws, "dogs-1", "epoch=1/5")
    assert [(line.host, line.text) for line in found] == [
        ("algo-2", "epoch=1/5 loss=0.6"),
        ("algo-1", "epoch=1/5 loss=0.5"),
    ]


def test_quotes_and_backslashes_are_searched_as_they_are(aws, streams):
    streams.add("dogs-1/algo-1-1", 'a "quoted" C:\\path', "a quoted path")
    assert len(search_log(aws, "dogs-1", '"quoted" C:\\')) == 1


def test_searching_for_nothing_or_before_the_first_line_finds_nothing(aws, streams):
    assert search_log(aws, "dogs-1", "  ") == ()
    assert search_log(aws, "dogs-1", "x") == ()


def test_the_whole_log_is_a_text_file_with_times_and_hosts(aws, streams, monkeypatch):
    monkeypatch.setattr(log, "PAGE_EVENTS", 2)
    monkeypatch.setattr(log, "PAGES", 1)
    streams.add("dogs-1/algo-1-1", "first", "zweite Zeile ü", "third", start=1_500)
    assert whole_log(aws, "dogs-1").decode().splitlines() == [
        "1970-01-01T00:00:01.500Z algo-1 first",
        "1970-01-01T00:00:01.501Z algo-1 zweite Zeile ü",
        "1970-01-01T00:00:01.502Z algo-1 third",
    ]


def test_a_log_that_is_too_long_for_a_page_says_where_it_was_cut(aws, streams, monkeypatch):
    monkeypatch.setattr(log, "MOST_BYTES", 200)
    streams.add("dogs-1/algo-1-1", *("x" * 40 for _ in range(10)))
    lines = whole_log(aws, "dogs-1").decode().splitlines()
    assert len(lines) == 3
    assert "cut here" in lines[-1]
    assert "/aws/sagemaker/TrainingJobs" in lines[-1]


def test_an_empty_page_is_not_the_end(aws, fake, streams):
    """GetLogEvents' documentation: an empty page doesn't necessarily mean that pagination is finished."""
    streams.add("dogs-1/algo-1", "one", "two")
    pages = {"": ("f/1", "one"), "f/1": ("f/2", ""), "f/2": ("f/3", "two"), "f/3": ("f/3", "")}

    def get(asked):
        token, text = pages[asked.get("nextToken", "")]
        events = [{"timestamp": 1_000, "message": text, "ingestionTime": 0}] if text else []
        return {"events": events, "nextForwardToken": token, "nextBackwardToken": "b/0"}

    fake.on("GetLogEvents", get)
    assert [line.text for line in read_log(aws, "dogs-1").lines] == ["one", "two"]
    assert b"two" in whole_log(aws, "dogs-1")
