"""What a run used decides what is suggested; the figures are worked out by hand from AWS's published sizes."""

from datetime import timedelta

import pytest

from dashboard.core.runs.model import Platform, RunStatus
from dashboard.core.runs.suggest import Change, is_too_short, suggest
from dashboard.core.runs.usage import Measure, Series, Usage
from tests.core.runs.made import NOW, run


def used(cpu, memory=20.0, disk=10.0, points=30, gpu=None):
    """A flat use: `cpu` is 100 for each core, the others are percent."""
    values = {Measure.CPU: cpu, Measure.MEMORY: memory, Measure.DISK: disk, Measure.GPU: gpu}
    return Usage(
        tuple(
            Series(measure, "algo-1", tuple((NOW + timedelta(seconds=2 * n), value) for n in range(points)), 2)
            for measure, value in values.items()
            if value is not None
        )
    )


def ask(prices, usage, **about):
    return suggest(run(**about), usage, prices, "us-east-1")


def test_idle_cores_and_empty_memory_suggest_the_cheapest_that_still_fits(prices):
    # 8 cores of which 1 is used, 2.4 of 16 GiB: ml.c5.large (2 cores, 4 GiB) would be 50 % and 60 % in use
    made = ask(prices, used(100, memory=15), instance_type="ml.c5.2xlarge")
    assert (made.change, made.instance_type) == (Change.SMALLER, "ml.c5.large")
    assert "8 cores were only 12 % busy" in made.sentence
    assert "$0.102/h instead of $0.408/h" in made.sentence
    assert made.title == "A smaller instance: ml.c5.large"


def test_a_run_that_found_its_features_in_a_cache_tells_not_which_cores_are_needed(prices):
    cached = {"metrics": {"features:from-cache": 1.0}, "instance_type": "ml.c5.2xlarge"}
    assert ask(prices, used(100, memory=15), **cached) is None
    assert ask(prices, used(100, memory=99), **cached) is not None, "a memory that was full was full"


def test_what_was_in_memory_must_fit_with_room(prices):
    # 6.4 GiB were used: 8 GiB would be 80 % full, which is the most
    assert ask(prices, used(100, memory=40), instance_type="ml.c5.2xlarge").instance_type == "ml.m5.large"
    assert ask(prices, used(100, memory=41), instance_type="ml.c5.2xlarge").instance_type == "ml.m5.xlarge"


def test_busy_cores_suggest_twice_as_many(prices):
    made = ask(prices, used(190, memory=30), instance_type="ml.m5.large")
    assert (made.change, made.instance_type) == (Change.LARGER, "ml.c5.xlarge")
    assert "2 cores were 95 % busy" in made.sentence
    assert "50 % of the time" in made.sentence


def test_full_memory_suggests_more_memory_whatever_the_cores_did(prices):
    made = ask(prices, used(20, memory=95), instance_type="ml.c5.large", status=RunStatus.FAILED)
    assert (made.change, made.instance_type) == (Change.LARGER, "ml.m5.large")
    assert "memory was 95 % full" in made.sentence


def test_a_full_disk_suggests_a_larger_volume(prices):
    made = ask(prices, used(100, disk=97), volume_gb=30)
    assert (made.change, made.volume_gb, made.instance_type) == (Change.VOLUME, 60, "ml.c5.2xlarge")


def test_a_gpu_that_idled_suggests_a_processor(prices):
    made = ask(prices, used(150, memory=30, gpu=0.5), instance_type="ml.g4dn.xlarge")
    assert made.instance_type == "ml.m5.large"
    assert "GPU was not used" in made.sentence


def test_on_ec2_types_and_prices_are_ec2s(prices):
    made = ask(prices, used(100, memory=15), instance_type="c5.2xlarge", platform=Platform.EC2)
    assert made.instance_type == "c5.large"
    assert "$0.085/h instead of $0.34/h" in made.sentence


@pytest.mark.parametrize(
    ("usage", "about"),
    [
        (used(480), {}),  # 60 % of 8 cores: it fits
        (used(100, points=4), {}),  # hardly measured
        (Usage(), {}),
        (used(100), {"status": RunStatus.TRAINING}),
        (used(100), {"instance_type": "ml.x1.strange"}),
        (used(10, memory=5), {"instance_type": "ml.c5.large"}),  # nothing is smaller
        (used(100, memory=None), {}),  # without its memory nobody knows what would fit
    ],
)
def test_nothing_is_suggested_without_a_measured_reason(prices, usage, about):
    assert ask(prices, usage, **about) is None


def test_less_than_a_minute_says_nothing(prices):
    short = used(100, memory=15, points=29)
    assert is_too_short(short)
    assert ask(prices, short, instance_type="ml.c5.2xlarge") is None
    assert not is_too_short(used(100, points=30))
    assert is_too_short(Usage())


def test_what_an_ec2_run_of_this_machine_has_in_memory_says_nothing_about_its_type(prices):
    on_ec2 = run(instance_type="c5.large", platform=Platform.EC2)
    full = used(100, memory=95, disk=97)
    assert suggest(on_ec2, full, prices, "us-east-1").change is not None
    assert suggest(on_ec2, full, prices, "us-east-1", is_embedded=True) is None
    on_sagemaker = run(instance_type="ml.c5.large")
    assert suggest(on_sagemaker, full, prices, "us-east-1", is_embedded=True) is not None
