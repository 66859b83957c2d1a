"""A browser tab without a browser: whoever writes their own client, and sends what no page would."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

XSRF = "_streamlit_xsrf"


class Tab:
    """A tab on `address` ("127.0.0.1:8501") with these cookies; use as a context manager."""

    def __init__(self, address: str, cookies: Mapping[str, str]) -> None:
        self._address = address
        self._cookies = cookies
        self._connecting: connect
        self._socket: ClientConnection
        self.received: list[bytes] = []

    def __enter__(self) -> "Tab":
        self._connecting = connect(
            f"ws://{self._address}/_stcore/stream",
            origin=f"http://{self._address}",  # type: ignore[arg-type]
            additional_headers={"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())},
            subprotocols=["streamlit", self._cookies.get(XSRF, "none")],  # type: ignore[list-item]
            max_size=None,
        )
        self._socket = self._connecting.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connecting.__exit__(kind, error, trace)

    def open(self, page: str, query: str = "", fragment: str = "") -> list[ForwardMsg]:
        """Run a page, or one part of it alone, and return what was answered."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        if fragment:
            message.rerun_script.fragment_id = fragment
        return self.send(message.SerializeToString())

    def send(self, frame: bytes, timeout: float = 60) -> list[ForwardMsg]:
        """Send what a browser sent, and return all answers until no script runs any more.

        Raises TimeoutError where the next answer takes longer than timeout, in seconds.
        """
        self._socket.send(frame)
        answers: list[ForwardMsg] = []
        is_running = True
        while is_running:
            data = self._socket.recv(timeout=timeout)
            assert isinstance(data, bytes)
            self.received.append(data)
            answer = ForwardMsg()
            answer.ParseFromString(data)
            answers.append(answer)
            is_running = answer.WhichOneof("type") != "script_finished" or (
                answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            )
        return answers

    def replay(self, frames: Sequence[bytes], silence: float = 3) -> None:
        """Send what was recorded in another tab, one after the other: all that made a script run there.

        silence: seconds without an answer after which a frame counts as one that nobody answers, as one does that asks
        for a part which this page does not have.
        """
        for frame in filter(_is_run, frames):
            with suppress(TimeoutError):
                self.send(frame, silence)


def _is_run(frame: bytes) -> bool:
    message = BackMsg()
    message.ParseFromString(frame)
    return message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun


def fragments(answers: Iterable[ForwardMsg]) -> list[str]:
    """The parts of a page that redraw themselves."""
    return [answer.auto_rerun.fragment_id for answer in answers if answer.WhichOneof("type") == "auto_rerun"]


def said(answers: Iterable[ForwardMsg]) -> str:
    """All text in the answers, with what stands around it."""
    return "\n".join(str(answer) for answer in answers)
