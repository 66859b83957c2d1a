"""What a person chooses: the embedded AWS of this machine, or a profile and a region of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboard.core import aws
from dashboard.core.aws import Account

PROFILE, ACCOUNTS = "KENNEL_AWS_PROFILE", "KENNEL_ACCOUNTS"


@dataclass(frozen=True)
class Choice:
    """profile: "" is the embedded AWS. region: "" is the profile's own."""

    profile: str = ""
    region: str = ""

    @property
    def is_embedded(self) -> bool:
        return not self.profile

    @property
    def name(self) -> str:
        """As a message says it: "the embedded AWS", "the profile work"."""
        return "the embedded AWS" if self.is_embedded else f"the profile {self.profile}"

    @property
    def unasked(self) -> Account:
        """The account as far as it is known before it was asked anything: without its id, and to be read only."""
        return Account(
            self.profile or "embedded", self.region, "", is_embedded=self.is_embedded, writable=self.is_embedded
        )


def standing(environ: Mapping[str, str] = os.environ) -> Choice:
    """What a tab begins with: the embedded AWS, unless KENNEL_AWS_PROFILE names a profile."""
    return Choice(environ.get(PROFILE, "").strip())


def listed(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The profiles that KENNEL_ACCOUNTS names; () where all may be chosen."""
    return tuple(name.strip() for name in environ.get(ACCOUNTS, "").split(",") if name.strip())


def allowed(profile: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a profile may be chosen here: all may, but where KENNEL_ACCOUNTS lists those that may."""
    names = listed(environ)
    return not names or profile in (*names, standing(environ).profile)


def fingerprint(choice: Choice, environ: Mapping[str, str] = os.environ) -> str:
    """Changes when connecting to the choice would give something else: the embedded AWS restarted, or one of the
    configuration's files was changed. A cache key; it holds the choice.
    """
    if choice.is_embedded:
        return aws.fingerprint(environ)
    files = [f"{file} {_changed(file)}" for file in config_files(environ)]
    return "\n".join([choice.profile, choice.region, environ.get(ACCOUNTS, ""), *files])


def config_files(environ: Mapping[str, str] = os.environ) -> tuple[Path, Path]:
    """The AWS configuration's two files: config, and credentials."""
    config = environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    credentials = environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    return Path(config).expanduser(), Path(credentials).expanduser()


def _changed(file: Path) -> int:
    """When a file was changed, in nanoseconds; 0 for one that is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
