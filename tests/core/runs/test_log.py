import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.runs import log
from dashboard.core.runs.log import read_log
from tests.core.conftest import refusal


class Streams:
    """CloudWatch Logs' paging: a forward token that stays the same at the end."""

    def __init__(self, fake):
        self.events: dict[str, list[dict]] = {}
        fake.on("DescribeLogStreams", self.describe)
        fake.on("GetLogEvents", self.get)

    def add(self, stream, *texts, start=1_000):
        have = self.events.setdefault(stream, [])
        have += [{"timestamp": start + n, "message": text, "ingestionTime": 0} for n, text in enumerate(texts)]

    def describe(self, asked):
        if not self.events:
            return refusal("ResourceNotFoundException", "The specified log group does not exist.")
        names = [name for name in self.events if name.startswith(asked["logStreamNamePrefix"])]
        return {"logStreams": [{"logStreamName": name} for name in names]}

    def get(self, asked):
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
