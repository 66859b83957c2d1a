"""The table of all pages."""

import re

import pytest

from dashboard.core.people import Role
from dashboard.ui.page import STATIC, Place
from dashboard.ui.pages import PAGES, SHARED, first_of
from tests.conftest import ROOT


def test_it_has_every_page_once():
    assert sorted(page.place for page in PAGES) == sorted(Place)
    on_disk = {f"views/{file.name}" for file in (ROOT / "dashboard" / "views").glob("*.py") if file.stem[0] != "_"}
    assert {str(page.place) for page in PAGES} == on_disk


def test_visitors_have_classify_and_nothing_else():
    assert [page.place for page in PAGES if Role.VISITOR.includes(page.role)] == [Place.CLASSIFY]
    assert [page.place for page in SHARED] == [Place.CLASSIFY]


def test_who_cannot_launch_has_no_form_to_launch():
    assert [page.place for page in PAGES if not Role.MANAGER.includes(page.role)] == [Place.TRAIN]


@pytest.mark.parametrize("role", list(Role))
def test_everybody_has_a_first_page(role):
    assert role.includes(first_of(role).role)


def test_no_page_is_called_as_the_root_is():
    assert "home" not in {page.url_path for page in PAGES}
    assert (STATIC / "favicon.png").is_file()


def test_the_way_to_a_page_that_not_everybody_may_open_is_shown_to_whom_it_is_open():
    above = "|".join(page.place.name for page in PAGES if not Role.MANAGER.includes(page.role))
    bare = re.compile(rf"page_link\(\s*(page\.)?Place\.({above})\b")
    found = [file.name for file in (ROOT / "dashboard").rglob("*.py") if bare.search(file.read_text())]
    assert found == [], "use pages.link: who may not open the page is to see no way there"
