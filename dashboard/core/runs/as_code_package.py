"""What every text of a launch begins with: sending the training package along, from Kennel's own folder."""

from dashboard.core.aws import Account
from dashboard.core.runs.code import code_uri


def in_python(account: Account) -> str:
    """Python that puts the package where the run looks for it; expects a client named `s3`."""
    bucket, _, folder = code_uri(account).removeprefix("s3://").partition("/")
    return (
        "# The training package, as Kennel sends it along: run this in Kennel's folder.\n"
        "from dashboard.core.runs.code import bundle\n\n"
        "for name, content in bundle().files.items():\n"
        f'    s3.put_object(Bucket="{bucket}", Key="{folder}" + name, Body=content)\n'
    )


def in_shell(account: Account) -> str:
    """The same for a shell."""
    return (
        "# The training package, as Kennel sends it along: run this in Kennel's folder.\n"
        "folder=$(mktemp -d)\n"
        "python - \"$folder\" <<'PACKAGE'\n"
        "import pathlib, sys\n"
        "from dashboard.core.runs.code import bundle\n\n"
        "for name, content in bundle().files.items():\n"
        "    pathlib.Path(sys.argv[1], name).write_bytes(content)\n"
        "PACKAGE\n"
        f'aws s3 cp --recursive --quiet "$folder" {code_uri(account)}\n'
    )
