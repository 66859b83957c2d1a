"""How much a tab may send to this server: photos, or a model where one is being imported.

Streamlit has one limit for each file of everybody, and keeps what arrives in memory until the tab has been closed for a
while. A visitor's file is held to a photo's 20 MB here, a tab and the server to what they may hold at once; only a tab
whose import dialog is open may send a model.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from streamlit.runtime import Runtime, exists
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

PHOTO, MODEL = 20 * 1024**2, 256 * 1024**2
"""Bytes. PHOTO is server.maxUploadSize of .streamlit/config.toml; asgi.py, which asks here, raises it to MODEL."""
TAB, ALL = 20 * PHOTO, 1024**3
"""Bytes that one tab, and all tabs together, may have here at once: as many photos as are taken in one go."""
FRAME = 1024**2
"""Bytes by which a request may be larger than the file in it."""
SECONDS = 3600.0
"""How long after its dialog was drawn a tab may send a model."""
_PATH = re.compile(r".*/_stcore/upload_file/([^/]+)/[^/]+", re.DOTALL)


def held() -> Mapping[str, int]:
    """The bytes of files that each tab has here."""
    manager = Runtime.instance().uploaded_file_mgr if exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):
        return {}
    return {
        tab: sum(len(file.data) for file in files.copy().values()) for tab, files in manager.file_storage.copy().items()
    }


class Uploads:
    """The tabs that import a model, and what is on its way. Safe to share between threads."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, held: Callable[[], Mapping[str, int]] = held
    ) -> None:
        self._clock = clock
        self._held = held
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._coming: Counter[str] = Counter()

    def open(self, session: str) -> None:
        """A tab's import dialog is open: it may send a model."""
        with self._lock:
            now = self._clock()
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[session] = now + SECONDS

    @contextmanager
    def taking(self, path: str, headers: Mapping[str, str]) -> Iterator[str]:
        """Why a request that sends a file is not taken; "" for one that is, which counts as long as this is open, and
        for every other request."""
        found = _PATH.fullmatch(path)
        if found is None:
            yield ""
            return
        length = headers.get("content-length", "")
        # a body in chunks may be longer than the length that is named beside it
        if not (length.isascii() and length.isdecimal()) or "transfer-encoding" in headers:
            yield "A file is sent with its length."
            return
        tab, size = found[1], int(length)
        with self._lock:
            refusal = self._refusal(tab, size)
            if not refusal:
                self._coming[tab] += size
        try:
            yield refusal
        finally:
            if not refusal:
                with self._lock:
                    self._coming[tab] -= size
                    self._coming += Counter()  # forgets tabs of which nothing is on its way

    def _refusal(self, tab: str, size: int) -> str:
        most = MODEL if self._until.get(tab, 0.0) > self._clock() else PHOTO
        if size > most + FRAME:
            return f"A file has at most {most // 1024**2} MB here."
        here = Counter(self._held()) + self._coming
        if here[tab] + size > TAB + FRAME:
            return f"A tab may have {TAB // 1024**2} MB of files here at once: let it work on those first."
        if here.total() + size > ALL:
            return "This server holds too many files at this moment: try again in a minute."
        return ""


uploads = Uploads()
"""Those of this server."""
