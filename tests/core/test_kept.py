"""What Kennel remembers in files of its own: all of a deed or nothing, one writer at a time, faults in words."""

import sqlite3
import threading

import pytest

from dashboard.core import kept
from dashboard.core.errors import Refused, ServiceFault

TABLE = "CREATE TABLE IF NOT EXISTS marks (word TEXT NOT NULL)"


def fault(error: Exception) -> ServiceFault:
    return ServiceFault("it cannot be read", str(error), "mend it")


def words(file):
    with kept.transaction(file, TABLE, fault) as database:
        return [word for (word,) in database.execute("SELECT word FROM marks ORDER BY rowid")]


def test_what_was_written_is_there_for_the_next_one(tmp_path):
    file = tmp_path / "new" / "kept.sqlite"
    with kept.transaction(file, TABLE, fault) as database:
        database.execute("INSERT INTO marks VALUES ('one')")
    assert words(file) == ["one"]


def test_a_deed_that_breaks_off_leaves_nothing(tmp_path):
    file = tmp_path / "kept.sqlite"
    with pytest.raises(Refused), kept.transaction(file, TABLE, fault) as database:
        database.execute("INSERT INTO marks VALUES ('half')")
        raise Refused("no", "because", "do that")
    assert words(file) == []


def test_two_that_write_at_once_come_one_after_the_other(tmp_path):
    file = tmp_path / "kept.sqlite"
    begun, write = threading.Event(), threading.Event()

    def first() -> None:
        with kept.transaction(file, TABLE, fault) as database:
            begun.set()
            write.wait(5)
            database.execute("INSERT INTO marks VALUES ('first')")

    other = threading.Thread(target=first)
    other.start()
    begun.wait(5)
    threading.Timer(0.1, write.set).start()
    with kept.transaction(file, TABLE, fault) as database:
        database.execute("INSERT INTO marks VALUES ('second')")
    other.join()
    assert words(file) == ["first", "second"]


@pytest.mark.parametrize("wrong", ["no database", "folder"])
def test_a_file_that_cannot_be_used_is_told_in_words(tmp_path, wrong):
    file = tmp_path / "kept.sqlite"
    if wrong == "folder":
        file.mkdir()
    else:
        file.write_text("this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(ServiceFault) as told, kept.transaction(file, TABLE, fault):
        raise AssertionError("it was opened")
    assert isinstance(told.value.__cause__, sqlite3.Error)
