"""HTTP connections that say nothing, or never finish what they began to say, are closed.

uvicorn waits for a request's head for ever. A program of this machine, or a page in its browser, could so hold every
descriptor of the server without signing anything.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0  # from the first byte (of the first request: from the connection) to the end of a request's head


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with HEAD_SECONDS as the longest wait for the head of a request."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def on_response_complete(self) -> None:
        self._stop_waiting()
        super().on_response_complete()  # may take up the next request, or leave the connection to the keep-alive limit

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
