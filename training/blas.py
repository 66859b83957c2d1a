"""One thread for numpy's matrix products, where several only wait for each other.

A step of the head is a few products of a tenth of a millisecond. OpenBLAS spreads each over all cores and waits for the
last of them, busily: on a machine with other work, 0.3 s of training took 19 s, and twenty times the processor's time.
One thread takes 0.3 s of the processor there too, and gives the same bits on any number of cores.
"""

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_PREFIXES, _SUFFIXES = ("scipy_openblas", "openblas"), ("64_", "")
"""numpy's wheels rename the functions of the OpenBLAS that they bring; which way has changed between its versions."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, numpy's matrix products run in the thread that asks for them, in this whole process.

    Nothing changes where numpy stands on another library (macOS, MKL), whose threads can be limited from outside only.
    """
    found = _openblas()
    if found is None:
        yield
        return
    get, set_ = found
    before = get()
    set_(1)
    try:
        yield
    finally:
        set_(before)


def threads() -> int | None:
    """How many threads numpy's matrix products may use now; None where that cannot be told."""
    found = _openblas()
    return None if found is None else found[0]()


@functools.cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """The functions that get and set the number of threads, from the library that numpy has loaded already."""
    here = Path(np.__file__).parent
    for path in [*here.parent.glob("numpy.libs/*openblas*"), *here.glob(".libs/*openblas*")]:
        try:
            library = ctypes.CDLL(str(path))
        except OSError:  # not for this machine, so it is not the one that numpy uses
            continue
        for prefix in _PREFIXES:
            for suffix in _SUFFIXES:
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                set_ = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and set_ is not None:
                    get.restype, get.argtypes = ctypes.c_int, []
                    set_.restype, set_.argtypes = None, [ctypes.c_int]
                    return get, set_
    return None
