"""The use of instances: which periods are asked for, and which series come of it."""

from datetime import timedelta

import pytest

from dashboard.core.runs.model import Platform, RunKind
from dashboard.core.runs.usage import Measure, periods, usage
from tests.core.runs.made import NOW, run
from tests.views.scripted import ScriptedAws


@pytest.mark.parametrize(
    ("length", "age", "expected"),
    [
        (60, 60, (5, 60)),  # a minute that just was: fine, and as CloudWatch keeps it
        (600, 700, (5, 60)),
        (3600, 3700, (30, 60)),
        (7200, 7300, (60,)),
        (600, 4 * 3600, (60,)),  # after three hours the fine points are gone
        (24 * 3600, 25 * 3600, (480,)),
        (600, 20 * 86400, (300,)),
        (600, 100 * 86400, (3600,)),
    ],
)
def test_the_period_fits_the_run_and_what_cloudwatch_keeps(length: int, age: int, expected: tuple[int, ...]) -> None:
    begin = NOW - timedelta(seconds=age)
    assert periods(begin, begin + timedelta(seconds=length), NOW) == expected


def test_every_host_has_its_series() -> None:
    aws = ScriptedAws()
    aws.series = {"CPUUtilization": [100.0, 180.0], "MemoryUtilization": [20.0, 30.0]}
    used = usage(aws, run(instance_count=2), NOW)
    assert [one.host for one in used.of(Measure.CPU)] == ["algo-1", "algo-2"]
    assert used.highest(Measure.CPU) == 180
    assert used.mean(Measure.MEMORY) == 25
    assert used.highest(Measure.GPU) is None
    asked = aws.asked("GetMetricData")[0]["MetricDataQueries"]
    assert {query["MetricStat"]["Metric"]["Namespace"] for query in asked} == {"/aws/sagemaker/TrainingJobs"}
    assert {query["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for query in asked} == {
        "dogs-1/algo-1",
        "dogs-1/algo-2",
    }


def test_the_series_with_more_points_is_taken() -> None:
    aws = ScriptedAws()

    def data(asked: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
        results = []
        for query in asked["MetricDataQueries"]:
            period = int(query["MetricStat"]["Period"])  # type: ignore[index]
            points = 3 if period < 60 else 1
            moments = [NOW - timedelta(seconds=place * period) for place in range(points)]
            results.append({"Id": query["Id"], "Timestamps": moments, "Values": [float(period)] * points})
        return {"MetricDataResults": results}

    aws._GetMetricData = data  # type: ignore[method-assign]
    used = usage(aws, run(created=NOW - timedelta(seconds=700)), NOW)
    (cpu,) = used.of(Measure.CPU)
    assert (cpu.period, len(cpu.points)) == (5, 3)
    assert [at for at, _ in cpu.points] == sorted(at for at, _ in cpu.points)


def test_an_ec2_training_puts_its_own() -> None:
    aws = ScriptedAws()
    aws.series = {"CPUUtilization": [50.0]}
    assert not usage(aws, run(platform=Platform.EC2), NOW).is_empty
    query = aws.asked("GetMetricData")[0]["MetricDataQueries"][0]
    assert query["MetricStat"]["Metric"]["Namespace"] == "Kennel/EC2Training"


def test_what_was_never_measured_is_empty_and_a_tuning_job_is_not_asked_about() -> None:
    aws = ScriptedAws()
    assert usage(aws, run(), NOW).is_empty
    aws.calls.clear()
    assert usage(aws, run(kind=RunKind.TUNING), NOW).is_empty
    assert aws.calls == []
