"""What each of the roles that Kennel hands over may do: made by the generator of iam/least from what its work touches.

Pure. The folders are those that the requests of core/runs and core/serving name; no role reaches another bucket.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs.waste import schedule
from dashboard.core.data.datasets import PREFIX as DATASETS
from dashboard.core.iam.least import duties
from dashboard.core.iam.least.duty_trust import trust
from dashboard.core.iam.least.grants import Grant, Limit, document, gathered
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.usage import Duty
from dashboard.core.runs import requests_ec2
from dashboard.core.runs.code import PREFIX as CODE
from dashboard.core.runs.images import inference_image, training_image
from dashboard.core.setup.pieces import Piece

RUNS, MODELS, CHECKPOINTS = "runs/", "models/", "checkpoints/"
_ANY = "ml.m5.large"
"""The images of all instance types lie in one repository."""


def works_on(piece: Piece, account: Account) -> Resources:
    """What a role's work touches.

    Raises InvalidInput for a region without images, ServiceFault without AWS's table of them.
    """
    match piece:
        case Piece.TRAINING_ROLE:
            return Resources(
                reads=_folders(account, DATASETS, CODE, f"{RUNS}code/"),
                writes=_folders(account, RUNS),
                kept=_folders(account, CHECKPOINTS),
                images=(training_image(account.region, _ANY),),
            )
        case Piece.ENDPOINT_ROLE:
            return Resources(reads=_folders(account, MODELS, RUNS), images=(inference_image(account.region, _ANY),))
        case Piece.INSTANCE_ROLE:
            return Resources(
                reads=_folders(account, DATASETS, CODE, requests_ec2.RUNS),
                writes=_folders(account, requests_ec2.RUNS),
                kept=_folders(account, CHECKPOINTS),
                groups=(requests_ec2.LOG_GROUP,),
                namespaces=(requests_ec2.NAMESPACE,),
            )
    raise ValueError(f"{piece} is not a role of a duty")


def grants(piece: Piece, account: Account) -> tuple[Grant, ...]:
    """What a role of a duty is given, each grant with why."""
    duty = piece.duty
    if duty is None:
        raise ValueError(f"{piece} is not a role of a duty")
    return gathered(duties.needs(duty, works_on(piece, account), account.where))


def policy(piece: Piece, account: Account) -> dict[str, Any]:
    """The one policy of a role that Kennel hands over."""
    if piece is Piece.SCHEDULER_ROLE:
        return schedule.policy(account)
    return document(grants(piece, account))


def trusted(piece: Piece, account: Account) -> Mapping[str, Any]:
    """Who may act as it."""
    if piece is Piece.SCHEDULER_ROLE:
        return schedule.trust(account)
    return trust(piece.duty or Duty.TRAINING, account.where)


def _folders(account: Account, *prefixes: str) -> tuple[Folder, ...]:
    return tuple(Folder(account.bucket, prefix) for prefix in prefixes)


def limited(sid: str, action: str, resource: str, key: str, value: str) -> Grant:
    """One right under one condition."""
    return Grant(sid, (action,), (resource,), (Limit("StringEquals", key, (value,)),))
