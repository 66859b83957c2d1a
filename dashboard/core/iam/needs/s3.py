"""S3, whose actions are mostly named otherwise than its operations.

Source: "Required permissions for Amazon S3 API operations" in the S3 User Guide.
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from dashboard.core.iam.needs.request import Context, Extra, Needs, Request
from dashboard.core.iam.rights import Right

_LISTED = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
_STORED = {
    "s3:if-match": "IfMatch",
    "s3:if-none-match": "IfNoneMatch",
    "s3:x-amz-copy-source": "CopySource",
    "s3:x-amz-metadata-directive": "MetadataDirective",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-storage-class": "StorageClass",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
}


def _object(request: Request, key: str = "") -> str:
    """In an access point, which is named by its ARN, objects are beneath "object"."""
    bucket, key = request.value("Bucket") or "*", key or request.value("Key") or "*"
    if bucket.startswith("arn:"):
        return f"{bucket}/object/{key}" if ":accesspoint/" in bucket else f"{bucket}/{key}"
    return f"arn:{request.where.partition}:s3:::{bucket}/{key}"


def _read(request: Request) -> Iterator[Right]:
    yield from _version(request, "GetObject")


def _version(request: Request, action: str) -> Iterator[Right]:
    """Of an object, or of one version of it, which is an action of its own."""
    version = request.values("VersionId")
    context: Context = {"s3:versionid": version} if version else {}
    yield Right(f"s3:{action}Version" if version else f"s3:{action}", _object(request), context)


def _attributes(request: Request) -> Iterator[Right]:
    yield from _read(request)
    kind = "GetObjectVersionAttributes" if request.value("VersionId") else "GetObjectAttributes"
    yield Right(f"s3:{kind}", _object(request), request.context({"s3:versionid": "VersionId"}))


def _deletion(request: Request) -> Iterator[Right]:
    yield from _version(request, "DeleteObject")


def _deletions(request: Request) -> Iterator[Right]:
    for one in request.structures("Delete.Objects") or (request,):
        version = one.values("VersionId")
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        yield Right(action, _object(request, one.value("Key")), {"s3:versionid": version} if version else {})


def _stored(request: Request) -> Iterator[Right]:
    """PutObject and the start of an upload in parts: tags and grants in it are rights of their own."""
    tags = dict(parse_qsl(request.value("Tagging"), keep_blank_values=True))
    told: Context = {f"s3:RequestObjectTag/{key}": (value,) for key, value in tags.items()}
    if tags:
        told["s3:RequestObjectTagKeys"] = tuple(tags)
    yield Right("s3:PutObject", _object(request), {**request.context(_STORED), **told})
    if tags:
        yield Right("s3:PutObjectTagging", _object(request), told)
    if key := request.value("SSEKMSKeyId"):
        known = key if key.startswith("arn:") else request.arn("kms", f"key/{'*' if '/' in key else key}")
        yield Right("kms:GenerateDataKey", known, {"kms:ViaService": (f"s3.{request.where.region}.amazonaws.com",)})
    if request.value("ACL"):
        yield Right("s3:PutObjectAcl", _object(request), request.context({"s3:x-amz-acl": "ACL"}))


def _source(request: Request) -> tuple[str, str]:
    """The ARN of the object that is copied and its version."""
    given = request.parameters.get("CopySource")
    if isinstance(given, dict):
        path, version = f"{given.get('Bucket', '*')}/{given.get('Key', '*')}", str(given.get("VersionId") or "")
    else:
        path, _, version = str(given or "*/*").partition("?versionId=")
        path = unquote(path).lstrip("/")
    arn = path.replace("/object/", "/", 1) if path.startswith("arn:") else f"arn:{request.where.partition}:s3:::{path}"
    return arn, version


def _copied(request: Request) -> Iterator[Right]:
    source, version = _source(request)
    context: Context = {"s3:versionid": (version,)} if version else {}
    yield Right("s3:GetObjectVersion" if version else "s3:GetObject", source, context)
    yield from _stored(request)


def _part(request: Request) -> Iterator[Right]:
    yield Right("s3:PutObject", _object(request))


def _part_copied(request: Request) -> Iterator[Right]:
    source, version = _source(request)
    context: Context = {"s3:versionid": (version,)} if version else {}
    yield Right("s3:GetObjectVersion" if version else "s3:GetObject", source, context)
    yield from _part(request)


def _on_object(action: str, **members: str) -> Extra:
    def rights(request: Request) -> Iterator[Right]:
        context = request.context({f"s3:{key.replace('_', '-')}": member for key, member in members.items()})
        yield Right(f"s3:{action}", _object(request), context)

    return rights


def _tagging(action: str) -> Extra:
    """GetObjectTagging and its like, which have an action of their own for one version of an object."""

    def rights(request: Request) -> Iterator[Right]:
        version = request.context({"s3:versionid": "VersionId"})
        told = {
            key.replace("aws:RequestTag/", "s3:RequestObjectTag/").replace("aws:TagKeys", "s3:RequestObjectTagKeys"): of
            for key, of in request.tags("Tagging.TagSet").items()
        }
        named = action.replace("Object", "ObjectVersion") if version else action
        yield Right(f"s3:{named}", _object(request), {**version, **told})

    return rights


S3 = Needs(
    prefix="s3",
    base="arn:{partition}:s3:::",
    resources={
        "*": "ListBuckets",
        "{Bucket}": """
            ListObjects ListObjectsV2 ListObjectVersions ListMultipartUploads HeadBucket CreateBucket DeleteBucket
            GetBucketLocation GetBucketPolicy PutBucketPolicy DeleteBucketPolicy GetBucketPolicyStatus
            GetBucketTagging PutBucketTagging DeleteBucketTagging GetBucketVersioning PutBucketVersioning
            GetBucketEncryption PutBucketEncryption DeleteBucketEncryption GetPublicAccessBlock PutPublicAccessBlock
            DeletePublicAccessBlock GetBucketAcl PutBucketAcl GetBucketLogging PutBucketLogging GetBucketCors
            PutBucketCors DeleteBucketCors GetBucketLifecycleConfiguration PutBucketLifecycleConfiguration
            DeleteBucketLifecycle GetBucketNotificationConfiguration PutBucketNotificationConfiguration
            GetBucketOwnershipControls PutBucketOwnershipControls DeleteBucketOwnershipControls
        """,
    },
    actions={
        "ListBuckets": "ListAllMyBuckets",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "HeadBucket": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "DeleteBucketTagging": "PutBucketTagging",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketCors": "GetBucketCORS",
        "PutBucketCors": "PutBucketCORS",
        "DeleteBucketCors": "PutBucketCORS",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    },
    contexts={
        "ListObjects": _LISTED,
        "ListObjectsV2": _LISTED,
        "ListObjectVersions": _LISTED,
        "CreateBucket": {
            "s3:locationconstraint": "CreateBucketConfiguration.LocationConstraint",
            "s3:x-amz-acl": "ACL",
        },
        "PutBucketAcl": {"s3:x-amz-acl": "ACL"},
    },
    special={
        "GetObject": _read,
        "HeadObject": _read,
        "GetObjectAttributes": _attributes,
        "PutObject": _stored,
        "CreateMultipartUpload": _stored,
        "UploadPart": _part,
        "CompleteMultipartUpload": _part,
        "CopyObject": _copied,
        "UploadPartCopy": _part_copied,
        "DeleteObject": _deletion,
        "DeleteObjects": _deletions,
        "AbortMultipartUpload": _on_object("AbortMultipartUpload"),
        "ListParts": _on_object("ListMultipartUploadParts"),
        "GetObjectAcl": _on_object("GetObjectAcl"),
        "PutObjectAcl": _on_object("PutObjectAcl", x_amz_acl="ACL"),
        "GetObjectTagging": _tagging("GetObjectTagging"),
        "PutObjectTagging": _tagging("PutObjectTagging"),
        "DeleteObjectTagging": _tagging("DeleteObjectTagging"),
    },
)
