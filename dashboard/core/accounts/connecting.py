"""Connect to a choice, and say what keeps it from being connected to, with the command that mends it."""

import os
from collections.abc import Mapping
from dataclasses import replace

from dashboard.core import aws as seam
from dashboard.core.accounts import why_not
from dashboard.core.accounts.choice import ACCOUNTS, Choice, allowed
from dashboard.core.accounts.profiles import profile
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, Refused
from dashboard.core.iam.rights import partition_of

HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that every account has."""


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
    one = profile(choice.profile, environ)
    if one is None:
        raise why_not.absent(choice, environ)
    if (problem := why_not.unusable(one, environ)) is not None:
        raise problem
    region = choice.region or one.region  # the profile's own before AWS_DEFAULT_REGION: the page says which it is
    try:
        return seam.connect_profile(one.name, region)
    except KennelError as error:
        if why_not.is_wrong_key(error) and (account := _known_elsewhere(one.name, region)):
            raise why_not.not_enabled(choice, region, account) from error
        raise why_not.explained(error, choice, one, region) from error


def _known_elsewhere(name: str, region: str) -> str:
    """The account of the profile as the partition's first region tells it; "" where it does not know the keys either,
    or is the one that was asked.
    """
    home = HOMES.get(partition_of(region), "us-east-1")
    if not region or region == home:
        return ""
    try:
        return seam.connect_profile(name, home).account.account_id
    except KennelError:
        return ""


def _identified(aws: Aws) -> Aws:
    """With who it is. Not knowing that is no reason to show nothing: a page says what it cannot read."""
    try:
        told = aws.trying_once().call("sts", "GetCallerIdentity")
    except KennelError:
        return aws
    return aws.known_as(replace(aws.account, identity=told.get("Arn", "")))
