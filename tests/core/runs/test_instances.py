import pytest

from dashboard.core.runs.instances import SERVING, TRAINING, hardware


@pytest.mark.parametrize(
    ("name", "vcpu", "memory"), [("ml.m5.large", 2, 8), ("ml.c5.2xlarge", 8, 16), ("t2.micro", 1, 1)]
)
def test_hardware(name, vcpu, memory):
    assert (hardware(name).vcpu, hardware(name).memory_gib) == (vcpu, memory)


def test_gpus_are_named():
    assert "T4" in hardware("ml.g4dn.xlarge").gpu
    assert hardware("ml.m5.large").gpu == ""


def test_an_unlisted_type_is_unknown():
    assert hardware("ml.m99.large") is None


@pytest.mark.parametrize("name", TRAINING + SERVING)
def test_everything_that_is_offered_is_described_and_priced(name, prices):
    assert hardware(name)
    assert prices.price("sagemaker-training", name, "us-east-1")
