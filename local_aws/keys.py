"""The access keys this server accepts: its own, made at random at install, and those IAM and STS handed out."""

import json
import os
import secrets
import string
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from local_aws import ACCOUNT
from local_aws.run_keys import RunKeys
from local_aws.sigv4 import Key

_FILE = "key.json"


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read, whole or not at all, on disk when it returns."""
    partial = path.with_name(path.name + ".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def install_key(state: Path) -> Key:
    """The key of this installation, kept in the state folder (mode 600); made on first use."""
    path = state / _FILE
    if not path.exists():
        letters = string.ascii_uppercase + "234567"
        access_key_id = "AKIA" + "".join(secrets.choice(letters) for _ in range(16))
        write_private(path, json.dumps({"access_key_id": access_key_id, "secret": secrets.token_urlsafe(30)}))
    kept = json.loads(path.read_text())
    return Key(kept["access_key_id"], kept["secret"], f"arn:aws:iam::{ACCOUNT}:root")


class KeyRing:
    """Finds a key by its id. issued: looks in what IAM and STS handed out; asked only for keys that are not our own.

    runs: the keys of training jobs, endpoints' processes and instances. version: another value whenever keys that were
    handed out may have changed; what was found is kept until then, None: it is looked for each time.
    """

    def __init__(
        self,
        own: Key,
        issued: Callable[[str], Key | None],
        runs: RunKeys | None = None,
        version: Callable[[], object] | None = None,
    ) -> None:
        self.own = own
        self._issued = issued
        self._runs = runs
        self._version = version
        self._kept: tuple[object, dict[str, Key]] = (None, {})

    async def find(self, access_key_id: str) -> Key | None:
        if access_key_id == self.own.access_key_id:
            return self.own
        if self._runs and (key := self._runs.find(access_key_id)):
            return key
        if self._version is None:
            return await run_in_threadpool(self._issued, access_key_id)  # may have to load moto
        version = self._version()
        if self._kept[0] != version:
            self._kept = version, {}
        kept = self._kept[1]
        if access_key_id in kept:
            return kept[access_key_id]
        found = await run_in_threadpool(self._issued, access_key_id)
        if found is not None:
            kept[access_key_id] = found
        return found
