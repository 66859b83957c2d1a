"""Every page as a person opens it: from the navigation's own table, so that a new page is in it by itself."""

from dataclasses import dataclass

from dashboard.ui import data_page, endpoint_page, function_page, pages, role_page, security, settings
from dashboard.ui.page import Place
from tests.faults.world import DONE, ENDPOINT, FUNCTION, ROLE, RUNNING


@dataclass(frozen=True)
class View:
    """A page with what its address says. typed: a field of text and what a person typed into it."""

    place: Place
    query: tuple[tuple[str, str], ...] = ()
    typed: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return " ".join((self.place.stem, *(value for _, value in self.query)))


def _each(place: Place, parts: type, *query: tuple[str, str]) -> list[View]:
    return [View(place, (*query, ("part", part.value))) for part in parts]  # type: ignore[attr-defined]


ASKED: dict[Place, list[View]] = {
    Place.TRAIN: [View(Place.TRAIN, typed=("train-name", "my-own-name"))],
    Place.RUN: [View(Place.RUN, (("run", key),)) for key in
                (RUNNING, DONE, "ec2:project-c-ec2", "tuning:project-d-tuning")],
    Place.COMPARE: [View(Place.COMPARE, (("compare", f"{DONE},ec2:project-c-ec2"),))],
    Place.DATA: _each(Place.DATA, data_page.Part),
    Place.ENDPOINT: _each(Place.ENDPOINT, endpoint_page.Part, ("endpoint", ENDPOINT)),
    Place.SCALING: [View(Place.SCALING, (("endpoint", ENDPOINT),))],
    Place.FUNCTION: _each(Place.FUNCTION, function_page.Part, ("function", FUNCTION)),
    Place.SECURITY: _each(Place.SECURITY, security.Part),
    Place.ROLE: _each(Place.ROLE, role_page.Part, ("role", ROLE)),
    Place.RECEIPT: [View(Place.RECEIPT, (("receipt", f"run:{DONE}"),))],
    Place.SETTINGS: _each(Place.SETTINGS, settings.Part),
}  # fmt: skip
"""What a page needs in its address to show something, and its parts."""

VIEWS = [view for page in pages.PAGES for view in ASKED.get(page.place, [View(page.place)])]
