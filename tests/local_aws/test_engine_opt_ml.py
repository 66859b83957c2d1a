"""A process gets an /opt/ml of its own: really, or by rewriting; the host's /opt is left as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.engine.opt_ml import OptMl, holds_python, namespaces_allowed
from local_aws.engine.process import LeashedProcess

HOST_OPT = sorted(path.name for path in Path("/opt").iterdir()) if Path("/opt").is_dir() else []
needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no mount namespaces")
both = pytest.mark.parametrize("private", [pytest.param(True, marks=needs_namespaces), False])


def run(place: OptMl, script: str, **variables: str) -> tuple[list[str], int | None]:
    place.make()
    process = LeashedProcess(
        place.command(["/bin/sh", "-c", script]),
        environment=place.environment({"PATH": os.environ["PATH"], **variables}),
        folder=place.folder / "code",
    )
    with os.fdopen(process.output) as output:
        lines = output.read().splitlines()
    return lines, process.wait(10)


@both
def test_files_written_below_opt_ml_are_found_in_the_folder(tmp_path: Path, private: bool) -> None:
    place = OptMl(tmp_path, private)
    (tmp_path / "input/data/training").mkdir(parents=True)
    (tmp_path / "input/data/training/a.txt").write_text("photo")
    lines, code = run(
        place, 'cat /opt/ml/input/data/training/a.txt; echo made > "$SM_MODEL_DIR/m"', SM_MODEL_DIR="/opt/ml/model"
    )
    assert (lines, code) == (["photo"], 0)
    assert (tmp_path / "model/m").read_text() == "made\n"


@both
def test_the_base_is_named_and_the_command_starts_in_code(tmp_path: Path, private: bool) -> None:
    place = OptMl(tmp_path, private)
    lines, _ = run(place, 'echo "$KENNEL_BASE"; pwd')
    assert lines == [place.base, place.seen("code")]
    assert place.base == ("/opt/ml" if private else str(tmp_path))


@needs_namespaces
def test_the_hosts_opt_stays_visible_inside_and_untouched_outside(tmp_path: Path) -> None:
    lines, _ = run(OptMl(tmp_path, True), "ls /opt; touch /opt/made-inside && ls /opt | wc -l")
    assert lines[:-1] == sorted({*HOST_OPT, "ml"})
    assert int(lines[-1]) == len(lines)
    assert sorted(path.name for path in Path("/opt").iterdir()) == HOST_OPT


@needs_namespaces
def test_the_servers_state_looks_empty_inside_and_is_whole_outside(tmp_path: Path) -> None:
    (tmp_path / "client.json").write_text("secret")
    lines, _ = run(OptMl(tmp_path / "jobs/1", True, tmp_path), f"ls -A {tmp_path} | wc -l; touch /opt/ml/model/m")
    assert lines == ["0"]
    assert (tmp_path / "client.json").read_text() == "secret"
    assert (tmp_path / "jobs/1/model/m").exists()


def test_a_state_folder_around_python_or_the_packages_is_not_hidden(tmp_path: Path) -> None:
    assert not holds_python(tmp_path)
    assert holds_python(Path(sys.prefix))
    assert holds_python(Path(__file__).parents[2])
    assert holds_python(Path("/"))


@needs_namespaces
def test_two_processes_at_once_see_two_folders(tmp_path: Path) -> None:
    places = [OptMl(tmp_path / name, True) for name in ("a", "b")]
    processes = []
    for place in places:
        place.make()
        command = place.command(
            ["/bin/sh", "-c", f"echo {place.folder.name} > /opt/ml/model/x; sleep 0.2; cat /opt/ml/model/x"]
        )
        processes.append(LeashedProcess(command, environment={"PATH": os.environ["PATH"]}, folder=place.folder))
    seen = []
    for process in processes:
        with os.fdopen(process.output) as output:
            seen.append(output.read().strip())
        process.wait(5)
    assert seen == ["a", "b"]


@needs_namespaces
def test_an_ordinary_user_gets_one_through_a_user_namespace(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("this run is an ordinary user's already; the other tests say the same")
    script = "; ".join(
        (
            "import ctypes, os, sys",
            f"sys.path.insert(0, {str(Path(__file__).parents[2] / 'local_aws/engine')!r})",
            "import namespace",
            "os.setgid(65534)",
            "os.setuid(65534)",
            "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)",  # dumpable again, as after any exec
            "namespace.enter()",
            f"namespace.show_as_opt_ml({str(tmp_path)!r})",
            "print(os.listdir('/opt/ml'), os.getuid(), 'ml' in os.listdir('/opt'))",
        )
    )
    (tmp_path / "seen").touch()
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "['seen'] 65534 True\n", done.stderr


def test_without_a_namespace_the_prefix_is_rewritten_where_it_is_a_path_of_its_own(tmp_path: Path) -> None:
    place = OptMl(tmp_path, False)
    assert place.text("--x=/opt/ml/model:/opt/ml") == f"--x={tmp_path}/model:{tmp_path}"
    for other in ("/opt/mlflow", "s3://opt/ml/x", "/srv/opt/ml", "/opt/ml-backup", "http://host/opt/ml"):
        assert place.text(other) == other
    assert OptMl(tmp_path, True).text("/opt/ml/model") == "/opt/ml/model"


def test_drivers_are_rewritten_and_data_is_not(tmp_path: Path) -> None:
    place = OptMl(tmp_path, False)
    place.make()
    code, data = tmp_path / "input/data/code", tmp_path / "input/data/training"
    for folder in (code, data):
        folder.mkdir()
        (folder / "run.sh").write_text("cat /opt/ml/input/config/resourceconfig.json")
    (code / "weights.bin").write_bytes(b"\xff\xfe/opt/ml/model")
    assert place.rewrite_code([code]) == 1
    assert (code / "run.sh").read_text() == f"cat {tmp_path}/input/config/resourceconfig.json"
    assert (code / "weights.bin").read_bytes() == b"\xff\xfe/opt/ml/model"
    assert (data / "run.sh").read_text() == "cat /opt/ml/input/config/resourceconfig.json"


@needs_namespaces
def test_a_folder_that_is_gone_is_a_clear_failure(tmp_path: Path) -> None:
    process = LeashedProcess(
        OptMl(tmp_path / "gone", True).command(["/bin/true"]), environment={"PATH": os.environ["PATH"]}, folder=tmp_path
    )
    with os.fdopen(process.output) as output:
        assert "no private /opt/ml" in output.read()
    assert process.wait(5) == 125
