"""shutdown and its kin read their arguments as systemd's do."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine import instance_power
from local_aws.engine.instance_power import AGAIN, HALT, OFF

NOON = 1_800_000_000.0


@pytest.mark.parametrize(
    ("when", "seconds"), [("now", 0.0), ("+0", 0.0), ("+2", 120.0), ("3", 180.0), ("soon", None), ("25:00", None)]
)
def test_when(when: str, seconds: float | None) -> None:
    assert instance_power.delay(when, NOON) == seconds


def test_a_time_of_day_is_the_next_one() -> None:
    seconds = instance_power.delay("00:00", NOON)
    assert seconds is not None
    assert 0 <= seconds < 86_400


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("shutdown now", OFF),
        ("shutdown -h now", OFF),
        ("shutdown -r now", AGAIN),
        ("shutdown -H now", HALT),
        ("poweroff", OFF),
        ("halt", HALT),
        ("halt -p", OFF),
        ("reboot", AGAIN),
        ("telinit 6", AGAIN),
        ("systemctl poweroff", OFF),
        ("systemctl --no-block reboot", AGAIN),
        ("systemctl start nginx", None),
        ("shutdown -k now", None),
        ("shutdown --nonsense", None),
    ],
)
def test_what_is_asked_of_the_first_process(
    command: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, Any]] = []
    monkeypatch.setattr(instance_power, "__file__", str(tmp_path / "power.py"))
    monkeypatch.setattr(os, "kill", lambda pid, number: asked.append((pid, number)))
    (tmp_path / "pid").write_text("4711")
    code = instance_power.main(command.split(), NOON)
    assert asked == ([(4711, expected)] if expected else [])
    assert code == (1 if "nginx" in command or "nonsense" in command else 0)
    assert signal.Signals(OFF) is signal.SIGUSR1
