"""Which buckets, objects and unfinished uploads there are: tables in the store, the bytes themselves are blobs."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.s3_blobs import Blobs
from local_aws.store import Store

_TABLES = """
CREATE TABLE IF NOT EXISTS s3_buckets (
    name TEXT PRIMARY KEY, region TEXT, created REAL, settings TEXT
);
CREATE TABLE IF NOT EXISTS s3_objects (
    bucket TEXT, key TEXT, blob TEXT, size INTEGER, etag TEXT, modified REAL, about TEXT,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_uploads (
    id TEXT PRIMARY KEY, bucket TEXT, key TEXT, started REAL, about TEXT
);
CREATE TABLE IF NOT EXISTS s3_parts (
    upload TEXT, number INTEGER, blob TEXT, size INTEGER, etag TEXT, modified REAL, checksums TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Bucket:
    """settings: public_access_block, encryption and tags, in the form of botocore's model."""

    name: str
    region: str
    created: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class StoredObject:
    """An object: size in bytes, modified in epoch seconds, path of its bytes (never written to again).

    about: what else was said of it: headers, metadata, tags, checksums, checksum_type, parts (sizes), encryption.
    """

    bucket: str
    key: str
    blob: str
    size: int
    etag: str
    modified: float
    path: Path
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Upload:
    """An unfinished multipart upload. about: as a StoredObject's, for the object it will be."""

    id: str
    bucket: str
    key: str
    started: float
    about: dict[str, Any]


@dataclass(frozen=True)
class Part:
    number: int
    blob: str
    size: int
    etag: str
    modified: float
    checksums: dict[str, str]


def no_such_bucket(name: str) -> ServiceError:
    return ServiceError("NoSuchBucket", f"The specified bucket does not exist: {name}", 404)


def no_such_key(key: str) -> ServiceError:
    return ServiceError("NoSuchKey", f"The specified key does not exist: {key}", 404)


def after_prefix(prefix: str) -> str | None:
    """The smallest string above all that begin with `prefix`, in the order of their UTF-8; None when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)  # no surrogates in UTF-8
        prefix = prefix[:-1]
    return None


class Index:
    """All reads and writes of the tables. Methods that take a connection belong to the caller's transaction."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        store.connection().executescript(_TABLES)
        self.transaction = store.transaction

    # buckets

    def buckets(self) -> list[Bucket]:
        return [_bucket(row) for row in self._store.read("SELECT * FROM s3_buckets ORDER BY name")]

    def bucket(self, name: str) -> Bucket:
        """Raises NoSuchBucket."""
        rows = self._store.read("SELECT * FROM s3_buckets WHERE name = ?", name)
        if not rows:
            raise no_such_bucket(name)
        return _bucket(rows[0])

    def add_bucket(self, name: str, region: str, now: float) -> bool:
        """False when it was there."""
        return self._store.write("INSERT OR IGNORE INTO s3_buckets VALUES (?, ?, ?, '{}')", name, region, now) > 0

    def remove_bucket(self, name: str) -> list[str]:
        """Remove an empty bucket and its unfinished uploads; the blobs these had. NoSuchBucket, BucketNotEmpty."""
        with self.transaction() as connection:
            self.bucket(name)
            if connection.execute("SELECT 1 FROM s3_objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                raise ServiceError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
            uploads = [row["id"] for row in connection.execute("SELECT id FROM s3_uploads WHERE bucket = ?", (name,))]
            gone = [blob for upload in uploads for blob in self.remove_upload(connection, upload)]
            connection.execute("DELETE FROM s3_buckets WHERE name = ?", (name,))
        return gone

    def has_setting(self, setting: str) -> bool:
        """Whether any bucket has it."""
        asked = "SELECT 1 FROM s3_buckets WHERE json_extract(settings, '$.' || ?) IS NOT NULL LIMIT 1"
        return bool(self._store.read(asked, setting))

    def change_setting(self, bucket: str, setting: str, value: Any) -> None:
        """Change one setting of a bucket; None removes it. Raises NoSuchBucket."""
        with self.transaction() as connection:
            settings = {**self.bucket(bucket).settings, setting: value}
            kept = json.dumps({name: value for name, value in settings.items() if value is not None})
            connection.execute("UPDATE s3_buckets SET settings = ? WHERE name = ?", (kept, bucket))

    # objects

    def find(self, bucket: str, key: str) -> StoredObject | None:
        rows = self._store.read("SELECT * FROM s3_objects WHERE bucket = ? AND key = ?", bucket, key)
        return self._object(rows[0]) if rows else None

    def get(self, bucket: str, key: str) -> StoredObject:
        """Raises NoSuchBucket, NoSuchKey."""
        found = self.find(bucket, key)
        if found is None:
            self.bucket(bucket)
            raise no_such_key(key)
        return found

    def scan(self, bucket: str, prefix: str, start: str, *, after: bool, limit: int) -> list[StoredObject]:
        """Objects with a prefix from `start` on (`after`: behind it), in key order, at most `limit`."""
        end = after_prefix(prefix)
        sql = f"SELECT * FROM s3_objects WHERE bucket = ? AND key {'>' if after else '>='} ?"  # noqa: S608 fixed words
        values: list[Any] = [bucket, start]
        if start < prefix:
            sql, values = "SELECT * FROM s3_objects WHERE bucket = ? AND key >= ?", [bucket, prefix]
        if end is not None:
            sql, values = sql + " AND key < ?", [*values, end]
        return [self._object(row) for row in self._store.read(sql + " ORDER BY key LIMIT ?", *values, limit)]

    def put(self, connection: sqlite3.Connection, new: StoredObject) -> list[str]:
        """Name a blob as an object; the blobs that are free once this is committed. Raises NoSuchBucket."""
        self.bucket(new.bucket)
        before = self.find(new.bucket, new.key)
        connection.execute(
            "INSERT OR REPLACE INTO s3_objects VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.bucket, new.key, new.blob, new.size, new.etag, new.modified, json.dumps(new.about)),
        )
        return [before.blob] if before and before.blob != new.blob else []

    def remove(self, connection: sqlite3.Connection, bucket: str, key: str) -> list[str]:
        """Forget an object, if there is one; the blobs that are free once this is committed."""
        before = self.find(bucket, key)
        connection.execute("DELETE FROM s3_objects WHERE bucket = ? AND key = ?", (bucket, key))
        return [before.blob] if before else []

    # uploads

    def add_upload(self, upload: Upload) -> None:
        with self.transaction() as connection:
            self.bucket(upload.bucket)
            connection.execute(
                "INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)",
                (upload.id, upload.bucket, upload.key, upload.started, json.dumps(upload.about)),
            )

    def upload(self, upload_id: str, bucket: str, key: str) -> Upload:
        """Raises NoSuchUpload."""
        rows = self._store.read(
            "SELECT * FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?", upload_id, bucket, key
        )
        if not rows:
            self.bucket(bucket)
            raise ServiceError(
                "NoSuchUpload",
                "The specified upload does not exist. It may have been completed or aborted.",
                404,
            )
        return _upload(rows[0])

    def uploads(self, bucket: str, prefix: str) -> Iterator[Upload]:
        """By key, then by time."""
        rows = self._store.read("SELECT * FROM s3_uploads WHERE bucket = ? ORDER BY key, started, id", bucket)
        return (_upload(row) for row in rows if row["key"].startswith(prefix))

    def parts(self, upload_id: str) -> list[Part]:
        rows = self._store.read("SELECT * FROM s3_parts WHERE upload = ? ORDER BY number", upload_id)
        return [
            Part(row["number"], row["blob"], row["size"], row["etag"], row["modified"], json.loads(row["checksums"]))
            for row in rows
        ]

    def put_part(self, upload: Upload, part: Part) -> list[str]:
        """Name a blob as a part; the blobs that are free now. Raises NoSuchUpload."""
        with self.transaction() as connection:
            self.upload(upload.id, upload.bucket, upload.key)
            before = connection.execute(
                "SELECT blob FROM s3_parts WHERE upload = ? AND number = ?", (upload.id, part.number)
            ).fetchone()
            connection.execute(
                "INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (upload.id, part.number, part.blob, part.size, part.etag, part.modified, json.dumps(part.checksums)),
            )
        return [before["blob"]] if before else []

    def remove_upload(self, connection: sqlite3.Connection, upload_id: str) -> list[str]:
        """Forget an upload and its parts; the blobs that are free once this is committed."""
        rows = connection.execute("SELECT blob FROM s3_parts WHERE upload = ?", (upload_id,)).fetchall()
        connection.execute("DELETE FROM s3_parts WHERE upload = ?", (upload_id,))
        connection.execute("DELETE FROM s3_uploads WHERE id = ?", (upload_id,))
        return [row["blob"] for row in rows]

    def blobs(self) -> set[str]:
        """Every blob that is named."""
        rows = self._store.read("SELECT blob FROM s3_objects UNION SELECT blob FROM s3_parts")
        return {row["blob"] for row in rows}

    def _object(self, row: sqlite3.Row) -> StoredObject:
        return StoredObject(
            row["bucket"],
            row["key"],
            row["blob"],
            row["size"],
            row["etag"],
            row["modified"],
            self._blobs.path(row["blob"]),
            json.loads(row["about"]),
        )


def _bucket(row: sqlite3.Row) -> Bucket:
    return Bucket(row["name"], row["region"], row["created"], json.loads(row["settings"]))


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(row["id"], row["bucket"], row["key"], row["started"], json.loads(row["about"]))
