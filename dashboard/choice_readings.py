"""What completed runs took, cost and reached, kept while the runs are the same. Pages use it through `state`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.advice import Advice, advise
from dashboard.core.costs.outcomes import Outcome, outcomes
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import CredentialsProblem, KennelError, Unreachable
from dashboard.core.runs import look
from dashboard.core.runs.instances import EC2_TRAINING
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.model import Run
from dashboard.core.runs.surroundings import Seen, SpotPrice
from dashboard.core.runs.window import Window
from dashboard.price_readings import prices
from dashboard.readings import now, where
from dashboard.run_readings import costs, listing


@dataclass(frozen=True)
class Choices:
    """Every completed run of the account as a choice that was made, newest first, as far as runs have been read."""

    outcomes: tuple[Outcome, ...]
    listing: Listing

    @property
    def at(self) -> datetime:
        return self.listing.at

    def natures(self) -> tuple[Nature, ...]:
        """The natures that there are outcomes of, in Nature's order."""
        there = {one.nature for one in self.outcomes}
        return tuple(nature for nature in Nature if nature in there)

    def of(self, nature: Nature) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.nature is nature)


@dataclass(frozen=True)
class _Made:
    """What was made of which runs, at which prices; made again only when one of them is another."""

    runs: Sequence[Run]
    book: PriceBook
    outcomes: tuple[Outcome, ...]
    advice: dict[Nature, tuple[Advice, ...]] = field(default_factory=dict)


def choices(aws: Aws) -> Choices:
    """The outcomes of all completed runs. Raises the errors of `Aws.call` when nothing of the account can be read."""
    seen = listing(aws, Window.ALL)
    return Choices(_made(aws, seen).outcomes, seen)


def advice(aws: Aws, nature: Nature) -> tuple[Advice, ...]:
    """What the choices that were made say, in a sentence each: see `core.costs.advice`. Raises as `choices`."""
    made = _made(aws, listing(aws, Window.ALL))
    if nature not in made.advice:
        made.advice[nature] = advise([one for one in made.outcomes if one.nature is nature])
    return made.advice[nature]


def spot_prices(aws: Aws) -> Seen[Mapping[str, SpotPrice]]:
    """EC2's spot prices of the region right now, by instance type; without the right to read them, why not."""
    return _spot_prices(where(aws), aws)


@st.cache_data(show_spinner=False, ttl=300, refresh_mode="background", max_entries=8)
def _spot_prices(where: str, _aws: Aws) -> Seen[Mapping[str, SpotPrice]]:
    try:
        return Seen(look.spot_prices(_aws, EC2_TRAINING, now()))
    except (Unreachable, CredentialsProblem):
        raise  # they are about everything
    except KennelError as error:
        return Seen(None, f"spot prices could not be read: {error.what}")


def _made(aws: Aws, seen: Listing) -> _Made:
    kept, at, book = _kept(), where(aws), prices()
    made = kept.get(at)
    if made is None or made.runs is not seen.runs or made.book is not book:
        found = outcomes(seen.runs, costs(aws), now(), is_embedded=aws.account.is_embedded)
        made = kept[at] = _Made(seen.runs, book, found)
    return made


@st.cache_resource(show_spinner=False)
def _kept() -> dict[str, _Made]:
    """By account and region."""
    return {}
