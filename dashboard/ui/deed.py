"""Carry out what a person asked for: the one way in which a page changes anything, in an account or on this machine."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def carry_out(what: str, do: Callable[[], T]) -> T:
    """Do it and return what it returns. what: the deed in words, as its button says it. Raises what `do` raises."""
    return do()
