"""A Streamlit session without a browser: the websocket and protocol that a browser tab speaks.

Measures what the server takes to answer a rerun, with nothing drawn.
"""

import time
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class Session:
    """One tab on `address` ("127.0.0.1:8501"); use as a context manager."""

    def __init__(self, address: str, page: str = "") -> None:
        self._address = address
        self._page = page
        self._socket: ClientConnection
        self.live: tuple[str, ...] = ()  # the parts of the page last run that redraw themselves

    def __enter__(self) -> "Session":
        self._socket = connect(
            f"ws://{self._address}/_stcore/stream",
            origin=f"http://{self._address}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def rerun(self, timeout: float = 60, *, page: str | None = None, fragment: str = "") -> float:
        """Run the page once, or one live part of it, and return the seconds until its script has finished.

        page: another than the session's own.

        Raises RuntimeError when the script ends with an error, TimeoutError when it does not end in `timeout` seconds.
        """
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_name = self._page if page is None else page
        message.rerun_script.fragment_id = fragment
        live: list[str] = []
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(timeout=timeout - (time.perf_counter() - started)))
            if answer.WhichOneof("type") == "auto_rerun":
                live.append(answer.auto_rerun.fragment_id)
            if answer.WhichOneof("type") == "script_finished":
                if answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                if answer.script_finished not in ENDED:
                    raise RuntimeError(f"the page ended with {answer.script_finished}")
                if not fragment:
                    self.live = tuple(live)
                return time.perf_counter() - started
