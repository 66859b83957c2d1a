"""What every text of a launch begins with: sending the training package along, which lies in Kennel's own folder."""

import shlex
from pathlib import Path

import training
from dashboard.core.aws import Account
from dashboard.core.runs.code import code_uri
from dashboard.core.s3_address import parts
from dashboard.core.showcode import literal


def in_python(account: Account) -> str:
    """Python that puts the package where the run looks for it; expects a client named `s3`. Runs in any folder."""
    bucket, folder = parts(code_uri(account))
    return (
        "# The training package, as Kennel sends it along: from the folder in which Kennel lies.\n"
        "import sys\n\n"
        f"sys.path.insert(0, {literal(_kennel())})\n"
        "from dashboard.core.runs.code import bundle\n\n"
        "for name, content in bundle().files.items():\n"
        f'    s3.put_object(Bucket="{bucket}", Key="{folder}" + name, Body=content)\n'
    )


def in_shell(account: Account) -> str:
    """The same for a shell, whose `python` is the one that Kennel runs with."""
    return (
        "# The training package, as Kennel sends it along: from the folder in which Kennel lies.\n"
        "# `python` is the one that Kennel runs with: activate its environment first.\n"
        "folder=$(mktemp -d)\n"
        f"PYTHONPATH={shlex.quote(_kennel())} python - \"$folder\" <<'PACKAGE'\n"
        "import pathlib, sys\n"
        "from dashboard.core.runs.code import bundle\n\n"
        "for name, content in bundle().files.items():\n"
        "    pathlib.Path(sys.argv[1], name).write_bytes(content)\n"
        "PACKAGE\n"
        f'aws s3 cp --recursive --quiet "$folder" {code_uri(account)}\n'
    )


def _kennel() -> str:
    """The folder of both packages, training and dashboard."""
    return str(Path(training.__path__[0]).resolve().parent)
