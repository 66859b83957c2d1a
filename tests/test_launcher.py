"""The launcher as a person starts it: its own process, its real children, real signals."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from dashboard.core.aws import connect
from dashboard.core.costs.prices import PriceBook
from dashboard.core.data.datasets import list_datasets
from dashboard.core.exposure import Share
from dashboard.core.serving.endpoints import list_endpoints
from dashboard.core.sign_in import SignIn
from dashboard.embedded import is_answering
from dashboard.launcher import Launcher
from tests.test_child import alive, wait
from tests.test_embedded import children

ROOT = Path(__file__).resolve().parents[1]


class Kennel:
    """One `python -m dashboard`, and what it printed."""

    def __init__(self, home, port=None, **environ):
        self.home = home
        self.port = port or free_port()
        self.out = home.parent / f"{home.name}-{self.port}.out"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "KENNEL_"))}
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard", "--port", str(self.port)],
                cwd=ROOT,
                env=clean | {"KENNEL_HOME": str(home)} | environ,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self):
        return self.out.read_text()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_running(self):
        wait(lambda: "Stop     Ctrl-C" in self.said or self.process.poll() is not None, 60)
        assert "Stop     Ctrl-C" in self.said, self.said

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def home(tmp_path):
    """A state folder that is past its first start: the sample account has tests of its own."""
    folder = tmp_path / "home"
    (folder / "aws").mkdir(parents=True)
    for marker in ("account-done", "roles-done", "replays-done", "replays-marked"):
        (folder / "aws" / f"sample-{marker}").touch()
    return folder


@pytest.fixture
def kennel(home):
    running = Kennel(home)
    running.wait_running()
    yield running
    running.stop()


def test_it_says_where_it_is_answers_there_and_gives_no_child_a_key_of_the_person(home):
    kennel = Kennel(home, AWS_ACCESS_KEY_ID="AKIAREALREALREALREAL", AWS_SECRET_ACCESS_KEY="real", AWS_PROFILE="nobody")
    kennel.wait_running()
    assert "Kennel is running." in kennel.said
    assert f"Open     {kennel.address}" in kennel.said
    assert "embedded AWS at http://127.0.0.1:" in kennel.said
    assert "Ctrl-C" in kennel.said
    assert kennel.get("/_stcore/health")[0] == 200
    status, body = kennel.get("/healthz")
    assert status == 200
    assert b'"ready":true' in body
    for pid in children(kennel.process.pid):
        assert b"AWS_" not in Path(f"/proc/{pid}/environ").read_bytes()
    ends_all(kennel, signal.SIGINT)


def ends_all(kennel, number):
    """A signal ends the launcher and every process it started, soon and in good order."""
    family = children(kennel.process.pid)
    assert len(family) >= 4  # two leashes, the embedded AWS, the web server
    begun = time.monotonic()
    kennel.process.send_signal(number)
    assert kennel.process.wait(20) == 0
    assert time.monotonic() - begun < 10
    wait(lambda: not any(alive(pid) for pid in family))
    with pytest.raises(OSError, match="refused"):
        kennel.get("/")
    assert "Traceback" not in kennel.said


def test_signals_end_all_of_it_and_a_second_start_is_healthy_within_six_seconds(kennel):
    ends_all(kennel, signal.SIGTERM)
    begun = time.monotonic()
    again = Kennel(kennel.home)
    again.wait_running()
    took = time.monotonic() - begun
    ends_all(again, signal.SIGHUP)
    assert took < 6


def test_ctrl_c_before_it_is_ready_ends_all_of_it_too(home):
    kennel = Kennel(home)
    wait(lambda: len(children(kennel.process.pid)) >= 2)
    family = children(kennel.process.pid)
    kennel.process.send_signal(signal.SIGINT)
    assert kennel.process.wait(40) == 0
    wait(lambda: not any(alive(pid) for pid in family))
    assert "Kennel is running" not in kennel.said
    assert "Traceback" not in kennel.said


def test_the_first_start_fills_the_account_the_second_leaves_it_and_even_kill_9_leaves_nothing_behind(tmp_path):
    home = tmp_path / "home"
    kennel = Kennel(home, KENNEL_TIME_SCALE="600")
    kennel.wait_running()
    assert "the sample account is being filled" in kennel.said
    wait(lambda: (home / "aws" / "sample-account-done").exists(), 120)
    assert "sample account: complete" in (home / "logs" / "sample-account.log").read_text()
    log = (home / "logs" / "sample-account.log").read_text()
    aws = connect({"KENNEL_HOME": str(home)})
    (endpoint,) = list_endpoints(aws, PriceBook.load())
    assert endpoint.name == "starter"
    assert endpoint.is_sample
    assert endpoint.status.is_serving
    assert [dataset.is_sample for dataset in list_datasets(aws)] == [True]
    kennel.stop()
    again = Kennel(home)
    again.wait_running()
    assert "sample account" not in again.said
    family = children(again.process.pid)
    again.process.kill()
    again.process.wait(10)
    wait(lambda: not any(alive(pid) for pid in family))
    assert (home / "logs" / "sample-account.log").read_text() == log


def test_a_port_in_use_is_said_before_anything_starts(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        kennel = Kennel(home, taken.getsockname()[1])
        assert kennel.process.wait(20) == 1
    assert f"port {kennel.port} on 127.0.0.1 is in use" in kennel.said
    assert "KENNEL_PORT" in kennel.said
    assert "Traceback" not in kennel.said
    assert not (home / "logs").exists()


def test_a_state_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").touch()
    kennel = Kennel(tmp_path / "file")
    assert kennel.process.wait(20) == 1
    assert "cannot be written to" in kennel.said
    assert "Traceback" not in kennel.said


def test_an_embedded_aws_that_does_not_start_is_said_with_its_log(home):
    (home / "aws" / "key.json").write_text("not json")
    kennel = Kennel(home)
    assert kennel.process.wait(40) == 1
    assert "the embedded AWS did not start" in kennel.said
    assert "JSONDecodeError" in kennel.said
    assert str(home / "logs" / "aws.log") in kennel.said
    assert "dashboard/launcher.py" not in kennel.said  # its traceback, not ours


def test_an_embedded_aws_that_dies_is_started_again_at_the_same_address_and_one_that_keeps_ending_ends_all(kennel):
    before = connect({"KENNEL_HOME": str(kennel.home)}).account.endpoint_url
    kill_embedded_aws(kennel)
    wait(lambda: "starting it again" in kennel.said)
    wait(lambda: b'"ready":true' in kennel.get("/healthz")[1], 20)
    assert connect({"KENNEL_HOME": str(kennel.home)}).account.endpoint_url == before
    assert kennel.process.poll() is None
    for _ in range(3):
        kill_embedded_aws(kennel)
    assert kennel.process.wait(30) == 1
    assert kennel.said.count("starting it again") == 3
    assert "the embedded AWS keeps ending" in kennel.said
    assert str(kennel.home / "logs" / "aws.log") in kennel.said


def test_a_web_server_that_dies_ends_all_with_its_log_and_a_second_kennel_of_the_folder_takes_the_aws_over(kennel):
    second = Kennel(kennel.home)
    try:
        second.wait_running()
        family = children(kennel.process.pid)
        server = next(pid for pid in family if b"streamlit" in cmdline(pid) and b"leash" not in cmdline(pid))
        os.kill(server, signal.SIGKILL)
        assert kennel.process.wait(30) == 1
        assert "the dashboard's server did not keep running" in kennel.said
        wait(lambda: not any(alive(pid) for pid in family))
        wait(lambda: "this one runs it now" in second.said, 20)
        wait(lambda: b'"ready":true' in second.get("/healthz")[1], 20)
    finally:
        assert second.stop() == 0


def test_ctrl_c_while_it_is_still_being_loaded_is_no_traceback():
    script = """
        import runpy, sys, types
        def main():
            raise KeyboardInterrupt
        sys.modules["dashboard.launcher"] = types.SimpleNamespace(main=main)
        runpy.run_module("dashboard", run_name="__main__")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def kill_embedded_aws(kennel):
    pid = wait_for_embedded_aws(kennel)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not alive(pid))


def wait_for_embedded_aws(kennel):
    """The embedded AWS's own process, once it answers."""

    def look():
        family = children(kennel.process.pid)
        found = (p for p in family if b"local_aws" in cmdline(p) and b"leash" not in cmdline(p))
        address = connect({"KENNEL_HOME": str(kennel.home)}).account.endpoint_url
        return next(found, None) if is_answering(address) else None

    wait(look, 20)
    return look()


def test_a_real_profile_starts_no_embedded_aws(home, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile ada]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n"
                      "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")  # fmt: skip
    kennel = Kennel(home, KENNEL_AWS_PROFILE="ada", AWS_CONFIG_FILE=str(config))
    kennel.wait_running()
    assert "real AWS profile ada, read-only until a page allows changes" in kennel.said
    # Nothing is behind that profile: that is said first, and not that all is well.
    assert kennel.said.strip().startswith("Kennel cannot use its AWS account: ")
    assert "nothing answers at 127.0.0.1:9" in kennel.said
    assert "Kennel is running" not in kennel.said
    assert not any(b"local_aws\0--state" in cmdline(pid) for pid in children(kennel.process.pid))
    kennel.stop()


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_secrets_that_others_may_read_are_said(tmp_path):
    file = tmp_path / "secrets.toml"
    file.touch()
    people = SignIn((), (), "", 12.0, "https://kennel.example.com")
    launcher = Launcher(tmp_path, 8501, {"KENNEL_SECRETS": str(file)}, people=people)
    file.chmod(0o644)
    assert f"chmod 600 {file}" in launcher._banner("")
    file.chmod(0o600)
    assert "sign in at https://kennel.example.com" in launcher._banner("")
    assert "chmod" not in launcher._banner("")


def test_an_endpoint_that_is_shared_and_not_there_is_said(embedded, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "aws").symlink_to(embedded.state)

    def said(name):
        return Launcher(home, 8501, {}, share=Share(name))._banner("")

    assert "no-such answers\n           but there is no endpoint no-such: nobody gets an answer" in said("no-such")
    assert "there is no endpoint" not in said("")
    elsewhere = Launcher(tmp_path, 8501, {}, share=Share("dogs"))._banner("")
    assert "whether there is an endpoint dogs could not be looked at: the embedded AWS has not been" in elsewhere


def test_accounts_that_no_profile_has_are_said(tmp_path):
    file = tmp_path / "config"
    file.write_text("[profile work]\nregion = eu-west-1\n")

    def said(accounts):
        files = {"AWS_CONFIG_FILE": str(file), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
        return Launcher(tmp_path, 8501, files | {"KENNEL_ACCOUNTS": accounts})._banner("")

    assert "KENNEL_ACCOUNTS names what no AWS profile is called: nosuch" in said("work, nosuch")
    assert "Accounts" not in said("work")
    assert "Accounts" not in said("")
    file.write_text("[profile\n")
    assert f"the AWS configuration file {file} cannot be read" in said("work")


@pytest.mark.parametrize(
    ("has_one", "is_over", "told"),
    [
        (False, False, "the sample account is being filled: Classify answers in a moment"),
        (True, False, "the sample account gets what it did not have yet"),
        (False, True, ""),
    ],
)
def test_what_the_sample_account_lacks_is_said_while_it_is_made(tmp_path, has_one, is_over, told):
    launcher = Launcher(tmp_path, 8501, {})
    launcher._sample = SimpleNamespace(is_over=is_over)
    (tmp_path / "aws").mkdir()
    if has_one:
        (tmp_path / "aws" / "sample-account-done").touch()
    said = launcher._banner("")
    assert told in said
    assert ("sample account" in said) is bool(told)
