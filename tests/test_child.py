import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard.child import Child, environment, log_file

NO_PROXY = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost,::1")


def wait(happened, seconds=10):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return state.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def python(code, log, **more):
    return Child([sys.executable, "-c", code], environ=environment(os.environ), log=log, **more)


FAMILY = """
import subprocess, sys, time, signal
{ignore}
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("inner", inner.pid, flush=True)
time.sleep(600)
"""


def started_family(log, ignore=""):
    child = python(FAMILY.format(ignore=ignore), log)
    wait(lambda: "inner" in child.said())
    return child, int(child.said().split()[1])


def test_no_aws_variable_reaches_a_child():
    real = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_PROFILE": "ada",
        "AWS_CONFIG_FILE": "/x",
        "PATH": "/bin",
        "KENNEL_HOME": "/k",
    }
    assert environment(real) == {"PATH": "/bin", "KENNEL_HOME": "/k", "PYTHONUNBUFFERED": "1"} | NO_PROXY


def test_a_chosen_profile_brings_its_files_and_no_key():
    real = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "t",
        "AWS_CONFIG_FILE": "/x",
    }
    assert environment(real, profile=True) == {"AWS_CONFIG_FILE": "/x", "PYTHONUNBUFFERED": "1"} | NO_PROXY


def test_a_proxy_is_kept_but_not_for_this_machine():
    """The sample account could never be filled behind a proxy otherwise."""
    found = environment({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": ".corp"})
    assert found["HTTP_PROXY"] == "http://proxy:3128"
    assert found["no_proxy"] == found["NO_PROXY"] == ".corp,127.0.0.1,localhost,::1"
    ask = "import urllib.request; print('direct', urllib.request.proxy_bypass('127.0.0.1:4566'))"
    done = subprocess.run([sys.executable, "-c", ask], env=found, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "direct True"


def test_what_it_says_goes_to_its_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("of the last start\n")
    child = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", log)
    wait(lambda: child.code == 3)
    assert child.stop() == 3
    assert child.said() == "out\nerr"
    assert log.read_text() == "of the last start\nout\nerr\n"


def test_only_the_last_lines_are_told(tmp_path):
    child = python("for n in range(50_000): print(n)", tmp_path / "log")
    wait(lambda: child.code is not None)
    assert child.said(3) == "49997\n49998\n49999"
    child.stop()


def test_stopping_ends_it_and_all_it_started(tmp_path):
    child, inner = started_family(tmp_path / "log")
    assert child.stop() == 128 + signal.SIGTERM
    wait(lambda: not alive(inner))


def test_what_ignores_sigterm_is_killed(tmp_path):
    child, inner = started_family(tmp_path / "log", ignore="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    begun = time.monotonic()
    child.stop(patience=0.3)
    assert time.monotonic() - begun < 8
    wait(lambda: not alive(inner))


def test_stopping_twice_is_fine(tmp_path):
    child = python("import time; time.sleep(600)", tmp_path / "log")
    assert child.stop() == child.stop()


HOLDER = """
import os, sys, time
from pathlib import Path
from dashboard.child import Child, environment
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = Child(sleep, environ=environment(os.environ), log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_does_not_outlive_whoever_started_it(tmp_path, number):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    pid = int(holder.stdout.readline())
    assert alive(pid)
    holder.send_signal(number)
    holder.wait(10)
    holder.stdout.close()
    wait(lambda: not alive(pid))


def test_a_log_that_has_grown_large_makes_room(tmp_path):
    file = log_file(tmp_path, "aws", most=10)
    assert file == tmp_path / "logs" / "aws.log"
    file.write_text("x" * 11)
    assert log_file(tmp_path, "aws", most=10) == file
    assert not file.exists()
    assert (tmp_path / "logs" / "aws.old.log").read_text() == "x" * 11
