"""`python -m training.data`: look at a data set before training on it, or fetch one."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from training import sources
from training.data import scan
from training.errors import TrainingError
from training.terminal import tolerate_few_characters


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 the photos cannot be had or cannot train a classifier (one sentence on stderr), 2 usage."""
    tolerate_few_characters()
    parser = argparse.ArgumentParser(
        prog="python -m training.data", description="Look at a data set before training on it, or fetch one."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="what is in a data set and what is wrong with it")
    report.add_argument("source", help="a folder, a .zip, s3://bucket/prefix, https://….zip or dogImages")
    report.add_argument("--json", action="store_true", help="print JSON instead of text")
    report.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write it there; beside it .progress tells how many photos were looked at",
    )
    report.add_argument("--seed", type=int, default=0, help="what missing splits are held out with (default: 0)")
    report.add_argument("--cache", type=Path, metavar="DIR", help="where downloads go (default: ~/.cache/kennel/data)")
    fetch = commands.add_parser("fetch", help="download and unpack a data set; goes on where it was broken off")
    fetch.add_argument("source", help="dogImages (133 breeds, 1.1 GB), or the https address of a .zip")
    fetch.add_argument("--to", type=Path, metavar="DIR", help="into this folder (default: ~/.cache/kennel/data)")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(_fetch(options) if options.command == "fetch" else _report(options))
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        what = f"{error.filename} cannot" if error.filename else "A file cannot"
        sys.stderr.write(f"{what} be read or written ({error.strerror or error}): check the path.\n")
        return 1
    except KeyboardInterrupt:
        kept = " What was downloaded is kept; the same command goes on from there."
        sys.stderr.write(f"\nStopped.{kept if options.command == 'fetch' else ''}\n")
        return 130
    return 0


def _fetch(options: argparse.Namespace) -> str:
    if options.to:
        return f"{sources.fetch(options.source, options.to, _show)}\n"
    return f"{sources.resolve(options.source, sources.default_cache(), _show)}\n"


def _report(options: argparse.Namespace) -> str:
    from training.report import inspect

    root = sources.resolve(options.source, options.cache or sources.default_cache(), _show)
    dataset = scan(root, options.seed)
    total = len(dataset.files)
    found = inspect(dataset, os.cpu_count() or 1, lambda done: _tell(options.out, done, total))
    text = json.dumps(found.as_dict(), indent=2, ensure_ascii=False) if options.json else "\n".join(found.lines())
    if options.out is None:
        return f"{text}\n"
    options.out.write_text(f"{text}\n", encoding="utf-8", errors="replace")
    return ""


def _tell(out: Path | None, done: int, total: int) -> None:
    """On a terminal, and for a program that waits for the file."""
    _show(done, total, "photos")
    if out is not None:
        out.with_suffix(".progress").write_text(str(done))


def _show(done: int, total: int, unit: str) -> None:
    """One line on a terminal that is overwritten; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return
    if unit == "bytes":
        done, total, unit = done >> 20, total >> 20, "MiB"
    of = f" of {total:,}" if total else ""
    sys.stderr.write(f"\r\x1b[K{done:,}{of} {unit}" + ("\r\x1b[K" if done == total else ""))
