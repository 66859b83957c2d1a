"""Filling the sample account: once, by one at a time, and known while it lasts."""

import os
import sys
import threading

import pytest

from dashboard import sample_account
from dashboard.child import Child
from tests.test_child import wait


@pytest.fixture
def home(tmp_path):
    (tmp_path / "aws").mkdir()
    return tmp_path


@pytest.fixture
def child(monkeypatch, home):
    """Instead of filling, a child that waits for a file and ends with the code in it."""
    started = []
    script = "import sys,time,pathlib; p=pathlib.Path(sys.argv[1])\nwhile not p.exists(): time.sleep(.02)\n"
    script += "time.sleep(.05); sys.exit(int(p.read_text()))"

    def start(command, **how):
        assert command[1:3] == ["-m", "local_aws.sample_account"]
        started.append(threading.current_thread())
        return Child([sys.executable, "-c", script, str(home / "code")], **how)

    monkeypatch.setattr(sample_account, "Child", start)
    return started


def test_it_is_known_while_it_lasts_and_done_once(home, child):
    assert not sample_account.is_filling(home / "aws")
    filling = sample_account.fill(home, os.environ)
    wait(lambda: sample_account.is_filling(home / "aws"))
    assert not sample_account.is_done(home / "aws")
    (home / "code").write_text("0")
    wait(lambda: filling.is_over)
    assert not filling.has_failed
    assert sample_account.is_done(home / "aws")
    assert not sample_account.is_filling(home / "aws")
    assert sample_account.fill(home, os.environ) is None
    assert len(child) == 1


def test_one_that_fails_is_gone_on_with_at_the_next_start(home, child):
    (home / "code").write_text("1")
    filling = sample_account.fill(home, os.environ)
    wait(lambda: filling.is_over)
    assert filling.has_failed
    assert not sample_account.is_filling(home / "aws")
    (home / "code").write_text("0")
    again = sample_account.fill(home, os.environ)
    wait(lambda: again.is_over)
    assert sample_account.is_done(home / "aws")


def test_a_second_kennel_waits_and_finds_it_done(home, child):
    first, second = sample_account.fill(home, os.environ), sample_account.fill(home, os.environ)
    wait(lambda: len(child) == 1)
    (home / "code").write_text("0")
    wait(lambda: first.is_over and second.is_over)
    assert not first.has_failed
    assert not second.has_failed
    assert len(child) == 1


def test_it_is_stopped_with_its_child_and_no_marker(home, child):
    filling = sample_account.fill(home, os.environ)
    wait(lambda: filling.child is not None)
    filling.stop()
    wait(lambda: filling.is_over)
    assert filling.child.code is not None
    assert not filling.has_failed
    assert not sample_account.is_done(home / "aws")


@pytest.mark.parametrize(
    ("made", "asked_for"),
    [
        (("DONE",), ["roles", "replays", "marks"]),
        (("DONE", "REPLAYED"), ["roles", "marks"]),
        (("DONE", "REPLAYED", "MARKED"), ["roles"]),
    ],
    ids=str,
)
def test_an_account_of_an_older_kennel_gets_only_what_that_one_did_not_make(home, child, monkeypatch, made, asked_for):
    for marker in made:
        (home / "aws" / getattr(sample_account, marker)).touch()
    asked = []
    start = sample_account.Child
    monkeypatch.setattr(
        sample_account, "Child", lambda command, **how: (asked.append(command), start(command, **how))[1]
    )
    filling = sample_account.fill(home, os.environ)
    (home / "code").write_text("0")
    wait(lambda: filling.is_over)
    assert [command[command.index("--only") + 1 :] for command in asked] == [asked_for]
    assert sample_account.fill(home, os.environ) is None
