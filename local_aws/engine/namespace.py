"""Run a command that sees a folder of ours as /opt/ml, in a mount namespace of its own (Linux).

    python -I -S namespace.py FOLDER HIDDEN SHARED HOSTS WORKDIR COMMAND…

HIDDEN is a folder that is empty inside ("" for none): the server's own state, with its keys. SHARED is one that is seen
as /opt/ml/sagemaker/warmpoolcache ("" for none), which must be there in FOLDER. HOSTS is a file that is seen as
/etc/hosts ("" for the system's own). WORKDIR is where the command starts, as seen inside. The host's /opt is never
touched: what is in it stays visible inside, and nothing of this is visible outside. Root makes the mount namespace
directly; anybody else through a user namespace that maps only their own id. Exits with CANNOT (125) and a sentence when
the system does not allow it.
Standard library only: it runs between the leash and the command.
"""

# pathlib would double the time this takes to start, and exec is the point:
# ruff: noqa: PTH102, PTH112, PTH114, PTH115, PTH123, PTH208, PTH211, S606

import ctypes
import os
import signal
import sys

CANNOT = 125
CANNOT_RUN = 127
OPT = "/opt"
WARM_POOL = "sagemaker/warmpoolcache"
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_MS_NOSUID_NODEV = 0x2 | 0x4
_PR_SET_PDEATHSIG = 1


def _call(name: str, *arguments: object) -> None:
    """Call libc; raises OSError with the system's own words."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    encoded = [text.encode() for text in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), options.encode())


def enter() -> None:
    """Move this process into a mount namespace of its own. Raises OSError where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", _CLONE_NEWNS)
    except PermissionError:
        _call("unshare", _CLONE_NEWNS | _CLONE_NEWUSER)
        for path, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{path}", "w") as file:
                file.write(text)
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)


def show_as_opt_ml(folder: str, opt: str = OPT, shared: str = "") -> None:
    """Make `folder` appear as /opt/ml, every other entry of /opt as it is. Only inside an own namespace.

    `shared` appears in it, in place of its own sagemaker/warmpoolcache.
    """
    source = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # by descriptor: folder itself may lie below /opt
    kept = os.open(shared, os.O_RDONLY | os.O_DIRECTORY) if shared else None
    target = f"{opt}/ml"
    if not os.path.isdir(target):
        _rebuild(opt)
        os.mkdir(target)
    _mount(f"/proc/self/fd/{source}", target, "", _MS_BIND)
    os.close(source)
    if kept is not None:
        _mount(f"/proc/self/fd/{kept}", f"{target}/{WARM_POOL}", "", _MS_BIND)
        os.close(kept)


def _rebuild(opt: str) -> None:
    """Cover /opt with an empty file system and bind every entry that was there back into it."""
    before = os.open(opt, os.O_RDONLY | os.O_DIRECTORY)
    entries = os.listdir(before)
    _mount("kennel", opt, "tmpfs", _MS_NOSUID_NODEV, "mode=755,size=1m")
    for name in entries:
        seen, place = f"/proc/self/fd/{before}/{name}", f"{opt}/{name}"
        if os.path.islink(seen):
            os.symlink(os.readlink(seen), place)
            continue
        if os.path.isdir(seen):
            os.mkdir(place)
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
        _mount(seen, place, "", _MS_BIND | _MS_REC)
    os.close(before)


def main(arguments: list[str]) -> int:
    folder, hidden, shared, hosts, workdir, *command = arguments
    try:
        enter()
        if hosts:  # before anything can hide the file
            _mount(hosts, "/etc/hosts", "", _MS_BIND)
        show_as_opt_ml(folder, shared=shared)
        if hidden:
            _mount("kennel", hidden, "tmpfs", _MS_NOSUID_NODEV, "mode=755,size=64k")
        os.chdir(workdir)
    except OSError as wrong:
        os.write(2, f"no private /opt/ml: {wrong}\n".encode())
        return CANNOT
    # entering a user namespace changes credentials, which makes the kernel forget what the leash had set
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.execvp(command[0], command)
    except OSError as wrong:
        os.write(2, f"cannot run {command[0]}: {os.strerror(wrong.errno or 0)}\n".encode())
    return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
