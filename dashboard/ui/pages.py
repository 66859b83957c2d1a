"""All pages: what each is called, its sign in the navigation, and the least role that may open it.

A new page is one row here, one member of `Place` and one script under views/.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page as Listed

from dashboard.core.people import Role
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
    Page(Place.MODELS, "Models", ":material/inventory_2:"),
    Page(Place.ENDPOINTS, "Endpoints", ":material/dns:"),
    Page(Place.ENDPOINT, "Endpoint"),
    Page(Place.SCALING, "Scaling"),
    Page(Place.FUNCTIONS, "Lambda", ":material/function:"),
    Page(Place.FUNCTION, "Function"),
    Page(Place.CLASSIFY, "Classify", ":material/pets:", Role.VISITOR),
    Page(Place.SECURITY, "Security", ":material/shield:"),
    Page(Place.ROLE, "Role"),
    Page(Place.COSTS, "Spend", ":material/payments:"),
    Page(Place.CHOICES, "Choices", ":material/balance:"),
    Page(Place.WASTE, "Waste", ":material/delete_sweep:"),
    Page(Place.PRICES, "Prices", ":material/sell:"),
    Page(Place.RECEIPT, "Receipt"),
)


def of(url_path: str) -> Page | None:
    """The page at that place in the address; None for one that this table does not hold."""
    return next((page for page in PAGES if page.url_path == url_path), None)


def navigation(role: Role | None, pages: Sequence[Page] = PAGES) -> list[Listed]:
    """The pages as `st.navigation` wants them. Those that this role may not open are not offered, yet exist at their
    address, so that a link to one of them can be answered. None: nobody has signed in, and nothing is offered.

    The first page that may be opened is the one at the root. Not in named groups: Streamlit's are no lists to a screen
    reader.
    """
    mine = [page for page in pages if role is not None and role.includes(page.role)]
    first = (mine or pages)[0]
    listed = [
        st.Page(
            page.place,
            title=page.title,
            icon=page.icon or None,
            default=page is first is pages[0],
            visibility="visible" if page.icon and page in mine else "hidden",
        )
        for page in pages
    ]
    if first is not pages[0]:  # at the root as well as at its own address, which is in people's links
        root = st.Page(first.place, title=first.title, url_path="home", default=True, visibility="hidden")
        listed.append(root)
    return listed
