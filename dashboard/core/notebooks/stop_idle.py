#!/usr/bin/python3
"""Stop this notebook instance when nobody has worked in it for a while. Runs on the instance, every few minutes.

    stop_idle.py SECONDS [--jupyter URL] [--metadata FILE] [--since FILE]

It asks Jupyter which kernels and terminals there are. A kernel that computes, or anything that was used within SECONDS,
keeps the instance; so does Jupyter when it cannot be asked, because unsaved work is worth more than an hour. Only the
standard library of Python 3.7 and the AWS CLI, which the instance brings along; SECONDS counts from the instance's
start at the earliest. Prints one line for what it found and did.
"""

from __future__ import annotations

import argparse
import json
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

JUPYTER = "https://localhost:8443"
METADATA = "/opt/ml/metadata/resource-metadata.json"
SINCE = "/var/run/kennel-stop-idle"
PLACES = "/usr/local/bin:/usr/bin:/bin:/home/ec2-user/anaconda3/bin"
"""Where the AWS CLI is on the platforms of notebook instances."""


def main(arguments: list[str]) -> int:
    told = _options(arguments)
    now = time.time()
    try:
        kernels, terminals = _ask(told.jupyter, "kernels"), _terminals(told.jupyter)
    except (OSError, ValueError) as wrong:
        return _say(f"Jupyter cannot be asked ({wrong}): nothing is stopped", 1)
    busy = [one for one in kernels if one.get("execution_state") == "busy"]
    if busy:
        return _say(f"{len(busy)} of {len(kernels)} kernels compute: not idle")
    seen = [_seconds(one["last_activity"]) for one in [*kernels, *terminals] if one.get("last_activity")]
    idle = now - max([*seen, _started(told.since, now)])
    if idle < told.seconds:
        return _say(f"idle for {idle:.0f} s of {told.seconds} s")
    return _stop(told.metadata, idle)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=int)
    parser.add_argument("--jupyter", default=JUPYTER)
    parser.add_argument("--metadata", default=METADATA)
    parser.add_argument("--since", default=SINCE)
    return parser.parse_args(arguments)


def _ask(jupyter: str, what: str) -> list[dict[str, Any]]:
    """Jupyter's own answer on this machine, whose certificate is its own too."""
    here = ssl.create_default_context()
    here.check_hostname, here.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"{jupyter}/api/{what}", timeout=20, context=here) as answer:
        found = json.load(answer)
    if not isinstance(found, list):
        raise ValueError(f"it answered no list of {what}")
    return found


def _terminals(jupyter: str) -> list[dict[str, Any]]:
    """None where Jupyter was started without them."""
    try:
        return _ask(jupyter, "terminals")
    except urllib.error.HTTPError as wrong:
        if wrong.code != 404:
            raise
        wrong.close()
        return []


def _seconds(moment: str) -> float:
    """ "2026-11-22T05:00:00.123456Z" as seconds since the epoch."""
    return datetime.strptime(moment.split(".")[0].rstrip("Z") + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _started(file: str, now: float) -> float:
    """When the first look was, which the instance's start came just before: a file that no start outlives holds it."""
    first = Path(file)
    if not first.exists() or not first.stat().st_size:  # empty: a look was ended while it wrote it
        first.write_text(str(int(now)))
    return float(first.read_text())


def _stop(metadata: str, idle: float) -> int:
    arn = json.loads(Path(metadata).read_text())["ResourceArn"]
    region, name = arn.split(":")[3], arn.rpartition("/")[2]
    command = shutil.which("aws") or shutil.which("aws", path=PLACES) or "aws"
    stop = [command, "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name, "--region", region]
    done = subprocess.run(stop, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return _say(f"idle for {idle:.0f} s, and could not be stopped: {done.stdout.strip()}", 1)
    return _say(f"idle for {idle:.0f} s: {name} is being stopped")


def _say(line: str, status: int = 0) -> int:
    sys.stdout.write(f"{line}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
