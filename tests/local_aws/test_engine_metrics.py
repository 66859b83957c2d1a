"""Metrics come out of log lines by the job's own expressions; a bad expression harms only itself."""

import time

import pytest

from local_aws.engine.metrics import Metric, MetricReader, wrong_expression


def read(definitions: list[dict[str, str]], lines: list[str]) -> tuple[list[tuple[str, float]], list[str]]:
    found: list[Metric] = []
    refused: list[str] = []
    reader = MetricReader(definitions, found.append, refused.append, seconds_per_line=0.1)
    reader.observe([(1_700_000_000_000 + n, line) for n, line in enumerate(lines)])
    reader.finish()
    return [(metric.name, metric.value) for metric in found], refused


def test_every_match_with_its_time() -> None:
    found: list[Metric] = []
    reader = MetricReader([{"Name": "loss", "Regex": r"loss=([0-9.]+)"}], found.append, lambda _: None)
    reader.observe([(1_700_000_000_500, "epoch=1 loss=0.5")])
    reader.observe([(1_700_000_001_500, "nothing"), (1_700_000_002_500, "epoch=2 loss=0.25")])
    reader.finish()
    assert found == [Metric("loss", 0.5, 1_700_000_000.5), Metric("loss", 0.25, 1_700_000_002.5)]


def test_several_definitions_and_values_that_are_no_numbers() -> None:
    definitions = [{"Name": "a", "Regex": r"a=(\S+)"}, {"Name": "b", "Regex": r"b=(-?[0-9.e+-]+)"}]
    lines = ["a=1 b=-2.5e-3", "a=nan b=7", "a=many", "a=inf"]
    assert read(definitions, lines) == ([("a", 1.0), ("b", -0.0025), ("b", 7.0)], [])


def test_an_expression_that_takes_for_ever_is_dropped_and_the_others_go_on() -> None:
    definitions = [{"Name": "evil", "Regex": r"(a+)+$"}, {"Name": "good", "Regex": r"loss=(\d+)"}]
    started = time.monotonic()
    found, refused = read(definitions, ["a" * 60 + "!", "loss=1", "a" * 60 + "!", "loss=2"])
    assert found == [("good", 1.0), ("good", 2.0)]
    assert len(refused) == 1
    assert "evil" in refused[0]
    assert time.monotonic() - started < 3


def test_of_a_metric_that_is_printed_without_end_the_last_values_are_taken() -> None:
    definitions = [{"Name": "step", "Regex": r"step=(\d+)"}, {"Name": "loss", "Regex": r"loss=(\d+)"}]
    found, _ = read(definitions, ["loss=7", *(f"step={n}" for n in range(200_000)), "loss=8"])
    assert [value for name, value in found if name == "loss"] == [7.0, 8.0]
    assert [value for name, value in found if name == "step"] == [float(n) for n in range(199_000, 200_000)]


def test_only_the_beginning_of_a_huge_line_is_looked_at() -> None:
    found, refused = read([{"Name": "x", "Regex": r"x=(\d+)"}], ["x=1" + " " * 200_000 + "x=2", " " * 200_000 + "x=3"])
    assert (found, refused) == ([("x", 1.0)], [])


@pytest.mark.parametrize("expression", ["(", "a{2,1}", "*x", r"(?P<n>\d+"])
def test_what_is_no_expression_is_named(expression: str) -> None:
    assert wrong_expression(expression)


def test_what_is_one_is_not() -> None:
    assert wrong_expression(r"loss=([0-9\.]+)") is None
