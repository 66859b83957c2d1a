"""An account without a bucket for Kennel: nothing can be brought or trained, and this says what makes it."""

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.ui import empty
from dashboard.ui.page import Place

WHAT = "This account is not set up for Kennel yet."
WAY = {"part": "Set up"}


def is_needed(aws: Aws) -> bool:
    """Whether Kennel's bucket is missing. Not where that cannot be read, nor while the sample account makes it."""
    if state.is_filling(aws):
        return False
    try:
        return aws.account.bucket not in {one.name for one in state.buckets(aws).value}
    except KennelError:
        return False


def show(aws: Aws, key: str) -> None:
    """What is missing, instead of a way that would end before it is there."""
    how = (
        f"Data sets, code and models lie in the bucket {aws.account.bucket}, which is not there, and trainings act as "
        "roles that it may lack too. Set up makes all of it, by a plan that you agree to first."
    )
    empty.show(key, WHAT, how, Place.SETTINGS, "Set up this account", query=WAY)
