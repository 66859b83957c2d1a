"""What a role's uses name: the folders, images, endpoints, groups and keys that its proposal has to cover.

Read from the jobs, models, endpoints, functions and instances themselves. What cannot be read, or is too much to read,
is told in a sentence: a proposal without it would lack rights.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dashboard.core.aws import Aws
from dashboard.core.errors import CredentialsProblem, KennelError, Unreachable
from dashboard.core.iam.least.resources import Resources
from dashboard.core.iam.seen import served_endpoint, served_function, served_instance, served_notebook, served_training
from dashboard.core.iam.usage import Duty, Use
from dashboard.core.parallel import gather

MOST = 60
"""Uses of one duty that are looked at, the newest: a role may have trained ten thousand times."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Served:
    """by_duty: what each duty works on. unread: what could not be looked at, in a sentence each."""

    by_duty: Mapping[Duty, Resources] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def of(self, duty: Duty) -> Resources:
        return self.by_duty.get(duty, Resources())


Look = Callable[[Aws, Use, str], Resources]
_LOOKS: Mapping[Duty, Look] = {
    Duty.TRAINING: served_training.look,
    Duty.ENDPOINT: served_endpoint.look,
    Duty.FUNCTION: served_function.look,
    Duty.INSTANCE: served_instance.look,
    Duty.NOTEBOOK: served_notebook.look,
}


def read(aws: Aws, role_arn: str, uses: Iterable[Use]) -> Served:
    """Look at what works as the role. Raises Unreachable and CredentialsProblem, which are about everything."""
    given = sorted(uses, key=lambda use: use.last or _NEVER, reverse=True)
    unread: list[str] = []
    wanted: list[Use] = []
    for duty in Duty:
        of_duty = [use for use in given if use.duty is duty]
        wanted += of_duty[:MOST]
        if len(of_duty) > MOST:
            unread.append(f"Of {len(of_duty):,} uses as a {duty} role the newest {MOST} were looked at.")
    found: dict[Duty, list[Resources]] = {use.duty: [] for use in wanted}
    for use, seen in zip(wanted, gather(lambda one: _looked(aws, one, role_arn), wanted), strict=True):
        if isinstance(seen, Resources):
            found[use.duty].append(seen)
        else:
            unread.append(seen)
    if Duty.INSTANCE in found:
        more = _tried(lambda: served_instance.runs(aws, role_arn), "Kennel's own trainings on EC2")
        if isinstance(more, Resources):
            found[Duty.INSTANCE].append(more)
        else:
            unread.append(more)
    by_duty = {duty: Resources.joined(several) for duty, several in found.items()}
    for duty, common in (
        (Duty.TRAINING, served_training.common),
        (Duty.ENDPOINT, served_endpoint.common),
    ):
        if duty in by_duty:
            by_duty[duty] = Resources.joined([by_duty[duty], common(aws.account, by_duty[duty])])
    if Duty.NOTEBOOK in by_duty and Duty.TRAINING in by_duty:  # what a notebook of the same role starts
        jobs = [use.name for use in wanted if use.duty is Duty.TRAINING]
        started = served_notebook.starts(by_duty[Duty.TRAINING], jobs, role_arn)
        by_duty[Duty.NOTEBOOK] = Resources.joined([by_duty[Duty.NOTEBOOK], started])
    return Served(by_duty, tuple(dict.fromkeys(unread)))


def _looked(aws: Aws, use: Use, role_arn: str) -> Resources | str:
    return _tried(lambda: _LOOKS[use.duty](aws, use, role_arn), f"{use.duty.value} {use.name}")


def _tried(look: Callable[[], Resources], what: str) -> Resources | str:
    """What was seen, or why nothing was."""
    try:
        return look()
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as error:
        return f"Not looked at: {what}: {error.what}."
