"""tools/images.py: what it finds, what it says, and that a failure is never a pass."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command, working in an empty folder."""
    spec = importlib.util.spec_from_file_location("images_tool", ROOT / "tools" / "images.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "images_tool", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "HOME", tmp_path / ".images")
    monkeypatch.setattr(module, "CUDA", tmp_path / ".images" / "cuda")
    return module


def test_an_interpreter_is_of_the_version_asked_for_or_the_one_at_hand(tool: ModuleType):
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = tool.find_python(ours)
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"Python {ours}.")
    assert tool.find_python("9.9") == Path(sys.executable)


def test_a_changed_requirement_or_a_changed_layer_below_builds_anew(tool: ModuleType, monkeypatch: pytest.MonkeyPatch):
    before = {image.name: tool.fingerprint(image) for image in tool.IMAGES}
    monkeypatch.setattr(tool, "CUDA_PACKAGES", ("nvidia-cublas-cu12==99",))
    assert all(tool.fingerprint(image) != before[image.name] for image in tool.IMAGES)
    assert len(set(before.values())) == len(tool.IMAGES)


def test_a_full_disk_is_said_before_anything_is_fetched(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(tool, "NEEDED_BYTES", 10**18)
    monkeypatch.setattr(tool, "pip", lambda *_: pytest.fail("something was installed"))
    assert tool.main(["serving"]) == 1
    said = capsys.readouterr().out
    assert "serving cannot be built: the disk has" in said
    assert "0 of 1 passed" in said


@pytest.mark.parametrize(
    ("inside", "code", "line"),
    [
        ("", 0, "  passed      1.5 s  a run ends"),
        ('<failure message="it did not&#10;at all"/>', 1, "  FAILED      1.5 s  a run ends: it did not"),
        ('<error message="no fixture"/>', 1, "  FAILED      1.5 s  a run ends: no fixture"),
        ('<skipped message="not here"/>', 1, "  skipped     1.5 s  a run ends: not here"),
    ],
)
def test_the_table_says_what_passed_and_the_exit_code_whether_all_did(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    inside: str,
    code: int,
    line: str,
):
    case = ElementTree.fromstring(f'<testcase name="test_a_run_ends" time="1.5">{inside}</testcase>')  # noqa: S314
    monkeypatch.setattr(tool, "build", lambda image: None)
    monkeypatch.setattr(tool, "versions", lambda image: "Python 3.11")
    monkeypatch.setattr(tool, "run_checks", lambda image: [tool._result(case)])
    assert tool.main(["oldest"]) == code
    said = capsys.readouterr().out
    assert line in said
    assert f"{1 - code} of 1 passed" in said


def test_checks_that_were_not_run_are_no_pass(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """pytest that cannot even start leaves no report."""
    monkeypatch.setattr(tool, "build", lambda image: image.folder.mkdir(parents=True))
    monkeypatch.setattr(tool, "versions", lambda image: "Python 3.11")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert tool.main(["oldest"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_an_unknown_name_is_refused(tool: ModuleType):
    with pytest.raises(SystemExit):
        tool.main(["no-such-image"])
