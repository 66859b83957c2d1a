"""The caches of everything about runs. Pages use them through `state`.

One run book an account is shared by all who look; a run that has ended is asked for once.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger import deleted_runs
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.parallel import gather
from dashboard.core.runs import checkpoint, model_card, watch
from dashboard.core.runs import log as logs
from dashboard.core.runs import usage as using
from dashboard.core.runs.compare import Comparison, compare
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.explain import Explanation, explain
from dashboard.core.runs.listing import Listing, RunBook, Window
from dashboard.core.runs.log import LogLine
from dashboard.core.runs.model import Run
from dashboard.core.runs.model_card import ModelCard
from dashboard.core.runs.progress import PROGRESS, Progress
from dashboard.core.runs.usage import Usage
from dashboard.price_readings import prices, prices_stamp
from dashboard.readings import Reading, now, where
from training.metrics import parse

TAIL_LINES = 2_000
FIGURES = 20_000
"""Lines with figures that are kept of a log: a training may print a million, and they are read again at each look."""
ENDED = 2_000
LATE = timedelta(minutes=10)
"""For how long after a run has ended lines of its log may still arrive."""
SPARKS = 12
"""Curves of ended runs that a page waits for: each costs two reads of a log, once. More are read while it is shown."""
PATIENCE, FIRST_PATIENCE = 0.15, 1.0
"""Seconds that a page waits for a refresh of its list, and for a first reading, before it shows what there is."""


def runs(aws: Aws, window: Window = Window.MONTH) -> Reading[tuple[Run, ...]]:
    """The runs of a window, newest first; see `listing`."""
    seen = listing(aws, window)
    return Reading(seen.runs, seen.at)


def listing(aws: Aws, window: Window = Window.WEEK) -> Listing:
    """Every kind of run of a time window, newest first. Answers at once: see `Listing.is_complete` and `.problems`.

    A first read goes on in the background, and whoever looks again sees more. Raises the errors of `Aws.call` when
    nothing of the account can be read.
    """
    book = _book(where(aws))
    if book.is_arriving(window):
        return book.look(aws, window, patience=0)
    return book.look(aws, window, patience=PATIENCE if book.is_read(window) else FIRST_PATIENCE)


def run(aws: Aws, key: str) -> Reading[Run]:
    """One run of any kind by its key. Once it has ended, AWS is not asked again. Raises NotFound."""
    return _ended(where(aws)).get(key) or _run(where(aws), key, aws)


def with_checkpoint(aws: Aws, one: Run) -> Run:
    """The run with `has_checkpoint` told, where that can be; looked at once for a run that has ended."""
    return _with_checkpoint(where(aws), one, aws)


def trials(aws: Aws, one: Run) -> tuple[Run, ...]:
    """A tuning job's children, in the order in which they were started; () for any other run."""
    if one.tuning is None:
        return ()
    counts = tuple(sorted(one.tuning.counts.items()))  # another count is another reading: one of them has changed
    return _trials(where(aws), one.key, one.tuning.children, counts, aws)


def cost(aws: Aws, one: Run) -> Quote:
    """What a run has cost so far, or in the end; a tuning job is the sum of its trials, as they are known."""
    return costs(aws)(one)


def costs(aws: Aws) -> Callable[[Run], Quote]:
    """What tells the cost of any run, as `cost` does: for thousands of them, the caches are looked up once."""
    at = where(aws)
    known, book, listed = _costs(at, prices_stamp(aws.account)), _book(at), prices(aws.account)

    def of(one: Run) -> Quote:
        stamp = (one.key, one.created)
        if stamp in known:
            return known[stamp]
        children: tuple[Run, ...] = ()
        if one.tuning is not None:
            children = trials(aws, one) if one.tuning.children else book.children(one.name)
        quote = run_cost(one, listed, aws.account.region, now(), children)
        if one.status.is_final and quote.is_known:
            known[stamp] = quote
        return quote

    return of


def usage(aws: Aws, one: Run) -> Reading[Usage]:
    """What a run used of its instances; read again while it goes on."""
    return _usage(where(aws), one.key, one.status.is_final, one, aws)


def card(aws: Aws, one: Run) -> ModelCard | None:
    """The model card of a run; None when it has no model or its model no card. Raises NotFound when it was deleted."""
    return _card(where(aws), one.artifact_uri, aws) if one.artifact_uri else None


def log(aws: Aws, key: str) -> "Tail":
    """The end of a run's log and what it says about progress; each call reads on from where the last one stopped.

    Once it told nothing new long after its run had ended, AWS is not asked again.
    """
    tail = _log(where(aws), key)
    over = _ended(where(aws)).get(key)
    ended = over.value.ended if over else None
    if ended is None or tail.quiet_at is None or tail.quiet_at - ended < LATE:
        tail.read_on(aws)
    return tail


def find_in_log(aws: Aws, key: str, text: str) -> tuple[LogLine, ...]:
    """The lines of the whole log that contain `text`, the first 500; upper and lower case count."""
    return _found_lines(where(aws), key, text, aws)


def whole_log(aws: Aws, key: str) -> bytes:
    """All of a run's log as a text file, to be downloaded; see `log.whole_log` for its limit."""
    return logs.whole_log(aws, key)


def explanation(aws: Aws, one: Run) -> Explanation | None:
    """Why a run ended badly, from AWS's words and the end of its log; None for any other run."""
    if not one.status.is_bad:
        return None
    lines: tuple[LogLine, ...] = ()
    with contextlib.suppress(KennelError):  # without the right to read logs AWS's own words still explain most
        lines = log(aws, one.key).lines
    return explain(one, (line.text for line in lines))


def comparison(aws: Aws, chosen: Sequence[Run]) -> Comparison:
    """Runs side by side, with their costs and curves as they are now. Raises the errors of `Aws.call`."""
    quotes = {one.key: cost(aws, one) for one in chosen}
    return compare(chosen, quotes, {one.key: log(aws, one.key).progress.curves for one in chosen})


def loss_curves(aws: Aws, shown: Sequence[Run]) -> dict[str, tuple[float, ...]]:
    """The validation loss by epoch, by key, of those of these runs that printed one.

    An ended run is read once. The first `SPARKS` are waited for; the others are read in the background, and whoever
    looks again has them too.
    """
    known = _loss_curves(where(aws))
    newest = [run for run in shown if not run.is_tuning]
    missing = [run.key for run in newest if run.status.is_final and run.key not in known]
    ended, later = missing[:SPARKS], missing[SPARKS:]
    live: dict[str, tuple[float, ...]] = {}
    # Without the right to read logs the table stands without curves; a run's own page says why.
    with contextlib.suppress(KennelError):
        known.update(zip(ended, gather(partial(_loss_curve, aws), ended), strict=True))
        live = {run.key: _losses(log(aws, run.key).progress) for run in newest[:SPARKS] if run.status.is_active}
        if later:
            _background(where(aws)).start(partial(_read_curves, aws, later, known))
    found = {run.key: live.get(run.key) or known.get(run.key, ()) for run in newest}
    return {key: curve for key, curve in found.items() if curve}


def _read_curves(aws: Aws, keys: Sequence[str], known: dict[str, tuple[float, ...]]) -> None:
    with contextlib.suppress(KennelError):  # as above: the table stands without
        for key in keys:
            known[key] = _loss_curve(aws, key)


class _Background:
    """One thread at a time for what a page does not wait for."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, work: Callable[[], None]) -> None:
        """Do it now, unless something is being done: then whoever looks again asks again."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=work, name="curves", daemon=True)
                self._thread.start()


@st.cache_resource(show_spinner=False, max_entries=8)
def _background(where: str) -> _Background:
    return _Background()


def deleted(aws: Aws, keys: Iterable[str]) -> None:
    """These runs are gone: no page lists them any more. What they cost is kept; raises ServiceFault if it cannot be."""
    keys, book = tuple(keys), _book(where(aws))
    gone = [one for one in map(book.get, keys) if one is not None]
    try:
        deleted_runs.note(deleted_runs.place(aws.account), gone)
    finally:
        _forget_deleted(aws, keys)


def _forget_deleted(aws: Aws, keys: Iterable[str]) -> None:
    for key in keys:
        _book(where(aws)).drop(key)
        for kept in (_ended(where(aws)), _loss_curves(where(aws))):
            kept.pop(key, None)
        _log.clear(where(aws), key)


def forget_runs() -> None:
    """Something was changed: read runs again at the next look."""
    for book in _books().values():
        book.stale()
    for cached in (_run, _trials):
        cached.clear()


class Tail:
    """A run's log as it grows: its last lines, and the last FIGURES that carry a figure. Shared by all who look."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._token: str | None = None
        self._lines: deque[LogLine] = deque(maxlen=TAIL_LINES)
        self._figures: deque[str] = deque(maxlen=FIGURES)
        self._latest: deque[str] = deque(maxlen=2)  # of how far it is, only the end counts
        self.problem: KennelError | None = None  # why nothing more could be read
        self.count = 0
        self.progress = Progress()
        self.quiet_at: datetime | None = None  # when it was looked at last, if that told nothing new

    @property
    def lines(self) -> tuple[LogLine, ...]:
        with self._lock:
            return tuple(self._lines)

    def read_on(self, aws: Aws) -> None:
        """Read what came since the last time. What cannot be read is kept in `problem`: a run is more than its log.

        Raises Unreachable and CredentialsProblem, which are about everything.
        """
        with self._lock:
            try:
                page = watch.read_log(aws, self._name, self._token)
            except (Unreachable, CredentialsProblem):
                raise
            except KennelError as error:
                self.problem, self.quiet_at = error, None
                return
            self.problem, self.quiet_at = None, None if page.lines or page.has_more else now()
            self._token = page.token
            self._lines.extend(page.lines)
            self.count += len(page.lines)
            told = [(line.text, figures) for line in page.lines if (figures := parse(line.text))]
            if told:
                self._figures.extend(text for text, figures in told if PROGRESS not in figures.values)
                self._latest.extend(text for text, figures in told if PROGRESS in figures.values)
                self.progress = watch.progress([*self._figures, *self._latest])


@st.cache_resource(show_spinner=False)
def _books() -> dict[str, RunBook]:
    return {}


def _book(where: str) -> RunBook:
    return _books().setdefault(where, RunBook(now))


@st.cache_data(show_spinner=False, ttl=2, max_entries=50)
def _trials(
    where: str, key: str, keys: tuple[str, ...], counts: tuple[tuple[str, int], ...], _aws: Aws
) -> tuple[Run, ...]:
    book = _book(where)
    known = [one for one in map(book.get, keys) if one]
    found = watch.children(_aws, keys, known)
    book.keep(found)
    return found


@st.cache_resource(show_spinner=False, max_entries=8)
def _costs(where: str, prices: str) -> dict[tuple[str, datetime], Quote]:
    """What runs that have ended have cost, at these prices."""
    return {}


@st.cache_data(show_spinner=False, ttl=4, max_entries=200)
def _usage(where: str, key: str, is_final: bool, _one: Run, _aws: Aws) -> Reading[Usage]:
    at = now()
    return Reading(using.usage(_aws, _one, at), at)


@st.cache_data(show_spinner=False, max_entries=100)
def _card(where: str, artifact_uri: str, _aws: Aws) -> ModelCard | None:
    return model_card.read_card(_aws, artifact_uri)


@st.cache_data(show_spinner=False, ttl=1, refresh_mode="background", max_entries=100)
def _run(where: str, key: str, _aws: Aws) -> Reading[Run]:
    book = _book(where)
    try:
        seen = watch.get_run(_aws, key, book.get(key), now())
        reading = Reading(_with_checkpoint(where, seen, _aws), now())
    except NotFound:
        book.drop(key)
        raise
    book.keep([reading.value])
    if reading.value.status.is_final:
        ended = _ended(where)
        ended[key] = reading
        while len(ended) > ENDED:
            del ended[next(iter(ended))]
    return reading


def _with_checkpoint(where: str, one: Run, aws: Aws) -> Run:
    if not one.may_resume:
        return one
    return replace(one, has_checkpoint=_has_checkpoint(where, one.key, one.checkpoint_uri, aws))


@st.cache_data(show_spinner=False, ttl=600, max_entries=500)
def _has_checkpoint(where: str, key: str, uri: str, _aws: Aws) -> bool | None:
    return checkpoint.has_checkpoint(_aws, uri)


@st.cache_resource(show_spinner=False, max_entries=8)
def _ended(where: str) -> dict[str, Reading[Run]]:
    """Runs that will never change again."""
    return {}


@st.cache_resource(show_spinner=False, ttl=3600, max_entries=100)
def _log(where: str, name: str) -> Tail:
    return Tail(name)


@st.cache_data(show_spinner=False, ttl=5, max_entries=20)
def _found_lines(where: str, key: str, text: str, _aws: Aws) -> tuple[LogLine, ...]:
    return logs.search_log(_aws, key, text)


@st.cache_resource(show_spinner=False, max_entries=8)
def _loss_curves(where: str) -> dict[str, tuple[float, ...]]:
    return {}


def _loss_curve(aws: Aws, name: str) -> tuple[float, ...]:
    return _losses(watch.progress(line.text for line in watch.read_log(aws, name).lines))


def _losses(progress: Progress) -> tuple[float, ...]:
    return tuple(value for _, value in progress.curves.get("valid:loss", ()))
