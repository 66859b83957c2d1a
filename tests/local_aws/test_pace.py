import json
import subprocess
import sys

import pytest

from dashboard import embedded
from dashboard.core.aws import connect
from dashboard.ui import account
from local_aws.pace import Pace


def test_prescribed_waits_are_divided():
    assert Pace(30).seconds(60) == 2
    assert Pace().seconds(60) == 60


@pytest.mark.parametrize("scale", [0.5, 0, -3, 1e9, float("nan")])
def test_a_scale_that_makes_no_sense_is_refused_in_words(scale):
    with pytest.raises(ValueError, match="time scale must be between 1 and 1000"):
        Pace(scale)


def test_the_command_says_what_is_wrong_with_a_scale(tmp_path):
    command = [sys.executable, "-m", "local_aws", "--state", str(tmp_path), "--time-scale", "0.1"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "between 1 and 1000, not 0.1" in refused.stderr


def test_whoever_connects_learns_the_scale_and_the_page_says_it(tmp_path):
    running = embedded.ensure(tmp_path, {"KENNEL_TIME_SCALE": "30", "PATH": "/usr/bin:/bin"})
    assert running is not None
    try:
        assert json.loads((tmp_path / "aws" / "client.json").read_text())["time_scale"] == 30
        told = connect({"KENNEL_HOME": str(tmp_path)}).account
        assert told.time_scale == 30
        assert "waits 30 × shorter" in account.words(told)
    finally:
        running.stop()
