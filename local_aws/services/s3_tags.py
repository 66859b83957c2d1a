"""Tags of buckets and objects, checked as S3 checks them."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from local_aws.errors import ServiceError


def check(tags: Sequence[Mapping[str, str]], most: int) -> dict[str, str]:
    """A TagSet as a dict; raises InvalidTag or BadRequest (more than `most`)."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise ServiceError("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(found) > most:
        raise ServiceError("BadRequest", f"There can be no more than {most} tags")
    for key, value in found.items():
        if not 1 <= len(key) <= 128:
            raise ServiceError("InvalidTag", "The TagKey you have provided is invalid: 1 to 128 characters")
        if len(value) > 256:
            raise ServiceError("InvalidTag", "The TagValue you have provided is invalid: up to 256 characters")
        if key.startswith("aws:"):
            raise ServiceError("InvalidTag", "System tags cannot be added/updated by requester")
    return found


def of_header(header: str | None) -> dict[str, str]:
    """The tags of an x-amz-tagging header (a=1&b=2); raises InvalidArgument or InvalidTag."""
    if not header:
        return {}
    try:
        pairs = parse_qsl(header, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded"
        raise ServiceError("InvalidArgument", message) from None
    return check([{"Key": key, "Value": value} for key, value in pairs], 10)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
