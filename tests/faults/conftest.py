"""The dashboard on an account of its own, with the seam to AWS in between; and the count of what was tried."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import state
from dashboard.embedded import OURS
from dashboard.ui.page import Place
from tests.conftest import start_embedded, stop_embedded
from tests.faults import world as worlds
from tests.faults.seam import Seam, install
from tests.faults.world import World
from tests.views.conftest import APP

Open = Callable[..., AppTest]
TRIED = "faults"


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as one:
        yield one


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Path:
    """Kennel's own folder: nothing that other tests kept is in it."""
    folder = tmp_path_factory.mktemp("home")
    patch.setenv("KENNEL_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[World]:
    embedded = start_embedded(home / "aws", "--time-scale", "60")
    try:
        yield worlds.fill(embedded, home / "tiny")
    finally:
        stop_embedded(embedded)


@pytest.fixture(scope="module")
def seam(patch: pytest.MonkeyPatch) -> Seam:
    return install(patch)


@pytest.fixture(scope="module")
def visit(patch: pytest.MonkeyPatch, world: World, seam: Seam) -> Iterator[Open]:
    """visit(place, run="name"): the dashboard at that page, in a tab of its own."""
    patch.setenv(OURS, "test")
    patch.delenv("KENNEL_AWS_PROFILE", raising=False)
    patch.setattr(state.gc, "freeze", lambda: None)
    patch.setattr(state.gc, "collect", lambda generation=2: 0)

    def opened(place: Place, **query: str) -> AppTest:
        test = AppTest.from_file(str(APP), default_timeout=60)
        test.context = {"timezone": "Europe/Berlin"}
        test._page_hash = calc_hash(place.stem)  # by its address: switch_page() asks for a look at Overview first
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    yield opened
    forget()


def forget() -> None:
    """As a server that has just started: nothing is read."""
    st.cache_data.clear()
    st.cache_resource.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried, added up over all tests and workers."""
    sums: dict[str, int] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, number in getattr(report, "user_properties", ()):
            if report.when == "call" and name.startswith(TRIED):
                sums[name] = sums.get(name, 0) + int(number)
    for name, number in sorted(sums.items()):
        terminalreporter.write_line(f"{name}: {number}")
