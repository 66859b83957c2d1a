"""Open the dashboard without a browser, on a scripted account or on a real embedded AWS."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import connections, state
from dashboard.core import steps_taken
from dashboard.core.aws import Account
from dashboard.core.costs.ledger import trail_kept
from dashboard.doorkeeper import doorkeeper
from dashboard.embedded import OURS
from tests.views import scripted
from tests.views.scripted import CLIENT, ScriptedAws, busy_account

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
Open = Callable[..., AppTest]
# Each AppTest looks through every installed package for components of Streamlit: that took half of a test's time, and
# no test installs one.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No reading survives from one test to the next, and no embedded AWS is started by the page itself."""

    def kept(place: Callable[[Account], Path], account: Account) -> Path:
        """What is kept of a scripted account lies in the test's folder: its own is nowhere."""
        usual = place(account)
        return usual if account.client_file not in ("", CLIENT) else tmp_path / usual.parent.name / usual.name

    for module in (trail_kept, steps_taken):
        monkeypatch.setattr(module, "place", partial(kept, module.place))
    monkeypatch.setenv(OURS, "test")
    monkeypatch.delenv("KENNEL_AWS_PROFILE", raising=False)
    monkeypatch.delenv("KENNEL_SHARE", raising=False)
    (tmp_path / "no-secrets.toml").touch()
    monkeypatch.setenv("KENNEL_SECRETS", str(tmp_path / "no-secrets.toml"))  # nobody signs in, whatever lies there
    doorkeeper.cache_clear()
    monkeypatch.setattr(state.gc, "freeze", lambda: None)
    # Kennel's warm-up and every run of Streamlit's collect garbage: unfrozen that was most of a test's time
    monkeypatch.setattr(state.gc, "collect", lambda generation=2: 0)
    # an account's times are told from its own test on: a run that goes on is not as old as the whole suite
    monkeypatch.setattr(scripted, "NOW", datetime.now(UTC))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def aws() -> ScriptedAws:
    """An account with something of everything; a test changes it before it opens a page."""
    return busy_account()


@pytest.fixture
def empty() -> ScriptedAws:
    """An account in which nothing was ever done."""
    return ScriptedAws()


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Open:
    """visit(aws, "runs", run="name"): the dashboard on that account, at that page, with that query."""

    def open_page(account: ScriptedAws, page: str = "overview", **query: str) -> AppTest:
        monkeypatch.setattr(connections, "connect", lambda environ: account)
        st.cache_resource.clear()
        st.cache_data.clear()
        test = AppTest.from_file(str(APP), default_timeout=20)
        test.context = {"timezone": "Europe/Berlin"}
        if page != "overview":
            # by its address, as from a link: switch_page() asks for a look at Overview first, which takes longer
            test._page_hash = calc_hash(page)
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    return open_page


def text(test: AppTest) -> str:
    """Everything a page says, as one text: its own markup, notes, labels and messages. No page has a fault of ours."""
    said = with_faults(test)
    assert "a fault in Kennel" not in said, said
    return said


def with_faults(test: AppTest) -> str:
    """`text` of a page whose fault is what the test is about."""
    parts = [str(element.value) for element in [*test.html, *test.markdown, *test.caption]]
    parts += [button.label for button in test.button]
    said = "\n".join(part for part in parts if "kennel.css" not in part and ".kn-badge {" not in part)
    return said.replace("\u00a0", " ")  # where a line may break is no matter of words


def links(test: AppTest) -> list[tuple[str, str, str]]:
    """The page links of a page: label, page, query. Not the badge in the header, which every page has."""
    found = [(link.value, link.proto.page, link.proto.query_string) for link in test.page_link]
    return [one for one in found if one[0] != "Account and settings"]
