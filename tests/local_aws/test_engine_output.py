"""Output reaches the log whole, in order, while the process runs, whatever it writes."""

import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from local_aws.engine.output import LONGEST_EVENT, Event, Lines, LogPump
from local_aws.engine.process import LeashedProcess


class Sink:
    """Keeps what it is given, as (group, stream, lines), and how many commits that took."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.commits = 0
        self.names: set[tuple[str, str]] = set()

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        self.names.add((group, stream))
        self.events += events
        self.commits += 1

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.events]


class Counter(Sink):
    """Counts instead of keeping, so that only the pump's own memory grows."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.last = ""

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        self.count += len(events)
        self.last = events[-1][1]


def pump(tmp_path: Path, script: str, sink: Sink) -> LogPump:
    process = LeashedProcess(
        [sys.executable, "-I", "-S", "-u", "-c", script], environment={"PATH": os.environ["PATH"]}, folder=tmp_path
    )
    pumping = LogPump(process.output, sink, "/aws/sagemaker/TrainingJobs", "job/algo-1-1")
    process.wait(60)
    pumping.finish()
    return pumping


def test_lines_arrive_in_order_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    sink = Sink()
    before = time.time() * 1000
    pump(tmp_path, "import sys; print('one\\n\\ntwo', flush=True); print('three', file=sys.stderr)", sink)
    assert sink.lines == ["one", "two", "three"]
    assert sink.names == {("/aws/sagemaker/TrainingJobs", "job/algo-1-1")}
    assert all(before - 1 <= at <= time.time() * 1000 for at, _ in sink.events)


def test_a_line_is_logged_while_the_process_runs(tmp_path: Path) -> None:
    sink = Sink()
    process = LeashedProcess(["/bin/sh", "-c", "echo started; sleep 60"], environment={}, folder=tmp_path)
    pumping = LogPump(process.output, sink, "g", "s")
    end = time.monotonic() + 5
    while not sink.events and time.monotonic() < end:
        time.sleep(0.01)
    assert sink.lines == ["started"]
    assert process.code is None
    process.kill()
    process.wait(5)
    pumping.finish()


def test_a_line_without_its_end_is_shown_after_a_second_and_at_the_end(tmp_path: Path) -> None:
    sink = Sink()
    pump(
        tmp_path,
        "import sys, time; sys.stdout.write('loading'); time.sleep(1.4); print(' done'); sys.stdout.write('x')",
        sink,
    )
    assert sink.lines == ["loading", " done", "x"]
    assert sink.events[1][0] - sink.events[0][0] < 1400


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\r\nb\r", b"\nc\n"], ["a", "b", "c"]),
        ([b" 10%\r 20%\r", b" 30%\n"], [" 10%", " 20%", " 30%"]),
        ([b"caf\xc3", b"\xa9\n"], ["café"]),
        ([b"\xff\x00z\n"], ["\ufffd\ufffdz"]),
        ([b"\n\n\r\r\n"], []),
    ],
)
def test_what_ends_a_line(chunks: list[bytes], lines: list[str]) -> None:
    splitter = Lines()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush() == lines


def test_a_very_long_line_becomes_several_events_that_cloudwatch_takes() -> None:
    splitter = Lines()
    data = b"x" * 700_000 + b"\nend\n"
    lines = [line for at in range(0, len(data), 65536) for line in splitter.feed(data[at : at + 65536])]
    assert "".join(lines[:-1]) == "x" * 700_000
    assert lines[-1] == "end"
    assert all(len(line.encode()) <= LONGEST_EVENT for line in lines)


def test_binary_output_stays_within_the_event_limit_after_replacing() -> None:
    lines = Lines().feed(b"\xff" * 250_000 + b"\n")
    assert sum(len(line) for line in lines) == 250_000
    assert all(len(line.encode()) <= LONGEST_EVENT for line in lines)


def test_a_million_lines_in_bounded_memory(tmp_path: Path) -> None:
    sink = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pumping = pump(
        tmp_path, "import sys\nfor i in range(1000): sys.stdout.write(f'line {i} of a thousand\\n' * 1000)", sink
    )
    assert sink.count == 1_000_000
    assert sink.last == "line 999 of a thousand"
    assert list(pumping.tail) == ["line 999 of a thousand"] * 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024, "KiB"


def test_a_chatty_process_is_committed_in_batches(tmp_path: Path) -> None:
    sink = Sink()
    pump(tmp_path, "import time\nfor i in range(50): print(i, flush=True); time.sleep(0.01)", sink)
    assert sink.lines == [str(i) for i in range(50)]
    assert sink.commits < 10


def test_a_sink_that_fails_does_not_hold_the_process(tmp_path: Path) -> None:
    class Full(Sink):
        def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
            raise OSError("no space left on device")

    pumping = pump(tmp_path, "for i in range(200_000): print(i)", Full())
    assert "no space left on device" in pumping.lost
    assert pumping.tail[-1] == "199999"
