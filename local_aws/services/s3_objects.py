"""S3 objects: putting, getting, copying and deleting them, and their tags."""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote

from botocore.model import OperationModel
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import s3_tags
from local_aws.services.s3_base import HEADERS, PIECE, S3Base, check_params, describe, describe_new, quoted
from local_aws.services.s3_blobs import Blob, Intake
from local_aws.services.s3_checksums import MEMBERS
from local_aws.services.s3_conditions import byte_range, check_read, check_write, part_range
from local_aws.services.s3_index import StoredObject

Params = dict[str, Any]


@dataclass(frozen=True)
class _Opened:
    """An object to be sent: its answer's members, the bytes wanted, and the open file when they are many."""

    result: Params
    status: int
    length: int
    body: bytes
    file: IO[bytes] | None


class Objects(S3Base):
    """Operations on single objects. put_object and get_object stream; the others go the usual way."""

    def store_blob(self, bucket: str, key: str, blob: Blob, about: Params, params: Params) -> StoredObject:
        """Name a blob as an object under the conditions of `params`; frees the blob it replaces, or this one."""
        path = self.blobs.path(blob.name)
        new = StoredObject(bucket, key, blob.name, blob.size, blob.etag, self.now(), path, about)
        try:
            with self.index.transaction() as connection:
                before = self.index.find(bucket, key)
                check_write(params, before.etag if before else None)
                freed = self.index.put(connection, new)
        except BaseException:
            self.forget([blob.name])
            raise
        self.forget(freed)
        return new

    async def put_streamed(self, request: Request, operation: OperationModel) -> Response:
        params = self.parse(request, operation, b"")
        check_params(params)
        about = describe_new(params)
        await run_in_threadpool(self.index.bucket, params["Bucket"])  # before gigabytes come for nothing

        def keep(intake: Intake) -> StoredObject:
            blob = intake.commit()
            if blob.checksums:
                about["checksums"] = blob.checksums
                about["checksum_type"] = "FULL_OBJECT"
            return self.store_blob(params["Bucket"], params["Key"], blob, about, params)

        stored = await self.receive(request, keep)
        result = {"ETag": quoted(stored.etag), "Size": None, **about.get("encryption", {}), **checksums_of(stored)}
        return self.respond(request, operation, result)

    async def get_streamed(self, request: Request, operation: OperationModel) -> Response:
        """GetObject and HeadObject."""
        params = self.parse(request, operation, b"")
        check_params(params)
        opened = await run_in_threadpool(self._open, params, operation.name == "HeadObject")
        head = self.respond(request, operation, opened.result)
        headers = dict(head.headers)
        headers["content-length"] = str(opened.length)
        if opened.file is None:
            return Response(opened.body, opened.status, headers)
        # closed by the task also when nothing was read; by the iterator when the client went away
        return StreamingResponse(
            _pieces(opened.file, opened.length),
            opened.status,
            headers,
            background=BackgroundTask(opened.file.close),
        )

    def _open(self, params: Params, head: bool) -> _Opened:
        for _ in range(20):
            found = self.index.get(params["Bucket"], params["Key"])
            check_read(params, found.etag, found.modified)
            number = params.get("PartNumber")
            parts = found.about.get("parts")
            wanted = part_range(number, parts, found.size) if number else byte_range(params.get("Range"), found.size)
            first, last = wanted or (0, found.size - 1)
            result = self.head_of(found, params, whole=wanted is None)
            length = last - first + 1
            if wanted:
                result["ContentRange"] = f"bytes {first}-{last}/{found.size}"
            if number and parts:
                result["PartsCount"] = len(parts)
            result["ContentLength"] = length
            status = 206 if wanted else 200
            if head or not length:
                return _Opened(result, status, length, b"", None)
            try:
                file = found.path.open("rb", buffering=0)
            except FileNotFoundError:
                continue  # replaced between the look-up and here: look again
            os.lseek(file.fileno(), first, os.SEEK_SET)
            if length > PIECE:
                return _Opened(result, status, length, b"", file)
            with file:
                return _Opened(result, status, length, file.read(length), None)
        raise ServiceError("OperationAborted", "The object is being replaced over and over. Try again.", 409)

    def head_of(self, found: StoredObject, params: Mapping[str, Any], *, whole: bool) -> Params:
        """The members that GetObject and HeadObject answer with."""
        about = found.about
        result: Params = {
            "AcceptRanges": "bytes",
            "LastModified": found.modified,
            "ETag": quoted(found.etag),
            "Metadata": about.get("metadata", {}),
            **{name: about.get("headers", {}).get(name) for name in HEADERS if name != "Expires"},
            **about.get("encryption", {}),
        }
        result["Expires"] = about.get("headers", {}).get("Expires")
        if about.get("tags"):
            result["TagCount"] = len(about["tags"])
        if about.get("storage_class"):
            result["StorageClass"] = about["storage_class"]
        if params.get("ChecksumMode") == "ENABLED" and whole:
            result |= checksums_of(found)
        for name in HEADERS:
            if params.get(f"Response{name}"):
                result[name] = params[f"Response{name}"]
        return result

    def delete_object(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        with self.index.transaction() as connection:
            self.index.bucket(params["Bucket"])
            found = self.index.find(params["Bucket"], params["Key"])
            if found or params.get("IfMatch"):
                check_write({"IfMatch": params.get("IfMatch")}, found.etag if found else None)
            freed = self.index.remove(connection, params["Bucket"], params["Key"])
        self.forget(freed)
        return {}

    def delete_objects(self, params: Params, caller: Caller, denied: Mapping[str, str] | None = None) -> Params:
        """denied: keys that are not for the caller to delete, each with why."""
        check_params(params)
        asked = params["Delete"]["Objects"]
        if not 1 <= len(asked) <= 1000:
            raise ServiceError("MalformedXML", "The XML you provided was not well-formed: 1 to 1000 keys")
        freed: list[str] = []
        deleted, errors = [], []
        with self.index.transaction() as connection:
            self.index.bucket(params["Bucket"])
            for one in asked:
                try:
                    check_params(one)
                    if denied and one["Key"] in denied:
                        raise ServiceError("AccessDenied", denied[one["Key"]], 403)
                    found = self.index.find(params["Bucket"], one["Key"])
                    check_write({"IfMatch": one.get("ETag")} if found else {}, found.etag if found else None)
                    freed += self.index.remove(connection, params["Bucket"], one["Key"])
                    deleted.append({"Key": one["Key"]})
                except ServiceError as error:
                    errors.append({"Key": one["Key"], "Code": error.code, "Message": error.message})
        self.forget(freed)
        return {"Deleted": [] if params["Delete"].get("Quiet") else deleted, "Errors": errors}

    # copies

    def copy_source(self, params: Params) -> StoredObject:
        """The object that CopySource names, if it meets the copy's conditions."""
        path, _, version = params["CopySource"].partition("?versionId=")  # any other ? is part of the key
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        if not bucket or not key:
            raise ServiceError("InvalidArgument", "Copy Source must mention the source bucket and key: bucket/key")
        check_params({"VersionId": version or "null"})
        found = self.index.get(bucket, key)
        check_read(params, found.etag, found.modified, copy=True)
        return found

    def copy_object(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        source = self.copy_source(params)
        if source.size > 5 * 1024**3:
            raise ServiceError("InvalidRequest", "The specified copy source is larger than the maximum of 5 GiB")
        replaces = params.get("MetadataDirective", "COPY") == "REPLACE"
        told = describe(params)
        same = (source.bucket, source.key) == (params["Bucket"], params["Key"])
        if same and not replaces and not told.keys() & {"encryption", "storage_class"}:
            raise ServiceError(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes.",
            )
        about: Params = {k: v for k, v in source.about.items() if k in ("checksums", "checksum_type")}
        described = told if replaces else source.about
        about |= {"headers": dict(described.get("headers", {})), "metadata": described.get("metadata", {})}
        about["headers"].setdefault("ContentType", "binary/octet-stream")
        about |= {k: v for k, v in told.items() if k in ("encryption", "storage_class")}
        tags = source.about.get("tags", {})
        if params.get("TaggingDirective", "COPY") == "REPLACE":
            tags = s3_tags.of_header(params.get("Tagging"))
        if tags:
            about["tags"] = tags
        blob = Blob(self.blobs.link(source.blob), source.size, source.etag, {})
        stored = self.store_blob(params["Bucket"], params["Key"], blob, about, params)
        result = {"ETag": quoted(stored.etag), "LastModified": stored.modified, **checksums_of(stored)}
        return {"CopyObjectResult": result, **about.get("encryption", {})}

    # tags

    def get_object_tagging(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        return {"TagSet": s3_tags.tag_set(self.index.get(params["Bucket"], params["Key"]).about.get("tags", {}))}

    def put_object_tagging(self, params: Params, caller: Caller) -> Params:
        return self._retag(params, s3_tags.check(params["Tagging"].get("TagSet", []), 10))

    def delete_object_tagging(self, params: Params, caller: Caller) -> Params:
        return self._retag(params, {})

    def _retag(self, params: Params, tags: dict[str, str]) -> Params:
        check_params(params)
        with self.index.transaction() as connection:
            found = self.index.get(params["Bucket"], params["Key"])
            about = {name: value for name, value in found.about.items() if name != "tags"}
            if tags:
                about["tags"] = tags
            self.index.put(
                connection,
                StoredObject(
                    found.bucket, found.key, found.blob, found.size, found.etag, found.modified, found.path, about
                ),
            )
        return {}

    def get_object_attributes(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        found = self.index.get(params["Bucket"], params["Key"])
        wanted = params["ObjectAttributes"]
        result: Params = {"LastModified": found.modified}
        if "ETag" in wanted:
            result["ETag"] = found.etag
        if "ObjectSize" in wanted:
            result["ObjectSize"] = found.size
        if "StorageClass" in wanted:
            result["StorageClass"] = found.about.get("storage_class", "STANDARD")
        if "Checksum" in wanted and found.about.get("checksums"):
            result["Checksum"] = checksums_of(found)
        if "ObjectParts" in wanted and found.about.get("parts"):
            result["ObjectParts"] = {"TotalPartsCount": len(found.about["parts"])}
        return result


def checksums_of(found: StoredObject) -> Params:
    """The checksums of an object as members of an answer."""
    checksums = found.about.get("checksums", {})
    if not checksums:
        return {}
    return {
        **{MEMBERS[name]: value for name, value in checksums.items()},
        "ChecksumType": found.about.get("checksum_type", "FULL_OBJECT"),
    }


async def _pieces(file: IO[bytes], length: int) -> AsyncIterator[bytes]:
    with file:
        while length:
            piece = await run_in_threadpool(file.read, min(PIECE, length))
            if not piece:
                raise OSError("the file of an object is shorter than its index says")
            length -= len(piece)
            yield piece
