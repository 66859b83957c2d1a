"""Whether an ended run left a checkpoint that another can go on from."""

from dashboard.core.aws import Aws
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.s3_address import parts

_MANY = 20
"""Objects looked at: a folder's own marker, which is empty, is no checkpoint."""


def has_checkpoint(aws: Aws, uri: str) -> bool | None:
    """Whether something lies below this address; None where that cannot be told, as without the right to look.

    Raises Unreachable and CredentialsProblem, which are about everything.
    """
    bucket, prefix = parts(uri)
    try:
        answer = aws.call("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=_MANY)
    except NotFound:
        return False
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError:
        return None
    return any(one["Size"] for one in answer.get("Contents", []))
