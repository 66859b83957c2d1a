"""The lifecycle configuration that stops a notebook instance when it is idle: a shell script that AWS runs as root.

It puts `stop_idle.py` beside it and has systemd run that every five minutes. (Amazon Linux 2023 has no cron.) AWS gives
such a script five minutes and 16,384 characters.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from dashboard.core import tags
from dashboard.core.calls import Call

PREFIX = "kennel-stop-idle-"
LONGEST = 16_384
"""Characters of the script as it is sent (CreateNotebookInstanceLifecycleConfig)."""
EACH = 300
"""Seconds between two looks."""
FILE = "/usr/local/bin/kennel-stop-idle.py"
UNIT = "kennel-stop-idle"


def script(minutes: int) -> str:
    """The shell script for a notebook instance that is stopped after so many idle minutes."""
    program = Path(__file__).with_name("stop_idle.py").read_text()
    return f"""#!/bin/bash
# Stops this notebook instance after {minutes} idle minutes. Made by Kennel.
set -eu
cat > {FILE} <<'END_OF_PROGRAM'
{program.rstrip()}
END_OF_PROGRAM
chmod 755 {FILE}
rm -f /var/run/{UNIT}
systemctl reset-failed {UNIT}.service {UNIT}.timer 2>/dev/null || true
systemd-run --unit={UNIT} --on-active={EACH} --on-unit-active={EACH} /usr/bin/python3 {FILE} {minutes * 60}
"""


def name_of(minutes: int) -> str:
    """Of the configuration: the same for the same script, so that all instances with it share one."""
    return f"{PREFIX}{minutes}min-{hashlib.sha256(script(minutes).encode()).hexdigest()[:8]}"


def stops(config: str) -> int | None:
    """After how many idle minutes a configuration of this name stops its instance; None for one not of Kennel's."""
    minutes, _, _ = config.removeprefix(PREFIX).partition("min-")
    return int(minutes) if config.startswith(PREFIX) and minutes.isdecimal() else None


def create_call(minutes: int) -> Call:
    """Make the configuration; one of this name is the same one."""
    made: dict[str, Any] = {
        "NotebookInstanceLifecycleConfigName": name_of(minutes),
        "OnStart": [{"Content": base64.b64encode(script(minutes).encode()).decode()}],
        "Tags": tags.listed({tags.MADE_BY: tags.KENNEL}),
    }
    does = f"keeps the script that stops it after {minutes} idle minutes"
    return Call("sagemaker", "CreateNotebookInstanceLifecycleConfig", made, does)
