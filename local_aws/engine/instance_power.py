"""shutdown, poweroff, halt, reboot, telinit, systemctl and sudo, as an instance finds them.

    python -I -S power.py NAME ARGUMENTS…

They end the instance and not the machine: its first process (see instance_init) has left its id in the file `pid`
beside this one. Times are honoured: "now", "+MINUTES", "hh:mm"; `shutdown -c` takes back the one that waits.
`systemctl` does what ends the instance and says of the rest that systemd does not run here. `sudo` runs the command: on
an instance everything is root's already. Standard library only.
"""

# it must start in milliseconds, and exec is the point:
# ruff: noqa: PTH100, PTH107, PTH120, PTH123, S606

import os
import signal
import sys
import time

OFF, HALT, AGAIN = signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP
NAMES = ("shutdown", "poweroff", "halt", "reboot", "telinit", "systemctl", "sudo")
_SYSTEMD = {"poweroff": OFF, "halt": HALT, "reboot": AGAIN, "kexec": AGAIN, "soft-reboot": AGAIN}
_LEVELS = {"0": OFF, "6": AGAIN}
_WITH_VALUE = ("-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-C", "-D", "--chdir", "-R", "-T")


def complain(text: str, code: int = 1) -> int:
    os.write(2, text.encode() + b"\n")
    return code


def shutdown(first: int, waiting: str, arguments: list[str], now: float) -> int:
    """shutdown(8) of systemd. waiting: the file that holds the process id of one that waits for its time."""
    what, when = OFF, ""
    for argument in arguments:
        match argument:
            case "-r" | "--reboot":
                what = AGAIN
            case "-H" | "--halt":
                what = HALT
            case "-h" | "-P" | "--poweroff" | "--no-wall" | "-f" | "-F":
                pass
            case "-k":
                return 0  # only warns
            case "-c":
                return cancel(waiting)
            case _ if argument.startswith("-"):
                return complain(f"shutdown: unrecognized option '{argument}'")
            case _ if not when:
                when = argument
    seconds = delay(when or "+1", now)
    if seconds is None:
        return complain(f"Failed to parse time specification: {when}")
    if seconds:
        cancel(waiting)
        if os.fork():
            return 0
        os.setsid()
        with open(waiting, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(seconds)
    os.kill(first, what)
    return 0


def cancel(waiting: str) -> int:
    try:
        with open(waiting) as file:
            os.kill(int(file.read()), signal.SIGTERM)
        os.remove(waiting)
    except (FileNotFoundError, ProcessLookupError):
        return 0  # none waits
    return 0


def delay(when: str, now: float) -> float | None:
    """Seconds until a time as shutdown(8) writes it; None for what is none."""
    if when == "now":
        return 0.0
    try:
        if when.startswith("+") or when.isdigit():
            return int(when) * 60.0
        hour, minute = (int(part) for part in when.split(":"))
        at = time.localtime(now)
        seconds = (hour - at.tm_hour) * 3600 + (minute - at.tm_min) * 60 - at.tm_sec
    except ValueError:
        return None
    return float(seconds % 86_400) if 0 <= hour < 24 and 0 <= minute < 60 else None


def systemctl(first: int, arguments: list[str]) -> int:
    verbs = [argument for argument in arguments if not argument.startswith("-")]
    if verbs and verbs[0] in _SYSTEMD:
        os.kill(first, _SYSTEMD[verbs[0]])
        return 0
    return complain("System has not been booted with systemd as init system (PID 1). Can't operate.")


def sudo(arguments: list[str]) -> int:
    """Run the command of a sudo line, for root. The variables set in it are set."""
    rest = list(arguments)
    while rest:
        word = rest[0]
        if word in ("-u", "--user") and rest[1:2] not in (["root"], ["#0"]):
            return complain("sudo: everything on this instance runs as root; there is no other user to become")
        if word in _WITH_VALUE:
            rest = rest[2:]
        elif word.startswith("-"):
            rest = rest[1:]
            if word == "--":
                break
        elif "=" in word and word.partition("=")[0].isidentifier():
            name, _, value = word.partition("=")
            os.environ[name] = value
            rest = rest[1:]
        else:
            break
    if not rest:
        return complain("usage: sudo command")
    try:
        os.execvp(rest[0], rest)
    except OSError:
        return complain(f"sudo: {rest[0]}: command not found")


def main(arguments: list[str], now: float) -> int:
    name, *rest = arguments
    if name == "sudo":
        return sudo(rest)
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(f"{folder}/pid") as file:
        first = int(file.read())
    match name:
        case "shutdown":
            return shutdown(first, f"{folder}/shutdown.pid", rest, now)
        case "systemctl":
            return systemctl(first, rest)
        case "telinit":
            if not rest or rest[0] not in _LEVELS:
                return complain("telinit: only the levels 0 and 6 mean something here")
            os.kill(first, _LEVELS[rest[0]])
        case "reboot":
            os.kill(first, AGAIN)
        case "halt" if not {"-p", "--poweroff"} & set(rest):
            os.kill(first, HALT)
        case _:
            os.kill(first, OFF)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], time.time()))
