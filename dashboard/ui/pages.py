"""All pages: what each is called, its sign in the navigation, and the least role that may open it.

A new page is one row here, one member of `Place` and one script under views/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page as Listed

from dashboard.core.people import Role
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import access
from dashboard.ui.page import Place


@dataclass(frozen=True)
class Page:
    """A page of the navigation; one without `icon` is opened by links alone."""

    place: Place
    title: str
    icon: str = ""
    role: Role = Role.MANAGER

    @property
    def url_path(self) -> str:
        """Its place in the address."""
        return self.place.stem


PAGES = (  # in the navigation's order; kennel.css writes "Costs" above Spend and those after it
    Page(Place.OVERVIEW, "Overview", ":material/space_dashboard:"),
    Page(Place.TRAIN, "Train", ":material/model_training:", Role.ENGINEER),
    Page(Place.RUNS, "Runs", ":material/monitoring:"),
    Page(Place.RUN, "Run"),
    Page(Place.COMPARE, "Compare"),
    Page(Place.DATA, "Data", ":material/photo_library:"),
    Page(Place.MODELS, "Models", ":material/inventory_2:"),
    Page(Place.ENDPOINTS, "Endpoints", ":material/dns:"),
    Page(Place.ENDPOINT, "Endpoint"),
    Page(Place.SCALING, "Scaling"),
    Page(Place.FUNCTIONS, "Lambda", ":material/function:"),
    Page(Place.FUNCTION, "Function"),
    Page(Place.NOTEBOOKS, "Notebooks", ":material/menu_book:"),
    Page(Place.CLASSIFY, "Classify", ":material/pets:", Role.VISITOR),
    Page(Place.SECURITY, "Security", ":material/shield:"),
    Page(Place.ROLE, "Role"),
    Page(Place.ACTIVITY, "Activity", ":material/history:"),
    Page(Place.COSTS, "Spend", ":material/payments:"),
    Page(Place.CHOICES, "Choices", ":material/balance:"),
    Page(Place.WASTE, "Waste", ":material/delete_sweep:"),
    Page(Place.PRICES, "Prices", ":material/sell:"),
    Page(Place.RECEIPT, "Receipt"),
    Page(Place.SETTINGS, "Settings", ":material/settings:"),
)


SHARED = (Page(Place.CLASSIFY, "Classify", ":material/pets:", Role.VISITOR),)
"""All pages there are where Classify is shared without sign-in."""
ROOT = "home"


def table() -> Sequence[Page]:
    """The pages that exist on this server."""
    return SHARED if doorkeeper().share else PAGES


def least(place: Place) -> Role:
    """The least role that may open a page."""
    return next((page.role for page in table() if page.place is place), Role.ENGINEER)


def link(place: Place, label: str, icon: str, query: Mapping[str, str] | None = None) -> None:
    """The way to a page that not everybody may open who sees it: for whom it is not there is nothing."""
    if access.may(least(place)):
        st.page_link(place, label=label, icon=icon, query_params=query)


def first_of(role: Role) -> Page:
    """The page at the root of the address, for who has this role."""
    return next(page for page in table() if role.includes(page.role))


def opened(chosen: Listed, role: Role | None) -> Page:
    """The row of the page that the navigation chose."""
    if role is not None and chosen.url_path in ("", ROOT):
        return first_of(role)
    return next((page for page in table() if page.url_path == chosen.url_path), table()[0])


def navigation(role: Role | None) -> list[Listed]:
    """The pages as `st.navigation` wants them. Those that this role may not open are not offered, yet exist at their
    address, so that a link to one of them can be answered. None: nobody has signed in, and nothing is offered.

    The first page that may be opened is the one at the root. Not in named groups: Streamlit's are no lists to a screen
    reader.
    """
    pages = table()
    first = pages[0] if role is None else first_of(role)
    listed = [
        st.Page(
            page.place,
            title=page.title,
            icon=page.icon or None,
            default=page is first is pages[0],
            visibility="visible" if page.icon and role is not None and role.includes(page.role) else "hidden",
        )
        for page in pages
    ]
    if first is not pages[0]:  # at the root as well as at its own address, which is in people's links
        root = st.Page(first.place, title=first.title, url_path=ROOT, default=True, visibility="hidden")
        listed.append(root)
    return listed
