"""Make the virtual environment that every command of the Makefile runs in, and the browser the tests drive.

    python3 tools/bootstrap.py run     the pinned requirements and Kennel itself, installed editable
    python3 tools/bootstrap.py check   the same, and the tools of the gate and the tests
    python3 tools/bootstrap.py test    the same, and Chromium

Runs before anything is installed, with whatever Python the machine has: standard library only, and in a syntax
that an old Python can read far enough to be told that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

MINIMUM = (3, 11)
NEEDED_BYTES = 4 * 1024**3  # 2.2 GiB installed with a CPU build of torch, and what pip unpacks on the way
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOG = os.path.join(VENV, "install.log")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def fail(sentence):
    """Say what is wrong and what to do next, and stop make."""
    sys.stderr.write("\nKennel: %s\n" % sentence)
    sys.exit(1)


def check_python():
    if sys.version_info < MINIMUM:
        fail(
            "this is Python %d.%d and Kennel needs %d.%d or newer. Install one and name it: make run PYTHON=python3.11"
            % (sys.version_info[:2] + MINIMUM)
        )


def fingerprint(files):
    """A hash of the files an installation depends on: it is repeated only when one of them changes."""
    digest = hashlib.sha256(sys.version.encode())
    for name in files:
        with open(os.path.join(ROOT, name), "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()


def installed(stamp, mark):
    try:
        with open(stamp) as source:
            return source.read() == mark and os.path.exists(PYTHON)
    except OSError:
        return False


def free_bytes():
    return shutil.disk_usage(ROOT).free


def make_venv():
    if os.path.exists(PYTHON):
        return
    if free_bytes() < NEEDED_BYTES:
        fail(
            "the disk has %.1f GiB free and the installation needs %d GiB. Free some space, then run the same command."
            % (free_bytes() / 1024.0**3, NEEDED_BYTES // 1024**3)
        )
    print("Kennel: making .venv with Python %d.%d" % sys.version_info[:2])
    made = subprocess.run([sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        said = made.stdout.decode("utf-8", "replace").strip().splitlines()
        fail(
            "the virtual environment could not be made (%s). On Debian and Ubuntu: apt-get install python3-venv"
            % (said[-1] if said else "no reason given")
        )


def pip(arguments):
    """Run pip, showing one line of what it is doing now; its whole output goes to .venv/install.log."""
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"] + arguments
    started, lines, show, fetched, said = time.time(), [], sys.stdout.isatty(), 0, 0.0
    with open(LOG, "a") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
        )
        for line in process.stdout:
            log.write(line)
            if line.startswith("WARNING: Location"):
                continue
            lines.append(line.rstrip())
            fetched += line.startswith("Collecting")
            if not show and time.time() - started - said > 20:
                said = time.time() - started
                print("  %3.0f s, %d packages found; all of it: .venv/install.log" % (said, fetched))
                sys.stdout.flush()
            if show and line.split(" ", 1)[0] in ("Collecting", "Downloading", "Installing", "Building"):
                sys.stdout.write("\r\033[K  %3.0f s  %s" % (time.time() - started, line.strip()[:90]))
                sys.stdout.flush()
    if show:
        sys.stdout.write("\r\033[K")
    process.stdout.close()
    if process.wait():
        tail = "\n  ".join(lines[-12:])
        if "No space left on device" in tail:
            fail(
                "the disk is full (%.1f GiB free). Free some space, then run the same command."
                % (free_bytes() / 1024.0**3)
            )
        fail(
            "pip could not install what Kennel needs; all it said is in .venv/install.log. Its last lines:\n  %s" % tail
        )


def install(kind, requirement, files):
    stamp = os.path.join(VENV, ".installed-" + kind)
    mark = fingerprint(files)
    if installed(stamp, mark):
        return
    make_venv()
    print("Kennel: installing %s (the first time takes some minutes)" % " ".join(requirement))
    pip(requirement)
    with open(stamp, "w") as target:
        target.write(mark)


def chromium():
    """The browser's path, or None. KENNEL_CHROMIUM names one that is not on PATH."""
    for name in (os.environ.get("KENNEL_CHROMIUM"),) + BROWSERS:
        found = name and shutil.which(name)
        if found:
            return found
    return None


def install_chromium():
    if chromium():
        return
    advice = (
        "Install Chromium (Debian: apt-get install chromium) or name one: make test KENNEL_CHROMIUM=/path/to/chrome"
    )
    if not shutil.which("apt-get"):
        fail("the browser tests need Chromium and there is none on PATH. " + advice)
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print("Kennel: installing Chromium from the system's packages")
    for step in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
        done = subprocess.run(
            prefix + ["apt-get"] + step,
            env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            said = done.stdout.decode("utf-8", "replace").strip().splitlines()
            fail("Chromium could not be installed (%s). %s" % (said[-1] if said else "no reason given", advice))


def main(kind):
    check_python()
    install("run", ["-e", "."], ["requirements.txt", "pyproject.toml"])
    if kind != "run":
        install("test", ["-r", "tests/requirements.txt"], ["requirements.txt", "tests/requirements.txt"])
    if kind == "test":
        install_chromium()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run")
