from pathlib import Path

import pytest

from dashboard.core.accounts.profiles import Kind, profile, profiles
from dashboard.core.errors import CredentialsProblem
from tests.core.accounts.conftest import KEYS, Write
from tests.core.conftest import ACCESS_KEY, SECRET

EVERY_KIND = f"""
[default]
region = eu-west-1
[profile ada]
{KEYS}
[profile auditor]
role_arn = arn:aws:iam::210987654321:role/team/Auditor
source_profile = ada
[profile above]
role_arn = arn:aws:iam::210987654321:role/Above
source_profile = signed
[profile signed]
sso_session = corp
sso_account_id = 210987654321
sso_role_name = ReadOnly
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
[profile vault]
credential_process = /usr/bin/vault --token hunter2
[profile pod]
role_arn = arn:aws:iam::210987654321:role/Pod
web_identity_token_file = /token
[profile careful]
role_arn = arn:aws:iam::210987654321:role/Careful
source_profile = ada
mfa_serial = arn:aws:iam::210987654321:mfa/ada
"""


def test_every_profile_is_told_by_where_its_keys_come_from(write: Write) -> None:
    write(EVERY_KIND, f"[old]\n{KEYS}")
    found = {one.name: one for one in profiles()}
    assert {name: one.kind for name, one in found.items()} == {
        "default": Kind.NONE,
        "ada": Kind.KEYS,
        "old": Kind.KEYS,
        "auditor": Kind.ROLE,
        "above": Kind.ROLE,
        "signed": Kind.SSO,
        "vault": Kind.PROCESS,
        "pod": Kind.WEB_IDENTITY,
        "careful": Kind.ROLE,
    }
    assert found["auditor"].how == "Assumes the role Auditor with the keys of the profile ada."
    assert found["signed"].how == "Signs in with SSO to account 210987654321 as ReadOnly."
    assert found["above"].chain == ("signed",)
    assert (found["above"].login, found["signed"].login, found["ada"].login) == ("signed", "signed", "")
    assert [name for name, one in found.items() if one.asks_for_code] == ["careful"]


def test_no_secret_is_in_what_is_told(write: Write) -> None:
    write(EVERY_KIND, f"[old]\n{KEYS}aws_session_token = token-of-ada\n")
    told = repr(profiles())
    assert not [secret for secret in (ACCESS_KEY, SECRET, "hunter2", "token-of-ada") if secret in told]


def test_profiles_that_name_each_other_end(write: Write) -> None:
    role = "role_arn = arn:aws:iam::210987654321:role/R\n"
    write(f"[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = a\n[profile c]\n{role}"
          f"source_profile = c\n{KEYS}")  # fmt: skip
    assert [one.chain for one in profiles()] == [("b",), ("a",), ()]


def test_a_shared_installation_offers_what_it_lists(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(EVERY_KIND)
    monkeypatch.setenv("KENNEL_ACCOUNTS", "auditor, signed,nobody")
    assert [one.name for one in profiles()] == ["auditor", "signed"]
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "ada")
    assert [one.name for one in profiles()] == ["ada", "auditor", "signed"]
    assert profile("nobody") is None


def test_without_a_configuration_there_is_no_profile(write: Write, tmp_path: Path) -> None:
    assert profiles() == ()


def test_a_broken_file_is_named_with_the_line_and_without_its_text(write: Write) -> None:
    file = write(f"[profile ada]\nregion = eu-west-1\n{SECRET}\n")
    with pytest.raises(CredentialsProblem) as caught:
        profiles()
    assert str(file) in caught.value.what
    assert "line 3" in caught.value.why
    assert SECRET not in str(caught.value)


def test_a_file_that_may_not_be_read_says_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("[profile ada]\n")
    real = Path.open

    def denied(self: Path, *given: object, **named: object) -> object:
        if self == file:
            raise PermissionError(13, "Permission denied")
        return real(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(CredentialsProblem, match=f"chmod u\\+r {file}"):
        profiles()
