"""S3 multipart uploads: parts are blobs of their own until they are joined into one."""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Caller
from local_aws.services import s3_checksums
from local_aws.services.s3_base import OWNER, PIECE, check_params, describe_new, quoted
from local_aws.services.s3_blobs import Blob, Intake
from local_aws.services.s3_conditions import byte_range, check_write
from local_aws.services.s3_index import Part, StoredObject, Upload
from local_aws.services.s3_objects import Objects, checksums_of

MOST_PARTS = 10_000
SMALLEST_PART = 5 * 1024**2  # bytes; the last part may be smaller

# which whole-object checksums each algorithm allows; all others only the checksum of the parts' checksums
_KINDS = {"crc32": ("COMPOSITE", "FULL_OBJECT"), "crc32c": ("COMPOSITE", "FULL_OBJECT"), "crc64nvme": ("FULL_OBJECT",)}

Params = dict[str, Any]


class Multipart(Objects):
    """Operations on multipart uploads. upload_part streams."""

    random_id: Callable[[], str]

    def create_multipart_upload(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        about = describe_new(params)
        algorithm = (params.get("ChecksumAlgorithm") or "").lower()
        kind = params.get("ChecksumType")
        if algorithm:
            s3_checksums.checksum(algorithm)  # raises for one that is not here
            kind = kind or _KINDS.get(algorithm, ("COMPOSITE",))[0]
            if kind not in _KINDS.get(algorithm, ("COMPOSITE",)):
                raise ServiceError("InvalidRequest", f"The {kind} checksum type cannot be used with {algorithm}.")
            about |= {"algorithm": algorithm, "checksum_type": kind}
        upload = Upload(self.random_id(), params["Bucket"], params["Key"], self.now(), about)
        self.index.add_upload(upload)
        result = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id, **about.get("encryption", {})}
        if algorithm:
            result |= {"ChecksumAlgorithm": algorithm.upper(), "ChecksumType": kind}
        return result

    async def part_streamed(self, request: Request, operation: OperationModel) -> Response:
        params = self.parse(request, operation, b"")
        check_params(params)
        upload = await run_in_threadpool(self._upload, params)

        def keep(intake: Intake) -> Part:
            return self._keep_part(upload, params["PartNumber"], intake.commit())

        part = await self.receive(request, keep)
        return self.respond(request, operation, {"ETag": quoted(part.etag), **_members(part.checksums)})

    def upload_part_copy(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        upload, source = self._upload(params), self.copy_source(params)
        first, last = byte_range(params.get("CopySourceRange"), source.size) or (0, source.size - 1)
        algorithm = upload.about.get("algorithm")
        with self.blobs.intake([algorithm] if algorithm else []) as intake, source.path.open("rb") as file:
            file.seek(first)
            while first <= last and (piece := file.read(min(PIECE, last - first + 1))):
                intake.write(piece)
                first += len(piece)
            part = self._keep_part(upload, params["PartNumber"], intake.commit())
        return {
            "CopyPartResult": {"ETag": quoted(part.etag), "LastModified": part.modified, **_members(part.checksums)}
        }

    def _upload(self, params: Params) -> Upload:
        number = params.get("PartNumber", 1)
        if not 1 <= number <= MOST_PARTS:
            raise ServiceError("InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}")
        return self.index.upload(params["UploadId"], params["Bucket"], params["Key"])

    def _keep_part(self, upload: Upload, number: int, blob: Blob) -> Part:
        part = Part(number, blob.name, blob.size, blob.etag, self.now(), blob.checksums)
        try:
            freed = self.index.put_part(upload, part)
        except BaseException:
            self.forget([blob.name])
            raise
        self.forget(freed)
        return part

    def complete_multipart_upload(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        upload = self._upload(params)
        parts = self._chosen(upload, (params.get("MultipartUpload") or {}).get("Parts") or [])
        size = sum(part.size for part in parts)
        if params.get("MpuObjectSize") not in (None, size):
            raise ServiceError("InvalidRequest", "The provided 'x-amz-mp-object-size' header value does not match.")
        digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
        about = {name: value for name, value in upload.about.items() if name != "algorithm"}
        about["parts"] = [part.size for part in parts]
        blob = self.blobs.join([self.blobs.path(part.blob) for part in parts])
        try:
            about |= self._checksums(upload, parts, blob, params)
            new = StoredObject(
                upload.bucket,
                upload.key,
                blob,
                size,
                f"{digest.hexdigest()}-{len(parts)}",
                self.now(),
                self.blobs.path(blob),
                about,
            )
            with self.index.transaction() as connection:
                self._upload(params)  # not completed or aborted meanwhile
                before = self.index.find(new.bucket, new.key)
                check_write(params, before.etag if before else None)
                freed = self.index.put(connection, new) + self.index.remove_upload(connection, upload.id)
        except BaseException:
            self.forget([blob])
            raise
        self.forget(freed)
        return {
            "Bucket": new.bucket,
            "Key": new.key,
            "Location": f"/{new.bucket}/{quote(new.key)}",
            "ETag": quoted(new.etag),
            **about.get("encryption", {}),
            **checksums_of(new),
        }

    def _chosen(self, upload: Upload, asked: list[Params]) -> list[Part]:
        """The parts a completion lists, checked; raises MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall."""
        if not asked:
            raise ServiceError("MalformedXML", "The XML you provided was not well-formed: it lists no parts")
        numbers = [one.get("PartNumber", 0) for one in asked]
        if numbers != sorted(set(numbers)):
            raise ServiceError("InvalidPartOrder", "The list of parts was not in ascending order.")
        there = {part.number: part for part in self.index.parts(upload.id)}
        chosen = []
        for one in asked:
            part = there.get(one.get("PartNumber", 0))
            given = {name: one[member] for name, member in s3_checksums.MEMBERS.items() if member in one}
            if (
                part is None
                or one.get("ETag", "").strip('"') != part.etag
                or any(part.checksums.get(name, value) != value for name, value in given.items())
            ):
                raise ServiceError(
                    "InvalidPart",
                    "One or more of the specified parts could not be found, or its entity tag is another.",
                )
            chosen.append(part)
        if any(part.size < SMALLEST_PART for part in chosen[:-1]):
            raise ServiceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        return chosen

    def _checksums(self, upload: Upload, parts: list[Part], blob: str, params: Params) -> Params:
        """The checksum of the whole by the upload's algorithm; raises BadDigest, InvalidRequest, InvalidPart."""
        algorithm = upload.about.get("algorithm")
        if not algorithm:
            return {}
        if upload.about["checksum_type"] == "COMPOSITE":
            if any(algorithm not in part.checksums for part in parts):
                raise ServiceError("InvalidRequest", f"The upload was created with {algorithm}, and a part lacks it.")
            value = s3_checksums.of_checksums(algorithm, (part.checksums[algorithm] for part in parts))
        else:
            whole = s3_checksums.checksum(algorithm)
            with self.blobs.path(blob).open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    whole.update(piece)
            value = whole.value()
        given = params.get(s3_checksums.MEMBERS[algorithm])
        if given is not None and given.partition("-")[0] != value.partition("-")[0]:
            raise ServiceError("BadDigest", f"The {algorithm.upper()} you specified did not match the object's.")
        return {"checksums": {algorithm: value}}

    def abort_multipart_upload(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        with self.index.transaction() as connection:
            freed = self.index.remove_upload(connection, self._upload(params).id)
        self.forget(freed)
        return {}

    def list_parts(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        upload = self._upload(params)
        limit, marker = min(params.get("MaxParts", 1000), 1000), int(params.get("PartNumberMarker") or 0)
        parts = [part for part in self.index.parts(upload.id) if part.number > marker]
        result: Params = {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.id,
            "PartNumberMarker": marker,
            "MaxParts": limit,
            "IsTruncated": len(parts) > limit,
            "Initiator": OWNER,
            "Owner": OWNER,
            "StorageClass": upload.about.get("storage_class", "STANDARD"),
            "Parts": [
                {
                    "PartNumber": part.number,
                    "LastModified": part.modified,
                    "ETag": quoted(part.etag),
                    "Size": part.size,
                    **_members(part.checksums),
                }
                for part in parts[:limit]
            ],
        }
        if len(parts) > limit > 0:
            result["NextPartNumberMarker"] = parts[limit - 1].number
        return result

    def list_multipart_uploads(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        if params.get("Delimiter"):
            raise NotThereError("A delimiter in S3's ListMultipartUploads")
        bucket, prefix = params["Bucket"], params.get("Prefix") or ""
        self.index.bucket(bucket)
        key_marker, id_marker = params.get("KeyMarker") or "", params.get("UploadIdMarker") or ""
        uploads = list(self.index.uploads(bucket, prefix))
        if key_marker:
            passed = [i for i, one in enumerate(uploads) if (one.key, one.id) == (key_marker, id_marker)]
            uploads = uploads[passed[0] + 1 :] if passed else [one for one in uploads if one.key > key_marker]
        limit = min(params.get("MaxUploads", 1000), 1000)
        url = params.get("EncodingType") == "url"
        result: Params = {
            "Bucket": bucket,
            "Prefix": quote(prefix, safe="/") if url else prefix,
            "KeyMarker": quote(key_marker, safe="/") if url else key_marker,
            "UploadIdMarker": id_marker,
            "MaxUploads": limit,
            "IsTruncated": len(uploads) > limit,
            "Uploads": [
                {
                    "UploadId": one.id,
                    "Key": quote(one.key, safe="/") if url else one.key,
                    "Initiated": one.started,
                    "StorageClass": one.about.get("storage_class", "STANDARD"),
                    "Owner": OWNER,
                    "Initiator": OWNER,
                }
                for one in uploads[:limit]
            ],
        }
        if url:
            result["EncodingType"] = "url"
        if len(uploads) > limit > 0:
            last = uploads[limit - 1]
            result |= {"NextKeyMarker": quote(last.key, safe="/") if url else last.key, "NextUploadIdMarker": last.id}
        return result


def _members(checksums: dict[str, str]) -> Params:
    return {s3_checksums.MEMBERS[name]: value for name, value in checksums.items()}
