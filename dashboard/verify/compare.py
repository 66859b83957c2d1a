"""What differed between an account and the embedded AWS, from the records of both. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from dashboard.core.format import count, duration
from dashboard.verify.record import Record

LONGER = 3.0
"""Durations are told of when one is so many times the other, and both are worth speaking of."""
WORTH = 1.0  # second


class Kind(StrEnum):
    """What kind of thing differed, the worst first: what would break a program, then what a person would notice."""

    ERROR = "error codes"
    STATE = "states"
    TYPE = "types"
    MISSING = "only in the account's answers"
    MORE = "only in the embedded AWS's answers"
    CALL = "calls that only one of them got"
    TIME = "durations"


@dataclass(frozen=True)
class Difference:
    """where: the call, probe, thing or step. account, embedded: what each of them did, in words."""

    kind: Kind
    where: str
    account: str
    embedded: str


def differences(account: Record, embedded: Record) -> tuple[Difference, ...]:
    """All that differed, in the order of `Kind`."""
    found = [
        *_errors(account, embedded),
        *_states(account, embedded),
        *_answers(account, embedded),
        *_durations(account, embedded),
    ]
    order = list(Kind)
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.where)))


def as_far(embedded: Record, account: Record) -> Record:
    """What the embedded AWS did of what ran in an account whose round was broken off."""
    return Record(
        calls={name: told for name, told in embedded.calls.items() if name in account.calls},
        answers=embedded.answers,
        seconds={name: told for name, told in embedded.seconds.items() if name in account.seconds},
        states={of: seen[: len(account.states[of])] for of, seen in embedded.states.items() if account.states.get(of)},
        errors={probe: code for probe, code in embedded.errors.items() if probe in account.errors},
        steps={name: seconds for name, seconds in embedded.steps.items() if name in account.steps},
    )


def _errors(account: Record, embedded: Record) -> Iterator[Difference]:
    for probe in sorted(account.errors.keys() | embedded.errors.keys()):
        one, other = account.errors.get(probe, "not asked"), embedded.errors.get(probe, "not asked")
        if one != other:
            yield Difference(Kind.ERROR, probe, one, other)


def _states(account: Record, embedded: Record) -> Iterator[Difference]:
    for of in sorted(account.states.keys() | embedded.states.keys()):
        one, other = account.states.get(of, []), embedded.states.get(of, [])
        if one != other:
            yield Difference(Kind.STATE, of, _way(one), _way(other))


def _way(states: Sequence[str]) -> str:
    return " → ".join(states) or "none seen"


def _answers(account: Record, embedded: Record) -> Iterator[Difference]:
    for call in sorted(account.calls.keys() | embedded.calls.keys()):
        if call not in account.calls or call not in embedded.calls:
            answered = "answered", "not called"
            yield Difference(Kind.CALL, call, *(answered if call in account.calls else answered[::-1]))
            continue
        here, there = _typed(account.calls[call]), _typed(embedded.calls[call])
        for member in sorted(here.keys() | there.keys()):
            one, other = here.get(member, ()), there.get(member, ())
            if one == other or not (_had(member, there) and _had(member, here)):
                continue
            kind = Kind.TYPE if one and other else Kind.MISSING if one else Kind.MORE
            yield Difference(kind, f"{call}: {member}", " or ".join(one) or "absent", " or ".join(other) or "absent")


def _had(member: str, found: Iterable[str]) -> bool:
    """Whether the list that a member is in ever had something in it: what an account has in it is no difference."""
    inside, brackets, _ = member.rpartition("[]")
    return not brackets or any(one.startswith(f"{inside}[]") for one in found)


def _typed(members: dict[str, int]) -> dict[str, tuple[str, ...]]:
    """The types in which each member came."""
    found: dict[str, set[str]] = {}
    for one in members:
        name, _, kind = one.rpartition(": ")
        found.setdefault(name, set()).add(kind)
    return {name: tuple(sorted(kinds)) for name, kinds in found.items()}


def _durations(account: Record, embedded: Record) -> Iterator[Difference]:
    for step in account.steps.keys() & embedded.steps.keys():
        yield from _longer(f"step {step}", account.steps[step], embedded.steps[step])
    for call in account.seconds.keys() & embedded.seconds.keys():
        yield from _longer(f"call {call}", median(account.seconds[call]), median(embedded.seconds[call]))


def _longer(where: str, one: float, other: float) -> Iterator[Difference]:
    if max(one, other) >= WORTH and max(one, other) >= LONGER * min(one, other):
        yield Difference(Kind.TIME, where, duration(one), duration(other))


def report(found: Sequence[Difference], account: Record, embedded: Record, *, is_whole: bool = True) -> str:
    """All differences as a text to read, Markdown as it happens. is_whole: whether the round came to its end."""
    calls, answers = len(account.calls), sum(account.answers.values())
    lines = [
        "# Kennel against a live account",
        "",
        f"{count(calls, 'operation')} of AWS answered {count(answers, 'call')} of the account; the embedded AWS was "
        f"asked {count(len(embedded.calls), 'operation')}. "
        + (f"{count(len(found), 'difference')}." if found else "Nothing differed.")
        + " Members of lists in which one of them had nothing are left out."
        + ("" if is_whole else " The round was broken off: only what ran until then is compared."),
        "",
    ]
    for kind in Kind:
        of_kind = [one for one in found if one.kind is kind]
        if of_kind:
            lines += [
                f"## {kind.value[:1].upper()}{kind.value[1:]}",
                "",
                "| where | account | embedded AWS |",
                "|---|---|---|",
            ]
            lines += [f"| {_cell(one.where)} | {_cell(one.account)} | {_cell(one.embedded)} |" for one in of_kind]
            lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
