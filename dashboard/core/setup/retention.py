"""An end for log groups that were made without one: what is older is deleted, and goes on being deleted."""

from collections.abc import Iterable

from dashboard.core.aws import Aws
from dashboard.core.calls import Call, send
from dashboard.core.format import count
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import Kind


def endless(found: Iterable[Found]) -> tuple[Found, ...]:
    """The log groups that keep everything for ever."""
    return tuple(one for one in found if one.piece.kind is Kind.LOG and one.standing is Standing.LACKING)


def plan(groups: Iterable[Found], days: int) -> tuple[Call, ...]:
    """One call for each group. Pure."""
    return tuple(
        Call(
            "logs",
            "PutRetentionPolicy",
            {"logGroupName": one.name, "retentionInDays": days},
            f"{one.name} keeps what is written to it for {count(days, 'day')}; what is older is deleted",
        )
        for one in groups
    )


def carry_out(aws: Aws, calls: tuple[Call, ...]) -> str:
    """Once or several times, it comes to the same. Raises the errors of `Aws.call`."""
    for call in calls:
        send(aws, call)
    return f"{count(len(calls), 'log group')} {'has' if len(calls) == 1 else 'have'} an end now"
