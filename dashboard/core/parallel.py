"""Run several reads at once, with a bound, so that a page of twenty resources does not wait twenty times."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dashboard.core.noting import carried

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 16
"""Threads for one batch; below the connection pool of a client (see core/aws.py)."""


def gather(function: Callable[[T], R], items: Iterable[T], workers: int = WORKERS) -> list[R]:
    """`function` of every item, in order. The first error is raised; the other items are not started then."""
    work = list(items)
    if len(work) <= 1:
        return [function(item) for item in work]
    function = carried(function)
    with ThreadPoolExecutor(max_workers=min(workers, len(work)), thread_name_prefix="read") as pool:
        futures = [pool.submit(function, item) for item in work]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
