"""Where Kennel keeps its state on this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder: KENNEL_HOME, else `.kennel` in the repository. Not created here."""
    chosen = environ.get("KENNEL_HOME")
    return Path(chosen).expanduser().resolve() if chosen else REPOSITORY / ".kennel"


def of_account(client_file: str) -> Path:
    """Where what is known of an account is kept: with the embedded AWS that its `client_file` is of, which takes it
    along when it is thrown away, else in the state folder.
    """
    return Path(client_file).parent if client_file else home()


def aws_state(environ: Mapping[str, str] = os.environ) -> Path:
    """The embedded AWS's own folder inside the state folder."""
    return home(environ) / "aws"
