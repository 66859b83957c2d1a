"""The versions of a function, which of them answers, and the way back to an earlier one."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import percent, size
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.functions.package import package
from dashboard.core.serving.functions.versions import plan_point
from dashboard.ui import confirm, function_plan, page, table
from dashboard.ui.confirm import Question
from dashboard.ui.markup import facts, note


def show(aws: Aws, details: Details) -> None:
    """What it is, its versions, and the alias."""
    left, right = st.columns((11, 9), gap="medium")
    with left:
        page.section("Versions")
        _versions(details)
        page.section("Settings")
        _settings(details)
    with right:
        page.section(f"Which one answers as {LIVE}")
        _alias(aws, details)


def _versions(details: Details) -> None:
    live = details.live
    current = package().sha
    rows = [
        {
            "Version": one.number,
            "Answers": ", ".join(
                alias.name for alias in details.aliases if one.number in (alias.version, alias.second)
            ),
            "Code": "this Kennel's" if one.code_sha == current else f"{one.code_sha[:10]}…",
            "Size": size(one.code_bytes),
            "Published": table.local(one.made, st.context.timezone),
        }
        for one in details.versions
    ]
    if not rows:
        st.html(note("Nothing is published yet: an update publishes."))
        return
    date = st.column_config.DatetimeColumn("Published", format="D MMM, HH:mm")
    st.dataframe(
        rows, hide_index=True, key="table-versions", alt="Published versions", column_config={"Published": date}
    )
    if live is not None and details.function.code_sha != current:
        st.html(note("Its code is of another version of Kennel: Update sends this one's."))


def _settings(details: Details) -> None:
    one = details.function
    variables = ", ".join(f"{name}={value}" for name, value in sorted(one.environment.items()))
    st.html(
        facts(
            {
                "Runtime": f"{one.runtime}, {one.architecture.word}, {one.memory_mb:,} MB, {one.timeout} s at most",
                "Handler": one.handler,
                "Role": one.role_name,
                "Environment": variables or "none",
                "ARN": one.arn,
            }
        )
    )


def _alias(aws: Aws, details: Details) -> None:
    numbers = [one.number for one in details.versions]
    if not numbers:
        return
    live = details.live
    version = st.selectbox(
        "Version",
        numbers,
        index=numbers.index(live.version) if live and live.version in numbers else 0,
        key="alias-version",
    )
    others = ["none", *(each for each in numbers if each != version)]
    start = others.index(live.second) if live and live.second in others else 0
    second = st.selectbox("A second one gets a share", others, index=start, key="alias-second")
    share = 0.0
    if second != "none":
        usual = round(live.share * 100) if live and live.share else 10
        share = int(st.slider("Its share (%)", 1, 99, min(99, max(1, usual)), key="alias-share")) / 100
        st.html(note(f"Version {second} gets {percent(share)} of the calls, {version} the others."))
    if not (details.function.is_kennels or details.function.is_sample):
        return
    asked = (version, "" if second == "none" else second, share)
    st.button(
        "Review",
        key="alias-review",
        type="primary",
        disabled=live is not None and asked == (live.version, live.second, live.share),
        on_click=confirm.ask,
        args=(partial(_question, aws, details.function.name, *asked),),
        help="Shows the plan; nothing is moved yet",
    )


def _question(aws: Aws, name: str, version: str, second: str, share: float) -> Question:
    details = state.function(aws, name).value
    return function_plan.question(aws, plan_point(details, version, account=aws.account, second=second, share=share))
