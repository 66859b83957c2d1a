"""The /opt/ml folder of a container: its layout, and how a process without a container gets to see it.

Where the system allows mount namespaces the process sees its own folder as /opt/ml. Elsewhere (macOS, some containers)
that prefix is rewritten in its arguments, its variables and the text files of its code.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from local_aws.engine import warm_pool

OPT_ML = "/opt/ml"
NAMESPACE = Path(__file__).with_name("namespace.py")
LARGEST_REWRITTEN = 1024 * 1024  # bytes; code is smaller, data is not code
_PREFIX = re.compile(r"(?<![\w/.-])/opt/ml(?![\w.-])")
_FOLDERS = ("input/config", "input/data", "model", "output/data", "code", "home", "tmp")


@dataclass(frozen=True)
class OptMl:
    """One process's /opt/ml. folder: where it really is; private: seen as /opt/ml, else paths are rewritten.

    hidden: a folder that a private process sees empty, such as the server's state; shared: one that lies elsewhere, is
    seen as /opt/ml/sagemaker/warmpoolcache, and stays when this one is removed. hosts: a file that a private process
    sees as /etc/hosts.
    """

    folder: Path
    private: bool
    hidden: Path | None = None
    shared: Path | None = None
    hosts: Path | None = None

    def make(self, *more: str) -> None:
        """Make the folder with all that every container finds in it, and `more` folders below it."""
        for name in (*_FOLDERS, *more):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if self.shared:
            place = self.folder / warm_pool.SEEN
            place.parent.mkdir(exist_ok=True)
            if self.private:
                place.mkdir(exist_ok=True)  # the process gets the shared one mounted here
            elif not place.is_symlink():
                place.symlink_to(self.shared.absolute())

    def remove(self) -> None:
        """Delete the folder, whatever permissions a process left on what it made."""
        if self.folder.is_dir():
            self.folder.chmod(0o700)
        for folder, names, _ in os.walk(self.folder):
            for path in (Path(folder, name) for name in names):
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(self.folder, ignore_errors=True)

    def own(self, name: str) -> Path | None:
        """Where a file or folder really is; None when what ran here put a link in its way, which may lead anywhere."""
        path = self.folder
        for part in name.split("/"):
            path /= part
            if path.is_symlink():
                return None
        return path

    def beginning(self, name: str, most: int) -> str:
        """The text of a file that a process left, at most `most` bytes of it; "" when it left no such file."""
        path = self.own(name)
        if path is None or not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")

    @property
    def base(self) -> str:
        """The folder's path as the process sees it."""
        return OPT_ML if self.private else str(self.folder)

    def seen(self, name: str) -> str:
        """The path of a file below /opt/ml, as the process sees it."""
        return f"{self.base}/{name}"

    def text(self, text: str) -> str:
        """`text` with the prefix rewritten where the process cannot see /opt/ml."""
        return text if self.private else _PREFIX.sub(lambda _: str(self.folder), text)

    def command(self, command: Sequence[str]) -> list[str]:
        """What to execute so that `command` runs in code/ and finds its /opt/ml."""
        if self.private:
            given = [str(path or "") for path in (self.folder, self.hidden, self.shared, self.hosts)]
            return [sys.executable, "-I", "-S", str(NAMESPACE), *given, self.seen("code"), *command]
        return [self.text(argument) for argument in command]

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables as the process must see them. KENNEL_BASE names the folder to our own entry points."""
        return {name: self.text(value) for name, value in variables.items()} | {"KENNEL_BASE": self.base}

    def rewrite_code(self, folders: Iterable[Path]) -> int:
        """Rewrite the prefix in the text files of `folders` (source code, drivers); how many files changed."""
        if self.private:
            return 0
        changed = 0
        for path in (path for folder in folders for path in folder.rglob("*")):
            if not path.is_file() or path.is_symlink() or path.stat().st_size > LARGEST_REWRITTEN:
                continue
            try:
                before = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # not a text file
            after = self.text(before)
            if after != before:
                path.write_text(after, encoding="utf-8")
                changed += 1
        return changed


def holds_python(folder: Path) -> bool:
    """Whether what runs here needs something from `folder`, so that it cannot be hidden: Python, or our packages."""
    needed = (sys.executable, sys.prefix, sys.base_prefix, Path(__file__).parents[2])
    return any(Path(path).absolute().is_relative_to(folder.absolute()) for path in needed)


@cache
def namespaces_allowed() -> bool:
    """Whether this system lets a process have a private /opt/ml. Tried once, with a real command, in about 20 ms."""
    if sys.platform != "linux":
        return False
    with TemporaryDirectory() as folder:
        hosts = Path(folder) / "seen"
        hosts.write_text("127.0.0.1 kennel\n")
        inside = [folder, "", "", str(hosts), OPT_ML, "/bin/sh", "-c", "cmp /opt/ml/seen /etc/hosts"]
        command = [sys.executable, "-I", "-S", str(NAMESPACE), *inside]
        try:
            done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
