"""The way to a serving process: connections are kept, replaced when stale, and whatever comes back is bounded."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine.connections import Answer, AnswerTooLarge, Connections, Unreachable
from local_aws.engine.serving import free_port

TINY_SERVER = Path(__file__).with_name("tiny_server.py")
MIB = 1024 * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, str(TINY_SERVER), "--model-dir", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
        process.kill()


async def post(connections: Connections, port: int, body: bytes, timeout: float = 5.0) -> Answer:
    return await connections.post(
        port, "/invocations", [("Content-Type", "image/jpeg")], body, limit=6 * MIB, timeout=timeout
    )


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


def test_a_request_and_its_answer(server: int) -> None:
    async def body() -> None:
        connections = Connections()
        answer = await post(connections, server, b"\xff\xd8 photo")
        told = json.loads(answer.body)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert told["path"] == "/invocations"
        assert told["body"].encode("latin-1") == b"\xff\xd8 photo"
        assert told["headers"]["content-type"] == "image/jpeg"
        await connections.close()

    run(body())


def test_connections_are_kept_and_each_serves_one_request_at_a_time(server: int) -> None:
    async def body() -> None:
        connections = Connections()
        for _ in range(5):
            await post(connections, server, b"x")
        assert [len(idle) for idle in connections._idle.values()] == [1]
        answers = await asyncio.gather(*(post(connections, server, f"sleep 0.{n}".encode()) for n in range(4)))
        assert [answer.body for answer in answers] == [b"awake"] * 4
        assert [len(idle) for idle in connections._idle.values()] == [4]
        await connections.close()

    run(body())


def test_a_kept_connection_that_was_closed_is_replaced(tmp_path: Path) -> None:
    async def body() -> None:
        served = 0

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            await reader.readuntil(b"\r\n\r\n")
            served += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await reader.read(1)  # the next request arrives, and goes unanswered
            writer.close()
            await writer.wait_closed()
            done.release()

        done = asyncio.Semaphore(0)
        server = await asyncio.start_server(once, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connections = Connections()
        for _ in range(3):
            answer = await connections.post(port, "/", [], b"", limit=10, timeout=5)
            assert answer.body == b"ok"
        assert served == 3
        await connections.close()
        for _ in range(3):
            await done.acquire()
        server.close()

    run(body())


def test_connections_to_a_process_that_has_ended_are_closed(server: int) -> None:
    async def body() -> None:
        async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            writer.close()

        ended = await asyncio.start_server(ends, "127.0.0.1", 0)
        port = ended.sockets[0].getsockname()[1]
        connections = Connections()
        await asyncio.gather(*(connections.post(port, "/", [], b"", limit=10, timeout=5) for _ in range(3)))
        (idle,) = connections._idle.values()
        while any(one.is_usable for one in idle):  # until this side has heard of it
            await asyncio.sleep(0.01)
        await post(connections, server, b"x")
        assert list(connections._idle) == [server]
        assert all(one.writer.is_closing() for one in idle)
        await connections.close()
        ended.close()

    run(body())


@pytest.mark.parametrize(("body", "expected"), [(b"chunked", b"abcde"), (b"close", b"until the end")])
def test_every_form_of_body(server: int, body: bytes, expected: bytes) -> None:
    async def go() -> None:
        connections = Connections()
        for _ in range(2):
            assert (await post(connections, server, body)).body == expected
        await connections.close()

    run(go())


def test_an_answer_over_the_limit_is_refused(server: int) -> None:
    async def body() -> None:
        connections = Connections()
        with pytest.raises(AnswerTooLarge):
            await post(connections, server, b"large")
        assert (await post(connections, server, b"sleep 0")).body == b"awake"
        await connections.close()

    run(body())


def test_a_process_that_takes_too_long(server: int) -> None:
    async def body() -> None:
        connections = Connections()
        with pytest.raises(TimeoutError):
            await post(connections, server, b"sleep 5", timeout=0.2)
        assert (await post(connections, server, b"sleep 0")).body == b"awake", "its late answer reaches nobody else"
        await connections.close()

    run(body())


@pytest.mark.parametrize("body", [b"die", b"garbage"])
def test_a_process_that_dies_or_speaks_something_else(server: int, body: bytes) -> None:
    async def go() -> None:
        connections = Connections()
        with pytest.raises(Unreachable):
            await post(connections, server, body)
        await connections.close()

    run(go())


def test_nobody_there() -> None:
    async def body() -> None:
        with pytest.raises(Unreachable, match="nobody listens"):
            await post(Connections(), free_port(), b"x")

    run(body())


def test_a_header_cannot_smuggle_a_request(server: int) -> None:
    async def body() -> None:
        with pytest.raises(ValueError, match="line end"):
            await Connections().post(server, "/invocations", [("Accept", "a\r\nX: y")], b"", limit=10, timeout=5)

    run(body())


def test_an_answer_without_a_body_is_not_waited_for() -> None:
    async def body() -> None:
        async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(nothing, "127.0.0.1", 0)
        connections = Connections()
        for _ in range(2):
            answer = await post(connections, server.sockets[0].getsockname()[1], b"x", timeout=2)
            assert (answer.status, answer.body) == (204, b"")
        await connections.close()
        server.close()

    run(body())


def test_a_request_that_was_begun_to_be_answered_is_not_sent_again() -> None:
    async def body() -> None:
        requests = 0

        async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            while await reader.read(65536):
                requests += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
                if requests == 2:
                    break
                writer.write(b"ok")
            writer.close()

        server = await asyncio.start_server(dies, "127.0.0.1", 0)
        connections, port = Connections(), server.sockets[0].getsockname()[1]
        assert (await post(connections, port, b"x")).body == b"ok"
        with pytest.raises(Unreachable, match="closed the connection"):
            await post(connections, port, b"x")
        assert requests == 2
        await connections.close()
        server.close()

    run(body())


@pytest.mark.parametrize(("size", "fits"), [(10, True), (11, False)])
def test_the_limit_of_a_body_without_a_length(size: int, fits: bool) -> None:
    async def body() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        asked = Connections().post(server.sockets[0].getsockname()[1], "/", [], b"", limit=10, timeout=5)
        if fits:
            assert len((await asked).body) == size
        else:
            with pytest.raises(AnswerTooLarge):
                await asked
        server.close()

    run(body())
