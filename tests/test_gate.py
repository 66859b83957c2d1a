"""The server's gate, asked directly: names, addresses, pictures and uploads, the way back after a sign-in."""

import asyncio
import json

import pytest
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from dashboard.core.exposure import Share
from dashboard.core.signed_out import SignedOut
from dashboard.doorkeeper import Doorkeeper
from dashboard.gate import APP, Gate
from tests.test_doorkeeper import ANN, NOW, say

HOST = "kennel.example.com"


@pytest.fixture(autouse=True)
def names(monkeypatch):
    before = config.get_option("server.allowedHosts"), config.get_option("server.cookieSecret")
    config.set_option("server.allowedHosts", ["127.0.0.1", HOST])
    config.set_option("server.cookieSecret", "0123456789abcdef0123456789abcdef")
    yield
    config.set_option("server.allowedHosts", before[0])
    config.set_option("server.cookieSecret", before[1])


@pytest.fixture
def keeper(tmp_path):
    say(tmp_path / "secrets.toml", 'engineer = ["ann@example.com"]\nmanager = ["@example.com"]')
    return Doorkeeper(tmp_path / "secrets.toml", SignedOut(tmp_path / "out.sqlite"), None, lambda: NOW)


@pytest.fixture
def open_keeper(tmp_path):
    return Doorkeeper(tmp_path / "none.toml", SignedOut(tmp_path / "out.sqlite"), None, lambda: NOW)


@pytest.fixture
def sharing(tmp_path):
    return Doorkeeper(tmp_path / "none.toml", SignedOut(tmp_path / "out.sqlite"), Share(), lambda: NOW)


def cookie(claims=ANN, origin=f"https://{HOST}"):
    told = json.dumps(claims | {"origin": origin})
    return "_streamlit_user=" + create_signed_value(get_cookie_secret(), "_streamlit_user", told).decode()


class App:
    """What lies behind the gate: says what came to it, and answers what it is told to."""

    def __init__(self, status=200, headers=(), streamed=b""):
        self.status, self.headers, self.streamed = status, list(headers), streamed
        self.scopes, self.messages = [], []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            self.messages.append(await receive())
            await send({"type": "websocket.send", "bytes": self.streamed})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"from behind"})


def ask(keeper, path="/", app=None, method="GET", query=b"", kind="http", said=b"", **headers):
    """What the gate answers, and what came to the application behind it."""
    app = app or App()
    told = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in told.items()],
    }
    sent = []

    async def receive():
        return {"type": "websocket.receive", "bytes": said} if kind == "websocket" else {"type": "http.request"}

    async def send(message):
        sent.append(message)

    asyncio.run(Gate(app, keeper)(scope, receive, send))
    return sent, app


def status(keeper, path, **more):
    return ask(keeper, path, **more)[0][0]["status"]


def headers(sent):
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def test_a_name_that_is_not_its_own_is_not_answered(open_keeper, keeper):
    assert status(open_keeper, "/", host="rebound.example.com") == 403
    assert status(open_keeper, "/healthz", host="rebound.example.com") == 403  # it would tell the account
    assert status(keeper, "/healthz", host="10.0.0.7") == 200
    assert status(open_keeper, "/_stcore/health", host="10.0.0.7") == 200
    sent, app = ask(open_keeper, "/_stcore/stream", kind="websocket", host="rebound.example.com")
    assert sent[0]["type"] == "websocket.close"
    assert not app.scopes


@pytest.mark.parametrize(
    "path",
    [
        "/media/x.png",
        "/media/x\n.png",
        "/_stcore/upload_file/a/b",
        "/_stcore/metrics",
        "/component/x",
        "/_stcore/bidi-components/x",
    ],
)
def test_what_is_of_people_needs_one(keeper, open_keeper, path):
    assert status(keeper, path) == 401
    assert status(keeper, path, cookie=cookie(ANN | {"email": "x@else.org"})) == 401
    assert status(keeper, path, cookie=cookie(ANN | {"iat": NOW - 13 * 3600})) == 401
    assert status(keeper, path, cookie=cookie(origin="https://elsewhere.example")) == 401
    assert status(keeper, path, cookie=cookie()[:-3] + "abc") == 401
    assert status(keeper, path, cookie=cookie()) == 200
    assert status(open_keeper, path) == 200


@pytest.mark.parametrize("path", ["/", "/runs", "/app/static/logo.svg", "/static/js/x.js", "/favicon.png", "/healthz"])
def test_what_the_page_to_sign_in_is_made_of_is_there(keeper, path):
    assert status(keeper, path) == 200


def test_a_cookie_that_was_signed_out_opens_nothing(keeper):
    assert status(keeper, "/media/x.png", cookie=cookie()) == 200
    keeper.end(ANN)
    assert status(keeper, "/media/x.png", cookie=cookie()) == 401


@pytest.mark.parametrize("path", ["/", "/favicon.png", "/media/x.png", "/_stcore/stream", "/static/js/index.js"])
def test_what_is_there_where_classify_is_shared(sharing, path):
    assert status(sharing, path) == 200


@pytest.mark.parametrize(
    "path",
    ["/runs", "/overview", "/auth/login", "/_stcore/metrics", "/_stcore/agent", "/component/x", "/static", "/x/"],
)
def test_what_is_not(sharing, path):
    sent, app = ask(sharing, path)
    assert sent[0]["status"] == 404
    assert not app.scopes


def test_a_link_to_classify_leads_to_where_it_is_shared(sharing):
    assert dict(headers(ask(sharing, "/classify")[0]))["location"] == "/"


def test_where_classify_is_shared_an_address_that_is_not_there_leads_to_it(sharing):
    sent, _ = ask(sharing, "/costs", **PAGE)
    assert b'<a href="/">' in sent[1]["body"]


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/overview", "/"),
        ("/overview/", "/"),
        ("/costs/choices", "/"),
        ("/costs/choices/", "/"),
        ("/runs/", "/runs"),
        ("//evil.example/", "/"),
        ("//evil/", "/"),
        ("/x\n/y", "/"),
    ],
)
def test_a_mistyped_address_leads_to_a_page(open_keeper, keeper, path, led):
    for one in (open_keeper, keeper):
        sent, app = ask(one, path, query=b"a=b", **PAGE)
        assert dict(headers(sent))["location"] == f"{led}?a=b"
        assert not app.scopes


def test_a_visitor_is_told_of_overview_that_it_is_not_theirs(keeper, tmp_path):
    say(tmp_path / "secrets.toml", 'visitor = ["ann@example.com"]')
    assert status(keeper, "/overview", cookie=cookie(), **PAGE) == 200


@pytest.mark.parametrize(
    "path", ["/", "/costs", "/media/x.csv", "/static/js/x.js", "/app/static/x.svg", "/auth/login", "/oauth2callback"]
)
def test_an_address_that_stands_is_not_led_elsewhere(open_keeper, path):
    assert status(open_keeper, path, **PAGE) == 200
    assert status(open_keeper, "/costs/static/x.js", accept="*/*") == 200  # no page: Streamlit says what it is


def frame(fragment):
    message = BackMsg()
    message.rerun_script.page_name = "runs"
    message.rerun_script.fragment_id = fragment
    return message.SerializeToString()


def of(kind, payload=""):
    """A message of this kind, as a browser sends it."""
    message = BackMsg()
    if payload:
        getattr(message.backend_operation_request, payload).SetInParent()
    elif isinstance(getattr(message, kind), bool):
        setattr(message, kind, True)
    else:
        getattr(message, kind).SetInParent()
    return message.SerializeToString()


def talk(keeper, *frames, claims=ANN):
    """What comes through of what one tab says; a callable between the frames is called when its turn has come."""
    heard, waiting = [], list(frames)

    async def receive():
        while waiting and callable(waiting[0]):
            waiting.pop(0)()
        return {"type": "websocket.receive", "bytes": waiting.pop(0)} if waiting else {"type": "websocket.disconnect"}

    async def application(scope, receive, send):
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(BackMsg.FromString(message["bytes"]))

    async def send(message):
        raise AssertionError(message)

    headers = [(b"host", HOST.encode()), (b"cookie", cookie(claims).encode())]
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers}
    asyncio.run(Gate(application, keeper)(scope, receive, send))
    return heard


def test_a_part_of_a_page_is_drawn_whole_for_who_is_no_longer_who_they_were(keeper, tmp_path):
    def demoted():
        say(tmp_path / "secrets.toml", 'manager = ["@example.com"]')

    live = frame("live")
    heard = talk(keeper, live, live, demoted, live, live, lambda: keeper.end(ANN), live, live)
    # the first of a stream, and the first after a change, each as a whole; of who signed out every one
    assert [one.rerun_script.fragment_id for one in heard] == ["", "live", "", "live", "", ""]
    assert {one.rerun_script.page_name for one in heard} == {"runs"}


def test_a_file_of_a_page_that_was_drawn_for_another_role_is_not_made(keeper, tmp_path):
    def demoted():
        say(tmp_path / "secrets.toml", 'manager = ["@example.com"]')

    wanted = of("backend_operation_request", "deferred_file")
    assert len(talk(keeper, wanted)) == 1  # the first after a lost connection
    assert len(talk(keeper, frame(""), wanted, demoted, wanted)) == 2
    assert talk(keeper, wanted, claims=ANN | {"email": "x@else.org"}) == []


@pytest.mark.parametrize("kind", ["clear_cache", "load_git_info", "set_run_on_save", "debug_shutdown_runtime"])
def test_what_no_page_says_is_not_heard(open_keeper, keeper, sharing, kind):
    for one in (open_keeper, keeper, sharing):
        assert talk(one, of(kind), of("backend_operation_request", "install_skills")) == []
        assert [said.WhichOneof("type") for said in talk(one, of(kind), frame(""))] == ["rerun_script"]
        assert len(talk(one, of("app_heartbeat"), of("stop_script"), of("file_urls_request"))) == 3


def test_nobody_is_signed_out_by_a_link_elsewhere(keeper):
    assert status(keeper, "/auth/logout", sec_fetch_site="same-origin") == 200
    assert status(keeper, "/auth/logout") == 200
    sent, app = ask(keeper, "/auth/logout", sec_fetch_site="cross-site")
    assert dict(headers(sent))["location"] == "/"
    assert not app.scopes


def test_what_is_no_message_goes_on_as_it_is(keeper):
    _, app = ask(keeper, "/_stcore/stream", kind="websocket", said=b"\xff\xff", cookie=cookie(ANN | {"sub": "9"}))
    assert app.messages[0]["bytes"] == b"\xff\xff"


def test_a_websocket_comes_under_the_name_that_the_browser_knows(keeper):
    _, app = ask(keeper, "/_stcore/stream", kind="websocket", host="127.0.0.1", origin=f"https://{HOST}")
    assert (b"host", HOST.encode()) in app.scopes[0]["headers"]


def test_where_classify_is_shared_the_path_of_the_script_stays_here(sharing):
    message = ForwardMsg()
    message.new_session.main_script_path = f"{APP.decode()}/app.py"
    sent, _ = ask(sharing, "/_stcore/stream", kind="websocket", app=App(streamed=message.SerializeToString()))
    message.ParseFromString(sent[1]["bytes"])
    assert message.new_session.main_script_path == "app.py"


# --- the way back -----------------------------------------------------------------------------------------------

USER = (b"set-cookie", b"_streamlit_user=signed; Path=/; HttpOnly; Max-Age=2592000")
ROOT = (b"location", b"/")
PAGE = {"accept": "text/html,*/*"}


def returned(keeper, wanted, app=None, query=b"code=c&state=s"):
    app = app or App(302, [ROOT, USER])
    sent, _ = ask(keeper, "/oauth2callback", app=app, query=query, cookie=f"kennel_return={wanted}")
    return dict(headers(sent))["location"]


def test_a_sign_in_leads_back_to_the_page_that_was_wanted(keeper):
    sent, _ = ask(keeper, "/run", query=b"run=sagemaker/dogs-1&x=%20y", **PAGE)
    kept = dict(headers(sent))["set-cookie"]
    assert kept.startswith("kennel_return=/run%3Frun%3D")
    assert "HttpOnly" in kept
    assert returned(keeper, kept.partition("=")[2].partition(";")[0]) == "/run?run=sagemaker/dogs-1&x=%20y"


def test_nothing_is_kept_of_who_is_signed_in_nor_of_what_is_no_page(keeper):
    for path, more in (("/runs", PAGE | {"cookie": cookie()}), ("/runs", {}), ("/", PAGE), ("/app/static/x", PAGE)):
        assert "set-cookie" not in dict(headers(ask(keeper, path, **more)[0]))


@pytest.mark.parametrize(
    "wanted", ["", "//evil.example", "https://evil.example/", "/\\evil.example", "/a/b", "javascript:x", "/%2e%2e"]
)
def test_it_leads_nowhere_else(keeper, wanted):
    assert returned(keeper, wanted) == "/"


def test_a_sign_in_that_led_to_nothing_says_so(keeper):
    assert returned(keeper, "/runs", App(302, [ROOT])) == "/?signin=failed"
    assert returned(keeper, "/runs", App(302, [ROOT]), query=b"error=access_denied&state=s") == "/?signin=failed"
    gone = (b"set-cookie", b'_streamlit_user=""; Max-Age=0; Path=/')
    assert returned(keeper, "/runs", App(302, [ROOT, gone])) == "/?signin=failed"
    assert returned(keeper, "/runs", App(302, [ROOT, gone]), query=b"") == "/"  # back from a sign-out
    sent, _ = ask(keeper, "/auth/login", app=App(400))
    assert sent[0]["status"] == 303
    assert dict(headers(sent))["location"] == "/?signin=unreachable"


def test_behind_https_a_cookie_travels_by_https_alone(keeper):
    sent, _ = ask(keeper, "/", app=App(200, [USER]))
    assert dict(headers(sent))["set-cookie"].endswith("; Secure")
