"""The tags that Kennel puts on what it makes, and AWS's two ways of writing tags."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied, NotFound

MADE_BY = "kennel:made-by"
KENNEL = "kennel"
ORDER = "kennel:token"
"""Identifies one confirmed plan: the same plan sent twice carries the same value, and so makes one thing."""
SAMPLE = "kennel:sample"
RUN = "kennel:run"
"""On what serves a model: the run that trained it. On an EC2 instance: the run that it carries out."""
PACKAGE = "kennel:package"
"""On what serves a registered version of a model: the ARN of that version."""
REPLACES = "kennel:replaces"
"""On a configuration of an endpoint: the one that it took the place of."""
PROOF = "kennel:proof"
"""On a training that proved a role's proposed policy: the trial role. It is nobody's work on a model."""
REGION = "kennel:region"
"""On a role: the region of the one thing that acts as it. A role is of all regions, and what has the same name in
another one may not share its rights."""
PROJECT, OWNER = "project", "owner"
"""A person's own marks, under the plain names that cost reports group by."""
INTERRUPT_AFTER = "kennel:interrupt-after"
"""Asks the embedded AWS to take spot instances back: "20 45", seconds of training since the job first started."""
INTERRUPTIONS_PER_HOUR = "kennel:interruptions-per-hour"
"""The same, so many times an hour on average, at times drawn from the run's ARN."""
INTERRUPT = "kennel:interrupt"
"""The same, now: each new value of this tag is one interruption."""
EXPECTED_COST, EXPECTED_MOST = "kennel:expected-cost", "kennel:expected-most"
"""What a launch was expected to cost, and could have cost at most: USD as decimal texts, left out where unknown."""
EXPECTED_SECONDS = "kennel:expected-seconds"
"""How long it was expected to take, from its start to its end."""
EXPIRES = "kennel:expires"
"""When something that costs money for as long as it is there is no longer needed: ISO 8601, UTC. Nothing is deleted
by it; what is past it is found as waste."""
REPLAY = "kennel:replay"
"""On the embedded AWS, together with the sample mark: a training that others tell of, recorded with the times they
give; nothing runs."""
REPLAY_BASIS = "kennel:replay-basis"
"""How the times of a replayed training are known: published, or estimated from what."""
REPLAY_SUM = "kennel:replay-may-be-sum"
"""On a replayed training of several instances: its write-up leaves open whether the time is theirs added up."""


def order(token: str, *asked: object) -> str:
    """The mark of one confirmed plan: of a form's `token` and all that was asked for, by its repr.

    A form keeps its token until the launch is answered. If the answer is lost and something is changed then, that is
    another plan, and must not be taken for the one that was sent.
    """
    return hashlib.sha256(repr((token, *asked)).encode()).hexdigest()[:16]


def of_plan(mark: str, run: str = "") -> list[dict[str, str]]:
    """The tags of something made from the plan with this `order`, in AWS's list form; `run`: whose model it serves."""
    made = [{"Key": MADE_BY, "Value": KENNEL}, {"Key": ORDER, "Value": mark}]
    return [*made, {"Key": RUN, "Value": run}] if run else made


def listed(marks: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in AWS's list form; those without a value are left out."""
    return [{"Key": key, "Value": value} for key, value in marks.items() if value]


def as_dict(told: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """AWS's [{"Key", "Value"}] as a dict."""
    return {str(t["Key"]): str(t.get("Value", "")) for t in told}


def is_kennels(marks: Mapping[str, str]) -> bool:
    """Whether Kennel made what bears these tags, and so may change and delete it."""
    return marks.get(MADE_BY) == KENNEL


def is_sample(marks: Mapping[str, str]) -> bool:
    """Whether it is of the sample account."""
    return marks.get(SAMPLE) == "true"


def of_run(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of a run, to be shown: none without the right to read them, since it is a run all the same."""
    try:
        return of_sagemaker(aws, arn)
    except AccessDenied:
        return {}


def of_sagemaker(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of a SageMaker resource. Raises the errors of `Aws.call`."""
    pages = aws.pages("sagemaker", "ListTags", ResourceArn=arn)
    return as_dict(tag for page in pages for tag in page.get("Tags", []))


def of_own_role(region: str) -> list[dict[str, str]]:
    """The tags of a role that one thing of a region acts as, in AWS's list form."""
    return listed({MADE_BY: KENNEL, REGION: region})


def is_own_role(aws: Aws, role: str) -> bool:
    """Whether Kennel made a role of this name for one thing of this region; False where it is gone or hidden."""
    try:
        told = aws.call("iam", "GetRole", RoleName=role)["Role"]
    except (NotFound, AccessDenied):
        return False
    marks = as_dict(told.get("Tags", ()))
    return is_kennels(marks) and marks.get(REGION) == aws.account.region
