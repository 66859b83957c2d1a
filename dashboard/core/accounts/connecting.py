"""Connect to a choice, and say what keeps it from being connected to, with the command that mends it."""

import os
from collections.abc import Mapping
from dataclasses import replace

from dashboard.core import aws as seam
from dashboard.core.accounts.choice import ACCOUNTS, Choice, allowed
from dashboard.core.accounts.why_not import explained
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, Refused


def connect(choice: Choice, environ: Mapping[str, str] = os.environ) -> Aws:
    """The embedded AWS, or a profile to read. Raises Unreachable, CredentialsProblem, InvalidInput and Refused, each
    with what to do.
    """
    if choice.is_embedded:
        return _identified(seam.connect_embedded(environ))
    if not allowed(choice.profile, environ):
        raise Refused(
            f"the profile {choice.profile} may not be used here",
            f"it is not among those that {ACCOUNTS} lists",
            "choose another, or ask whoever runs this Kennel to add it there",
        )
    try:
        return seam.connect_profile(choice.profile, choice.region)
    except KennelError as error:
        raise explained(error, choice, environ) from error


def _identified(aws: Aws) -> Aws:
    """With who it is. Not knowing that is no reason to show nothing: a page says what it cannot read."""
    try:
        told = aws.trying_once().call("sts", "GetCallerIdentity")
    except KennelError:
        return aws
    return aws.known_as(replace(aws.account, identity=told.get("Arn", "")))
