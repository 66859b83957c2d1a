"""HTTP/1.1 to the serving processes of this machine: kept-alive connections, TCP_NODELAY, bounded answers.

asyncio's streams and nothing else: an invocation costs some tenths of a millisecond more than the process itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
LONGEST_HEAD = 64 * 1024  # bytes
MOST_IDLE = 64  # connections kept for one port


class Unreachable(Exception):  # noqa: N818 (it says what is so)
    """Nobody answers there, or what came back is no HTTP answer. begun: whether a byte of an answer came."""

    def __init__(self, sentence: str, *, begun: bool = False) -> None:
        super().__init__(sentence)
        self.begun = begun


class AnswerTooLarge(Exception):  # noqa: N818 (it says what is so)
    """The answer is larger than its limit."""


@dataclass(frozen=True)
class Answer:
    """A process's answer. headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def is_usable(self) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing()


class Connections:
    """A pool of connections, used from one event loop."""

    def __init__(self) -> None:
        self._idle: dict[int, list[_Connection]] = {}

    async def post(
        self, port: int, path: str, headers: Sequence[tuple[str, str]], body: bytes, *, limit: int, timeout: float
    ) -> Answer:
        """Send `body` and return the whole answer.

        limit: bytes of the answer's body; timeout: seconds. Raises Unreachable, AnswerTooLarge or TimeoutError. A kept
        connection that is closed before anything came back is replaced once: most often it had been closed already.
        """
        head = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers]
        if any(forbidden in line for line in head for forbidden in "\r\n\0"):
            raise ValueError("a header cannot hold a line end")
        request = "\r\n".join((*head, "", "")).encode("latin-1", "replace") + body
        async with asyncio.timeout(timeout):
            kept = self._take(port)
            if kept:
                answer = await self._exchange(port, kept, request, limit, is_kept=True)
                if answer:
                    return answer
            self._drop_closed()
            try:
                fresh = _Connection(*await asyncio.open_connection(HOST, port, limit=LONGEST_HEAD))
            except OSError as error:
                raise Unreachable(f"nobody listens on port {port}: {error.strerror}") from error
            answer = await self._exchange(port, fresh, request, limit, is_kept=False)
            assert answer is not None  # noqa: S101 (only a kept connection gives None)
            return answer

    async def close(self) -> None:
        writers = [connection.writer for idle in self._idle.values() for connection in idle]
        self._idle.clear()
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    def _drop_closed(self) -> None:
        """Close what processes that have ended left behind, before there is one connection more."""
        for port, idle in list(self._idle.items()):
            usable = [connection for connection in idle if connection.is_usable]
            for connection in idle:
                if not connection.is_usable:
                    connection.writer.close()
            if usable:
                self._idle[port] = usable
            else:
                del self._idle[port]

    def _take(self, port: int) -> _Connection | None:
        idle = self._idle.get(port, [])
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
            connection.writer.close()
        self._idle.pop(port, None)
        return None

    async def _exchange(
        self, port: int, connection: _Connection, request: bytes, limit: int, *, is_kept: bool
    ) -> Answer | None:
        """One request and its answer; None when a kept connection was closed before anything came back."""
        finished = begun = False
        try:
            connection.writer.write(request)
            await connection.writer.drain()
            head = await connection.reader.readuntil(b"\r\n\r\n")
            begun = True
            is_kept = False  # it has seen the request: sending it again could do things twice
            status, headers = _parse_head(head)
            body, whole = (b"", True) if status in (204, 304) else await _body(connection.reader, headers, limit)
            finished = whole and headers.get("connection", "").lower() != "close"
        except (OSError, asyncio.IncompleteReadError) as error:
            begun = begun or bool(isinstance(error, asyncio.IncompleteReadError) and error.partial)
            if is_kept and not begun:
                return None
            sentence = f"the process on port {port} closed the connection before it had answered"
            raise Unreachable(sentence, begun=begun) from error
        except (asyncio.LimitOverrunError, ValueError) as error:
            raise Unreachable(f"the process on port {port} did not answer in HTTP: {error}", begun=True) from error
        finally:
            idle = self._idle.setdefault(port, [])
            if finished and len(idle) < MOST_IDLE:
                idle.append(connection)
            else:
                connection.writer.close()
        return Answer(status, headers, body)


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if not version.startswith("HTTP/1."):
        raise ValueError(f"it begins with {first[:40]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip().lower()] = value.strip()
    return int(status), headers


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], limit: int) -> tuple[bytes, bool]:
    """The body, and whether the connection can be used again after it."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader, limit), True
    if "content-length" in headers:
        length = int(headers["content-length"])
        if length > limit:
            raise AnswerTooLarge
        return await reader.readexactly(length), True
    body = bytearray()
    while part := await reader.read(LONGEST_HEAD):
        body += part
        if len(body) > limit:
            raise AnswerTooLarge
    return bytes(body), False


async def _chunks(reader: asyncio.StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while size := int((await reader.readline()).partition(b";")[0], 16):
        left -= size
        if left < 0:
            raise AnswerTooLarge
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        continue  # trailers
    return b"".join(parts)
