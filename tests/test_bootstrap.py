"""The first command on a bare machine: what it needs, and what it says when it cannot go on."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/bootstrap.py, working in an empty folder."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    for name, value in {"VENV": venv, "PYTHON": venv / "bin" / "python", "LOG": tmp_path / "install.log"}.items():
        monkeypatch.setattr(module, name, str(value))
    return module


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_an_old_python_is_named_with_the_way_out(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "MINIMUM", (99, 0))
    with pytest.raises(SystemExit) as stopped:
        bootstrap.main("run")
    assert stopped.value.code == 1
    message = said(capsys)
    assert "needs 99.0 or newer" in message
    assert "PYTHON=" in message


def test_a_small_disk_is_refused_before_anything_is_made(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "free_bytes", lambda: 1024**3)
    with pytest.raises(SystemExit):
        bootstrap.make_venv()
    assert "1.0 GiB free" in said(capsys)
    assert not Path(bootstrap.VENV).exists()


def test_a_failed_installation_shows_what_pip_said(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    with pytest.raises(SystemExit):
        bootstrap.pip(["--no-index", "a-package-that-is-not-there==1"])
    assert "a-package-that-is-not-there" in said(capsys)
    assert "a-package-that-is-not-there" in Path(bootstrap.LOG).read_text()


def test_it_installs_again_only_when_a_pinned_file_changes(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    Path(bootstrap.VENV).mkdir()
    pins = tmp_path / "requirements.txt"
    pins.write_text("one==1\n")
    calls: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "pip", calls.append)
    for _ in range(2):
        bootstrap.install("run", ["-r", "requirements.txt"], ["requirements.txt"])
    assert len(calls) == 1
    pins.write_text("one==2\n")
    bootstrap.install("run", ["-r", "requirements.txt"], ["requirements.txt"])
    assert len(calls) == 2


def test_the_browser_can_be_named(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KENNEL_CHROMIUM", raising=False)
    assert bootstrap.chromium() is None
    browser = tmp_path / "my-chrome"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    monkeypatch.setenv("KENNEL_CHROMIUM", str(browser))
    assert bootstrap.chromium() == str(browser)


def test_every_requirement_is_pinned_and_says_what_it_is_for():
    for name in ("requirements.txt", "tests/requirements.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r ")):
                requirement, _, purpose = line.partition("#")
                assert "==" in requirement, line
                assert len(purpose.split()) >= 2, line
