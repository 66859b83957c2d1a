"""Classify shared without sign-in: a photo gets its answer, and nothing else is to be had, whatever is asked."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import ROOT
from tests.e2e.conftest import Kennel, free_port, no_exception, settle
from tests.e2e.tab import Tab, said
from tests.e2e.test_everyone import wrong
from tests.views.test_server import serving

pytestmark = pytest.mark.e2e

ACCOUNT = "123456789012"
PAGES = ("overview", "train", "runs", "endpoint?endpoint=starter", "security", "costs", "settings", "activity", "data")


@dataclass(frozen=True)
class Shared:
    """A server that shares Classify of a Kennel's account."""

    port: int
    home: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def secrets(self) -> list[str]:
        """What nobody may learn: the account's id and name, its keys and address, and how its things are named."""
        keys = json.loads((self.home / "aws" / "client.json").read_text())
        found = [keys[name] for name in ("endpoint_url", "access_key_id", "secret_access_key", "region")]
        return [
            *found,
            ACCOUNT,
            "arn:aws",
            f"kennel-{ACCOUNT}",
            "mbedded AWS",
            "ml.m5",
            "sample-",
            str(self.home),
            str(ROOT),
        ]


@pytest.fixture(scope="module")
def shared(kennel: Kennel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    port = free_port()
    with serving("asgi.py", kennel.home, tmp_path_factory.mktemp("shared"), port, KENNEL_SHARE="1"):
        yield Shared(port, kennel.home)


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    try:
        request = urllib.request.Request(url, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as told:
            return told.status, told.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


def names_of_endpoints(text: str) -> list[str]:
    """The starter's endpoint, told apart from the word in running text."""
    return re.findall(r'endpoint_?n?a?m?e?["=: ]+starter|"starter"|>starter<|by starter', text)


def test_a_photo_gets_its_answer_and_the_stream_tells_nothing_more(browser: Browser, shared: Shared) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    streamed: list[bytes] = []
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda got: streamed.append(bytes(got))))
    tab.goto(f"{shared.url}/classify?endpoint=starter")
    expect(tab).to_have_url(re.compile(f"{shared.url}/(\\?.*)?$"))
    expect(tab.get_by_role("heading", name="Classify")).to_be_visible()
    tab.get_by_role("button", name="Try a drawn example").click()
    expect(tab.get_by_text("Most likely breeds")).to_be_visible()
    settle(tab)
    no_exception(tab)
    assert any(b"Most likely breeds" in one for one in streamed)
    told = tab.content() + b"\n".join(streamed).decode("utf-8", "replace")
    assert [word for word in shared.secrets() if word in told] == []
    assert names_of_endpoints(told) == []
    assert wrong(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_other_page_is_there(shared: Shared, path: str) -> None:
    code, body = answer(f"{shared.url}/{path}")
    assert code == 404
    assert "There is nothing here." in body


@pytest.mark.parametrize(
    "path", ["_stcore/metrics", "auth/login", "auth/logout", "oauth2callback?state=a", "component/a", "_stcore/agent"]
)
def test_no_other_route_is_there(shared: Shared, path: str) -> None:
    assert answer(f"{shared.url}/{path}")[0] == 404


def test_it_says_that_it_is_ready_and_not_of_what(shared: Shared) -> None:
    code, body = answer(f"{shared.url}/healthz")
    assert (code, json.loads(body)) == (200, {"ready": True})


def test_a_page_that_is_asked_for_by_name_in_the_stream_is_classify(shared: Shared) -> None:
    for path in PAGES:
        page, _, query = path.partition("?")
        with Tab(shared.address, {}) as tab:
            told = said(tab.open(page, query)) + b"".join(tab.received).decode("utf-8", "replace")
        assert "see the breed" in told
        assert [word for word in shared.secrets() if word in told] == []
        assert not {"Overview", "Train", "Runs", "Security", "Spend"} & set(re.findall(r'page_name: "(\w+)"', told))
