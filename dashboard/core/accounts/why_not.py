"""Why a profile cannot be connected to."""

from collections.abc import Mapping

from dashboard.core.accounts.choice import Choice
from dashboard.core.errors import KennelError


def explained(error: KennelError, choice: Choice, environ: Mapping[str, str]) -> KennelError:
    """The error that a person can mend."""
    return error
