"""Addresses in S3, taken apart in one place."""


def parts(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of "s3://bucket/key"; each "" where the address has none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
