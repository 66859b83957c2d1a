"""What functions print goes to the log in order, once in a while, and never stops a function."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from local_aws.engine import lambda_log
from local_aws.engine.lambda_log import Log
from local_aws.engine.output import Event


class Sink:
    def __init__(self, *, broken: bool = False) -> None:
        self.batches: list[tuple[str, str, list[Event]]] = []
        self._broken = broken

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        if self._broken:
            raise OSError("the disk is full")
        self.batches.append((group, stream, list(events)))


def printed(sink: Sink, *batches: tuple[str, list[str]]) -> None:
    async def run() -> None:
        log = Log(sink, lambda: 12.5)
        for stream, lines in batches:
            log.add("/aws/lambda/fn", stream, lines)
        await log.close()

    asyncio.run(run())


def test_lines_are_written_together_by_stream_in_their_order() -> None:
    sink = Sink()
    printed(sink, ("a", ["1", "2"]), ("b", ["x"]), ("a", ["3"]), ("a", []))
    assert sink.batches == [
        ("/aws/lambda/fn", "a", [(12500, "1"), (12500, "2"), (12500, "3")]),
        ("/aws/lambda/fn", "b", [(12500, "x")]),
    ]


def test_a_log_that_cannot_be_written_is_lost_and_said(caplog: pytest.LogCaptureFixture) -> None:
    printed(Sink(broken=True), ("a", ["1", "2"]))
    assert "2 log lines of /aws/lambda/fn are lost" in caplog.text


def test_what_is_printed_faster_than_it_is_written_is_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lambda_log, "MOST_WAITING", 3)
    sink = Sink()
    with caplog.at_level(logging.WARNING):
        printed(sink, ("a", ["1", "2", "3"]), ("a", ["4"]))
    assert [line for _, line in sink.batches[0][2]] == ["1", "2", "3"]
    assert "1 log lines of functions are lost" in caplog.text
