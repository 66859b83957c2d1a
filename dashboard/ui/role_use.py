"""Who works as a role and what it was seen to do: jobs and endpoints, last-accessed services, recorded calls."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.calls import code
from dashboard.core.format import ago, count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.seen import trail_code
from dashboard.core.iam.usage import Use
from dashboard.ui import chart, empty, page, problem, role_words, table
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

OPEN, SHOWN = "role-use-open", "role-use-shown"
DATE = "D MMM YYYY, HH:mm"

LAST = "When it last ran; of a function or a model, when it was made or changed"


def uses(found: Sequence[Use], role: str) -> None:
    """What works as the role, each with its page where it has one."""
    page.section("What works as it")
    if not found:
        empty.show(
            "role-uses",
            "Nothing was seen to work as this role.",
            "Training jobs, models, endpoints, functions, instance profiles and notebooks of this region were looked "
            "at. Another region, or another account that may become it, is not seen from here.",
        )
        return
    rows = role_words.use_rows(found)
    by_arn = {one.arn: one for one in found}
    st.session_state[SHOWN] = [by_arn[row["ARN"]] for row in rows]
    st.dataframe(
        [_local(row, "Last") for row in rows],
        key="table-role-uses",
        hide_index=True,
        placeholder="–",
        alt="What works as the role; a click on a name opens its page",
        column_config={
            "Name": table.opening("Name", OPEN, _open, 240),
            "Last": st.column_config.DatetimeColumn("Last", format=DATE, help=LAST),
        },
    )
    chart.download(lambda: rows, f"{role}-uses.csv", "download-role-uses", is_quiet=True)


def _open() -> None:
    found: Sequence[Use] = st.session_state.get(SHOWN, ())
    click = st.session_state.get(OPEN)
    if click and int(click["row"]) < len(found):
        one = found[int(click["row"])]
        if to := role_words.PLACES.get(one.duty):
            page.go(to[0], {to[1]: one.name})


def section(aws: Aws, role: Role) -> None:
    """What CloudTrail has of the role."""
    page.section("What it was seen to do")
    with problem.shown("role-recorded"):
        found = role_readings.recorded(aws, role.arn).value
        recorded(found, role.name, role_readings.now())
        if found.lacks_data:
            with st.expander("A trail that tells them, as code"):
                st.code(code(trail_code.calls(aws.account), aws.account), language="python")


def recorded(found: Recorded, role: str, now: datetime) -> None:
    """Its calls as CloudTrail has them, and from when on that is all of them."""
    since = f", complete for the last {ago(found.since, now).removesuffix(' ago')}" if found.since else ""
    if found.source:
        st.html(note(f"From {found.source}{since}."))
    for part in found.partial:
        st.html(note(part, Tone.WAITING))
    if not found.calls:
        empty.show(
            "role-recorded",
            "No call of it is recorded." if found.since else "Its calls could not be read.",
            "CloudTrail's event history has what changes something; a trail with data events has each read too. "
            "A proposal without records rests on what the code path needs.",
        )
        return
    rows = role_words.recorded_rows(found)
    denied = sum(one.denied for one in found.calls)
    st.html(
        note(
            f"{count(len({one.right.action for one in found.calls}), 'action')} in "
            f"{count(sum(one.count for one in found.calls), 'call')}, "
            f"{f'{denied:,} of them denied' if denied else 'none of them denied'}."
        )
    )
    dates = {name: st.column_config.DatetimeColumn(name, format=DATE) for name in ("First", "Last")}
    wide = {"Resource": st.column_config.TextColumn("Resource", width="large")}
    st.dataframe(
        [_local(row, "First", "Last") for row in rows],
        key="table-role-recorded",
        hide_index=True,
        alt="The role's recorded calls",
        column_config={**dates, **wide},
    )
    chart.download(lambda: rows, f"{role}-calls.csv", "download-role-calls", is_quiet=True)


def _local(row: dict[str, Any], *names: str) -> dict[str, Any]:
    zoned = partial(table.local, timezone=st.context.timezone)
    return {name: zoned(value) if name in names and value is not None else value for name, value in row.items()}
