"""A run's use of its instances: shares of the whole, one line a measure."""

from datetime import UTC, datetime, timedelta

from dashboard.core.runs.model import Platform
from dashboard.core.runs.usage import Measure, Series, Usage
from dashboard.ui.figures_usage import finding, lines, measured, over_time, rows
from tests.core.runs.made import run

BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)


def series(measure: Measure, host: str, *values: float, every: float = 10) -> Series:
    points = tuple((BEGIN + timedelta(seconds=every * place), value) for place, value in enumerate(values))
    return Series(measure, host, points, int(every))


ONE = Usage((series(Measure.CPU, "algo-1", 100, 300), series(Measure.MEMORY, "algo-1", 20, 30)))


def test_a_processor_counts_a_hundred_for_each_core() -> None:
    assert finding(ONE, 4) == "Processor 50 % busy on average, memory at most 30 %"
    assert lines(ONE, 4, BEGIN)[0][0].points == [(0.0, 0.25), (10.0, 0.75)]


def test_short_runs_count_seconds_and_long_ones_minutes() -> None:
    assert lines(ONE, 4, BEGIN)[1] == "s"
    drawn, unit = lines(Usage((series(Measure.CPU, "algo-1", 0, 100, every=600),)), 1, BEGIN)
    assert unit == "min"
    assert drawn[0].points[-1] == (10.0, 1.0)


def test_two_hosts_have_a_line_each_and_more_their_mean() -> None:
    two = Usage(tuple(series(Measure.CPU, f"algo-{n}", n * 10) for n in (1, 2)))
    assert [line.name for line in lines(two, 1, BEGIN)[0]] == ["processor algo-1", "processor algo-2"]
    four = Usage(tuple(series(Measure.CPU, f"algo-{n}", n * 10) for n in (1, 2, 3, 4)))
    assert [(line.name, line.points) for line in lines(four, 1, BEGIN)[0]] == [("processor", [(0.0, 0.25)])]


def test_a_gpu_has_its_line_and_disk_only_its_word() -> None:
    used = Usage((series(Measure.GPU, "algo-1", 80), series(Measure.DISK, "algo-1", 12)))
    assert finding(used, None) == "GPU at most 80 %, disk at most 12 %"
    assert [line.name for line in lines(used, None, BEGIN)[0]] == ["GPU"]


def test_the_axis_is_the_whole_instance() -> None:
    figure = over_time(ONE, 4, BEGIN)
    assert list(figure.layout.yaxis.range) == [0, 1.03]
    assert figure.layout.yaxis.tickformat == ".0%"


def test_the_numbers_behind_it_are_cloudwatchs() -> None:
    assert rows(ONE, BEGIN)[1] == {"seconds": 10.0, "host": "algo-1", "measure": "CPUUtilization", "percent": 300}


def test_a_value_that_cloudwatch_dates_before_the_start_stands_at_it() -> None:
    later = BEGIN + timedelta(seconds=1)
    assert lines(ONE, 4, later)[0][0].points == [(0.0, 0.25), (9.0, 0.75)]
    assert rows(ONE, later)[0]["seconds"] == 0


def test_what_a_share_is_of_is_said_where_it_was_measured_here() -> None:
    on_sagemaker, on_ec2 = run(instance_type="ml.m5.large"), run(instance_type="m5.large", platform=Platform.EC2)
    assert "8 GiB of ml.m5.large" in measured(on_sagemaker, is_embedded=True)
    assert "shares of what this machine has" in measured(on_ec2, is_embedded=True)
    assert measured(on_sagemaker, is_embedded=False) == ""
