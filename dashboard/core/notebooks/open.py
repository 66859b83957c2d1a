"""Open a notebook instance: an address that AWS signs for whoever asks, good for five minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.core.aws import Aws

VALID = timedelta(minutes=5)
"""How long AWS's address can be opened (CreatePresignedNotebookInstanceUrl)."""
SESSION = timedelta(hours=4)
"""How long one stays signed in with it."""


@dataclass(frozen=True, repr=False)
class Link:
    """An address that lets in whoever has it: shown to the person who asked, and kept nowhere."""

    notebook: str
    address: str
    until: datetime


def link(aws: Aws, name: str, now: datetime) -> Link:
    """An address for this notebook instance. Raises InvalidInput when it is not in service, and `Aws.call`'s errors."""
    told = aws.call(
        "sagemaker",
        "CreatePresignedNotebookInstanceUrl",
        NotebookInstanceName=name,
        SessionExpirationDurationInSeconds=int(SESSION.total_seconds()),
    )
    return Link(name, str(told["AuthorizedUrl"]), now + VALID)
