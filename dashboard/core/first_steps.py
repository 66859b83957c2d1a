"""From a photo to a deployed model: the five steps of somebody new to an account, as far as they have been taken. Pure.

What came with the sample account counts where one may use it (its model, its photos), and not where one is to do it
oneself (a run, an endpoint, a function of one's own).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dashboard.core.data.datasets import Dataset
from dashboard.core.format import count
from dashboard.core.overview import Overview
from dashboard.core.runs.model import Run
from dashboard.core.serving.functions.model import Function

FAMILIAR = 5
"""Completed runs of one's own after which nobody needs to be shown the way, whatever was left out on it."""

EARLIER = "Done earlier; what it was done with is gone, or rests."


class Step(StrEnum):
    """The steps in their order, each by what is done."""

    PHOTO = "Classify a photo"
    DATA = "Have photos to learn from"
    TRAIN = "Train a model"
    DEPLOY = "Deploy it"
    CALL = "Call it through Lambda"


@dataclass(frozen=True)
class Found:
    """What the account holds beside runs and endpoints. asked: requests to its endpoints in the last two weeks;
    called: the same of the functions that `calling` names.

    None is what could not be read, which is told as not yet done. before: steps that were taken at any time.
    """

    datasets: tuple[Dataset, ...] | None = None
    functions: tuple[Function, ...] | None = None
    asked: float | None = None
    called: float | None = None
    before: frozenset[Step] = frozenset()


@dataclass(frozen=True)
class Taken:
    """One step, whether it is done, and by what; or how it is done. is_open: whether what it needs is there.

    name: what is there for it already and waits for its use, "" for nothing.
    """

    step: Step
    is_done: bool
    told: str
    is_open: bool
    name: str = ""


def calling(functions: Sequence[Function]) -> tuple[str, ...]:
    """The names of one's own functions that ask an endpoint."""
    return tuple(one.name for one in functions if not one.is_sample and one.endpoint)


def steps(seen: Overview, found: Found) -> tuple[Taken, ...]:
    """The five steps as they stand; one that was taken stays taken when what it made is deleted."""
    return tuple(_kept(one, found.before) for one in _standing(seen, found))


def _standing(seen: Overview, found: Found) -> tuple[Taken, ...]:
    mine = [one for one in seen.endpoints if not one.is_sample and one.status.is_serving]
    ready = [one for one in found.datasets or () if not one.problem]
    functions = calling(found.functions or ())
    completed = _completed(seen.runs)
    serving = bool(seen.serving)
    return (
        _taken(
            Step.PHOTO,
            f"{count(round(found.asked or 0), 'photo')} answered in two weeks" if found.asked else "",
            "A model is ready: see what it says." if serving else "Nothing serves yet: this opens with step 4.",
            serving,
        ),
        _taken(
            Step.DATA,
            _first([one.name for one in ready], "dataset"),
            "A folder of photos for each class, in S3.",
        ),
        _taken(
            Step.TRAIN,
            _first([one.name for one in completed], "run"),
            "Choose data and an instance; you see the cost before anything starts.",
            bool(ready),
        ),
        _taken(
            Step.DEPLOY,
            _first([one.name for one in mine], "endpoint"),
            "An endpoint keeps your model ready to answer.",
            bool(completed),
        ),
        _called(functions, found.called, serving),
    )


def _called(functions: Sequence[str], calls: float | None, serving: bool) -> Taken:
    """Done once a function of one's own was called, and not by its being there."""
    if not functions:
        how = "A function asks the endpoint, so that callers need no rights of their own."
        return _taken(Step.CALL, "", how, serving)
    by = f"{_first(functions, 'function')}: {count(round(calls), 'call')} in two weeks" if calls else ""
    return replace(_taken(Step.CALL, by, f"{functions[0]} is there: send a photo through it."), name=functions[0])


def _kept(one: Taken, before: Collection[Step]) -> Taken:
    return one if one.is_done or one.step not in before else replace(one, is_done=True, told=EARLIER)


def coming(taken: Sequence[Taken]) -> Step | None:
    """The step to take next: the first that is not done and can be; None when all are done."""
    ahead = [one for one in taken if not one.is_done]
    return next((one.step for one in ahead if one.is_open), ahead[0].step if ahead else None)


def is_shown(seen: Overview, taken: Sequence[Taken]) -> bool:
    """Whether whoever uses the account is still on the way."""
    return len(_completed(seen.runs)) < FAMILIAR and not all(one.is_done for one in taken)


def is_newcomers(seen: Overview) -> bool:
    """Whether the steps are worth reading at all: see `is_shown`."""
    return len(_completed(seen.runs)) < FAMILIAR


def _completed(runs: Sequence[Run]) -> list[Run]:
    """Runs of one's own that made a model, trials of a search and proofs of a role left out."""
    return [one for one in runs if one.status.is_good and not (one.is_sample or one.parent or one.is_proof)]


def _taken(step: Step, by: str, how: str, is_open: bool = True) -> Taken:
    return Taken(step, bool(by), by or how, is_open)


def _first(names: Sequence[str], thing: str) -> str:
    """ "drawn-dogs", or "drawn-dogs and 2 more datasets"; "" for none."""
    if not names:
        return ""
    more = len(names) - 1
    return f"{names[0]} and {count(more, f'more {thing}')}" if more else names[0]
