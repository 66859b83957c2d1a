import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard import embedded
from dashboard.core.aws import connect
from dashboard.core.errors import InvalidInput, ServiceFault
from tests.test_child import alive, wait

ROOT = Path(__file__).resolve().parents[1]
SERVER = """
import sys, time
from pathlib import Path
from dashboard import embedded
running = embedded.ensure(Path(sys.argv[1]))
print(running.address, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.mark.parametrize("name", ["KENNEL_TIME_SCALE", "KENNEL_INSTANCE_START"])
@pytest.mark.parametrize("value", ["fast", "nan", "-1"])
def test_a_setting_that_is_no_number_is_named(home, name, value):
    with pytest.raises(InvalidInput, match=f"{name}={value} is not a number"):
        embedded.start(home, {name: value})


@pytest.fixture
def running(home):
    started = embedded.ensure(home, {**os.environ, "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL"})
    assert started is not None
    yield started
    started.stop()


def test_it_answers_and_ends(home, running):
    assert embedded.is_answering(running.address)
    aws = connect({"KENNEL_HOME": str(home)})
    assert aws.account.endpoint_url == running.address
    assert aws.call("sts", "GetCallerIdentity")["Account"] == "123456789012"
    running.stop()
    assert not embedded.is_answering(running.address)


def test_its_environment_has_no_aws_variable(running):
    seen = [running.child.pid, *children(running.child.pid)]
    assert len(seen) >= 2
    for pid in seen:
        assert b"AWS_" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_one_that_runs_already_is_used_and_left_alone(home, running):
    second = embedded.ensure(home, os.environ)
    assert second.address == running.address
    assert second.child is None
    second.stop()
    assert embedded.is_answering(running.address)


def test_after_a_restart_it_has_the_same_address(home, running):
    first = running.address
    running.stop()
    again = embedded.ensure(home, os.environ)
    assert again.address == first
    again.stop()


def test_a_port_that_is_taken_meanwhile_is_replaced(home, running):
    first = running.address
    running.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(first.rsplit(":", 1)[1])))
        taken.listen()
        again = embedded.ensure(home, os.environ)
        assert again.address != first
        assert embedded.is_answering(again.address)
        again.stop()


def test_one_that_does_not_start_shows_the_end_of_its_log(home):
    (home / "aws").mkdir(parents=True)
    (home / "aws" / "key.json").write_text("not json")
    with pytest.raises(ServiceFault, match="did not start") as caught:
        embedded.ensure(home, os.environ)
    assert "JSONDecodeError" in caught.value.why
    assert str(home / "logs" / "aws.log") in caught.value.next_step


def test_none_is_started_where_the_launcher_did(home):
    assert embedded.ensure(home, {embedded.OURS: "launcher"}) is None
    assert not home.exists()


def test_it_ends_with_a_server_that_is_killed(home):
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    address = server.stdout.readline().strip()
    assert embedded.is_answering(address)
    family = children(server.pid)
    server.send_signal(signal.SIGKILL)
    server.wait(10)
    server.stdout.close()
    wait(lambda: not any(alive(pid) for pid in family))
    assert not embedded.is_answering(address)


def test_its_keys_are_told_to_nobody(home, running, capfd):
    secret = json.loads((home / "aws" / "client.json").read_text())["secret_access_key"]
    time.sleep(0.1)
    said = capfd.readouterr()
    assert secret not in said.out + said.err + (home / "logs" / "aws.log").read_text()


def children(pid):
    """Process ids of everything below a process, whichever of its threads started it."""
    below = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                below += [int(child) for child in (task / "children").read_text().split()]
    return below + [grand for child in below for grand in children(child)]
