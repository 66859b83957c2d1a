"""AWS configurations as people have them; what is asked of AWS goes to a stand-in on this machine."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.conftest import ACCESS_KEY, SECRET, FakeAws, Reply

Write = Callable[..., Path]
KEYS = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET}\n"
IDENTITY = Reply(
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>210987654321</Account>"
    b"<Arn>arn:aws:iam::210987654321:user/ada</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def refused(code: str, message: str = "") -> Reply:
    """An error of STS."""
    error = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Reply(error.encode(), 403)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """write(config, credentials): the two files of the configuration; nothing else of the person's is left."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "KENNEL_A"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def files(config: str, credentials: str = "") -> Path:
        (tmp_path / "config").write_text(config)
        (tmp_path / "credentials").write_text(credentials)
        return tmp_path / "config"

    return files


@pytest.fixture
def at(fake: FakeAws) -> str:
    """The lines of a profile whose AWS is the stand-in."""
    fake.on("GetCallerIdentity", IDENTITY)
    return f"region = eu-west-1\nendpoint_url = {fake.address}\n"
