"""The command: who and how much first, the account's id typed, then all steps; at the end everything is deleted.

Ctrl-C, a failure and the time limit lead to the deletion too. What a killed process left is deleted by
`--clean FILE`, with the file that was named at its start.
"""

import argparse
import logging
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboard.core.aws import Aws, connect_profile
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput, KennelError
from dashboard.core.home import home
from dashboard.verify import budget, compare, steps, twin
from dashboard.verify.deleting import Deleting
from dashboard.verify.made import Left, Made, Thing
from dashboard.verify.record import Record, Recorder
from dashboard.verify.steps import Verification

logger = logging.getLogger(__name__)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OK, FAILED, LEFT, REFUSED = 0, 1, 2, 3
"""Exit statuses: done; a step failed and all was deleted; something could not be deleted; nothing was begun."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: one of those above."""
    options = _options(arguments)
    try:
        aws = connect_profile(options.profile, options.region, writable=True)
        if options.clean:
            return _clean(aws, Made.load(options.clean))
        return verify(aws, options.against)
    except KennelError as wrong:
        _say(f"{wrong}")
        return REFUSED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dashboard.verify", description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", required=True, help="of your AWS configuration; its rights are what is used")
    parser.add_argument("--region", default="", help="the profile's own, unless given")
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="a record of the embedded AWS; without it one is made first"
    )
    parser.add_argument("--clean", type=Path, metavar="FILE", help="only delete what this list of an earlier try names")
    return parser.parse_args(arguments)


def verify(
    aws: Aws, against: Path | None = None, *, ask: Callable[[str], str] = input, pause: float = steps.PAUSE
) -> int:
    """Ask, then do all steps and delete all they made; the exit status.

    against: a record of the embedded AWS. pause: seconds between two looks at what takes time. Raises Refused for what
    could cost more than the cap, and InvalidInput for a file that is no record.
    """
    account = aws.account
    prices = PriceBook.load()
    at_most = budget.estimate(prices, account.region)
    mark = secrets.token_hex(4)
    folder = home() / "verify" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{mark}"
    for line in (
        f"This works in the account {account.account_id}, {account.region}, as {account.identity}, and costs money:",
        *at_most.lines,
        "It makes what Kennel needs and the account lacks, trains once, deploys, calls the endpoint and a function",
        f"once, audits, and deletes all it made. After {budget.LONGEST.seconds // 60} minutes it deletes in any case.",
        f"What it makes is listed in {folder / 'made.jsonl'}; what differs is written beside it.",
    ):
        _say(line)
    try:
        if ask(f"Type the account's id ({account.account_id}) to begin: ").strip() != account.account_id:
            _say("Nothing was begun.")
            return REFUSED
        made = Made.begin(folder / "made.jsonl", account.account_id, account.region)
        embedded = Record.load(against) if against else twin.record(folder / "embedded", _say)
        embedded.save(folder / "embedded.json")
    except (KeyboardInterrupt, EOFError):  # nobody is there to type it, too
        _say("Nothing was begun in the account.")
        return REFUSED
    recorder = Recorder()
    one = Verification(aws, mark, made, recorder, prices, _say, pause=pause)
    return carried_out(one, Deleting(aws, prices, pause=pause), folder, embedded)


def carried_out(
    one: Verification,
    deleting: Callable[[Thing], None],
    folder: Path,
    embedded: Record,
    longest: float = budget.LONGEST.total_seconds(),
) -> int:
    """All steps, for at most `longest` seconds; then the deletion, whatever happened, and what differed."""
    problem = ""
    with _broken_off(longest) as breaking:
        try:
            try:
                one.run()
            finally:
                breaking.is_over = True
        except KennelError as wrong:
            problem = f"{wrong}"
        except KeyboardInterrupt:
            problem = "the time limit was reached" if breaking.is_late else "it was stopped"
        except Exception as fault:
            logger.exception("a step failed")
            problem = f"a fault in Kennel ({type(fault).__name__}: {fault})"
        if problem:
            _say(f"Not finished: {problem}.")
        left = _deleted(one.made, deleting)
    one.recorder.record.save(folder / "account.json")
    account = one.recorder.record
    against = compare.as_far(embedded, account) if problem else embedded
    found = compare.differences(account, against)
    text = compare.report(found, account, against, is_whole=not problem)
    (folder / "differences.md").write_text(text)
    _say(text)
    _say(f"Written to {folder / 'differences.md'}.")
    if left:
        return _told_left(left, one.aws)
    return FAILED if problem else OK


def _clean(aws: Aws, made: Made) -> int:
    account = aws.account
    if (made.account, made.region) != (account.account_id, account.region):
        raise InvalidInput(
            f"{made.file} is of the account {made.account} in {made.region}",
            f"this profile works in {account.account_id} in {account.region}",
            "choose the profile and the region of that account",
        )
    with _broken_off(None):
        left = _deleted(made, Deleting(aws, PriceBook.load()))
    if left:
        return _told_left(left, aws)
    _say("Everything on the list is deleted.")
    return OK


def _deleted(made: Made, deleting: Callable[[Thing], None]) -> tuple[Left, ...]:
    if made.things:
        _say(f"deleting {len(made.things)} things; this is not broken off by Ctrl-C …")
    return made.delete(deleting, _say)


def _told_left(left: Sequence[Left], aws: Aws) -> int:
    _say(f"{len(left)} could not be deleted, and may go on costing money. Delete by hand:")
    for one in left:
        _say(f"  {one.thing.kind} {one.thing.name}: {one.why}")
        _say(f"    {one.thing.command(aws.account.name, aws.account.region)}")
    return LEFT


@dataclass
class _Breaking:
    """Whether anything may still be broken off, and whether the time limit did that."""

    is_over: bool = False
    is_late: bool = False


@contextmanager
def _broken_off(seconds: float | None) -> Iterator[_Breaking]:
    """Inside, the first request to end is as Ctrl-C is, also in the background, when the terminal goes, and after so
    many seconds; whatever comes after it, or after `is_over`, is answered with a sentence. There is no moment between
    the steps and the deletion in which a request would end the process. None: only answered.
    """
    breaking, main_thread = _Breaking(is_over=seconds is None), threading.main_thread().ident or 0

    def end(number: int, frame: object) -> None:
        if breaking.is_over:
            _say("Still deleting: what is left would cost money. Wait for its end.")
            return
        breaking.is_over = True
        raise KeyboardInterrupt

    def late() -> None:
        if not breaking.is_over:
            breaking.is_late = True
            signal.pthread_kill(main_thread, signal.SIGINT)  # wakes what waits, too

    timer = threading.Timer(seconds or 0.0, late)
    timer.daemon = True
    before = {which: signal.signal(which, end) for which in ENDINGS}
    try:
        if seconds is not None:
            timer.start()
        yield breaking
    finally:
        timer.cancel()
        for which, handler in before.items():
            signal.signal(which, handler)


def _say(line: str) -> None:
    with suppress(OSError):  # a terminal that is gone keeps nothing from being deleted; the files have all of it
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
