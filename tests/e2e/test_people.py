"""Sign-in with a real provider: who gets in, what they see, and what they cannot do whatever they send."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.conftest import Embedded
from tests.e2e.conftest import free_port, no_exception, settle, wait_for
from tests.e2e.tab import Tab, fragments, said
from tests.e2e.test_everyone import wrong
from tests.oidc_provider import Provider, providing
from tests.views.test_server import home_of, serving

pytestmark = pytest.mark.e2e

PEOPLE = {
    "ann": {"sub": "1", "email": "Ann@Example.com", "email_verified": True},
    "max": {"sub": "2", "email": "max@finance.example.com", "email_verified": True},
    "vic": {"sub": "3", "email": "vic@visitors.example.com", "email_verified": True},
    "eve": {"sub": "4", "email": "ann@example.com", "email_verified": False, "name": "Ann"},
    "rob": {"sub": "5", "name": "Rob", "groups": ["staff", "finance"]},
}
KENNEL = """[kennel]
ask = "platform@example.com"

[kennel.people]
engineer = [ENGINEERS]
manager = ["@finance.example.com", "groups=finance", "ann@example.com"]
visitor = ["@visitors.example.com"]
"""
ACCOUNT = "123456789012"
MODEL = "guarded-dogs"


@dataclass(frozen=True)
class Guarded:
    """A Kennel into which people sign in, its provider, and the account behind it."""

    port: int
    secrets: Path
    provider: Provider
    embedded: Embedded

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def engineers(self, who: str) -> None:
        """Say in the secrets file, while the server runs, who is an engineer."""
        before, _, after = self.secrets.read_text().partition("engineer = [")
        _, _, rest = after.partition("]")
        self.secrets.write_text(f"{before}engineer = [{who}]{rest}")

    def status(self) -> str:
        """What the account itself says of the version that is decided about."""
        return str(self._version()["ModelApprovalStatus"])

    def undecided(self) -> None:
        """Nobody has decided about it yet, or again."""
        sagemaker, arn = self.embedded.client("sagemaker"), self._version()["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval")

    def _version(self) -> dict[str, Any]:
        listed = self.embedded.client("sagemaker").list_model_packages(ModelPackageGroupName=MODEL)
        found: dict[str, Any] = listed["ModelPackageSummaryList"][0]
        return found


@pytest.fixture(scope="module")
def guarded(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("people")
    sagemaker = embedded.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=MODEL)
    embedded.client("s3").create_bucket(Bucket=MODEL)
    embedded.client("s3").put_object(Bucket=MODEL, Key="model.tar.gz", Body=b"a model")
    container = {"Image": "pytorch-inference:2.6", "ModelDataUrl": f"s3://{MODEL}/model.tar.gz"}
    sagemaker.create_model_package(
        ModelPackageGroupName=MODEL,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        ModelApprovalStatus="PendingManualApproval",
    )
    port, secrets = free_port(), folder / "secrets.toml"
    with providing(free_port(), PEOPLE) as provider:
        kennel = KENNEL.replace("ENGINEERS", '"ann@example.com"')
        secrets.write_text(provider.secrets(f"http://127.0.0.1:{port}/oauth2callback", kennel))
        with serving("asgi.py", home_of(embedded, folder), folder, port, KENNEL_SECRETS=str(secrets)):
            yield Guarded(port, secrets, provider, embedded)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def sign_in(tab: Page, guarded: Guarded, who: str, path: str = "/") -> None:
    """As a person does it: the page, the provider's page, and back."""
    tab.goto(f"{guarded.url}{path}")
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("link", name=who).click()
    tab.wait_for_url(f"{guarded.url}/**")
    tab.get_by_role("button", name="Sign out").wait_for()
    settle(tab)


@pytest.fixture(scope="module")
def signed_in() -> dict[str, list[Any]]:
    """The cookies of whoever has signed in already: a second tab of theirs needs no second sign-in."""
    return {}


def come_in(tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]], who: str, path: str = "/") -> None:
    """Open a page as somebody who is signed in."""
    if who not in signed_in:
        sign_in(tab, guarded, who, path)
        signed_in[who] = tab.context.cookies()
        return
    tab.context.add_cookies(signed_in[who])
    tab.goto(f"{guarded.url}{path}")
    tab.get_by_role("button", name="Sign out").wait_for()
    settle(tab)


def cookies(context: BrowserContext) -> dict[str, str]:
    return {str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()}


def answer(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as told:
            return int(told.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def navigation(tab: Page) -> list[str]:
    return tab.get_by_test_id("stSidebarNavLink").all_inner_texts()


def test_an_engineer_comes_back_to_the_page_she_wanted_and_out_again(tab: Page, guarded: Guarded) -> None:
    sign_in(tab, guarded, "ann", "/models?model=guarded-dogs")
    assert tab.url == f"{guarded.url}/models?model=guarded-dogs"
    expect(tab.get_by_text("ann@example.com")).to_be_visible()
    expect(tab.get_by_text("An engineer: may do everything")).to_be_visible()
    assert any("Train" in name for name in navigation(tab))
    no_exception(tab)
    copied = tab.context.cookies()

    tab.get_by_role("button", name="Sign out").click()
    tab.get_by_role("button", name="Sign in").wait_for()
    settle(tab)
    assert wrong(tab) == []
    assert "_streamlit_user" not in cookies(tab.context)

    tab.context.add_cookies(copied)  # somebody kept them
    tab.goto(guarded.url)
    expect(tab.get_by_text("Your sign-in has ended")).to_be_visible()
    expect(tab.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_manager_reads_and_is_told_whom_to_ask_for_more(
    tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]
) -> None:
    come_in(tab, guarded, signed_in, "max", "/train")
    expect(tab.get_by_text("Train is for engineers")).to_be_visible()
    assert wrong(tab) == []
    expect(tab.get_by_text("Ask platform@example.com for the role of an engineer")).to_be_visible()
    names = " ".join(navigation(tab))
    assert "Overview" in names
    assert "Spend" in names
    assert "Train" not in names

    tab.goto(f"{guarded.url}/models?model={MODEL}&version=1")
    tab.get_by_role("button", name="Approve").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_text("This is for engineers")).to_be_visible()
    expect(dialog.get_by_role("button", name="Approve")).to_be_disabled()
    assert guarded.status() == "PendingManualApproval"


def test_a_claim_gives_a_role_too(tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]) -> None:
    come_in(tab, guarded, signed_in, "rob")
    expect(tab.get_by_text("A manager: may read everything and set budgets")).to_be_visible()
    expect(tab.get_by_text("Rob", exact=True)).to_be_visible()


def test_a_visitor_classifies_and_sees_nothing_else(
    tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]
) -> None:
    come_in(tab, guarded, signed_in, "vic")
    expect(tab.get_by_role("heading", name="Classify")).to_be_visible()
    for path in ("/overview", "/runs", "/security", "/costs"):
        tab.goto(f"{guarded.url}{path}")
        expect(tab.get_by_text("is for managers")).to_be_visible()
        assert ACCOUNT not in tab.content()


def test_an_address_that_nobody_verified_is_nobodys(
    tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]
) -> None:
    come_in(tab, guarded, signed_in, "eve")
    expect(tab.get_by_text("There is no role here for ann@example.com")).to_be_visible()
    expect(tab.get_by_text("has not verified")).to_be_visible()
    assert ACCOUNT not in tab.content()


def test_a_sign_in_that_led_to_nothing_says_so(tab: Page, guarded: Guarded) -> None:
    guarded.provider.refuses = True
    try:
        tab.goto(f"{guarded.url}/runs")
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_text("That sign-in did not succeed")).to_be_visible()
        guarded.provider.is_down = True
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_text("The sign-in provider does not answer")).to_be_visible()
    finally:
        guarded.provider.refuses = guarded.provider.is_down = False


def test_a_sign_in_holds_for_its_hours(tab: Page, guarded: Guarded) -> None:
    guarded.provider.age = 13 * 3600
    try:
        tab.goto(guarded.url)
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_role("link", name="ann").click()
        expect(tab.get_by_text("Your sign-in has ended: it holds for 12 h")).to_be_visible()
    finally:
        guarded.provider.age = 0


def test_forged_cookies_open_nothing(guarded: Guarded) -> None:
    claims = {**PEOPLE["ann"], "iss": guarded.provider.issuer, "iat": 4_000_000_000, "is_logged_in": True}
    forged = json.dumps(claims | {"origin": guarded.url, "provider": "default"})
    for secret in ("", "guessed", "0" * 64):
        cookie = create_signed_value(secret, "_streamlit_user", forged).decode()
        for value in (cookie, forged, cookie.rpartition(".")[0]):
            with Tab(guarded.address, {"_streamlit_user": value.replace(";", "")}) as page:
                told = said(page.open("models"))
            assert "Sign in" in told
            assert MODEL not in told
    assert answer(f"{guarded.url}/media/anything.png", Cookie=f"_streamlit_user={cookie}") == 401
    assert answer(f"{guarded.url}/_stcore/metrics") == 401
    assert answer(f"{guarded.url}/healthz") == 200
    assert answer(f"{guarded.url}/", Host="elsewhere.example") == 403


def test_what_an_engineer_sent_does_nothing_for_a_manager(
    tab: Page, guarded: Guarded, browser: Browser, signed_in: dict[str, list[Any]]
) -> None:
    frames: list[bytes] = []
    tab.on("websocket", lambda socket: socket.on("framesent", lambda sent: frames.append(bytes(sent))))
    come_in(tab, guarded, signed_in, "ann", f"/models?model={MODEL}&version=1")
    frames.clear()
    tab.goto(f"{guarded.url}/models?model={MODEL}&version=1")
    tab.get_by_role("button", name="Approve").click()
    tab.get_by_role("dialog").get_by_role("button", name="Approve").click()
    tab.get_by_role("dialog").wait_for(state="detached")
    wait_for("the approval", lambda: guarded.status() == "Approved", 30)

    context = browser.new_context()
    other = context.new_page()
    come_in(other, guarded, signed_in, "max")
    guarded.undecided()
    with Tab(guarded.address, cookies(context)) as page:
        page.replay(frames)
        query = f"model={MODEL}&version=1"  # once this is answered, all before it has been
        wait_for("the page", lambda: MODEL in said(page.open("models", query)), 60)
    assert guarded.status() == "PendingManualApproval"
    context.close()

    with Tab(guarded.address, cookies(tab.context)) as page:  # the recording is one that does what it did
        page.replay(frames)
        wait_for("the approval", lambda: guarded.status() == "Approved", 60)
    guarded.undecided()


def test_a_role_that_is_taken_away_is_gone_from_an_open_dialog(
    tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]
) -> None:
    come_in(tab, guarded, signed_in, "ann", f"/models?model={MODEL}&version=1")
    tab.get_by_role("button", name="Reject").click()
    act = tab.get_by_role("dialog").get_by_role("button", name="Reject")
    expect(act).to_be_enabled()
    guarded.engineers("")
    try:
        act.click()
        expect(tab.get_by_role("dialog").get_by_text("is for engineers")).to_be_visible()
        assert guarded.status() != "Rejected"
    finally:
        guarded.engineers('"ann@example.com"')


def test_a_part_that_redraws_itself_shows_nothing_after_the_sign_out(tab: Page, guarded: Guarded) -> None:
    sign_in(tab, guarded, "ann")
    with Tab(guarded.address, cookies(tab.context)) as page:
        live = fragments(page.open("overview"))
        assert live
        assert "Running now" in said(page.open("overview", fragment=live[0]))
        tab.get_by_role("button", name="Sign out").click()
        tab.get_by_role("button", name="Sign in").wait_for()
        for part in live:
            told = said(page.open("overview", fragment=part))
            assert "Running now" not in told
        assert "Sign in" in said(page.open("overview"))


def test_files_and_uploads_are_for_those_who_are_signed_in(
    tab: Page, guarded: Guarded, signed_in: dict[str, list[Any]]
) -> None:
    come_in(tab, guarded, signed_in, "ann")
    names = cookies(tab.context)
    mine = "; ".join(f"{name}={value}" for name, value in names.items())
    assert answer(f"{guarded.url}/media/0123.png", Cookie=mine) == 404
    assert answer(f"{guarded.url}/media/0123.png") == 401
    request: dict[str, Any] = {"method": "PUT", "data": b"x"}
    for cookie, code in ((mine, None), ("", 401)):
        sent = urllib.request.Request(f"{guarded.url}/_stcore/upload_file/a/b", headers={"Cookie": cookie}, **request)
        try:
            with urllib.request.urlopen(sent, timeout=20) as told:
                found = told.status
        except urllib.error.HTTPError as error:
            with error:
                found = error.code
        assert found == code if code else found != 401
