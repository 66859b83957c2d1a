"""Work on data sets as commands of the AWS CLI, for bash."""

import shlex

from dashboard.core.aws import Account
from dashboard.core.data.datasets import PREFIX
from dashboard.core.data.fetching import DOGS
from dashboard.core.data.work import Kind, Work
from dashboard.core.runs.as_code_cli import connection
from training.data import PHOTO_ENDINGS

_PHOTOS_ONLY = " ".join(f"--include {shlex.quote('*' + ending)}" for ending in sorted(PHOTO_ENDINGS))


def shell(work: Work, account: Account) -> str:
    """The same as a script; no secret is in it. What is on somebody's own disk is called ./NAME there."""
    lines = ["#!/usr/bin/env bash", "set -euo pipefail", "", connection(account)]
    return "\n".join([*lines, *_commands(work, account)]) + "\n"


def _commands(work: Work, account: Account) -> list[str]:
    target, base = (shlex.quote(f"s3://{account.bucket}/{PREFIX}{name}/") for name in (work.name, work.base))
    folder = shlex.quote(f"./{work.name}")
    sent = f"aws s3 sync {folder} {target} --exclude '*' {_PHOTOS_ONLY}"
    unzipped = "# a folder train/ (and valid/, test/) with one folder for each class has to be right below it"
    match work.kind:
        case Kind.UPLOAD if work.place and not work.place.lower().endswith(".zip"):
            return [unzipped, sent.replace(folder, shlex.quote(work.place))]
        case Kind.UPLOAD:
            return [
                *(
                    [f"unzip -q {shlex.quote(work.place or work.source)} -d {folder}"]
                    if work.file or work.place
                    else []
                ),
                unzipped,
                sent,
            ]
        case Kind.IMPORT if work.source == DOGS:
            return [f"python -m training.data fetch {DOGS} --to {folder}", unzipped, sent]
        case Kind.IMPORT:
            zipped = shlex.quote(f"{work.name}.zip")
            return [f"aws s3 cp {shlex.quote(work.source)} {zipped}", f"unzip -q {zipped} -d {folder}", unzipped, sent]
        case Kind.COPY:
            return [f"aws s3 sync {base} {target}"]
        case Kind.RENAME:
            return [f"aws s3 mv --recursive {base} {target}"]
        case Kind.DELETE:
            return [f"aws s3 rm --recursive {target}"]
        case Kind.VERSION:
            copies = [
                f"aws s3 cp {shlex.quote(f's3://{account.bucket}/{one.source}')} {target}{shlex.quote(one.key)}"
                for one in work.added
            ]
            return [f"aws s3 sync {base} {target}", *copies]
        case Kind.REPORT:
            return [f"python -m training.data report {target}"]
