"""How large a file a tab may send to this server: a photo, or a model where one is being imported.

Streamlit has one limit for all, and keeps what arrives in memory. A visitor's tab is held to a photo's 20 MB here; only
one whose import dialog is open may send a model.
"""

import re
import threading
import time
from collections.abc import Callable

PHOTO, MODEL = 20 * 1024**2, 256 * 1024**2
"""Bytes. PHOTO is server.maxUploadSize of .streamlit/config.toml; asgi.py, which asks here, raises it to MODEL."""
FRAME = 1024**2
"""Bytes by which a request may be larger than the file in it."""
SECONDS = 3600.0
"""How long after its dialog was drawn a tab may send a model."""
_PATH = re.compile(r".*/_stcore/upload_file/([^/]+)/[^/]+", re.DOTALL)


class Uploads:
    """The tabs that import a model. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def open(self, session: str) -> None:
        """A tab's import dialog is open: it may send a model."""
        with self._lock:
            now = self._clock()
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[session] = now + SECONDS

    def refusal(self, path: str, length: str) -> str:
        """Why a request that sends a file is not taken, by its path and Content-Length; "" for every other request."""
        found = _PATH.fullmatch(path)
        if found is None:
            return ""
        if not (length.isascii() and length.isdecimal()):
            return "A file is sent with its length."
        with self._lock:
            most = MODEL if self._until.get(found[1], 0.0) > self._clock() else PHOTO
        return f"A file has at most {most // 1024**2} MB here." if int(length) > most + FRAME else ""


uploads = Uploads()
"""Those of this server."""
