"""The choices of one account, sorted once and then looked at in many ways: quick with ten thousand runs. Pure.

What was put together for one question is kept for the next look, for the runs are the same until the book is another.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dashboard.core.costs.choices.advice import Advice, advise
from dashboard.core.costs.choices.frontier import beaten
from dashboard.core.costs.choices.groups import Group, Grouping, group
from dashboard.core.costs.choices.outcomes import Outcome, Work, by_work
from dashboard.core.costs.choices.scaling import Scaling, scalings
from dashboard.core.costs.choices.versus import Pair, SpotSaving, platforms, spot_savings
from dashboard.core.costs.receipt import Nature

KEPT = 24
"""Questions whose answers are kept; people look at few at a time."""


@dataclass(frozen=True)
class Question:
    """Which outcomes, and put together by what. `data` is an address, "" for all; `chosen` keys of runs, () for all."""

    nature: Nature
    by: Grouping = Grouping.WAY
    data: str = ""
    chosen: tuple[str, ...] = ()

    def holds(self, one: Outcome) -> bool:
        if one.nature is not self.nature:
            return False
        return one.run.key in self.chosen if self.chosen else self.data in ("", data_of(one))


@dataclass(frozen=True)
class View:
    """The answer: groups the cheapest first, the name of the one that beats each, and the works with their runs."""

    question: Question
    outcomes: tuple[Outcome, ...]
    groups: tuple[Group, ...]
    beaten: Mapping[str, str]
    works: Mapping[Work, Sequence[Outcome]]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """SageMaker against EC2."""
        return platforms(self.works)

    @cached_property
    def savings(self) -> tuple[SpotSaving, ...]:
        """Spot against on demand."""
        return spot_savings(self.works)

    @cached_property
    def scalings(self) -> tuple[Scaling, ...]:
        """Several instances against one."""
        return scalings(self.works)


class ChoiceBook:
    """Outcomes, newest first, that do not change. Safe to share between threads."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = tuple(outcomes)
        self._lock = threading.Lock()
        self._views: dict[Question, View] = {}
        self._advice: dict[Nature, tuple[Advice, ...]] = {}

    @cached_property
    def natures(self) -> tuple[Nature, ...]:
        """The natures that there are outcomes of, in Nature's order."""
        there = {one.nature for one in self.outcomes}
        return tuple(nature for nature in Nature if nature in there)

    @cached_property
    def _data(self) -> Mapping[Nature, Mapping[str, int]]:
        found: dict[Nature, dict[str, int]] = {}
        for one in self.outcomes:
            runs = found.setdefault(one.nature, {})
            runs[data_of(one)] = runs.get(data_of(one), 0) + 1
        return found

    def data(self, nature: Nature) -> list[str]:
        """The addresses of the data that runs of a nature trained on, that with most of them first."""
        runs = self._data.get(nature, {})
        return sorted(runs, key=lambda one: (-runs[one], one))

    @cached_property
    def _right(self) -> Mapping[Nature, Mapping[str, int]]:
        found: dict[Nature, dict[str, int]] = {}
        for one in self.outcomes:
            if one.accuracy is not None:
                runs = found.setdefault(one.nature, {})
                runs[data_of(one)] = runs.get(data_of(one), 0) + 1
        return found

    def with_accuracy(self, nature: Nature) -> Mapping[str, int]:
        """The addresses of the data that runs of a nature have an accuracy on, and how many have."""
        return self._right.get(nature, {})

    def opens_on(self, nature: Nature) -> str:
        """The data that a first look is at: with most runs among those where accuracies can be weighed, "" without any.

        One accuracy alone can be weighed against nothing: then it is the data with most runs.
        """
        there, right = self.data(nature), self.with_accuracy(nature)
        return next((one for one in there if right.get(one, 0) > 1), next(iter(there), ""))

    def nature_of(self, keys: Sequence[str]) -> Nature | None:
        """The nature of the first of these runs that is there."""
        return next((one.nature for one in self.outcomes if one.run.key in keys), None) if keys else None

    def view(self, question: Question) -> View:
        """What a page shows of a question."""
        with self._lock:
            if question not in self._views:
                found = tuple(one for one in self.outcomes if question.holds(one))
                groups = group(found, question.by)
                while len(self._views) >= KEPT:
                    del self._views[next(iter(self._views))]
                self._views[question] = View(question, found, groups, beaten(groups), by_work(found))
            return self._views[question]

    def advice(self, nature: Nature) -> tuple[Advice, ...]:
        """What the choices say, in a sentence each; see `advise`."""
        with self._lock:
            if nature not in self._advice:
                self._advice[nature] = advise([one for one in self.outcomes if one.nature is nature])
            return self._advice[nature]


def data_of(one: Outcome) -> str:
    """The address of an outcome's data, without its last stroke."""
    return one.run.dataset_uri.rstrip("/")
