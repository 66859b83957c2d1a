"""The trail's file: rows are only added, a break in their chain is told, and a row that cannot be written is no row."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.core.errors import ServiceFault
from dashboard.core.trail.__main__ import main
from dashboard.core.trail.book import FIRST, Book
from tests.conftest import ROOT

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path / "activity.sqlite")
    for number in range(4):
        made.add(f"deed-{number}", "begun", NOW, {"what": f"Stop run {number}"})
    return made


def beside_sqlite(book: Book, change: str) -> None:
    """What somebody does who wants the trail to say something else: the triggers are in the file, so they go first."""
    with closing(sqlite3.connect(book.file)) as database:
        for name in ("never_changed", "never_removed"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute(change)
        database.commit()


def test_what_was_written_is_read_as_it_was(book: Book) -> None:
    assert [row.told["what"] for row in book.newest("begun", 2)] == ["Stop run 3", "Stop run 2"]
    assert [row.number for row in book.of(["deed-1", "deed-0", "absent"])] == [1, 2]
    assert book.last() == 4


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    book = Book(tmp_path / "none" / "activity.sqlite")
    assert (book.newest("begun", 9), book.of(["x"]), book.last(), book.check().last) == ([], [], 0, FIRST)
    assert not book.file.exists(), "reading makes no file"


@pytest.mark.parametrize("change", ["UPDATE events SET body = '{}'", "DELETE FROM events WHERE number = 4"])
def test_sqlite_itself_refuses_to_change_what_is_written(book: Book, change: str) -> None:
    with closing(sqlite3.connect(book.file)) as database, pytest.raises(sqlite3.IntegrityError, match="never"):
        database.execute(change)
    assert book.check().rows == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("""UPDATE events SET body = '{"what": "nothing"}' WHERE number = 2""", "row 2 is not what was written"),
        ("UPDATE events SET at = '2020' WHERE number = 3", "row 3 is not what was written"),
        ("DELETE FROM events WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM events WHERE number = 1", "row 1 is missing"),
        (
            "INSERT INTO events SELECT 5, deed, kind, at, body, before, hash FROM events WHERE number = 4",
            "row 5 does not follow",
        ),
    ],
)
def test_a_break_is_told(book: Book, change: str, said: str) -> None:
    assert not book.check().broken
    beside_sqlite(book, change)
    assert said in book.check().broken


def test_rows_taken_from_the_end_are_missed_by_who_knows_the_last_hash(book: Book) -> None:
    known = book.check().last
    book.add("deed-5", "begun", NOW, {})
    assert not book.check(known).broken
    beside_sqlite(book, "DELETE FROM events WHERE number >= 4")
    assert not book.check().broken
    assert "end was taken away" in book.check(known).broken


def test_many_that_write_at_once_make_one_chain(book: Book) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: Book(book.file).add(f"d{number}", "begun", NOW, {}), range(40)))
    assert book.check() == book.check()
    assert (book.check().rows, book.check().broken) == (44, "")


def test_a_file_that_cannot_be_written_refuses_and_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ServiceFault, match=r"nothing was done .* is written down first"):
        Book(tmp_path / "file" / "activity.sqlite").add("d", "begun", NOW, {})


def test_what_took_a_deed_back_is_found_without_reading_all(book: Book) -> None:
    book.add("back", "begun", NOW, {"what": "Undo", "undoes": "deed-1"})
    assert book.undoing("deed-1") == ["back"]
    asked = "EXPLAIN QUERY PLAN SELECT * FROM events WHERE kind = 'begun' AND json_extract(body, '$.undoes') = ?"
    with closing(sqlite3.connect(book.file)) as database:
        assert "events_that_undo" in str(database.execute(asked, ("deed-1",)).fetchall())


def test_a_text_that_is_no_utf8_is_written_all_the_same(book: Book) -> None:
    book.add("deed", "begun", NOW, {"what": "Upload caf\udce9.zip"})
    assert book.of(["deed"])[-1].told == {"what": "Upload caf?.zip"}
    assert not book.check().broken


def test_a_full_disk_refuses(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """As SQLite tells it: no page more than there are."""
    connect = sqlite3.connect

    def full(*given, **named):
        database = connect(*given, **named)
        database.execute(f"PRAGMA max_page_count = {database.execute('PRAGMA page_count').fetchone()[0]}")
        return database

    monkeypatch.setattr("dashboard.core.kept.sqlite3.connect", full)
    with pytest.raises(ServiceFault, match="full"):
        book.add("big", "begun", NOW, {"what": "x" * 100_000})
    monkeypatch.undo()
    assert (book.check().rows, book.check().broken) == (4, "")


def test_only_its_owner_reads_it(book: Book) -> None:
    assert book.file.stat().st_mode & 0o077 == 0


def test_the_command_says_whether_it_is_whole(book: Book) -> None:
    def verify(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dashboard.core.trail", "verify", "--file", str(book.file), *more]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    whole = verify()
    assert (whole.returncode, "4 rows" in whole.stdout, book.check().last in whole.stdout) == (0, True, True)
    beside_sqlite(book, "DELETE FROM events WHERE number = 2")
    broken = verify()
    assert (broken.returncode, "row 2 is missing" in broken.stdout) == (1, True)


@pytest.mark.parametrize("there", [b"", b"no trail at all" * 99, None])
def test_a_trail_that_is_gone_is_not_called_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], there: bytes | None
) -> None:
    file = tmp_path / "activity.sqlite"
    if there is not None:
        file.write_bytes(there)
    assert main(["verify", "--file", str(file)]) == 2
    told = capsys.readouterr()
    said = "put the file aside" if there else "There is no trail"
    assert said in told.out + told.err
