"""Which user data is Kennel's own: all that a machine without namespaces runs, for it could not be held there."""

import hashlib
import re

from local_aws.errors import ServiceError

DIGEST = "c320129f96838ab61adf574a2ec336f503302115e6baa8d30289b923c21bd715"
"""SHA-256 of Kennel's user data (dashboard/core/runs/user_data.sh) with the one line blanked that says which run it is;
a test holds both together."""
_PARAMETERS = re.compile(rb"^RUN='[^']*'$", re.MULTILINE)


def digest(user_data: bytes) -> str:
    """Of the script with its parameters blanked: the same for every run."""
    return hashlib.sha256(_PARAMETERS.sub(b"RUN='{}'", user_data, count=1)).hexdigest()


def check_is_ours(user_data: bytes) -> None:
    """Raises ServiceError UnsupportedOperation for user data that is not Kennel's own."""
    if digest(user_data) != DIGEST:
        raise ServiceError(
            "UnsupportedOperation",
            "This system allows no namespaces, so that the embedded AWS could not keep an instance away from the rest "
            "of this machine: it runs Kennel's own user data only, and this is another. Use a Linux machine that "
            "allows user namespaces, or a real AWS account.",
        )
