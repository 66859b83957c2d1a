"""Work on data sets that takes a while: what it is, how far it is, and what became of it.

All of it may be done twice: what is there already is left, so that whatever broke off is begun again and goes on.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from dashboard.core.errors import KennelError
from dashboard.core.format import count


class Kind(StrEnum):
    """What is done."""

    UPLOAD = "upload"
    IMPORT = "import"
    COPY = "copy"
    RENAME = "rename"
    DELETE = "deletion"
    VERSION = "new version"
    REPORT = "report"

    @property
    def changes(self) -> bool:
        """Whether a data set is not whole while it goes on, and when it breaks off."""
        return self is not Kind.REPORT


class Stage(StrEnum):
    """How far it is."""

    WAITING = "waiting for its turn"
    FETCHING = "fetching"
    SENDING = "sending"
    COPYING = "copying"
    DELETING = "deleting"
    LOOKING = "looking at every photo"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    BROKEN_OFF = "broken off"

    @property
    def is_over(self) -> bool:
        """Whether nothing goes on; what is over may be begun again, unless it is done."""
        return self in (Stage.DONE, Stage.FAILED, Stage.STOPPED, Stage.BROKEN_OFF)

    @property
    def may_go_on(self) -> bool:
        return self in (Stage.FAILED, Stage.STOPPED, Stage.BROKEN_OFF)


@dataclass(frozen=True)
class Added:
    """A photo that a new version has beside what it is made from: from which key, to which key below its name, and the
    note that says where it comes from."""

    source: str
    key: str
    note: str = ""


@dataclass(frozen=True)
class Work:
    """One piece of work. name: the data set that is made or changed; base: the one that it is made from; source: what
    an upload or import is read from, and `file` its zip's name in the work's folder ("" for a folder of photos); place:
    where it lies on this machine, for what nobody has to bring."""

    token: str
    kind: Kind
    name: str
    base: str = ""
    source: str = ""
    file: str = ""
    place: str = ""
    added: tuple[Added, ...] = ()

    @property
    def words(self) -> str:
        """ "rename dogs to hounds"."""
        return {
            Kind.UPLOAD: f"send {self.source} to the data set {self.name}",
            Kind.IMPORT: f"import {self.source} as the data set {self.name}",
            Kind.COPY: f"copy {self.base} to {self.name}",
            Kind.RENAME: f"rename {self.base} to {self.name}",
            Kind.DELETE: f"delete {self.name}",
            Kind.VERSION: f"make {self.name} of {self.base} and {count(len(self.added), 'reviewed photo')}",
            Kind.REPORT: f"look through {self.name}",
        }[self.kind]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Work":
        """What `as_json` wrote. Raises ValueError for anything else."""
        told: Any = json.loads(text)
        try:
            added = tuple(Added(**one) for one in told.pop("added"))
            return cls(**{**told, "kind": Kind(told["kind"]), "added": added})
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("this is no piece of work") from error


@dataclass(frozen=True)
class Progress:
    """Where a piece of work stands. done, total: photos, or bytes while it is fetched; 0 of 0 where that is not known.

    kept: photos that were there already; refused: files that were not taken, each with why.
    """

    work: Work
    stage: Stage = Stage.WAITING
    done: int = 0
    total: int = 0
    kept: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    problem: KennelError | None = None

    @property
    def has_made(self) -> bool:
        """Whether there is a data set now that was not there before, or was another."""
        return self.stage is Stage.DONE and self.work.kind not in (Kind.DELETE, Kind.REPORT)

    @property
    def share(self) -> float | None:
        """Of this stage, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None


class Stopped(Exception):  # noqa: N818 - it is no error: somebody asked for it
    """Somebody stopped this work."""


class Teller:
    """Says how far a piece of work is, and ends it where somebody stopped it. One for each piece of work."""

    def __init__(self, work: Work, hears: Callable[[Progress], None], is_stopped: Callable[[], bool]) -> None:
        self.now = Progress(work)
        self._hears = hears
        self._is_stopped = is_stopped

    def tell(self, stage: Stage | None = None, **changed: Any) -> None:
        """Raises Stopped."""
        begins = {"done": 0, "total": 0} if stage is not None and stage is not self.now.stage else {}
        self.now = replace(self.now, **{**begins, **({"stage": stage} if stage else {}), **changed})
        self._hears(self.now)
        if not self.now.stage.is_over:
            self.check()

    def check(self) -> None:
        """Raises Stopped when somebody did."""
        if self._is_stopped():
            raise Stopped
