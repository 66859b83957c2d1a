"""Many tabs on one Kennel for a long time: how late its pages answer, how its memory grows, and what a kill -9 of the
whole of it in the middle leaves.

A tab is a websocket that goes from page to page as a person does, and lets the parts that redraw themselves do so.
"""

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

from websockets.exceptions import WebSocketException

from dashboard.ui.pages import PAGES
from tests.bench.session import Session
from tests.e2e.conftest import Kennel, start_kennel, stop_kennel, wait_for_sample_account

VISITED = tuple(page.url_path for page in PAGES if page.icon)
THINKING = (2.0, 6.0)
"""Seconds, least and most, that a person looks at a page before the next click."""
SAMPLED = 2.0
"""Seconds between two looks at the memory."""
BACK = 60.0
"""Seconds within which a tab is answered again after a kill -9."""


@dataclass
class Seen:
    """What all tabs measured. times: seconds of reruns of a page that the tab has opened before; firsts: of others."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    times: dict[str, list[float]] = field(default_factory=dict)
    firsts: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: int = 0  # connections that a kill ended


@dataclass(frozen=True)
class Told:
    """How a soak went. Times in milliseconds, memory of the web server in MiB."""

    tabs: int
    seconds: float
    reruns: int
    p50: float
    p95: float
    slowest_page: str
    first_p95: float
    parts: int
    part_p95: float
    memory_start: float
    memory_end: float
    memory_per_hour: float
    back_seconds: float | None
    problems: tuple[str, ...]

    def __str__(self) -> str:
        back = "" if self.back_seconds is None else f", answered {self.back_seconds:.1f} s after kill -9"
        return (
            f"{self.tabs} tabs, {self.seconds:.0f} s: {self.reruns} reruns, p50 {self.p50:.0f} ms, p95 {self.p95:.0f} "
            f"ms (slowest page: {self.slowest_page}), first visits p95 {self.first_p95:.0f} ms, {self.parts} live "
            f"parts p95 {self.part_p95:.0f} ms; web server {self.memory_start:.0f} MiB → {self.memory_end:.0f} MiB, "
            f"{self.memory_per_hour:+.0f} MiB/h{back}; {len(self.problems)} problems"
        )


def live(home: Path, *, tabs: int = 25, seconds: float = 600, seed: int = 1, kill: bool = True) -> Told:
    """Fill a sample account in `home`, then let so many tabs work for `seconds`; with `kill` all of Kennel is killed in
    the middle and started again on the same folder and port.
    """
    kennel = start_kennel(home)
    seen, memory, over = Seen(), list[tuple[float, float]](), threading.Event()
    back = None
    try:
        wait_for_sample_account(kennel)
        address = kennel.url.removeprefix("http://")
        workers = [
            threading.Thread(target=_tab, args=(address, random.Random(seed * 1000 + number), seen, over))
            for number in range(tabs)
        ]
        for worker in workers:
            worker.start()
        half = seconds / 2 if kill else seconds
        _watch(kennel, half, memory)
        if kill:
            memory.clear()  # the slope is that of one process
            begun = time.monotonic()
            kennel = _again(kennel, home)
            back = time.monotonic() - begun
            _watch(kennel, half, memory)
        over.set()
        for worker in workers:
            worker.join(BACK * 2)
    finally:
        over.set()
        stop_kennel(kennel)
    return _told(seen, memory, tabs, seconds, back)


def _tab(address: str, chooser: random.Random, seen: Seen, over: threading.Event) -> None:
    """One tab until it is over; one whose connection ends connects again, as a browser does."""
    failed_since: float | None = None
    while not over.is_set():
        try:
            with Session(address) as session:
                visited: set[str] = set()
                while not over.wait(chooser.uniform(*THINKING)):
                    page = chooser.choice(VISITED)
                    _visit(session, page, page in visited, seen)
                    visited.add(page)
                    failed_since = None
        except (OSError, WebSocketException):
            failed_since = failed_since or time.monotonic()
            if time.monotonic() - failed_since > BACK:
                with seen.lock:
                    seen.problems.append(f"a tab was not answered for {BACK:.0f} s")
                return
            with seen.lock:
                seen.lost += 1
            over.wait(0.5)
        except RuntimeError as error:
            with seen.lock:
                seen.problems.append(str(error))


def _visit(session: Session, page: str, is_known: bool, seen: Seen) -> None:
    taken = session.rerun(page=page)
    parts = [session.rerun(page=page, fragment=one) for one in session.live]
    with seen.lock:
        if is_known:
            seen.times.setdefault(page, []).append(taken)
        else:
            seen.firsts.append(taken)
        seen.parts += parts


def _watch(kennel: Kennel, seconds: float, memory: list[tuple[float, float]]) -> None:
    server = web_server(kennel)
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        memory.append((now, resident(server)))
        time.sleep(min(SAMPLED, max(0.0, end - time.monotonic())))


def _again(kennel: Kennel, home: Path) -> Kennel:
    """Kill all of Kennel with kill -9, as a machine that loses its power does, and start it on the same port."""
    port = int(kennel.url.rsplit(":", 1)[1])
    server = web_server(kennel)
    kennel.process.kill()
    kennel.process.wait()
    while Path(f"/proc/{server}").exists():
        time.sleep(0.05)
    return start_kennel(home, port)


def web_server(kennel: Kennel) -> int:
    """The process that answers pages: the one with Kennel's port that is not itself the leash of another (Linux)."""
    port = f"--server.port={kennel.url.rsplit(':', 1)[1]}"
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_text().split("\0") if entry.name.isdigit() else []
            if command[1:3] == ["-m", "streamlit"] and port in command:
                return int(entry.name)
    raise RuntimeError(f"{kennel.url} has no web server")


def resident(process: int) -> float:
    """What a process holds in memory, in MiB (Linux)."""
    told = Path(f"/proc/{process}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


def _told(seen: Seen, memory: list[tuple[float, float]], tabs: int, seconds: float, back: float | None) -> Told:
    by_page = {page: p95(times) for page, times in seen.times.items() if len(times) > 1}
    times = [one for each in seen.times.values() for one in each]
    slowest = max(by_page, key=lambda page: by_page[page], default="")
    settled = memory[len(memory) // 3 :]  # what a start reads comes first
    return Told(
        tabs, seconds, len(times), 1000 * quantile(times, 50), 1000 * p95(times),
        f"{slowest or 'overview'} {1000 * by_page.get(slowest, 0):.0f} ms", 1000 * p95(seen.firsts), len(seen.parts),
        1000 * p95(seen.parts), memory[0][1], memory[-1][1], slope(settled) * 3600, back, tuple(seen.problems),
    )  # fmt: skip


def p95(values: list[float]) -> float:
    return quantile(values, 95)


def quantile(values: list[float], percent: int) -> float:
    """0 of nothing, the value itself of one."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def slope(points: list[tuple[float, float]]) -> float:
    """Units of y a unit of x: the median between neighbouring sixths, which no single peak moves."""
    size = max(1, len(points) // 6)
    means = [
        (sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part))
        for part in (points[at : at + size] for at in range(0, len(points), size))
        if len(part) == size
    ]
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(means) if b[0] > a[0])
    return slopes[len(slopes) // 2] if slopes else 0.0
