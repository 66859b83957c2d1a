"""Who is let in, as the settings stand now."""

import os

import pytest

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.exposure import Share
from dashboard.core.people import OWNER, Role
from dashboard.core.signed_out import SignedOut, sign_in_of
from dashboard.doorkeeper import Doorkeeper
from tests.core.test_sign_in import AUTH

NOW = 1_800_000_000.0
ANN = {
    "iss": "https://id.example.com",
    "sub": "7",
    "email": "ann@example.com",
    "email_verified": True,
    "iat": NOW - 60,
    "nonce": "n1",
    "is_logged_in": True,
}


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "secrets.toml"
    say(file, 'engineer = ["ann@example.com"]\nvisitor = ["@example.com"]')
    return file


def say(file, people):
    lines = "\n".join(f"{name} = {value}" for name, value in AUTH.items())
    file.write_text(f'[auth]\n{lines}\n[kennel]\nask = "ops@example.com"\n[kennel.people]\n{people}\n')
    written = file.stat().st_mtime_ns + 1_000_000_000
    os.utime(file, ns=(written, written))  # a file that is written twice within a tick has the same time


@pytest.fixture
def keeper(file, clock, tmp_path):
    return Doorkeeper(file, SignedOut(tmp_path / "out.sqlite", clock), None, clock)


def test_where_nobody_signs_in_everybody_is_the_owner(tmp_path, clock):
    keeper = Doorkeeper(tmp_path / "none.toml", SignedOut(tmp_path / "out.sqlite"), None, clock)
    assert not keeper.asks
    assert keeper.who({}) is OWNER


def test_where_classify_is_shared_everybody_is_a_visitor_whatever_they_send(file, tmp_path, clock):
    keeper = Doorkeeper(file, SignedOut(tmp_path / "out.sqlite"), Share(), clock)
    assert not keeper.asks
    assert keeper.who(ANN).role is Role.VISITOR
    assert keeper.who({}).role is Role.VISITOR


def test_a_role_is_read_again_when_the_file_changed(keeper, file):
    assert keeper.who(ANN).role is Role.ENGINEER
    say(file, 'visitor = ["@example.com"]')
    assert keeper.who(ANN).role is Role.VISITOR
    say(file, 'engineer = ["bob@example.com"]')
    with pytest.raises(Refused, match=r"no role here for ann@example\.com .* ops@example\.com"):
        keeper.who(ANN)
    assert keeper.knows(ANN) is None


@pytest.mark.parametrize("told", ["", "[auth]\n", "[[", 'x = "y"\n'])
def test_a_file_that_says_it_no_more_lets_nobody_in(keeper, file, told):
    assert keeper.knows(ANN) is not None
    file.write_text(told)
    assert keeper.asks
    with pytest.raises((Refused, InvalidInput)):
        keeper.who(ANN)
    assert keeper.knows(ANN) is None
    file.unlink()
    assert keeper.knows(ANN) is None
    say(file, 'engineer = ["ann@example.com"]')
    assert keeper.knows(ANN) is not None


def test_a_sign_in_ends_after_its_hours(keeper, clock):
    assert keeper.who(ANN) is not None
    clock.now = NOW + 12 * 3600
    assert keeper.who(ANN) is None
    assert keeper.who(ANN | {"iat": clock.now}) is not None


@pytest.mark.parametrize("claims", [{}, {"is_logged_in": False}, {"iat": None}, {"iat": "soon"}, {"iat": True}])
def test_without_its_moment_or_its_mark_it_is_none(keeper, claims):
    assert keeper.who((ANN | claims) if claims else {}) is None


def test_who_signed_out_is_out_with_that_sign_in_and_in_with_the_next(keeper, clock, tmp_path, file):
    keeper.end(ANN)
    assert keeper.who(ANN) is None
    assert keeper.who(ANN | {"nonce": "n2"}) is not None
    again = Doorkeeper(file, SignedOut(tmp_path / "out.sqlite", clock), None, clock)  # after a restart
    assert again.who(ANN) is None


def test_what_ended_by_itself_is_forgotten(tmp_path, clock):
    ended = SignedOut(tmp_path / "out.sqlite", clock)
    ended.end("first", NOW + 10)
    clock.now = NOW + 20
    ended.end("second", NOW + 100)
    assert not ended.has("first")
    assert ended.has("second")


def test_two_sign_ins_of_a_person_are_two():
    assert sign_in_of(ANN) != sign_in_of(ANN | {"nonce": "n2"})
    assert sign_in_of(ANN) == sign_in_of(ANN | {"email": "other@example.com"})
