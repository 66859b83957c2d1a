"""What a run says while it works, and how often."""

from training.distributed import Group
from training.metrics import MetricLine, Stage, parse
from training.reporting import Reporter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Second(Group):
    rank, size = 1, 2


def reporter(clock: Clock, said: list[str], is_frozen: bool = True, group: Group | None = None) -> Reporter:
    made = Reporter.of(group or Group(), is_frozen)
    made.clock, made.write = clock, said.append
    return made


def read(line: str) -> MetricLine:
    found = parse(line)
    assert found is not None
    return found


def test_progress_is_said_once_a_second_and_at_the_end() -> None:
    clock, said = Clock(), []  # type: ignore[var-annotated]
    reports = reporter(clock, said)
    reports.begin(Stage.FEATURES, 100, "photos")
    for done in range(1, 101):
        clock.now += 0.1
        reports.reached(Stage.FEATURES, done, 100, "photos")
    assert len(said) in (10, 11)
    last = read(said[-1])
    assert (last.done, last.total, last.unit, last.eta_seconds) == (100, 100, "photos", 0.0)
    middle = read(said[5])
    assert middle.done is not None
    assert middle.eta_seconds is not None
    assert abs(middle.eta_seconds - (100 - middle.done) * 0.1) < 0.06


def test_what_was_restored_is_no_speed_of_this_run() -> None:
    clock, said = Clock(), []  # type: ignore[var-annotated]
    reports = reporter(clock, said)
    reports.begin(Stage.HEAD, 1000, "epochs", 900)
    clock.now += 20
    reports.reached(Stage.HEAD, 910, 1000, "epochs")
    assert read(said[-1]).eta_seconds == 180


def test_the_whole_runs_progress_never_goes_back() -> None:
    for is_frozen in (True, False):
        clock, said = Clock(), []  # type: ignore[var-annotated]
        reports = reporter(clock, said, is_frozen)
        for stage in Stage:
            if stage is Stage.FINETUNE and is_frozen:
                continue
            reports.begin(stage, 2, "photos")
            clock.now += 5
            reports.reached(stage, 1, 2, "photos")
            reports.reached(stage, 2, 2, "photos")
        fractions = [read(line).values["progress"] for line in said]
        assert fractions == sorted(fractions)
        assert fractions[0] == 0
        assert fractions[-1] == 1


def test_a_download_of_unknown_length_is_followed_too() -> None:
    clock, said = Clock(), []  # type: ignore[var-annotated]
    reports = reporter(clock, said)
    reports.begin(Stage.SCAN, 1, "folders")
    for done in range(10):
        clock.now += 0.5
        reports.reached(Stage.SCAN, done, 0, "megabytes")
    assert len(said) == 6
    assert read(said[-1]).done == 9
    assert read(said[-1]).values["progress"] == 0


def test_of_several_processes_only_the_first_speaks() -> None:
    said: list[str] = []
    reports = reporter(Clock(), said, group=Second())
    reports.begin(Stage.SCAN, 1, "folders")
    reports.say("anything")
    assert said == []
