"""What Kennel itself remembers on this machine: SQLite files in its home, each call one transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.core.errors import KennelError

SECONDS = 10.0
"""The longest that another process's transaction is waited for."""


@contextmanager
def transaction(file: Path, tables: str, fault: Callable[[Exception], KennelError]) -> Iterator[sqlite3.Connection]:
    """The file, open, with its tables (SQL that makes those that are missing): all that is done in it, or nothing.

    One writes at a time, whichever process it is in. Raises what `fault` makes of an error of the file.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(file, timeout=SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise fault(error) from error
    try:
        database.executescript(tables)
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    except sqlite3.Error as error:
        raise fault(error) from error
    finally:
        database.close()  # which takes an unfinished transaction back
