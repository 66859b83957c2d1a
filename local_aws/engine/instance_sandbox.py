"""An EC2 instance's own small world on this machine (Linux): run one command as its first process.

    python -I -S instance_sandbox.py PLAN.json

Inside, the host's files are there and read-only; /etc, /home, /opt, /root, /run, /tmp and /var are folders of the
instance (PLAN's `root`), with `visible` (Python) bound back into them; `hidden` (the server's state) is empty;
processes, devices and host name are its own; the commands of `commands` stand in /usr/sbin in place of the host's
shutdown and the like. What is left of root's power cannot change any of that: mounting, devices, modules, the clock and
the network's settings are given up before the command starts. Root makes the namespaces directly; anybody else through
a user namespace in which they are root. Signals TERM, USR1 and HUP are passed on to the command; its exit code is ours.
Exits with CANNOT (125) and a sentence when the system does not allow it.
Standard library only: it runs between the leash and the command, in milliseconds.
"""

# pathlib would double the time this takes to start, and exec is the point:
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH123, PTH208, PTH211, S606

import ctypes
import errno
import json
import os
import signal
import sys

CANNOT = 125
OWN = ("/etc", "/home", "/opt", "/root", "/run", "/tmp", "/var")  # noqa: S108
COMMANDS = "/usr/sbin"
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID = 0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _NOATIME, _NODIRATIME, _BIND, _REC, _PRIVATE, _RELATIME = (
    0x1, 0x2, 0x4, 0x8, 0x20, 0x400, 0x800, 0x1000, 0x4000, 0x40000, 0x200000,
)  # fmt: skip
_FLAGS = {
    "ro": _RDONLY, "nosuid": _NOSUID, "nodev": _NODEV, "noexec": _NOEXEC, "noatime": _NOATIME,
    "nodiratime": _NODIRATIME, "relatime": _RELATIME,
}  # fmt: skip
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot, audit_write,
# setfcap: what container runtimes leave to root by default, but for net_raw: the network is this machine's, and on its
# loopback go other instances' keys
_KEPT_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31}
_LAST_CAPABILITY = 63
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SHARED_MEMORY = "20%"  # of this machine's, which several instances share; nothing else bounds it
_READ_ONLY_PROC = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi")
_MASKED_PROC = ("kcore", "keys", "timer_list", "sched_debug")
_GONE = (errno.ENOENT, errno.EINVAL, errno.EACCES, errno.ENOTDIR)  # covered by another mount, or not ours to enter
_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    """Call libc; raises OSError with the system's own words."""
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name} {arguments[:2]}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    encoded = [text.encode() for text in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), options.encode())


def enter() -> None:
    """Namespaces of our own; children are in a process namespace. Raises OSError where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    wanted = _NEWNS | _NEWPID | _NEWIPC | _NEWUTS
    try:
        _call("unshare", wanted)
    except PermissionError:
        _call("unshare", wanted | _NEWUSER)
        for path, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{path}", "w") as file:
                file.write(text)
    _mount("none", "/", "", _REC | _PRIVATE)
    die_with_parent()  # a change of credentials makes the kernel forget what the leash had set


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def furnish(root: str, visible: list[str], hidden: str, commands: str) -> None:
    """Change what is seen at every path, from inside the new process namespace."""
    # by descriptor, opened before anything is covered: these may lie below what is covered
    own = {target: os.open(root + target, os.O_RDONLY | os.O_DIRECTORY) for target in OWN}
    kept = {path: os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in visible}
    ours = os.open(commands, os.O_RDONLY | os.O_DIRECTORY)
    if hidden:
        _empty(hidden)
    for target, descriptor in own.items():
        _mount(f"/proc/self/fd/{descriptor}", target, "", _BIND)
    for path, descriptor in kept.items():
        if any(path.startswith(target + "/") for target in OWN):
            os.makedirs(path, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}", path, "", _BIND)
    if hidden and any(hidden.startswith(path + "/") for path in visible):
        _empty(hidden)  # it came back with what holds it
    _own_devices()
    _own_commands(ours)
    for descriptor in (*own.values(), *kept.values(), ours):
        os.close(descriptor)
    _own_processes()
    _make_read_only({*OWN, "/dev", "/dev/pts", "/dev/shm", "/proc"})  # noqa: S108


def _empty(folder: str) -> None:
    _mount("kennel", folder, "tmpfs", _NOSUID | _NODEV, "mode=755,size=64k")


def _own_devices() -> None:
    before = os.open("/dev", os.O_RDONLY | os.O_DIRECTORY)
    names = [*_DEVICES, *(name for name in os.listdir(before) if name.startswith("nvidia"))]
    _mount("kennel", "/dev", "tmpfs", _NOSUID, "mode=755,size=1m")
    for name in names:
        seen = f"/proc/self/fd/{before}/{name}"
        if os.path.isdir(seen):
            os.mkdir(f"/dev/{name}")
        elif os.path.exists(seen):
            os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY))
        else:
            continue
        _mount(seen, f"/dev/{name}", "", _BIND)
    os.close(before)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    os.mkdir("/dev/shm")  # noqa: S108
    _mount("kennel", "/dev/shm", "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={_SHARED_MEMORY}")  # noqa: S108
    os.mkdir("/dev/pts")
    _mount("kennel", "/dev/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", "/dev/ptmx")


def _own_commands(ours: int) -> None:
    """Our commands in /usr/sbin, where a script finds them by name and by path; the host's others beside them."""
    before = os.open(COMMANDS, os.O_RDONLY | os.O_DIRECTORY)
    names = os.listdir(before)
    added = os.listdir(ours)
    _mount("kennel", COMMANDS, "tmpfs", _NODEV, "mode=755,size=1m")
    host = f"{COMMANDS}/.host"
    os.mkdir(host)
    _mount(f"/proc/self/fd/{before}", host, "", _BIND)
    for name in set(names) - set(added):
        os.symlink(f"{host}/{name}", f"{COMMANDS}/{name}")
    for name in added:
        os.close(os.open(f"{COMMANDS}/{name}", os.O_CREAT | os.O_WRONLY))
        _mount(f"/proc/self/fd/{ours}/{name}", f"{COMMANDS}/{name}", "", _BIND)
        for folder in ("/usr/bin", "/bin", "/sbin"):  # where these folders are not one
            path = f"{folder}/{name}"
            if os.path.exists(path) and not os.path.realpath(path).startswith(COMMANDS + "/"):
                _mount(f"/proc/self/fd/{ours}/{name}", os.path.realpath(path), "", _BIND)
    os.close(before)


def _own_processes() -> None:
    """/proc of the new process namespace, without what steers the kernel."""
    try:
        _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    except PermissionError:  # a container that masks its own /proc: what is there stays, read-only
        return
    for name in _READ_ONLY_PROC:
        path = f"/proc/{name}"
        if os.path.exists(path):
            _mount(path, path, "", _BIND | _REC)
    for name in _MASKED_PROC:
        if os.path.exists(f"/proc/{name}"):
            _mount("/dev/null", f"/proc/{name}", "", _BIND)


def _make_read_only(writable: set[str]) -> None:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mounts = [(parts[4], parts[5]) for parts in (line.split(" ") for line in file)]
    for escaped, options in mounts:
        path = escaped.encode("latin-1", "surrogateescape").decode("unicode_escape")
        if path in writable or (path.startswith("/dev/") and path[5:] in _DEVICES) or path.startswith("/dev/nvidia"):
            continue
        flags = 0
        for option in options.split(","):
            flags |= _FLAGS.get(option, 0)
        try:
            _mount("none", path, "", _REMOUNT | _BIND | _RDONLY | flags)
        except OSError as wrong:
            if wrong.errno not in _GONE:
                raise
    for path in ("/", "/usr", "/proc/sys"):
        if not os.statvfs(path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EPERM, f"{path} could not be made read-only")


def give_up_capabilities() -> None:
    """Leave nothing to this process and its children that could undo what was done. Lasts over exec."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in _KEPT_CAPABILITIES:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # one that the kernel does not know: nothing to drop


def first_process(plan: dict[str, object], announce: int) -> None:
    """In the child, process 1: furnish the world and become the command."""
    try:
        die_with_parent()
        visible = [str(path) for path in plan["visible"]]  # type: ignore[attr-defined]
        furnish(str(plan["root"]), visible, str(plan["hidden"]), str(plan["commands"]))
        name = str(plan["host_name"]).encode()
        _call("sethostname", name, len(name))
        give_up_capabilities()
        os.chdir("/")
    except OSError as wrong:
        os.write(2, f"no instance of its own: {wrong}\n".encode())
        os._exit(CANNOT)
    os.close(announce)
    command = [str(part) for part in plan["command"]]  # type: ignore[attr-defined]
    try:
        os.execvp(command[0], command)
    except OSError as wrong:
        os.write(2, f"no instance of its own: cannot run {command[0]}: {wrong}\n".encode())
    os._exit(CANNOT)


def main(arguments: list[str]) -> int:
    with open(arguments[0], encoding="utf-8") as file:
        plan = json.load(file)
    try:
        enter()
    except OSError as wrong:
        os.write(2, f"no instance of its own: {wrong}\n".encode())
        return CANNOT
    started, announce = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(started)
        first_process(plan, announce)
    os.close(announce)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, lambda got, _: _pass_on(child, got))
    os.close(started)
    while True:
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)
        if os.WIFSIGNALED(status):
            return 128 + os.WTERMSIG(status)


def _pass_on(child: int, number: int) -> None:
    try:  # noqa: SIM105 (importing contextlib takes longer than all of this)
        os.kill(child, number)
    except ProcessLookupError:  # it has ended, and so will this
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
