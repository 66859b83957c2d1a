"""What a command prints survives its surroundings: a terminal of few characters, and a reader that has gone."""

import io
import os
import sys


def tolerate_few_characters() -> None:
    """A character that stdout or stderr cannot show (ASCII under LANG=C) is written as an escape, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_line(line: str) -> None:
    """One line on stdout, at once. Whoever closed the pipe (`… | head`) has seen enough, and the work goes on."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # From now on all goes nowhere, also what is still in the buffer when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
