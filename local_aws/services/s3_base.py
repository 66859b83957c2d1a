"""What all S3 operations share: the index, the blobs, reading a body, and what is refused."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from local_aws import ACCOUNT, DEFAULT_REGION
from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Service
from local_aws.services import s3_checksums, s3_tags
from local_aws.services.s3_blobs import Blobs, Intake
from local_aws.services.s3_index import Index
from local_aws.store import Store

PIECE = 1024 * 1024  # bytes written or read at once
LARGEST_PUT = 5 * 1024**3
LARGEST_XML = 4 * 1024**2
LONGEST_KEY = 1024  # bytes of UTF-8
LARGEST_METADATA = 2 * 1024
OWNER = {"DisplayName": "kennel", "ID": ACCOUNT.rjust(64, "0")}

# what would change the bytes, who may read them or how long they stay, and is not done here
_REFUSED = (
    "SSECustomerAlgorithm",
    "CopySourceSSECustomerAlgorithm",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHold",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWrite",
    "GrantWriteACP",
    "WriteOffsetBytes",
)
# members of an object's description that are kept and given back as they are
HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
)
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


class S3Base(Service):
    """now: epoch seconds."""

    name = "s3"
    invalid_code = "MalformedXML"
    max_body = None

    def __init__(self, store: Store, *, region: str = DEFAULT_REGION, now: Callable[[], float] = time.time) -> None:
        self.blobs = Blobs(store.directory / "s3")
        self.index = Index(store, self.blobs)
        self.region = region
        self.now = now

    async def receive(self, request: Request, keep: Callable[[Intake], Any]) -> Any:
        """Stream the body into a blob and call `keep` with it, in a worker thread; what `keep` returns.

        keep: verifies what it knows of, commits the blob and names it. What it does not commit leaves nothing behind.
        """
        length = request.headers.get("x-amz-decoded-content-length") or request.headers.get("content-length") or "0"
        if length.isdigit() and int(length) > LARGEST_PUT:
            raise ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of 5 GiB.")
        with self.blobs.intake(s3_checksums.announced(request.headers)) as intake:
            waiting: list[bytes] = []
            size = 0
            async for piece in request.stream():
                waiting.append(piece)
                size += len(piece)
                if size >= PIECE:
                    await run_in_threadpool(intake.write, b"".join(waiting))
                    waiting, size = [], 0
            rest = b"".join(waiting)

            def finish() -> Any:
                intake.write(rest)
                s3_checksums.verify(intake.checksums, request.headers, request.state.body.trailers)
                s3_checksums.verify_md5(intake.md5, request.headers)
                return keep(intake)

            return await run_in_threadpool(finish)

    def forget(self, blobs: Iterable[str]) -> None:
        """Delete blobs that no committed row names any more."""
        self.blobs.discard(blobs)


def check_params(params: Mapping[str, Any]) -> None:
    """Refuse what is not done here, another owner's buckets, and keys that are too long.

    Raises NotThereError, AccessDenied, KeyTooLongError, AccessControlListNotSupported.
    """
    for name in _REFUSED:
        if params.get(name):
            raise NotThereError(f"S3's {name}")
    if params.get("ExpectedBucketOwner", ACCOUNT) != ACCOUNT:
        raise ServiceError("AccessDenied", "The bucket belongs to another account than ExpectedBucketOwner.", 403)
    if params.get("ACL", "private") not in ("private", "bucket-owner-full-control"):
        raise ServiceError("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if params.get("VersionId", "null") != "null":
        raise ServiceError("NoSuchVersion", "The specified version does not exist; this bucket keeps none.", 404)
    if len(params.get("Key", "").encode("utf-8", "surrogatepass")) > LONGEST_KEY:
        raise ServiceError("KeyTooLongError", "Your key is too long")


def describe(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a put, copy or multipart upload says of its object besides the bytes; kept in StoredObject.about."""
    headers = {name: params[name] for name in HEADERS if params.get(name)}
    if "Expires" in headers:
        headers["Expires"] = str(headers["Expires"])
    encodings = [part.strip() for part in headers.get("ContentEncoding", "").split(",")]
    encodings = [part for part in encodings if part and part != "aws-chunked"]  # of the transfer, not of the object
    headers.pop("ContentEncoding", None)
    if encodings:
        headers["ContentEncoding"] = ",".join(encodings)
    metadata = {name.lower(): value for name, value in (params.get("Metadata") or {}).items()}
    if sum(len(name) + len(value) for name, value in metadata.items()) > LARGEST_METADATA:
        raise ServiceError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    about: dict[str, Any] = {"headers": headers, "metadata": metadata}
    encryption = {name: params[name] for name in ENCRYPTION if params.get(name)}
    if encryption:
        about["encryption"] = encryption
    if params.get("StorageClass", "STANDARD") != "STANDARD":
        about["storage_class"] = params["StorageClass"]
    return about


def describe_new(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a put or a multipart upload, which say everything: with a content type, and tags when there are."""
    about = describe(params)
    about["headers"].setdefault("ContentType", "binary/octet-stream")
    tags = s3_tags.of_header(params.get("Tagging"))
    return about | ({"tags": tags} if tags else {})


def quoted(etag: str) -> str:
    return f'"{etag}"'
