"""What Classify keeps for a tab: photos on their way to a model, and a card for each that came back."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import streamlit as st

from dashboard.core.errors import KennelError
from dashboard.core.serving.classify import Answer, Photo
from dashboard.core.serving.feedback import Correction
from dashboard.core.serving.through import Front

ANSWERS, GENERATION = "classify.answers", "classify.generation"
KEPT = 40


class Way(StrEnum):
    """How a photo reaches the model, as it is chosen and as the address names it; both compares the two."""

    ENDPOINT = "Endpoint"
    LAMBDA = "Lambda"
    BOTH = "Both"


@dataclass(frozen=True)
class Asking:
    """Which endpoint is asked, and how; `front` is there for every way but the endpoint alone.

    `is_visitors`: asked by a visitor, whose cards say nothing of who answers and of what is wrong there.
    """

    endpoint: str
    way: Way = Way.ENDPOINT
    front: Front | None = None
    is_visitors: bool = False

    @property
    def key(self) -> str:
        """Tells its answers from those of another endpoint or way about the same photo."""
        return self.endpoint if self.way is Way.ENDPOINT else f"{self.endpoint} {self.way.name}"


@dataclass(frozen=True)
class Incoming:
    """One photo on its way to the model: its bytes, or the address that they are to be fetched from.

    `is_drawn` marks a picture that we drew ourselves. One that was asked about before brings what was made of it then:
    `photo`, and `known` as its key.
    """

    name: str
    data: bytes = b""
    is_drawn: bool = False
    url: str = ""
    photo: Photo | None = None
    known: str = ""

    @property
    def key(self) -> str:
        """The photo's content or address, so that the same one is not classified twice."""
        return self.known or hashlib.sha256(self.data or self.url.encode()).hexdigest()

    @classmethod
    def at(cls, url: str) -> "Incoming":
        """The photo at an address, named by the last part of it."""
        try:
            parts = urlsplit(url.strip())
            name = parts.path.rstrip("/").rpartition("/")[2] or parts.netloc
        except ValueError:  # no address at all: fetching it says so
            name = ""
        return cls(name[:80] or "this address", url=url.strip())


@dataclass(frozen=True)
class Result:
    """One card: the photo and its answer, or why there is none.

    `function`: what it was asked through, "" for the endpoint itself. Where both ways were asked, `answer` is the
    endpoint's, `second` the one through Lambda or `second_problem` why there is none. `correction`: what the visitor
    said is on it.
    """

    name: str
    endpoint: str
    photo: Photo | None = None
    answer: Answer | None = None
    problem: KennelError | None = None
    is_drawn: bool = False
    batch: int = 0
    function: str = ""
    asking: Asking | None = None
    second: Answer | None = None
    second_problem: KennelError | None = None
    correction: Correction | None = None


def card_key(key: str) -> str:
    """What tells a card's elements from those of another: the same photo by another way is another card."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def results() -> dict[str, Result]:
    """This tab's cards by key, the newest last. They outlive reruns, other pages and a lost connection."""
    kept: dict[str, Result] = st.session_state.setdefault(ANSWERS, {})
    return kept


def keep(key: str, result: Result) -> None:
    """Put a card in front of all others; the oldest goes when there are too many."""
    kept = results()
    kept.pop(key, None)
    kept[key] = result
    while len(kept) > KEPT:
        del kept[next(iter(kept))]


def shown() -> list[tuple[str, Result]]:
    """The cards as they stand on the page: the newest batch first, within it as the photos were dropped."""
    return sorted(results().items(), key=lambda item: -item[1].batch)


def last_batch(endpoint: str) -> list[Incoming]:
    """The photos that this endpoint was asked about last, to be asked about once more."""
    last = max((result.batch for result in results().values()), default=0)
    return [
        Incoming(result.name, is_drawn=result.is_drawn, photo=result.photo, known=key.rpartition(" ")[2])
        for key, result in results().items()
        if result.batch == last and result.photo is not None and result.endpoint == endpoint
    ]


def answered() -> int:
    """How many photos have an answer."""
    return sum(result.answer is not None for result in results().values())


def generation() -> int:
    """Counts the batches; a new number empties the drop zone."""
    return int(st.session_state.setdefault(GENERATION, 0))
