"""What IAM itself tells of a role's use: the services and actions that it may use, and when it last did.

IAM keeps 400 days, tells a call hours later, and tracks actions only that manage things: reading an object, calling an
endpoint or passing a role are not among them, so that no date there means nothing.
Source: IAM User Guide, "Refine permissions using last accessed information".
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import ServiceFault

TRACKED = timedelta(days=400)
WAITS = (0.0, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds before each look at a job: they take some seconds on a real account."""
MOST_PAGES = 50


@dataclass(frozen=True)
class ActionUse:
    """An action that IAM tracks. last: None for one that was not used in the tracking period."""

    action: str
    last: datetime | None = None
    region: str = ""


@dataclass(frozen=True)
class ServiceUse:
    """A service that the role's policies let it use. namespace: the prefix of its actions ("s3").

    actions: those that IAM tracks and the policies allow; tracks_actions: False where it tells none of the service.
    """

    namespace: str
    name: str
    last: datetime | None = None
    region: str = ""
    actions: tuple[ActionUse, ...] = ()

    @property
    def tracks_actions(self) -> bool:
        return bool(self.actions)


@dataclass(frozen=True)
class LastAccessed:
    """services: by namespace. at: when IAM put it together."""

    role_arn: str
    services: tuple[ServiceUse, ...] = ()
    at: datetime | None = None

    def service(self, namespace: str) -> ServiceUse | None:
        return next((one for one in self.services if one.namespace == namespace.lower()), None)

    def last(self, action: str) -> datetime | None:
        """When an action ("s3:PutObject") was last used; None for never, and for what is not tracked."""
        found = self._action(action)
        return found.last if found else None

    def is_tracked(self, action: str) -> bool:
        """Whether IAM would tell of a use: without that, "never" is not known."""
        return self._action(action) is not None

    def _action(self, action: str) -> ActionUse | None:
        service = self.service(action.partition(":")[0])
        wanted = action.lower()
        return next((one for one in service.actions if one.action.lower() == wanted), None) if service else None


def read(aws: Aws, role_arn: str, *, sleep: Callable[[float], None] = time.sleep) -> LastAccessed:
    """Ask IAM for the services and actions of a role, and wait for the answer.

    Raises the errors of `Aws.call`, and ServiceFault where IAM did not finish in time.
    """
    job = str(aws.call("iam", "GenerateServiceLastAccessedDetails", Arn=role_arn, Granularity="ACTION_LEVEL")["JobId"])
    for wait in WAITS:
        if wait:
            sleep(wait)
        answer = aws.call("iam", "GetServiceLastAccessedDetails", JobId=job)
        match answer["JobStatus"]:
            case "COMPLETED":
                services = tuple(sorted(_services(aws, job, answer), key=lambda one: one.namespace))
                return LastAccessed(role_arn, services, answer.get("JobCompletionDate"))
            case "FAILED":
                error = answer.get("Error") or {}
                raise ServiceFault(
                    "IAM could not tell what was last accessed",
                    str(error.get("Message") or ""),
                    "try again in a minute",
                )
    raise ServiceFault(
        "IAM has not yet put together what was last accessed",
        f"it was asked {len(WAITS)} times in {sum(WAITS):g} s",
        "try again in a minute",
    )


def _services(aws: Aws, job: str, answer: Mapping[str, Any]) -> Iterator[ServiceUse]:
    for _ in range(MOST_PAGES):
        yield from (_service(one) for one in answer.get("ServicesLastAccessed", ()))
        if not answer.get("IsTruncated"):
            return
        answer = aws.call("iam", "GetServiceLastAccessedDetails", JobId=job, Marker=answer["Marker"])


def _service(told: Mapping[str, Any]) -> ServiceUse:
    namespace = str(told["ServiceNamespace"]).lower()
    return ServiceUse(
        namespace,
        str(told.get("ServiceName") or namespace),
        told.get("LastAuthenticated"),
        str(told.get("LastAuthenticatedRegion") or ""),
        tuple(
            ActionUse(
                f"{namespace}:{one['ActionName']}",
                one.get("LastAccessedTime"),
                str(one.get("LastAccessedRegion") or ""),
            )
            for one in told.get("TrackedActionsLastAccessed", ())
        ),
    )
