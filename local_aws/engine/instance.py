"""One EC2 instance as processes of this machine: its folders, its start, its console, its end."""

import json
import os
import select
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from local_aws.engine import container, instance_folders, instance_init, instance_power, instance_sandbox
from local_aws.engine.console import Console
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.process import LeashedProcess

GRACE_SECONDS = 90.0  # between SIGTERM and SIGKILL when it shuts down: systemd's own default
_SPARE_SECONDS = 5.0
_SAVE_SECONDS = 0.2  # between two writings of the console's file
_CONTROL = "run/kennel"
_FOLDERS = ("home", "opt", "root", "run", "tmp", "var/log", "var/tmp", "var/lib/cloud/scripts/per-boot", "var/cache")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class End(Enum):
    """How the processes of an instance came to their end."""

    SHUT_DOWN = "it shut down, because it was told to or of itself"
    REBOOT = "it starts anew"
    LOST = "it broke, or could not be started"


@dataclass(frozen=True)
class Boot:
    """One start of an instance.

    folder: what stays of it between stops; first: whether its user data runs; environment: what its scripts find;
    title: the first line on the console; pytorch: the image has Python at /opt/pytorch/bin, as AWS's own do.
    """

    id: str
    folder: Path
    user_data: bytes
    first: bool
    environment: Mapping[str, str]
    host_name: str = "ip-10-0-0-1"
    title: str = ""
    pytorch: bool = False


@dataclass(frozen=True)
class Sandbox:
    """private: an instance gets a world of its own; hidden: the folder that none may see.

    grace: seconds between SIGTERM and SIGKILL.
    """

    private: bool
    hidden: Path | None = None
    grace: float = GRACE_SECONDS


class InstanceProcess:
    """A started instance. `ended` is called once, from a thread of this object, when its last process is gone."""

    def __init__(self, boot: Boot, sandbox: Sandbox, ended: Callable[[End], None]) -> None:
        """Lay out its folders and start it: some 0.1 s. Raises OSError when this machine cannot."""
        self.boot = boot
        self._sandbox = sandbox
        self._ended = ended
        self._root = boot.folder / "root"
        self._shutting_down = threading.Event()
        self._restarting = threading.Event()
        self.console = Console(boot.folder / "console")
        self._make_folders()
        self._process = LeashedProcess(self._command(), environment=self._environment(), folder=boot.folder)
        self._console_thread = threading.Thread(target=self._carry, name=f"console {boot.id}", daemon=True)
        self._console_thread.start()
        self._thread = threading.Thread(target=self._watch, name=f"instance {boot.id}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process above all others of it."""
        return self._process.pid

    @property
    def root(self) -> Path:
        """What it can write to."""
        return self._root

    def shut_down(self) -> None:
        """SIGTERM to everything in it, SIGKILL after the grace period. `ended` says when that is done."""
        self._shutting_down.set()

    def restart(self) -> None:
        """As `shut_down`, and `ended` is told REBOOT."""
        self._restarting.set()

    def give_up(self, why: str) -> None:
        """End it at once, for a reason that its console tells. `ended` is told LOST."""
        self.console.write(f"[kennel] {why}\n".encode())
        self.console.save()
        self._process.kill()

    def kill(self) -> None:
        """End it at once."""
        self._shutting_down.set()
        self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _watch(self) -> None:
        patience = self._sandbox.grace + _SPARE_SECONDS
        while (code := self._process.wait(0.1)) is None:
            if self._shutting_down.is_set() or self._restarting.is_set():
                self._process.terminate()  # again and again: one that comes while it is still starting is lost
                patience -= 0.1
                if patience < 0:
                    self._process.kill()
        self._console_thread.join()
        told = {instance_init.POWERED_OFF: End.SHUT_DOWN, instance_init.REBOOTED: End.REBOOT}
        end = End.REBOOT if self._restarting.is_set() else told.get(code, End.LOST)
        self._ended(End.SHUT_DOWN if self._shutting_down.is_set() else end)

    def _carry(self) -> None:
        source = select.poll()
        source.register(self._process.output, select.POLLIN)
        try:
            due = 0.0
            while True:
                if source.poll(_SAVE_SECONDS * 1000):
                    data = os.read(self._process.output, 65536)
                    if not data:
                        return
                    self.console.write(data)
                if time.monotonic() >= due:
                    self.console.save()
                    due = time.monotonic() + _SAVE_SECONDS
        finally:
            os.close(self._process.output)
            self.console.save()

    def _command(self) -> list[str]:
        control = self._root / _CONTROL
        seen = Path("/", _CONTROL) if self._sandbox.private else control
        init = [sys.executable, "-I", "-S", str(seen / "init.py"), str(seen / "boot.json")]
        if not self._sandbox.private:
            return init
        plan = {
            "root": str(self._root),
            "visible": instance_folders.needed(),
            "hidden": str(self._sandbox.hidden or ""),
            "commands": str(control / "commands"),
            "host_name": self.boot.host_name,
            "command": init,
        }
        path = self.boot.folder / "plan.json"
        path.write_text(json.dumps(plan))
        return [sys.executable, "-I", "-S", instance_sandbox.__file__, str(path)]

    def _make_folders(self) -> None:
        boot, root = self.boot, self._root
        shutil.rmtree(root / "run", ignore_errors=True)
        for name in _FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name.split("/")[0]).chmod(0o755)
        (root / "tmp").chmod(0o1777)
        (root / "root").chmod(0o700)
        for link, target in (("var/run", "/run"), ("var/lock", "/run/lock")):
            if not (root / link).is_symlink():
                (root / link).symlink_to(target)
        (root / "run/lock").mkdir()
        if self._sandbox.private and not (root / "etc").is_dir():
            instance_folders.copy_etc(root / "etc", boot.host_name)
        self._make_control(root / _CONTROL)
        if boot.pytorch:
            for name in ("python", "python3", "pip"):
                path = root / "opt/pytorch/bin" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                module = "-m pip " if name == "pip" else ""
                instance_folders.write_script(path, f'exec "{sys.executable}" {module}"$@"')

    def _make_control(self, control: Path) -> None:
        commands = control / "commands"
        commands.mkdir(parents=True)
        seen = Path("/", _CONTROL) if self._sandbox.private else control
        shutil.copyfile(instance_init.__file__, control / "init.py")
        shutil.copyfile(instance_power.__file__, control / "power.py")
        for name in instance_power.NAMES:
            instance_folders.write_script(
                commands / name, f'exec "{sys.executable}" -I -S "{seen}/power.py" {name} "$@"'
            )
        user_data = self.boot.user_data if self._sandbox.private else self._rewritten(self.boot.user_data)
        (control / "user-data").write_bytes(user_data)
        told = {
            "first": self.boot.first,
            "user_data": str(seen / "user-data"),
            "var": "/var" if self._sandbox.private else str(self._root / "var"),
            "pid": str(seen / "pid"),
            "title": self.boot.title,
            "grace": self._sandbox.grace,
        }
        (control / "boot.json").write_text(json.dumps(told))

    def _environment(self) -> dict[str, str]:
        place = self._place
        found = container.clean_environment(place)
        found.pop("PYTHONPATH", None)  # the code that runs here comes from S3
        path = f"{Path(sys.executable).parent}{os.pathsep}{_SYSTEM_PATH}"
        if not self._sandbox.private:
            path = f"{self._root / _CONTROL / 'commands'}{os.pathsep}{path}"
            found |= {"KENNEL_BASE": place.base}
        root = "" if self._sandbox.private else str(self._root)
        return found | {"PATH": path, "HOME": f"{root}/root", "TMPDIR": f"{root}/tmp"} | dict(self.boot.environment)  # noqa: S108

    @property
    def _place(self) -> OptMl:
        return OptMl(self._root / "opt/ml", private=False)

    def _rewritten(self, user_data: bytes) -> bytes:
        return self._place.text(user_data.decode("utf-8", "replace")).encode()


@cache
def namespaces_allowed() -> bool:
    """Whether this system lets an instance have a world of its own. Tried once, with a real one, in some 0.2 s."""
    if sys.platform != "linux":
        return False
    with TemporaryDirectory(prefix="kennel-") as folder:
        done = threading.Event()
        script = b"#!/bin/sh\ntouch /usr/kennel 2>/dev/null || shutdown -h now\n"
        boot = Boot("probe", Path(folder), script, first=True, environment={})
        ends: list[End] = []

        def ended(end: End) -> None:
            ends.append(end)
            done.set()

        process = InstanceProcess(boot, Sandbox(private=True, grace=2.0), ended)
        in_time = done.wait(10.0)
        process.kill()
        process.join()
        return in_time and ends[0] is End.SHUT_DOWN
