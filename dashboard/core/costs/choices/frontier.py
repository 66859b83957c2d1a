"""Cost × duration × accuracy: which choices another one beats, and which is the cheapest that will do. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import itemgetter

from dashboard.core.costs.choices.groups import Group
from dashboard.core.costs.choices.outcomes import PHOTOS
from dashboard.core.format import count, duration, money, percent
from dashboard.core.runs.alike import CACHED


@dataclass(frozen=True, slots=True)
class Wish:
    """What a choice must do: end within `seconds` from its launch, be right on `accuracy` (0..1). None: no matter."""

    seconds: float | None = None
    accuracy: float | None = None

    @property
    def words(self) -> str:
        """ "within 10 min with 90 % right"; "" when nothing is asked."""
        parts = []
        if self.seconds is not None:
            parts.append(f"within {duration(self.seconds)}")
        if self.accuracy is not None:
            parts.append(f"with {_share(self.accuracy)} right")
        return " ".join(parts)

    def is_met(self, seconds: float | None, accuracy: float | None) -> bool:
        """Whether figures meet it; an unknown one does not meet what is asked of it."""
        return (self.seconds is None or (seconds is not None and seconds <= self.seconds)) and (
            self.accuracy is None or (accuracy is not None and accuracy >= self.accuracy)
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The cheapest choice that meets a wish, None when none does; and the sentence that says so, or what comes near."""

    choice: Group | None
    sentence: str


def beats(one: Group, other: Group) -> bool:
    """No dearer, no slower and no worse by their medians, and better in one of them.

    Nobody can say so where a cost is unknown, or where one of the two has an accuracy and the other none, where one did
    not compute its features, or where it would not be so with a time read in the other way.
    """
    if one.otherwise or other.otherwise:
        read = one.otherwise or one, other.otherwise or other
        return beats(replace(one, otherwise=None), replace(other, otherwise=None)) and beats(*read)
    if one.is_cached is not other.is_cached:
        return False
    if one.cost is None or other.cost is None or one.seconds is None or other.seconds is None:
        return False
    if (one.accuracy is None) is not (other.accuracy is None):
        return False
    if one.alone and other.alone and one.alone.median > other.alone.median:
        return False  # only what else is in the other's sum, as on another platform, makes it dearer
    mine, its = _measures(one, one.cost.median), _measures(other, other.cost.median)
    return mine != its and mine[0] <= its[0] and mine[1] <= its[1] and mine[2] <= its[2]


def beaten(groups: Sequence[Group]) -> dict[str, str]:
    """The names of the groups that another one beats, with the name of the cheapest that does."""
    priced = sorted(((one.cost.median, place, one) for place, one in enumerate(groups) if one.cost is not None))
    found = {}
    for cost, _, group in priced:
        # None that is dearer beats it, and where no cost is known nobody can say.
        no_dearer = priced[: bisect_right(priced, cost, key=itemgetter(0))]
        by = next((one.name for _, _, one in no_dearer if one is not group and beats(one, group)), None)
        if by is not None:
            found[group.name] = by
    return found


def cheapest(groups: Sequence[Group], wish: Wish) -> Answer:
    """The cheapest choice whose medians meet the wish, in one sentence with its figures and how sure they are.

    Choices that did not compute their features are left out: the next run may have to. Unless there are no others.
    """
    whole = [one for one in groups if not one.is_cached] or groups
    priced = [one for one in whole if one.cost is not None]
    if not priced:
        return Answer(None, "No choice has a known cost yet.")
    fits = [one for one in priced if wish.is_met(_seconds(one), _accuracy(one))]
    asked = f" {wish.words}" if wish.words else ""
    if not fits:
        return Answer(None, f"None of {count(len(priced), 'choice')} ends{asked}{_near(priced, wish)}.")
    best = min(fits, key=_order)
    sure = f"{_how_sure(best, wish)}{_read(best, priced, wish)}{_left_out(groups, whole, wish)}"
    return Answer(best, f"Cheapest{asked}: {told(best)}{sure}.")


def told(one: Group) -> str:
    """A choice with its three figures: "EC2 c5.large at $0.0012, 1 min 9 s, 92.1 % of the test photos right"."""
    cost = money(one.cost.median) if one.cost else "an unknown cost"
    about = "about " if one.is_estimate and one.cost else ""
    parts = [f"{one.title} at {about}{cost}", duration(_seconds(one))]
    if one.accuracy is None:
        parts.append("accuracy unknown")
    else:
        photos = PHOTOS.get(one.accuracy_on, "photos")
        parts.append(f"{percent(one.accuracy.median, 1)} of the {photos} right")
    return ", ".join(parts)


def _read(best: Group, priced: Sequence[Group], wish: Wish) -> str:
    """Which would be the cheapest with a time read in the other way, where that is another, and which time that is."""
    two = [one for one in priced if one.otherwise]
    if not two:
        return ""
    fits = [one for one in (one.otherwise or one for one in priced) if wish.is_met(_seconds(one), _accuracy(one))]
    other = min(fits, key=_order, default=None)
    if other is None or other.name == best.name:
        return f"; {best.reading}" if best.otherwise else ""
    changes = next((one for one in two if one.name in (other.name, best.name)), two[0])
    return f"; it would be {other.title} with another reading of {changes.title}: {changes.reading}"


def _order(one: Group) -> tuple[Decimal, float, str]:
    return one.cost.median if one.cost else Decimal(0), _seconds(one) or 0.0, one.name


def _how_sure(best: Group, wish: Wish) -> str:
    """How many runs say so, and how many of them met the wish."""
    guessed = sum(one.is_guessed for one in best.outcomes)
    if best.n == 1:
        return "; one run says so" + (", its duration is an estimate" if guessed else "")
    met = sum(wish.is_met(one.seconds, one.accuracy) for one in best.outcomes)
    did = f", {met} of them met it" if wish.words and met < best.n else ", all of them met it" if wish.words else ""
    return f"; medians of {best.n} runs{did}" + (f", {guessed} durations are estimates" if guessed else "")


def _left_out(groups: Sequence[Group], whole: Sequence[Group], wish: Wish) -> str:
    silent = [one for one in whole if one.cost is None or (wish.accuracy is not None and one.accuracy is None)]
    said = f"; {count(len(silent), 'choice')} of unknown cost or accuracy left out" if silent else ""
    cached = len(groups) - len(whole)
    return said + (f"; {count(cached, 'choice')} with {CACHED} left out" if cached else "")


def _near(priced: Sequence[Group], wish: Wish) -> str:
    """What comes nearest when nothing fits: the quickest that is accurate enough, the best that is quick enough."""
    parts = []
    accurate = [one for one in priced if Wish(accuracy=wish.accuracy).is_met(None, _accuracy(one))]
    if accurate and wish.seconds is not None:
        quick = min(accurate, key=lambda one: (_seconds(one) or 0.0, one.name))
        parts.append(f"the quickest{_right(wish)} is {quick.title}, {duration(_seconds(quick))}")
    soon = [one for one in priced if Wish(seconds=wish.seconds).is_met(_seconds(one), None)]
    known = [one for one in soon if one.accuracy is not None]
    if wish.accuracy is not None:
        if known:
            right = max(known, key=lambda one: (_accuracy(one) or 0.0, one.name))
            when = f" within {duration(wish.seconds)}" if wish.seconds is not None else ""
            parts.append(f"the most accurate{when} is {right.title}, {percent(_accuracy(right), 1)}")
        elif not any(one.accuracy for one in priced):
            parts.append("none of them has a known accuracy")
    return ": " + "; ".join(parts) if parts else ""


def _right(wish: Wish) -> str:
    return f" with {_share(wish.accuracy)} right" if wish.accuracy is not None else ""


def _share(accuracy: float) -> str:
    return percent(accuracy, 0 if round(accuracy * 100, 6).is_integer() else 1)


def _measures(one: Group, amount: Decimal) -> tuple[Decimal, float, float]:
    """What is better when it is less."""
    return amount, _seconds(one) or 0.0, -(_accuracy(one) or 0.0)


def _seconds(one: Group) -> float | None:
    return one.seconds.median if one.seconds else None


def _accuracy(one: Group) -> float | None:
    return one.accuracy.median if one.accuracy else None
