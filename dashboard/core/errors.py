"""Every error Kennel shows, named by what it means to the person reading it.

KennelError
├── InvalidInput         a value does not fit; `field` names the form field
├── AccessDenied         the identity lacks a permission; `action`, `resource` and `statement` say which
├── NotFound             the thing named is not there
├── AlreadyExists        the name is taken
├── QuotaExceeded        the account's limit is reached
├── NoCapacity           AWS has no such instance free at the moment
├── Throttled            too many calls, even after retries
├── Unreachable          nothing can be connected to: network, embedded AWS not running
├── CredentialsProblem   missing, expired or wrong keys, or no such profile
├── ReadOnly             the account is connected read-only and the call would change it
├── Refused              a rule forbids it: a cost cap, a state that does not allow it
└── ServiceFault         the service failed, was silent, or answered nonsense
"""

# ruff: noqa: N818 - the names are meanings, as in the tree above; "Error" adds nothing to them

from typing import Any


class KennelError(Exception):
    """What happened, why, and what to do next; `str()` joins the three with " · "."""

    is_temporary = False
    """Whether the same call may well work a little later."""

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        super().__init__(what, why, next_step)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        return " · ".join(part for part in (self.what, self.why, self.next_step) if part)


class InvalidInput(KennelError):
    """A value does not fit. `field` is the name of the field it belongs to, "" when none."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, field: str = "") -> None:
        super().__init__(what, why, next_step)
        self.field = field


class AccessDenied(KennelError):
    """The identity may not do this. `statement` is the IAM statement that would allow it."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, action: str = "", resource: str = "") -> None:
        super().__init__(what, why, next_step)
        self.action = action
        self.resource = resource

    @property
    def statement(self) -> dict[str, Any]:
        """The smallest IAM policy statement that would allow the call."""
        return {"Effect": "Allow", "Action": self.action, "Resource": self.resource or "*"}


class NotFound(KennelError):
    """The thing named is not in this account and region."""


class AlreadyExists(KennelError):
    """The name is taken by something else."""


class QuotaExceeded(KennelError):
    """The account's limit for this is reached."""


class NoCapacity(KennelError):
    """AWS has no such instance free where it was asked for."""

    is_temporary = True


class Throttled(KennelError):
    """AWS asked to slow down, and still did after the retries."""

    is_temporary = True


class Unreachable(KennelError):
    """Nothing at the other end can be connected to: this is about everything, not about one service."""

    is_temporary = True


class CredentialsProblem(KennelError):
    """Keys or session are missing, expired or wrong, or the profile does not exist."""


class ReadOnly(KennelError):
    """The account is connected read-only; the call would have changed it and was not sent."""


class Refused(KennelError):
    """A rule forbids it: a cost cap, or a state that does not allow the step."""


class ServiceFault(KennelError):
    """The service failed, did not answer in time, or its answer made no sense."""

    is_temporary = True
