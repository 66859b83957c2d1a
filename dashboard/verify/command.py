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
    if ask(f"Type the account's id ({account.account_id}) to begin: ").strip() != account.account_id:
        _say("Nothing was begun.")
        return REFUSED
    made = Made.begin(folder / "made.jsonl", account.account_id, account.region)
    embedded = Record.load(against) if against else twin.record(folder / "embedded", _say)
    embedded.save(folder / "embedded.json")
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
    try:
        with _ended_like_ctrl_c(), _time_limit(longest) as is_over:
            try:
                one.run()
            except KennelError as wrong:
                problem = f"{wrong}"
            except KeyboardInterrupt:
                problem = "the time limit was reached" if is_over() else "it was stopped"
            except Exception as fault:
                logger.exception("a step failed")
                problem = f"a fault in Kennel ({type(fault).__name__}: {fault})"
            if problem:
                _say(f"Not finished: {problem}.")
    finally:
        left = _deleted(one.made, deleting)
    one.recorder.record.save(folder / "account.json")
    found = compare.differences(one.recorder.record, embedded)
    text = compare.report(found, one.recorder.record, embedded)
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
    left = _deleted(made, Deleting(aws, PriceBook.load()))
    if left:
        return _told_left(left, aws)
    _say("Everything on the list is deleted.")
    return OK


def _deleted(made: Made, deleting: Callable[[Thing], None]) -> tuple[Left, ...]:
    """Delete everything; Ctrl-C does not keep it from that."""
    if made.things:
        _say(f"deleting {len(made.things)} things; this is not broken off by Ctrl-C …")
    with _deaf():
        return made.delete(deleting, _say)


def _told_left(left: Sequence[Left], aws: Aws) -> int:
    _say(f"{len(left)} could not be deleted, and may go on costing money. Delete by hand:")
    for one in left:
        _say(f"  {one.thing.kind} {one.thing.name}: {one.why}")
        _say(f"    {one.thing.command(aws.account.name, aws.account.region)}")
    return LEFT


@contextmanager
def _time_limit(seconds: float) -> Iterator[Callable[[], bool]]:
    """Inside, what goes on is broken off after so many seconds, as by Ctrl-C; whether that happened."""
    over, main_thread = threading.Event(), threading.main_thread().ident or 0

    def end() -> None:
        over.set()
        signal.pthread_kill(main_thread, signal.SIGINT)  # wakes what waits, too

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Inside, every request to end is as Ctrl-C is, also in the background and when the terminal goes: what was made is
    deleted first.
    """

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with _handled(end):
        yield


@contextmanager
def _deaf() -> Iterator[None]:
    """Inside, Ctrl-C is answered with a sentence."""

    def answer(number: int, frame: object) -> None:
        _say("Still deleting: what is left would cost money. Wait for its end.")

    with _handled(answer):
        yield


@contextmanager
def _handled(does: Callable[[int, object], None]) -> Iterator[None]:
    before = {which: signal.signal(which, does) for which in ENDINGS}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _say(line: str) -> None:
    with suppress(OSError):  # a terminal that is gone keeps nothing from being deleted; the files have all of it
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
