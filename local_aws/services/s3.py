"""S3, with its objects on this disk: an index in the store, the bytes beside it, nothing of them held in memory."""

import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws import DEFAULT_REGION
from local_aws.authenticate import read_body
from local_aws.errors import ServiceError
from local_aws.protocol import DENIED_KEYS, Caller
from local_aws.services import s3_checksums
from local_aws.services.s3_base import LARGEST_XML, PIECE
from local_aws.services.s3_buckets import Buckets
from local_aws.services.s3_index import StoredObject
from local_aws.services.s3_multipart import Multipart
from local_aws.services.s3_policies import Policies
from local_aws.store import Store

__all__ = ["S3", "StoredObject"]


class S3(Buckets, Policies, Multipart):
    """The service, and for what runs inside this server: find, get and add_file."""

    def __init__(
        self,
        store: Store,
        *,
        region: str = DEFAULT_REGION,
        now: Callable[[], float] = time.time,
        random_id: Callable[[], str] = lambda: secrets.token_urlsafe(48),
    ) -> None:
        super().__init__(store, region=region, now=now)
        self.random_id = random_id

    async def start(self) -> None:
        self.blobs.start(self.index.blobs)

    async def stop(self) -> None:
        self.blobs.stop()

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        try:
            unquote_to_bytes(request.scope["raw_path"]).decode()
        except UnicodeDecodeError:  # decoded leniently, two keys would become one
            raise ServiceError("InvalidURI", "Couldn't parse the specified URI.") from None
        match operation.name:
            case "PutObject":
                return await self.put_streamed(request, operation)
            case "UploadPart":
                return await self.part_streamed(request, operation)
            case "GetObject" | "HeadObject":
                return await self.get_streamed(request, operation)
        body = await read_body(request, LARGEST_XML)
        if body:
            computed = {name: s3_checksums.checksum(name) for name in s3_checksums.announced(request.headers)}
            for one in computed.values():
                one.update(body)
            values = {name: one.value() for name, one in computed.items()}
            s3_checksums.verify(values, request.headers, request.state.body.trailers)
            s3_checksums.verify_md5(hashlib.md5(body, usedforsecurity=False).digest(), request.headers)
        if operation.name == "DeleteObjects":
            params = self.parse(request, operation, body)
            told = await run_in_threadpool(self.delete_objects, params, caller, request.scope.get(DENIED_KEYS))
            return self.respond(request, operation, told)
        return await super().handle(request, operation, caller)

    def bucket_region(self, bucket: str) -> str:
        """Where a bucket lies. Raises ServiceError NoSuchBucket."""
        return self.index.bucket(bucket).region

    def find(self, bucket: str, prefix: str) -> list[StoredObject]:
        """Every object whose key begins with `prefix`, in key order. Raises ServiceError NoSuchBucket."""
        self.index.bucket(bucket)
        return self.index.scan(bucket, prefix, prefix, after=False, limit=-1)

    def get(self, bucket: str, key: str) -> StoredObject:
        """Raises ServiceError NoSuchBucket, NoSuchKey."""
        return self.index.get(bucket, key)

    def add_file(
        self, bucket: str, key: str, source: Path, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        """Store a copy of a file as an object. Raises ServiceError NoSuchBucket, OSError."""
        self.index.bucket(bucket)
        with self.blobs.intake() as intake, source.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                intake.write(piece)
            about = {"headers": {"ContentType": content_type}, "metadata": {}}
            return self.store_blob(bucket, key, intake.commit(), about, {})

    def add_bytes(self, bucket: str, key: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Store an object that is in memory. Raises ServiceError NoSuchBucket, OSError."""
        self.index.bucket(bucket)
        with self.blobs.intake() as intake:
            intake.write(data)
            headers = {"ContentType": content_type} | (
                {"ContentEncoding": content_encoding} if content_encoding else {}
            )
            self.store_blob(bucket, key, intake.commit(), {"headers": headers, "metadata": {}}, {})
