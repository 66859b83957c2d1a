"""The environment that the checks drive, from outside: nothing of it is imported here."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

SECONDS = 280


@dataclass(frozen=True)
class Image:
    """An environment of tools/images.py: its name, its folder, and its Python."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run its Python with `arguments`; without Kennel on the path unless `cwd` is its folder and -m is used."""
        variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return subprocess.run(
            [str(argument) for argument in (self.python, *arguments)],
            cwd=cwd,
            env=variables | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def tell(self, program: str, *arguments: object, **how: Any) -> Any:
        """Run a program that prints one line of JSON last, and read that."""
        done = self.run("-c", program, *arguments, **how)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--image", metavar="FOLDER", help="an environment that tools/images.py built")


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> Image:
    """The environment that --image names; tools/images.py gives it."""
    folder = pytestconfig.getoption("--image", default=None)
    if not folder:
        pytest.skip("checks of AWS's images run with `make images`")
    return Image(Path(folder).name, Path(folder))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few drawn photos of a few breeds: enough for every code path, small enough for a minute."""
    folder = tmp_path_factory.mktemp("drawn")
    command = [sys.executable, "-m", "training.sample_data", str(folder), "--photos-per-breed", "8", "--size", "320"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder
