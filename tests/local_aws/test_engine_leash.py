"""What a leash promises: output and exit code of the command, and nothing left running, however the server ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local_aws.engine.process import LeashedProcess
from tests.conftest import ROOT

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def run(tmp_path: Path, *command: str) -> tuple[str, int | None]:
    process = LeashedProcess(command, environment=ENVIRONMENT, folder=tmp_path)
    with os.fdopen(process.output) as output:
        text = output.read()
    return text, process.wait(10)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_output_of_both_streams_and_the_exit_code(tmp_path: Path) -> None:
    text, code = run(tmp_path, "/bin/sh", "-c", "echo out; echo err >&2; pwd; exit 7")
    assert text.split() == ["out", "err", str(tmp_path)]
    assert code == 7


def test_the_code_of_a_killed_command_is_128_plus_the_signal(tmp_path: Path) -> None:
    assert run(tmp_path, "/bin/sh", "-c", "kill -9 $$") == ("", 137)


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux only")
def test_out_of_memory_the_command_goes_before_the_server(tmp_path: Path) -> None:
    text, _ = run(tmp_path, "/bin/cat", "/proc/self/oom_score_adj")
    assert int(text) > int(Path("/proc/self/oom_score_adj").read_text())


def test_a_command_that_does_not_exist_says_so(tmp_path: Path) -> None:
    text, code = run(tmp_path, "/no/such/command")
    assert code == 127
    assert text == "cannot run /no/such/command: No such file or directory\n"


def test_the_command_sees_only_the_given_environment_and_no_open_files_of_the_server(tmp_path: Path) -> None:
    text, _ = run(
        tmp_path,
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import os; print(sorted(os.environ)); print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:4])",
    )
    variables, descriptors = text.splitlines()
    assert "PATH" in variables
    assert not {name for name in os.environ if name.startswith(("AWS_", "PYTEST"))} & set(eval(variables))  # noqa: S307
    assert eval(descriptors)[:3] == [0, 1, 2]  # noqa: S307
    assert len(eval(descriptors)) == 4, "3 is the folder being listed; a fourth would be the lifeline"  # noqa: S307


def test_sigterm_reaches_the_whole_group(tmp_path: Path) -> None:
    process = LeashedProcess(
        ["/bin/sh", "-c", "trap 'echo stopping; exit 3' TERM; echo ready; sleep 60 & wait"],
        environment=ENVIRONMENT,
        folder=tmp_path,
    )
    with os.fdopen(process.output) as output:
        assert output.readline() == "ready\n"
        process.terminate()
        assert output.read() == "stopping\n"
    assert process.wait(5) == 3


def test_sigterm_is_never_lost_however_early_it_comes(tmp_path: Path) -> None:
    for number in range(30):
        process = LeashedProcess(["/bin/sleep", "60"], environment=ENVIRONMENT, folder=tmp_path)
        time.sleep(number * 0.002)
        process.terminate()
        code = process.wait(2)
        os.close(process.output)
        assert code in (143, -15), f"after {number * 2} ms: {code}"


def test_what_the_command_leaves_behind_is_killed(tmp_path: Path) -> None:
    text, code = run(tmp_path, "/bin/sh", "-c", "setsid sleep 300 & echo $!; sleep 0.1; exit 0")
    assert code == 0
    assert eventually(lambda: not is_running(int(text)))


def test_kill_ends_everything_at_once_even_what_ignores_sigterm_or_changed_session(tmp_path: Path) -> None:
    script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$; sleep 300; sleep 300' & sleep 300; sleep 300"
    process = LeashedProcess(["/bin/sh", "-c", script], environment=ENVIRONMENT, folder=tmp_path)
    with os.fdopen(process.output) as output:
        pid = int(output.readline())
        process.terminate()
        assert process.wait(0.2) is None
        process.kill()
        assert process.wait(5) == 137
    assert eventually(lambda: not is_running(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process when its parent dies")
def test_the_command_dies_with_a_killed_leash(tmp_path: Path) -> None:
    process = LeashedProcess(["/bin/sh", "-c", "echo $$; exec sleep 300"], environment=ENVIRONMENT, folder=tmp_path)
    with os.fdopen(process.output) as output:
        pid = int(output.readline())
        os.kill(process.pid, signal.SIGKILL)
        assert eventually(lambda: not is_running(pid))
    process.wait(5)


def test_everything_dies_within_two_seconds_of_kill_9_of_the_server(tmp_path: Path) -> None:
    server = """
import os, sys
from pathlib import Path
from local_aws.engine.process import LeashedProcess
script = "trap '' TERM; (setsid sh -c 'echo $$; sleep 300; sleep 300') & echo $$; sleep 300; sleep 300"
process = LeashedProcess(["/bin/sh", "-c", script], environment={"PATH": os.environ["PATH"]}, folder=Path(sys.argv[1]))
print(process.pid, flush=True)
with os.fdopen(process.output) as output:
    for line in output:
        print(line, end="", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", server, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(3)]
        assert all(is_running(pid) for pid in pids)
        process.kill()
        killed_at = time.monotonic()
        assert eventually(lambda: not any(is_running(pid) for pid in pids), 2.0)
        assert time.monotonic() - killed_at < 2.0
