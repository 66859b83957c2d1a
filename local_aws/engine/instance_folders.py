"""What an instance's folders are made of: this machine's settings without its secrets, and what Python needs."""

import os
import shutil
import site
import sys
from collections.abc import Sequence
from pathlib import Path

from local_aws.engine.opt_ml import OptMl

# what only this machine's root may know, and this machine's identity
_SECRET = ("shadow", "shadow-", "gshadow", "gshadow-", "ssh", "machine-id", "krb5.keytab", "private", "NetworkManager")


def needed() -> list[str]:
    """The folders without which Python does not run, each once, none inside another."""
    python = Path(sys.executable)
    found = {Path(sys.prefix), Path(sys.base_prefix), python.parent, python.resolve().parent}
    found |= {
        Path(path) for path in (*site.getsitepackages(), site.getusersitepackages() if site.ENABLE_USER_SITE else "")
    }
    # a folder that this user may not enter is none that Python runs from, whatever its settings say
    real = {
        path.absolute()
        for path in found
        if str(path) not in ("", ".", "/") and os.access(path, os.R_OK | os.X_OK) and path.is_dir()
    }
    return sorted(str(path) for path in real if not any(other != path and path.is_relative_to(other) for other in real))


def copy_etc(target: Path, host_name: str, source: Path = Path("/etc")) -> None:
    """This machine's settings as an instance's own, without its secrets; what may not be read is left out."""

    def skip(folder: str, names: list[str]) -> Sequence[str]:
        return [name for name in names if name in _SECRET or not _can_be_copied(Path(folder, name))]

    shutil.copytree(source, target, symlinks=True, ignore=skip)
    resolver = target / "resolv.conf"
    text = (source / "resolv.conf").read_text() if (source / "resolv.conf").is_file() else ""
    resolver.unlink(missing_ok=True)  # most often a link into /run, which an instance has of its own
    resolver.write_text(text)
    (target / "shadow").write_text("root:*:19000:0:99999:7:::\n")
    (target / "shadow").chmod(0o600)
    (target / "hostname").write_text(host_name + "\n")
    hosts = (source / "hosts").read_text() if (source / "hosts").is_file() else "127.0.0.1 localhost\n"
    (target / "hosts").write_text(f"{hosts.rstrip()}\n127.0.0.1 {host_name}\n")


def _can_be_copied(path: Path) -> bool:
    if path.is_symlink():
        return True
    return os.access(path, os.R_OK | os.X_OK) if path.is_dir() else path.is_file() and os.access(path, os.R_OK)


def remove(folder: Path, *, keep_console: bool) -> None:
    """Remove what an instance left, whatever permissions it set; its console stays until it is forgotten."""
    if keep_console:
        OptMl(folder / "root", private=False).remove()
        for name in ("plan.json",):
            (folder / name).unlink(missing_ok=True)
    else:
        OptMl(folder, private=False).remove()


def write_script(path: Path, line: str) -> None:
    """An executable of one line of shell."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
