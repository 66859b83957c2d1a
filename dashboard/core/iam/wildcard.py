"""Matching as IAM matches: `*` is any text, `?` one character, and nothing else is special.

A pattern is an automaton whose states are the bits of one number, so that the time grows with the text's length and
no pattern can make it explode (a regular expression can take for ever).
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache

# What stands for the wildcards of a pattern once variables were put in, whose own * and ? are plain characters. Both
# are code points that no text may contain.
ANY, ONE = "\ufdd0", "\ufdd1"

PARTS = 6  # of an ARN: arn, partition, service, region, account, resource


class Reach(Enum):
    """How far a wildcard goes.

    TEXT: anywhere. RESOURCE: as the Resource element has it; within one of an ARN's parts, but a `*` that is the last
    character of its part may go beyond the colon. ARN: as ArnLike has it, each part by itself; a pattern that ends in
    `*` may end early.
    """

    TEXT = auto()
    RESOURCE = auto()
    ARN = auto()


def prepared(pattern: str) -> str:
    """The pattern with its wildcards as ANY and ONE."""
    return pattern.replace("*", ANY).replace("?", ONE)


def matches(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with * and ?; upper and lower case differ."""
    return fits(prepared(pattern), text)


def fits(pattern: str, text: str) -> bool:
    """Whether the text fits a prepared pattern."""
    return _automaton(pattern, Reach.TEXT)(text)


def fits_resource(pattern: str, resource: str) -> bool:
    """Whether what a request is about fits a prepared pattern of a Resource element."""
    return _automaton(pattern, Reach.RESOURCE)(resource)


def fits_arn(pattern: str, arn: str) -> bool:
    """Whether an ARN fits a prepared pattern of ArnLike."""
    return arn.count(":") >= PARTS - 1 and _automaton(pattern, Reach.ARN)(arn)


def any_of(patterns: Sequence[str], reach: Reach) -> Callable[[str], bool]:
    """Whether a text fits one of several prepared patterns: the plain ones by a look-up, most others by their start."""
    plain: set[str] = set()
    starts: list[str] = []
    others: list[Callable[[str], bool]] = []
    for pattern in patterns:
        wildcards = pattern.count(ANY) + pattern.count(ONE)
        if not wildcards:
            plain.add(pattern)
        elif wildcards == 1 and pattern.endswith(ANY):
            starts.append(pattern[:-1])
        else:
            others.append(_automaton(pattern, reach))
    start = tuple(starts)
    if not others:
        return lambda text: text in plain or text.startswith(start)
    return lambda text: text in plain or text.startswith(start) or any(test(text) for test in others)


@lru_cache(maxsize=8192)
def _automaton(pattern: str, reach: Reach) -> Callable[[str], bool]:
    """State n: the first n characters of the pattern that are no * have been met. A * keeps its state alive."""
    first = min((found for found in (pattern.find(ANY), pattern.find(ONE)) if found >= 0), default=-1)
    if first < 0:
        return lambda text: text == pattern
    start, end = pattern[:first], pattern[max(pattern.rfind(ANY), pattern.rfind(ONE)) + 1 :]
    part = start.count(":")
    on: dict[str, int] = {}  # the states that a character takes one further
    on_any = on_any_but_colon = stays = stays_but_colon = state = 0
    for at in range(first, len(pattern)):
        character, bit = pattern[at], 1 << state
        # within the last part of an ARN colons mean nothing
        free = reach is Reach.TEXT or part >= PARTS - 1
        if character == ANY:
            is_last = at + 1 == len(pattern) or (reach is Reach.RESOURCE and pattern[at + 1] == ":")
            if free or is_last:
                stays |= bit
            else:
                stays_but_colon |= bit
            continue
        if character == ONE and free:
            on_any |= bit
        elif character == ONE:
            on_any_but_colon |= bit
        else:
            on[character] = on.get(character, 0) | bit
        part += character == ":"
        state += 1
    met = 1 << state

    def test(text: str) -> bool:
        if not text.startswith(start) or not text.endswith(end) or len(text) < len(start) + state:
            return False
        states = 1
        for character in text[len(start) :]:
            moves, kept = on.get(character, 0) | on_any, stays
            if character != ":":
                moves |= on_any_but_colon
                kept |= stays_but_colon
            states = (states & moves) << 1 | states & kept
            if not states:
                return False
        return bool(states & met)

    return test
