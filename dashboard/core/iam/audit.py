"""The audit from the command line: what is wrong with the roles of an account, from an exported file.

    aws iam get-account-authorization-details > account.json
    python -m dashboard.core.iam.audit account.json
    python -m dashboard.core.iam.audit account.json --json > findings.json
    python -m dashboard.core.iam.audit page-1.json page-2.json --fail-on high

`-` reads standard input. Exit code: 0 when all was judged, 1 with --fail-on and a finding as bad as that, 2 for a file
that is no such answer or a command that makes no sense. What makes the audit partial is said on standard error.
"""

import argparse
import io
import json
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from dashboard.core.errors import InvalidInput
from dashboard.core.iam.entities import roles
from dashboard.core.iam.finding import Finding, Severity
from dashboard.core.iam.findings import UNUSED_DAYS, audit
from dashboard.core.iam.judge import export
from dashboard.core.iam.judge.score import score

WIDTH = 118
STANDARD_INPUT = "-"
QUIET_SECONDS = 5.0
"""So long an audit goes on before it says how far it is, and then again."""


def main(
    arguments: Sequence[str],
    *,
    now: datetime,
    read: Callable[[str], bytes] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Audit the files on standard output, or say on standard error what is wrong with them. Returns the exit code."""
    try:
        options = _parser().parse_args(arguments)
        content = read if read is not None else _content
        pages = [page for name in options.files for page in export.pages(content(name), name)]
        found = export.of_pages(pages, " and ".join(options.files))
        tell = _Progress(clock, sum(1 for _ in roles(found.details)))
        findings = audit(found.details, now=now, unused_days=options.unused_days, tell=tell)
        count = sum(1 for role in roles(found.details) if not role.is_service_linked)
    except (_NotUnderstood, InvalidInput) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for why in found.partial:
        sys.stderr.write(f"This audit is partial: {why}\n")
    told = as_json(findings) if options.json else as_text(findings, count)
    sys.stdout.write(f"{told}\n")
    worst = min((one.severity.rank for one in findings), default=len(Severity))
    return 1 if options.fail_on and worst <= Severity(options.fail_on).rank else 0


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects, the worst finding first."""
    return json.dumps([one.as_record() for one in findings], indent=2, ensure_ascii=False, default=str)


def as_text(findings: Sequence[Finding], count: int) -> str:
    """For a person: role by role, the worst first, and the score. count: of the roles that were judged."""
    by_role: dict[str, list[Finding]] = {}
    for one in findings:
        by_role.setdefault(one.role, []).append(one)
    lines: list[str] = []
    for role, of_role in by_role.items():
        lines += [f"{role or 'No role'}", *(line for one in of_role for line in _lines(one)), ""]
    severities = Counter(one.severity for one in findings)
    counted = ", ".join(f"{severities[one]} {one}" for one in Severity if severities[one]) or "nothing"
    good = count - sum(1 for role in by_role if role)
    result = score(findings, count)
    roles = "1 role" if count == 1 else f"{count} roles"
    lines.append(f"{roles}, {good} without a finding. Found: {counted}.")
    if not count and not findings:
        lines.append("There is no score: the file has no role and no policy to judge.")
    else:
        told = f"Score: {result.value} of 100 ({result.arithmetic})."
        lines += textwrap.wrap(told, WIDTH, subsequent_indent="       ", break_long_words=False)
    return "\n".join(lines)


def _lines(one: Finding) -> list[str]:
    where = (
        "" if not one.policy else f" · {one.policy}" + (f", statement {one.place + 1}" if one.place is not None else "")
    )
    told = [f"  {one.severity.upper():8}  {one.kind}{where}"]
    said: list[tuple[str, Any]] = [("", one.reason), ("risk: ", one.attack), ("fix: ", one.fix)]
    if one.mitigated_by:
        said.insert(1, ("mitigated by: ", one.mitigated_by))
    for label, text in said:
        told += textwrap.wrap(
            f"{label}{text}",
            WIDTH,
            initial_indent=" " * 12,
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return told


class _Progress:
    """Says on standard error how far an audit is, when it takes long."""

    def __init__(self, clock: Callable[[], float], roles: int) -> None:
        self._clock = clock
        self._roles = roles
        self._told = clock()

    def __call__(self, number: int) -> None:
        if self._clock() - self._told >= QUIET_SECONDS and number < self._roles:
            self._told = self._clock()
            sys.stderr.write(f"{number:,} of {self._roles:,} roles are judged.\n")
            sys.stderr.flush()


class _NotUnderstood(Exception):  # noqa: N818 - a message for whoever typed it
    """What was typed makes no sense."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotUnderstood(f"{message} · {self.format_usage().strip()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m dashboard.core.iam.audit", description="Audit the roles of an AWS account.")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="what get-account-authorization-details gave; - reads it"
    )
    parser.add_argument("--json", action="store_true", help="a list of findings for a program")
    parser.add_argument("--fail-on", choices=[one.value for one in Severity], help="exit with 1 for one as bad as this")
    parser.add_argument(
        "--unused-days", type=_days, default=UNUSED_DAYS, help="days after which a role is unused (%(default)s)"
    )
    return parser


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of days")
    return int(text)


def _content(name: str) -> bytes:
    """A file's bytes. Raises InvalidInput for one that cannot be read."""
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        if Path(name).stat().st_size > export.LARGEST:
            raise InvalidInput(f"{name} is too large", f"more than {export.LARGEST:,} bytes are not read")
        return Path(name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read", error.strerror or str(error)) from error


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "·" still gets its answer
    sys.exit(main(sys.argv[1:], now=datetime.now(UTC)))
