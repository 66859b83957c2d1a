"""What IAM itself tells of a role's use: each service that it may use, and when it last did, down to actions."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.seen.last_accessed import LastAccessed, ServiceUse
from dashboard.ui import chart, empty, page, problem, table
from dashboard.ui.markup import note

ACTIONS, UNUSED = "role-accessed-actions", "role-accessed-unused"
DATE = "D MMM YYYY, HH:mm"


def section(aws: Aws, role: Role) -> None:
    """The services, or each tracked action of them."""
    page.section("What IAM says it used")
    with problem.shown("role-accessed"):
        show(role_readings.accessed(aws, role.arn).value, role.name)


def show(found: LastAccessed, role: str) -> None:
    """A table of services; of actions on demand. What is not tracked is said to be so, and not to be unused."""
    if not found.services:
        empty.show(
            "role-accessed",
            "IAM names no service for it.",
            "It lists the services that a role's policies allow: this one's allow none.",
        )
        return
    used = [one for one in found.services if one.last is not None]
    st.html(
        note(
            f"{count(len(used), 'service')} used of {len(found.services):,} that its policies allow. IAM keeps 400 "
            "days, tells a call some hours later, and tracks no call that only handles data (reading an object, asking "
            "an endpoint): no date there means not tracked, not unused."
        )
    )
    with st.container(horizontal=True, gap="small", key="role-accessed-controls"):
        by_action = st.toggle("Each tracked action", key=ACTIONS)
        with_unused = st.toggle("Also those never used", key=UNUSED)
    shown = found.services if with_unused else used
    rows = action_rows(shown, with_unused=with_unused) if by_action else service_rows(shown)
    if not rows:
        st.html(note("None of them was used."))
        return
    zoned = partial(table.local, timezone=st.context.timezone)
    st.dataframe(
        [{**row, "Last used": row["Last used"] and zoned(row["Last used"])} for row in rows],
        key="table-role-accessed",
        hide_index=True,
        placeholder="–",
        alt="Services and actions that the role may use, and when it last did",
        column_config={"Last used": st.column_config.DatetimeColumn("Last used", format=DATE)},
    )
    chart.download(lambda: rows, f"{role}-last-accessed.csv", "download-role-accessed", is_quiet=True)


def service_rows(services: Sequence[ServiceUse]) -> list[dict[str, Any]]:
    """The latest used first."""
    return [
        {
            "Service": one.name,
            "Prefix": one.namespace,
            "Last used": one.last,
            "Region": one.region,
            "Actions": _actions(one),
        }
        for one in sorted(services, key=lambda one: (one.last is None, -one.last.timestamp() if one.last else 0.0))
    ]


def action_rows(services: Sequence[ServiceUse], *, with_unused: bool) -> list[dict[str, Any]]:
    """Each action that IAM tracks, the latest used first."""
    found = [
        {"Action": action.action, "Last used": action.last, "Region": action.region}
        for one in services
        for action in one.actions
        if with_unused or action.last is not None
    ]
    return sorted(found, key=lambda row: (row["Last used"] is None, _age(row["Last used"]), str(row["Action"])))


def _age(last: Any) -> float:
    return -float(last.timestamp()) if last else 0.0


def _actions(one: ServiceUse) -> str:
    if not one.tracks_actions:
        return "not tracked"
    return f"{sum(action.last is not None for action in one.actions):,} of {len(one.actions):,} used"
