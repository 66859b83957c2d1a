"""What keeps a profile from being connected to is said with the command that mends it."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.core.accounts.choice import Choice
from dashboard.core.accounts.connecting import connect
from dashboard.core.errors import AccessDenied, CredentialsProblem, InvalidInput, KennelError, Refused, Unreachable
from tests.core.accounts.conftest import KEYS, Write, refused
from tests.core.conftest import SECRET, FakeAws, write_client

ADA = Choice("ada")
SSO = "sso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 210987654321\nsso_role_name = R\n"  # noqa: E501


def said(choice: Choice, kind: type[KennelError]) -> KennelError:
    with pytest.raises(kind) as caught:
        connect(choice)
    return caught.value


def test_a_profile_is_connected_to_in_its_own_region_and_to_read(
    write: Write, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(f"[profile ada]\n{at}{KEYS}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    account = connect(ADA).account
    assert (account.account_id, account.region) == ("210987654321", "eu-west-1")
    assert account.identity == "arn:aws:iam::210987654321:user/ada"
    assert not account.writable
    assert connect(Choice("ada", "us-west-2")).account.region == "us-west-2"


def test_keys_in_variables_are_never_used(write: Write, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    write(f"[profile ada]\n{at}[profile role]\n{at}role_arn = arn:aws:iam::210987654321:role/R\n"
          "credential_source = Environment\n")  # fmt: skip
    assert "aws configure --profile ada" in said(ADA, CredentialsProblem).next_step
    assert "never reads AWS_ACCESS_KEY_ID" in said(Choice("role"), CredentialsProblem).why


def test_no_such_profile(write: Write) -> None:
    config = write("[profile ada]\n")
    error = said(Choice("bob b"), CredentialsProblem)
    assert error.what == "there is no AWS profile named bob b"
    assert str(config) in error.why
    assert "aws configure --profile 'bob b'" in error.next_step


def test_one_that_is_not_offered_here(write: Write, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"[profile ada]\n{at}{KEYS}")
    monkeypatch.setenv("KENNEL_ACCOUNTS", "bob")
    assert "KENNEL_ACCOUNTS" in said(ADA, Refused).why


def test_no_region(write: Write) -> None:
    write(f"[profile ada]\n{KEYS}")
    assert "aws configure set region us-east-1 --profile ada" in said(ADA, CredentialsProblem).next_step


@pytest.mark.parametrize(
    ("answer", "lines", "command"),
    [
        (refused("ExpiredToken"), KEYS, "aws configure --profile ada"),
        (refused("InvalidClientTokenId"), KEYS, "give it others: aws configure --profile ada"),
        (refused("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier"), KEYS, "timedatectl set-ntp true"),
        (refused("RequestTimeTooSkewed"), KEYS, "timedatectl set-ntp true"),
    ],
)
def test_what_aws_says_of_the_keys(
    write: Write, at: str, fake: FakeAws, answer: object, lines: str, command: str
) -> None:
    write(f"[profile ada]\n{at}{lines}")
    fake.on("GetCallerIdentity", answer)
    assert command in said(ADA, CredentialsProblem).next_step


@pytest.mark.parametrize("name", ["signed", "above"])
def test_a_sign_in_that_ended_or_never_began(write: Write, at: str, name: str) -> None:
    role = "role_arn = arn:aws:iam::210987654321:role/R\nsource_profile = signed\n"
    write(f"[profile signed]\n{at}{SSO}[profile above]\n{at}{role}")
    error = said(Choice(name), CredentialsProblem)
    assert error.what == "the AWS session has expired"
    assert error.next_step == "sign in again: aws sso login --profile signed"


def test_a_program_that_fails(write: Write, at: str) -> None:
    write(f"[profile ada]\n{at}credential_process = /bin/sh -c 'echo {SECRET} >&2; exit 3'\n")
    error = said(ADA, CredentialsProblem)
    assert error.next_step == "see what it says: aws configure export-credentials --profile ada"
    assert SECRET not in str(error)


@pytest.mark.parametrize("program", ["echo nonsense", "echo {}", "/nowhere/at/all"])
def test_a_program_that_says_what_is_no_answer(write: Write, at: str, program: str) -> None:
    write(f"[profile ada]\n{at}credential_process = {program}\n")
    assert "aws configure export-credentials --profile ada" in said(ADA, CredentialsProblem).next_step


def test_a_program_whose_second_answer_is_nonsense(write: Write, at: str, fake: FakeAws, tmp_path: Path) -> None:
    """Keys that end are asked for again in the middle of a call."""
    told = '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": "2026-01-01T00:00:00Z"}'
    (tmp_path / "answer").write_text(told.replace("2026", "2999"))
    write(f"[profile ada]\n{at}credential_process = cat {tmp_path / 'answer'}\n")
    aws = connect(ADA)
    (tmp_path / "answer").write_text("nonsense")
    aws._session.get_credentials()._expiry_time = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(CredentialsProblem, match="no usable AWS keys"):
        aws.call("sagemaker", "ListTrainingJobs")


def test_a_token_of_a_file_that_is_gone(write: Write, at: str) -> None:
    write(f"[profile ada]\n{at}role_arn = arn:aws:iam::210987654321:role/R\nweb_identity_token_file = /nowhere\n")
    assert "no usable AWS keys" in said(ADA, CredentialsProblem).what


def test_a_program_hands_out_keys(write: Write, at: str, tmp_path: Path) -> None:
    told = '{"Version": 1, "AccessKeyId": "AKIAPROGRAM", "SecretAccessKey": "s"}'
    program = tmp_path / "keys.sh"
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(0o700)
    write(f"[profile ada]\n{at}credential_process = {program}\n")
    assert connect(ADA).account.account_id == "210987654321"


def test_a_code_that_nobody_can_ask_for(write: Write, at: str) -> None:
    write(f"[profile ada]\n{at}{KEYS}[profile careful]\n{at}role_arn = arn:aws:iam::210987654321:role/R\n"
          "source_profile = ada\nmfa_serial = arn:aws:iam::210987654321:mfa/ada\n")  # fmt: skip
    assert "aws sts get-session-token" in said(Choice("careful"), CredentialsProblem).next_step


def test_a_source_that_is_not_there(write: Write, at: str) -> None:
    write(f"[profile ada]\n{at}role_arn = arn:aws:iam::210987654321:role/R\nsource_profile = nobody\n")
    error = said(ADA, CredentialsProblem)
    assert error.what == "the profile ada is not complete"
    assert "aws configure --profile nobody" in error.next_step


def test_a_role_that_may_not_be_assumed(write: Write, at: str, fake: FakeAws) -> None:
    role = "arn:aws:iam::210987654321:role/R"
    write(f"[profile ada]\n{at}{KEYS}[profile role]\n{at}role_arn = {role}\nsource_profile = ada\n")
    fake.on(
        "AssumeRole",
        refused("AccessDenied", f"User: x is not authorized to perform: sts:AssumeRole on resource: {role}"),
    )
    error = said(Choice("role"), AccessDenied)
    assert isinstance(error, AccessDenied)
    assert error.statement == {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    assert "aws sts get-caller-identity --profile ada" in error.next_step


def test_a_region_that_the_account_has_not_enabled(write: Write, at: str, fake: FakeAws) -> None:
    """A region that is not enabled does not know the account's keys; another one does."""
    write(f"[profile ada]\n{at}{KEYS}")
    answers = iter([refused("InvalidClientTokenId")])
    known = fake._answers["GetCallerIdentity"]
    fake.on("GetCallerIdentity", lambda asked: next(answers, None) or known(asked))
    error = said(Choice("ada", "af-south-1"), CredentialsProblem)
    assert error.what == "the region af-south-1 is not enabled in account 210987654321"
    assert "aws account enable-region --region-name af-south-1 --profile ada" in error.next_step


def test_a_region_that_is_none(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"[profile ada]\nregion = eu-centrl-1\n{KEYS}")
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    error = said(ADA, InvalidInput)
    assert error.what == "there is no AWS region eu-centrl-1"
    assert "aws configure set region eu-central-1 --profile ada" in error.next_step


def test_no_network(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"[profile ada]\nregion = eu-west-1\n{KEYS}")
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    error = said(ADA, Unreachable)
    assert "https://sts.eu-west-1.amazonaws.com" in error.what
    assert "aws sts get-caller-identity --region eu-west-1 --profile ada" in error.next_step


def _no_network(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_an_address_of_the_profiles_own_where_nothing_listens(write: Write) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{sock.getsockname()[1]}"
    write(f"[profile ada]\nregion = eu-west-1\nendpoint_url = http://{where}\n{KEYS}")
    error = said(ADA, Unreachable)
    assert error.what == f"nothing answers at {where}"
    assert "endpoint_url" in error.why


def test_a_file_that_makes_no_sense(write: Write) -> None:
    file = write("[profile ada\n")
    assert str(file) in said(ADA, CredentialsProblem).what


def test_the_embedded_aws_is_shown_though_sts_does_not_say_who_it_is(fake: FakeAws, tmp_path: Path) -> None:
    write_client(tmp_path, fake.address)
    fake.on("GetCallerIdentity", refused("AccessDenied"))
    assert connect(Choice(), {"KENNEL_HOME": str(tmp_path)}).account.identity == ""
