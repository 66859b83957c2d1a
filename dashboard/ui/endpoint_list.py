"""All endpoints as a table, with what each costs and how it does; a click on a name opens its page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.quote import total
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
from dashboard.core.format import count, money, percent
from dashboard.core.serving import live
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.span import Span
from dashboard.ui import (
    chart,
    confirm,
    empty,
    endpoint_deploy,
    endpoint_words,
    markup,
    page,
    problem,
    receipt,
    starter,
    strip,
    table,
    words,
)
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone, label

OPEN, SHOWN = "endpoints-open", "endpoints-shown"
SPAN = Span.QUARTER


def full(aws: Aws) -> None:
    """The page; looked at again every few seconds."""
    st.fragment(_full, run_every=3, key="endpoints")(aws)


def _full(aws: Aws) -> None:
    with problem.shown("endpoints-live", title="Endpoints"):
        seen = state.endpoints(aws)
        _head(aws, seen.value, words.age(seen.at, state.now()))
        if not seen.value:
            _none(aws)
            return
        traffic, unread = _traffic(aws, seen.value)
        strip.show(figures(seen.value, traffic, aws.account))
        if unread is not None:
            st.html(markup.note(f"Requests and latencies are not shown: {unread}", Tone.WAITING))
        _table(aws, seen.value, traffic)


def _head(aws: Aws, endpoints: Sequence[Endpoint], age: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="endpoints-head"):
        page.title("Endpoints", endpoint_words.list_sentence(endpoints), age)
        st.space("stretch")
        if aws.account.writable:
            st.button(
                "Deploy a model",
                key="deploy-any",
                type="primary",
                icon=":material/rocket_launch:",
                on_click=confirm.ask,
                args=(partial(endpoint_deploy.question, aws),),
            )


def _none(aws: Aws) -> None:
    """What to do where nothing serves."""
    if state.is_filling(aws):
        starter.absent(aws)
        return
    empty.show(
        "endpoints",
        "No endpoint yet.",
        "An endpoint keeps a model ready to answer photos: on instances that you pay for by the hour, or serverless, "
        "paid for while it answers. Deploy the model of a run, the starter, or any model.tar.gz in S3.",
        Place.RUNS,
        "Choose a run to deploy",
    )


def _traffic(aws: Aws, endpoints: Sequence[Endpoint]) -> tuple[Mapping[str, Sequence[Traffic]], KennelError | None]:
    """How they do; without the right to read metrics the table stands without."""
    try:
        return state.brief_traffic(aws, endpoints).value, None
    except KennelError as wrong:
        return {}, wrong


def figures(endpoints: Sequence[Endpoint], traffic: Mapping[str, Sequence[Traffic]], account: Account) -> list[Figure]:
    """The strip: what all endpoints do together, and what they cost now."""
    known = [one for each in traffic.values() for one in each]
    slow, asked = live.worst(known, "p90"), sum(one.requests for one in known)
    share = sum(one.errors for one in known) / asked if asked else None
    billed = [one for one in endpoints if one.status.is_billed]
    instances = sum(one.count for one in billed)
    serving = f"{sum(one.status.is_serving for one in endpoints)} of {len(endpoints)}"
    rated = percent(min(1.0, share), 1 if share < 0.1 else 0) if share is not None else "–"
    return [
        Figure("serving", "Serving", serving, count(instances, "instance")),
        Figure("requests", "Requests", f"{round(asked):,}", f"in the last {SPAN.word}"),
        Figure(
            "latency",
            "Slowest p90",
            endpoint_words.milliseconds(slow) if slow is not None else "–",
            "model and overhead" if slow is not None else endpoint_words.NOBODY,
        ),
        Figure("errors", "Errors", rated, f"of {count(round(asked), 'request')}"),
        _cost(billed, account),
    ]


def _cost(billed: Sequence[Endpoint], account: Account) -> Figure:
    """What they cost now. Kinds of money are never added: the sample's is not counted where there is another."""
    own = Nature.of({}, is_embedded=account.is_embedded)
    by_nature: dict[Nature, list[Endpoint]] = {}
    for one in billed:
        by_nature.setdefault(Nature.of(one.tags, is_embedded=account.is_embedded), []).append(one)
    main = own if own in by_nature or not by_nature else next(iter(by_nature))
    those = by_nature.pop(main, [])
    cost, unpriced = total([one.hourly for one in those])
    by_use = sum(one.is_serverless for one in those)
    parts = [f"{money(cost * 24)} a day"]
    parts += [f"and {by_use} serverless, paid by use"] if by_use else []
    parts += [f"{unpriced - by_use} of unknown price"] if unpriced > by_use else []
    for nature, others in by_nature.items():
        apart = money(total([one.hourly for one in others])[0])
        parts.append(f"the {nature.word}'s {apart}/h not counted")
    return Figure("cost", "Cost now", f"{money(cost)}/h", ", ".join(parts), mark=receipt.of(main))


def _table(aws: Aws, endpoints: Sequence[Endpoint], traffic: Mapping[str, Sequence[Traffic]]) -> None:
    now, timezone = state.now(), st.context.timezone
    shown = rows(endpoints, traffic, aws.account, now, timezone)
    st.session_state[SHOWN] = [one.name for one in endpoints]
    st.dataframe(
        shown,
        key="table-endpoints",
        hide_index=True,
        placeholder="–",
        alt="Endpoints; a click on a name opens its page",
        column_config=columns(endpoints, aws.account, timezone),
    )
    chart.download(lambda: table.plain(shown), "endpoints.csv", "download-endpoints", is_quiet=True)


def rows(
    endpoints: Sequence[Endpoint],
    traffic: Mapping[str, Sequence[Traffic]],
    account: Account,
    now: datetime,
    timezone: str | None,
) -> list[dict[str, Any]]:
    """One row an endpoint; money, rates and latencies are numbers underneath, so that they sort.

    Whose model it is and how long it is kept have a column where one of them says so.
    """
    has_run, has_end = any(one.run for one in endpoints), any(endpoint_words.kept(one, now) for one in endpoints)
    made = []
    for one in endpoints:
        found = traffic.get(one.name, ())
        slow, asked = live.worst(found, "p90"), sum(each.requests for each in found)
        cost = one.hourly.amount if one.status.is_billed else None
        made.append(
            {
                "Endpoint": one.name,
                "State": [label(one.status.tone, one.status.word)],
                "Cost": float(cost) if cost is not None else None,
                "Origin": "sample" if one.is_sample else "Kennel" if one.is_kennels else "elsewhere",
                "Requests": live.rate(found, live.lived(one, SPAN.length, now)) if found else None,
                "p90": None if slow is None else slow * 1000,
                "Errors": 100 * sum(each.errors for each in found) / asked if asked else None,
                "Serves on": _machine(one),
                **({"Model of": one.run} if has_run else {}),
                **({"Kept for": endpoint_words.kept(one, now)} if has_end else {}),
                "Created": table.local(one.created, timezone),
            }
        )
    return made


def _machine(one: Endpoint) -> str:
    """What serves, short: what a serverless endpoint may use is told on its page."""
    return "serverless" if one.is_serverless else one.machine


def columns(endpoints: Sequence[Endpoint], account: Account, timezone: str | None) -> dict[str, Any]:
    """How the columns of `rows` look."""
    natures = {Nature.of(one.tags, is_embedded=account.is_embedded) for one in endpoints}
    column = st.column_config
    return {
        "Endpoint": table.opening("Endpoint", OPEN, _open),
        "State": table.states(
            "State", ((one.status.tone, label(one.status.tone, one.status.word)) for one in endpoints)
        ),
        "Cost": column.NumberColumn(
            f"Per hour{words.money_of(natures)}",
            width=144,
            alignment="left",
            format="$%.3f",
            help="List price of its instances; a serverless endpoint is billed for the time that it answers",
        ),
        "Origin": column.TextColumn("Origin", width=68),
        "Requests": column.NumberColumn(
            "Requests/min", width=94, format="%.1f", help=f"In the last {SPAN.word}, or since it was made"
        ),
        "p90": column.NumberColumn("p90", width=66, format="%.0f ms", help="Model and overhead, the slowest variant"),
        "Errors": column.NumberColumn("Errors", width=62, format="%.1f %%"),
        "Serves on": column.TextColumn("Serves on", width=126),
        "Model of": column.TextColumn("Model of", width=134, help="The run that trained its model"),
        "Kept for": column.TextColumn(
            "Kept for", width=90, help="How long it is still to be kept; nothing means: until it is deleted"
        ),
        "Created": column.DatetimeColumn(
            "Created", width=94, format="D MMM, HH:mm", help=f"Your time: {table.zone(timezone)}"
        ),
    }


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.ENDPOINT, {"endpoint": name})
