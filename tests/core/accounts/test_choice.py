import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.session
import pytest

from dashboard.core.accounts.attempt import Attempt
from dashboard.core.accounts.browsers import MOST, Browsers
from dashboard.core.accounts.choice import Choice, fingerprint, standing
from dashboard.core.accounts.connection import EVERY, Connection
from dashboard.core.accounts.switch import IDLE, Switch
from dashboard.core.aws import Account, Aws
from dashboard.core.errors import CredentialsProblem, KennelError, Unreachable
from tests.core.accounts.conftest import Write

REAL = Account("work", "eu-west-1", "210987654321", False, False, identity="arn:aws:iam::210987654321:user/ada")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_real_account_is_never_what_a_tab_begins_with_unless_it_was_named() -> None:
    assert standing({}) == Choice()
    assert standing({"AWS_PROFILE": "work", "KENNEL_ACCOUNTS": "work"}).is_embedded
    assert standing({"KENNEL_AWS_PROFILE": "work"}) == Choice("work")
    assert not standing({"KENNEL_AWS_PROFILE": "work"}).unasked.writable


def test_another_configuration_is_another_connection(write: Write) -> None:
    file = write("[profile work]\n")
    stamps = {fingerprint(Choice("work")), fingerprint(Choice("work", "eu-west-1")), fingerprint(Choice("other"))}
    os.utime(file, ns=(1, 1))
    stamps.add(fingerprint(Choice("work")))
    stamps.add(fingerprint(Choice("work"), {**os.environ, "KENNEL_ACCOUNTS": "work"}))
    assert len(stamps) == 5


def test_the_embedded_aws_is_another_connection_after_a_restart(tmp_path: Path) -> None:
    environ = {"KENNEL_HOME": str(tmp_path)}
    before = fingerprint(Choice(), environ)
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "client.json").write_text("{}")
    assert fingerprint(Choice(), environ) != before


def test_changes_are_allowed_for_an_hour_without_work_and_no_longer() -> None:
    switch = Switch(REAL, NOON)
    assert switch.allows(REAL, NOON + IDLE - timedelta(seconds=1))
    assert not switch.allows(REAL, NOON + IDLE)
    later = switch.touched(NOON + timedelta(minutes=50))
    assert later.allows(REAL, NOON + timedelta(minutes=100))
    over = switch.touched(NOON + IDLE)  # too late: what is over stays over
    assert not over.allows(REAL, NOON + IDLE)


@pytest.mark.parametrize("other", [{"account_id": "1"}, {"region": "us-east-1"}, {"name": "b"}, {"identity": "arn:x"}])
def test_changes_are_allowed_on_that_very_account_alone(other: dict[str, str]) -> None:
    assert not Switch(REAL, NOON).allows(Account(**{**vars(REAL), **other}), NOON)


def test_a_browser_is_remembered_for_its_person_alone() -> None:
    browsers = Browsers()
    browsers.note("cookie", "ada", Choice("work"))
    assert browsers.last("cookie", "ada") == Choice("work")
    assert browsers.last("cookie", "bob") is None
    assert browsers.last("other", "ada") is None
    assert browsers.last("cookiea", "da") is None
    browsers.note("", "ada", Choice("work"))
    assert browsers.last("", "ada") is None


def test_the_memory_of_browsers_has_an_end_and_holds_no_cookie() -> None:
    browsers = Browsers()
    for number in range(MOST + 5):
        browsers.note(f"cookie-{number}", "", Choice("work"))
    assert browsers.last("cookie-4", "") is None
    assert browsers.last("cookie-5", "") == Choice("work")
    assert "cookie-" not in repr(vars(browsers))


class Signed:
    """A profile whose sign-in changes hands; a clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.who: Account | KennelError = REAL
        self.asked = 0
        self.connection = Connection(Choice("work"), self.connect, lambda: self.now)

    def connect(self, choice: Choice) -> Aws:
        self.asked += 1
        if isinstance(self.who, KennelError):
            raise self.who
        return Aws(self.who, botocore.session.Session())

    def later(self) -> Aws:
        """After the quarter of an hour, once the question was answered."""
        before, self.now = self.asked, self.now + EVERY
        self.connection.wait(30)
        deadline = time.monotonic() + 30
        while self.asked == before or not self.connection._again or not self.connection._again.is_over:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return self.connection.wait(30).reading


def test_a_profile_is_asked_again_who_it_is_and_kept_where_nothing_changed() -> None:
    signed = Signed()
    first = signed.connection.wait(30).reading
    assert signed.connection.wait(30).reading is first
    assert signed.asked == 1
    assert signed.later() is first
    assert signed.asked == 2


def test_somebody_else_who_signed_in_is_noticed() -> None:
    signed = Signed()
    signed.connection.wait(30)
    signed.who = replace(REAL, identity="arn:aws:iam::210987654321:user/bob")
    assert signed.later().account.identity.endswith("bob")


def test_an_identity_that_was_not_told_at_first_is_known_once_it_is() -> None:
    signed = Signed()
    signed.who = replace(REAL, identity="")
    signed.connection = Connection(Choice("work"), signed.connect, lambda: signed.now)
    assert signed.connection.wait(30).reading.account.identity == ""
    signed.who = REAL
    assert signed.later().account.identity == REAL.identity


def test_a_network_that_failed_for_a_moment_leaves_the_connection_and_a_sign_in_that_ended_does_not() -> None:
    signed = Signed()
    first = signed.connection.wait(30).reading
    signed.who = Unreachable("no network")
    assert signed.later() is first
    signed.who = CredentialsProblem("the AWS session has expired")
    with pytest.raises(CredentialsProblem, match="expired"):
        signed.later()
    assert signed.connection.has_failed


def test_what_goes_on_is_said_and_found_later() -> None:
    gate = threading.Event()

    def slow() -> str:
        gate.wait(30)
        return "there"

    attempt = Attempt(Choice("work"), slow)
    with pytest.raises(Unreachable, match="the profile work has not answered yet") as caught:
        attempt.wait(0)
    assert caught.value.is_temporary
    assert not attempt.is_over
    gate.set()
    assert attempt.wait(30) == "there"
    assert attempt.is_over
    assert not attempt.has_failed


def test_what_goes_on_for_long_is_waited_for_once() -> None:
    """A program that never answers holds up the first page, and none of those after it."""
    seconds = iter([0.0, 60.0, 60.0])
    never = threading.Event()
    attempt = Attempt(Choice("work"), lambda: never.wait(120), clock=lambda: next(seconds))
    waited = time.monotonic()
    with pytest.raises(Unreachable, match="has been asked for 60 s"):
        attempt.wait(50)
    assert time.monotonic() - waited < 40
    never.set()


def test_what_failed_is_raised_to_whoever_waits() -> None:
    def fails() -> str:
        raise CredentialsProblem("no keys")

    attempt = Attempt(Choice("work"), fails)
    for _ in range(2):
        with pytest.raises(CredentialsProblem, match="no keys"):
            attempt.wait(30)
    assert attempt.has_failed
