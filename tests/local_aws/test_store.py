"""The store keeps what was committed, and nothing of what was not."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local_aws.store import Documents, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def test_a_document_comes_back_as_it_was_put(store: Store) -> None:
    documents = Documents(store, "job")
    documents.put("b", {"when": datetime(2026, 1, 2, tzinfo=UTC), "deep": {"list": [1, None, "ü"]}})
    documents.put("a", {})
    Documents(store, "other").put("b", {"not": "this"})
    assert documents.get("b") == {"when": 1767312000.0, "deep": {"list": [1, None, "ü"]}}
    assert documents.all() == [{}, documents.get("b")]
    assert documents.delete("b") is True
    assert documents.delete("b") is False
    assert documents.get("b") is None


def test_what_cannot_be_kept_is_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="object cannot be kept"):
        Documents(store, "job").put("a", {"what": object()})
    assert Documents(store, "job").all() == []


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    documents = Documents(store, "job")
    with pytest.raises(RuntimeError), store.transaction():
        documents.put("a", {})
        with store.transaction():
            documents.put("b", {})
        raise RuntimeError
    assert documents.all() == []


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path)
    Documents(first, "job").put("a", {"n": 1})
    first.close()
    again = Store(tmp_path)
    assert Documents(again, "job").get("a") == {"n": 1}
    again.close()


def test_threads_do_not_lose_each_others_writes(store: Store) -> None:
    documents = Documents(store, "counter")
    documents.put("n", {"value": 0})

    def count() -> None:
        for _ in range(50):
            with store.transaction():
                found = documents.get("n") or {}
                documents.put("n", {"value": found["value"] + 1})

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.get("n") == {"value": 400}


def test_threads_that_end_leave_no_open_files(store: Store) -> None:
    def open_files() -> int:
        files = (one.resolve() for one in Path("/proc/self/fd").iterdir())
        return sum(str(file).startswith(str(store.database)) for file in files)

    for _ in range(30):
        thread = threading.Thread(target=store.read, args=("SELECT 1",))
        thread.start()
        thread.join()
    assert open_files() < 12


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    documents = Documents(store, "job")
    with store.transaction() as connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    store.connection().execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        store.write("INSERT INTO child VALUES (1)")  # only the commit sees that there is no such parent
    documents.put("a", {})
    other = sqlite3.connect(store.database, timeout=0)
    assert other.execute("SELECT name FROM documents").fetchall() == [("a",)], "it must not wait in a dead transaction"
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_full_disk_is_named_and_the_next_write_succeeds(store: Store) -> None:
    documents = Documents(store, "job")
    pages = store.connection().execute("PRAGMA page_count").fetchone()[0]
    store.connection().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        documents.put("large", {"text": "x" * 1_000_000})
    store.connection().execute("PRAGMA max_page_count = 1000000")
    documents.put("a", {})
    assert documents.all() == [{}]
