"""How long a profile's keys hold: told by files alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.core.accounts.holding import Hold, Holding, file_of, of
from dashboard.core.accounts.profiles import Kind, Profile, profiles
from dashboard.ui.account_chooser import keys_hold
from tests.core.accounts.conftest import KEYS, Write

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
START = "https://example.awsapps.com/start"
SIGNED = f"""
[profile signed]
sso_session = corp
sso_account_id = 210987654321
sso_role_name = ReadOnly
[sso-session corp]
sso_start_url = {START}
sso_region = eu-west-1
[profile above]
role_arn = arn:aws:iam::210987654321:role/Above
source_profile = signed
[profile old]
sso_start_url = {START}
sso_region = eu-west-1
sso_account_id = 210987654321
sso_role_name = ReadOnly
[profile ada]
{KEYS}
"""
TEMPORARY = (
    f"[hour]\n{KEYS}aws_session_token = t\naws_expiration = 2026-11-22T09:30:00Z\n[some]\n{KEYS}aws_session_token = t\n"
)


def sign_in(cache: Path, name: str, **told: str) -> None:
    (cache / file_of(name)).write_text(json.dumps(told))


def test_every_kind_of_keys_says_how_long_it_holds(write: Write, tmp_path: Path) -> None:
    write(SIGNED, TEMPORARY)
    sign_in(tmp_path, "corp", expiresAt="2026-11-22T13:20:00Z")
    sign_in(tmp_path, START, expiresAt="2026-11-22T09:00:00UTC")
    found = {one.name: keys_hold(of(one, tmp_path), NOW, "Europe/Berlin") for one in profiles()}
    assert found == {
        "above": "until 22 Nov, 14:20, 3 h 20 min more",
        "signed": "until 22 Nov, 14:20, 3 h 20 min more",
        "old": "ended 22 Nov, 10:00: sign in again",
        "ada": "until they are taken away",
        "hour": "ended 22 Nov, 10:30: they have to be made anew",
        "some": "for a time that the file does not tell",
    }


@pytest.mark.parametrize("told", [None, "", "[]", '{"expiresAt": 3}'])
def test_who_has_not_signed_in_is_told_so(write: Write, tmp_path: Path, told: str | None) -> None:
    write(SIGNED)
    if told is not None:
        (tmp_path / file_of("corp")).write_text(told)
    (signed,) = [of(one, tmp_path) for one in profiles() if one.name == "signed"]
    assert signed.has_ended(NOW)
    assert keys_hold(signed, NOW, None) == "not signed in"


def test_a_profile_without_keys_holds_none() -> None:
    held = of(Profile("bare", Kind.NONE, {}))
    assert keys_hold(held, NOW, None) == "none of its own"
    assert not held.has_ended(NOW), "an instance's role may stand in"


def test_a_sign_in_that_renews_itself_has_no_end_that_is_known(write: Write, tmp_path: Path) -> None:
    write(SIGNED)
    sign_in(tmp_path, "corp", expiresAt="2026-11-22T09:00:00Z", refreshToken="r")
    (signed,) = [of(one, tmp_path) for one in profiles() if one.name == "signed"]
    assert signed == Holding(Hold.RENEWAL)
    assert not signed.has_ended(NOW)
