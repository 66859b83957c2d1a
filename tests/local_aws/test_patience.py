"""Who connects and does not ask is not waited for; who asks is, however long the answer takes."""

import asyncio

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from local_aws import patience

SECONDS = 0.2


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, then takes longer than any head may take."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(2 * SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        ([b""], 0),
        ([b"GET / HTTP/1.1\r\nHost: a"], 0),
        ([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], 1),
        ([b"GET / HTTP/1.1\r\n", b"Host: a\r\n\r\n"], 1),
        ([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", b"a", b"b", b"c"], 1),
        ([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"wait", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], 2),
        ([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"wait", b"GET / HTTP/1.1\r\nHos"], 1),
    ],
)
def test_only_a_head_that_does_not_end_closes_a_connection(
    sent: list[bytes], answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", SECONDS)

    async def talk() -> bytes:
        config = uvicorn.Config(app, log_level="critical", timeout_keep_alive=1)
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: patience.PatientProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        got = b""
        for piece in sent:
            if piece == b"wait":
                got += await reader.readuntil(b"ok")
                continue
            writer.write(piece)
            await asyncio.sleep(SECONDS / 3)
        got += await asyncio.wait_for(reader.read(), 5)  # until the server closes
        writer.close()
        server.close()
        return got

    assert asyncio.run(talk()).count(b"200 OK") == answers
