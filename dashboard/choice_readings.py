"""What completed runs took, cost and reached, kept while the runs are the same. Pages use it through `state`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.attempt import attempt
from dashboard.core.costs.choices.advice import Advice
from dashboard.core.costs.choices.book import ChoiceBook
from dashboard.core.costs.choices.outcomes import outcomes
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
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
    """Every completed run of the account as a choice that was made, and the listing that they were read in."""

    book: ChoiceBook
    listing: Listing


@dataclass(frozen=True)
class _Made:
    """What was made of which runs, at which prices; made again only when one of them is another."""

    runs: Sequence[Run]
    prices: PriceBook
    book: ChoiceBook


def choices(aws: Aws) -> Choices:
    """The choices of all completed runs. Raises the errors of `Aws.call` when nothing of the account can be read."""
    seen = listing(aws, Window.ALL)
    return Choices(_made(aws, seen).book, seen)


def advice(aws: Aws, nature: Nature) -> tuple[Advice, ...]:
    """What the choices that were made say, in a sentence each: see `core.costs.advice`. Raises as `choices`."""
    return choices(aws).book.advice(nature)


def spot_prices(aws: Aws) -> Seen[Mapping[str, SpotPrice]]:
    """EC2's spot prices of the region right now, by instance type; without the right to read them, why not."""
    return _spot_prices(where(aws), aws)


@st.cache_data(show_spinner=False, ttl=300, refresh_mode="background", max_entries=8)
def _spot_prices(where: str, _aws: Aws) -> Seen[Mapping[str, SpotPrice]]:
    found = attempt(lambda: look.spot_prices(_aws, EC2_TRAINING, now()))
    if isinstance(found, KennelError):  # EC2 has an address of its own: the choices that were made stand without it
        return Seen(None, f"spot prices could not be read: {found.what}")
    return Seen(found)


def _made(aws: Aws, seen: Listing) -> _Made:
    kept, at, listed = _kept(), where(aws), prices(aws.account)
    made = kept.get(at)
    if made is None or made.runs is not seen.runs or made.prices is not listed:
        found = outcomes(seen.runs, costs(aws), now(), is_embedded=aws.account.is_embedded)
        made = kept[at] = _Made(seen.runs, listed, ChoiceBook(found))
    return made


@st.cache_resource(show_spinner=False)
def _kept() -> dict[str, _Made]:
    """By account and region."""
    return {}
