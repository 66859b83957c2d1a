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
_NEITHER = "\ufdd2"  # what stands for them where somebody wrote one of them all the same

MOST_PAIRS = 250_000  # places of two patterns that are compared, some 0.2 s; longer ones are taken to overlap
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
    if ANY in pattern or ONE in pattern:
        pattern = pattern.replace(ANY, _NEITHER).replace(ONE, _NEITHER)
    return pattern.replace("*", ANY).replace("?", ONE)


def matches(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with * and ?; upper and lower case differ."""
    return fits(prepared(pattern), text)


def fits(pattern: str, text: str) -> bool:
    """Whether the text fits a prepared pattern."""
    return _automaton(pattern, Reach.TEXT).fits(text)


def fits_resource(pattern: str, resource: str) -> bool:
    """Whether what a request is about fits a prepared pattern of a Resource element."""
    return _automaton(pattern, Reach.RESOURCE).fits(resource)


def fits_arn(pattern: str, arn: str) -> bool:
    """Whether an ARN fits a prepared pattern of ArnLike."""
    return arn.count(":") >= PARTS - 1 and _automaton(pattern, Reach.ARN).fits(arn)


def contains(outer: str, inner: str, reach: Reach) -> bool:
    """Whether all that fits the prepared pattern `inner` fits `outer`. False where that cannot be shown."""
    return outer == inner or _automaton(outer, reach).contains(inner)


def overlap(one: str, other: str) -> bool:
    """Whether something may fit both of two prepared patterns. False only where nothing can.

    ARNs are compared part by part, as the ARNs of resources have their parts.
    """
    first, second = one.split(":", PARTS - 1), other.split(":", PARTS - 1)
    if len(first) == len(second) == PARTS:
        return all(_share(mine, theirs) for mine, theirs in zip(first, second, strict=True))
    return _share(one, other)


def _share(one: str, other: str) -> bool:
    """Whether some text fits both patterns: every pair of places that both can be at after the same text."""
    if len(one) * len(other) > MOST_PAIRS:
        return True
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(one) and j == len(other):
            return True
        mine, theirs = one[i : i + 1], other[j : j + 1]
        steps = []
        if mine == ANY:
            steps += [(i + 1, j), *([(i, j + 1)] if theirs else [])]
        if theirs == ANY:
            steps += [(i, j + 1), *([(i + 1, j)] if mine else [])]
        if mine and theirs and ANY not in (mine, theirs) and (mine == theirs or ONE in (mine, theirs)):
            steps.append((i + 1, j + 1))
        new = [step for step in steps if step not in seen]
        seen.update(new)
        todo += new
    return False


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
            others.append(_automaton(pattern, reach).fits)
    start = tuple(starts)
    if not others:
        return lambda text: text in plain or text.startswith(start)
    return lambda text: text in plain or text.startswith(start) or any(test(text) for test in others)


class _Automaton:
    """State n: the first n characters of the pattern that are no * have been met. A * keeps its state alive."""

    def __init__(self, pattern: str, reach: Reach) -> None:
        wildcards = [place for place, character in enumerate(pattern) if character in (ANY, ONE)]
        first, last = (wildcards[0], wildcards[-1]) if wildcards else (len(pattern), -1)
        self._start, self._end = pattern[:first], pattern[last + 1 :]
        self._on: dict[str, int] = {}  # the states that a character takes one further
        self._on_any = self._on_any_but_colon = self._stays = self._stays_but_colon = 0
        part, state = self._start.count(":"), 0
        for at in range(first, len(pattern)):
            character, bit = pattern[at], 1 << state
            # within the last part of an ARN colons mean nothing
            free = reach is Reach.TEXT or part >= PARTS - 1
            if character == ANY:
                is_last = at + 1 == len(pattern) or (reach is Reach.RESOURCE and pattern[at + 1] == ":")
                if free or is_last:
                    self._stays |= bit
                else:
                    self._stays_but_colon |= bit
                continue
            if character == ONE and free:
                self._on_any |= bit
            elif character == ONE:
                self._on_any_but_colon |= bit
            else:
                self._on[character] = self._on.get(character, 0) | bit
            part += character == ":"
            state += 1
        # only * that go anywhere: what is between them is found one after the other, which is the quickest
        self._between: list[str] | None = None
        if wildcards and ONE not in pattern and not self._stays_but_colon:
            self._between = [one for one in pattern[first + 1 : last].split(ANY) if one] if first < last else []
        self._met = 1 << state
        self._shortest = len(self._start) + state

    def fits(self, text: str) -> bool:
        if len(text) < self._shortest or not text.startswith(self._start) or not text.endswith(self._end):
            return False
        if self._between is not None:
            at = len(self._start)
            for part in self._between:
                at = text.find(part, at) + len(part)
                if at < len(part):
                    return False
            return at <= len(text) - len(self._end)
        on, on_any, stays, states = self._on, self._on_any, self._stays, 1
        for character in text[len(self._start) :]:
            moves, kept = on.get(character, 0) | on_any, stays
            if character != ":":
                moves |= self._on_any_but_colon
                kept |= self._stays_but_colon
            states = (states & moves) << 1 | states & kept
            if not states:
                return False
        return bool(states & self._met)

    def contains(self, inner: str) -> bool:
        """A wildcard of the inner pattern is taken in by one that goes as far, and by nothing else."""
        if not inner.startswith(self._start) or not inner.endswith(self._end):
            return False
        states = 1
        for character in inner[len(self._start) :]:
            moves, kept = self._on.get(character, 0), self._stays
            if character != ANY:
                moves |= self._on_any
            if character not in (ANY, ONE, ":"):
                moves |= self._on_any_but_colon
                kept |= self._stays_but_colon
            states = (states & moves) << 1 | states & kept
            if not states:
                return False
        return bool(states & self._met)


@lru_cache(maxsize=8192)
def _automaton(pattern: str, reach: Reach) -> _Automaton:
    return _Automaton(pattern, reach)
