"""Say whether the trail is as it was written:

python -m dashboard.core.trail verify [--known HASH] [--file FILE]

It ends with 0 where it is, 1 where a row was changed, taken away or put in, 2 where it cannot be read or
holds nothing. `--known` is a last hash that this command told before: rows taken away from the very end are seen by it
alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboard.core.errors import KennelError
from dashboard.core.trail.book import Book


def main(given: Sequence[str] | None = None) -> int:
    """Carry the command out; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.core.trail", description="Check the trail of deeds.")
    commands = parser.add_subparsers(required=True, metavar="verify")
    verify = commands.add_parser("verify", help="read every row and say whether the chain of hashes holds")
    verify.add_argument("--known", default="", metavar="HASH", help="a last hash that was told before")
    verify.add_argument("--file", type=Path, help="another file than that of KENNEL_HOME")
    asked = parser.parse_args(given)
    book = Book(asked.file) if asked.file else Book.kept()
    try:
        checked = book.check(asked.known)
    except KennelError as error:
        print(error, file=sys.stderr)
        return 2
    if not checked.rows:
        print(
            f"There is no trail: {book.file} holds no row. If something was done with Kennel, the rows were taken away."
        )
        return 2
    if checked.broken:
        print(f"{book.file}: {checked.broken}. The {checked.rows:,} rows before are as they were written.")
        return 1
    print(f"{book.file}: {checked.rows:,} rows, each as it was written. The last hash is {checked.last}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
