"""How a variant scales now, live: figures, the metric against its target, alarms, and what scaling did."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import ago, count, money, plain
from dashboard.core.serving.scaling.history import History
from dashboard.core.serving.scaling.plan import at
from dashboard.core.serving.scaling.scaling import Activity, Alarm, Scaling
from dashboard.core.serving.scaling.variant import Variant
from dashboard.core.tags import SAMPLE
from dashboard.ui import chart, figures_scaling, page, problem, scaling_words, strip, table, unread
from dashboard.ui.markup import NO_MARK, Markup, badge, escape, note
from dashboard.ui.page import Place
from dashboard.ui.receipt import word_of
from dashboard.ui.strip import Figure

SHOWN = 6
"""Activities beside the chart; the table has all."""
ENDPOINT, VARIANT = "endpoint", "variant"
QUIET = "ask it on its own page, on Classify, or by Measure below."


def live(aws: Aws, endpoint: str, variant: str) -> None:
    """The live part, drawn again every few seconds."""
    st.fragment(_live, run_every=_seconds(aws), key="scaling-live")(aws, endpoint, variant)


def latency(aws: Aws, scaling: Scaling) -> float | None:
    """Mean seconds of a request; None where that is not known."""
    return state.scaling_latency(aws, scaling, figures_scaling.watched(scaling))


def _history(aws: Aws, scaling: Scaling) -> History | None:
    """What its metrics were; None where CloudWatch does not tell, which is said."""
    found: History | None = None
    with problem.shown("scaling-history"):
        found = state.scaling_history(aws, scaling, figures_scaling.watched(scaling)).value
    return found  # noqa: RET504 - none where the problem is shown instead


def title(aws: Aws, endpoint: str, variant: str) -> None:
    """The title line, as live as what is below it."""
    st.fragment(_title, run_every=_seconds(aws), key="scaling-title")(aws, endpoint, variant)


def _seconds(aws: Aws) -> int:
    """How often the page looks: what takes minutes on AWS takes seconds where waits are shorter."""
    return 2 if aws.account.time_scale > 1 else 5


def _title(aws: Aws, endpoint: str, variant: str) -> None:
    with problem.shown("scaling-title", title="Scaling"):
        scaling = state.scaling(aws, endpoint, variant).value
        page.title("Scaling", f"{endpoint}: {scaling_words.sentence(scaling)}", marks=marks(scaling))


def _live(aws: Aws, endpoint: str, variant: str) -> None:
    with problem.shown("scaling-live"):
        scaling = state.scaling(aws, endpoint, variant).value
        seen = _history(aws, scaling)
        strip.show(figures(scaling, seen, aws))
        if not scaling.policies and not scaling.activities and seen is not None and seen.is_quiet:
            with st.container(border=True, key="panel-scaling"):
                st.html(note(f"No policy moves {endpoint}, and nobody asked it in the last while: {QUIET}"))
            unread.show("Not checked", scaling.unread, "scaling")
            return
        left, right = st.columns((8, 5), gap="small")
        with left:
            _chart(scaling, seen, endpoint)
        with right, st.container(border=True, height="stretch", key="panel-scaling-alarms", gap="xsmall"):
            _alarms(scaling, aws)
            _activities(scaling, endpoint)
        unread.show("Not checked", scaling.unread, "scaling")


def figures(scaling: Scaling, seen: History | None, aws: Aws) -> list[Figure]:
    """The strip."""
    variant, settings = scaling.variant, scaling.settings
    going = f"going to {variant.desired}" if variant.desired != variant.current else "as asked for"
    found = [Figure("scaling-now", variant.kind.noun.capitalize(), str(variant.current), going)]
    if settings is not None:
        ends = f"{settings.minimum} to {settings.maximum}"
        actions = count(len(settings.scheduled), "scheduled action") if settings.scheduled else "no scheduled action"
        off = ", ".join(scaling.suspended.words)
        said, tone = (f"switched off: {off}", "waiting") if off else (actions, "")
        found.append(Figure("scaling-ends", "Scales within", ends, said, tone=tone))
    else:
        is_known = "none" if scaling.is_known else "unknown"
        found.append(
            Figure("scaling-ends", "Auto scaling", is_known, "set it below" if scaling.is_known else "not read")
        )
    tracked = seen.tracking[0] if seen and seen.tracking else None
    if seen is not None and tracked is not None and settings is not None and settings.tracking:
        policy = settings.tracking[0]
        newest = seen.newest(tracked)
        value = "no data" if newest is None else plain(float(f"{newest:.3g}"))
        text = f"target {plain(policy.target)} {figures_scaling.unit(policy)}"
        found.append(Figure("scaling-metric", "Metric", value, text))
    word, why = scaling_words.alarms(scaling.alarms)
    tone = {"scale out": "waiting"}.get(word, "")
    found.append(Figure("scaling-alarms", "Alarms say", word, why, tone=tone))
    quote = at(variant, variant.current, aws.account.region, state.prices())
    each = f"{money(quote.unit_price)} each" if quote.unit_price else quote.why_unknown
    found.append(
        Figure(
            "scaling-cost",
            "Costs an hour",
            money(quote.amount),
            each,
            mark=word_of(nature(variant, aws.account)) if quote.amount else NO_MARK,
        )
    )
    return found


def _chart(scaling: Scaling, seen: History | None, endpoint: str) -> None:
    if seen is None:
        return
    drawn = figures_scaling.shown(scaling, seen, figures_scaling.watched(scaling))
    local = partial(table.local, timezone=st.context.timezone)
    is_dark = st.context.theme.type == "dark"
    made = figures_scaling.figure(scaling, seen, drawn, local, is_dark=is_dark)
    has_any = bool(seen.desired[:-1] or seen.instances or (drawn and (drawn.tracking.points or drawn.high is not None)))
    wait = (
        f"Nobody asked this endpoint in the last while. {QUIET[:1].upper()}{QUIET[1:]}"
        if seen.is_quiet
        else "Requests have come: CloudWatch has the first minute of them in a moment."
    )
    chart.panel("scaling", figures_scaling.finding(scaling, seen, drawn), made if has_any else None, wait)
    rows = figures_scaling.rows(seen, drawn, local)
    if rows and has_any:
        chart.table(lambda: rows, f"{endpoint}-scaling.csv", "download-scaling", "Instances and load over time")


def _alarms(scaling: Scaling, aws: Aws) -> None:
    st.html('<h2 class="kn-finding">Alarms</h2>')
    if not scaling.alarms:
        st.html(note("None yet. AWS makes two for each target tracking policy: one scales out, one in."))
    scale = aws.account.time_scale
    st.html("".join(_alarm(one, scale) for one in scaling.alarms) or "<span></span>")


def _alarm(one: Alarm, scale: float) -> str:
    value = "" if one.value is None else f" · {plain(float(f'{one.value:.3g}'))} when it changed"
    off = " · its actions are off" if not one.actions_enabled else ""
    told = f"{escape(one.metric)} {escape(scaling_words.alarm(one, scale))}{value}{off}"
    mark = badge(one.state.tone, one.state.word, one.reason)
    return (
        f'<div class="kn-row"><p>{scaling_words.does(one).capitalize()} {mark}</p><p class="kn-note">{told}</p></div>'
    )


def _activities(scaling: Scaling, endpoint: str) -> None:
    st.html('<h2 class="kn-finding">What scaling did</h2>')
    if not scaling.activities:
        st.html(note("Nothing yet."))
        return
    now = state.now()
    st.html("".join(_activity(one, ago(one.started, now)) for one in scaling.activities[:SHOWN]))
    rows = scaling_words.activity_rows(scaling.activities, now)
    chart.download(lambda: rows, f"{endpoint}-activities.csv", "download-activities", is_quiet=True)


def _activity(one: Activity, when: str) -> str:
    told = f'<p class="kn-note">{escape(one.message or one.cause)}</p>' if one.tone == "failed" else ""
    mark = badge(one.tone, one.word, one.cause)
    what = f'{escape(scaling_words.activity(one))} {mark} <span class="kn-note">{when}</span>'
    return f'<div class="kn-row"><p>{what}</p>{told}</div>'


def choose(scaling: Scaling) -> None:
    """Which variant, of several; and the way back to the endpoint."""
    endpoint = scaling.variant.endpoint
    page.back(Place.ENDPOINT, endpoint, {ENDPOINT: endpoint})
    if len(scaling.siblings) > 1:
        st.session_state["scaling-variant"] = scaling.variant.name
        st.segmented_control(
            "Variant",
            scaling.siblings,
            required=True,
            key="scaling-variant",
            label_visibility="collapsed",
            on_change=_choose,
        )


def _choose() -> None:
    st.query_params.from_dict(
        {ENDPOINT: st.query_params.get(ENDPOINT, ""), VARIANT: st.session_state["scaling-variant"]}
    )


def nature(variant: Variant, account: Account) -> Nature:
    """What kind of money a variant costs."""
    return Nature.of({SAMPLE: "true"} if variant.is_sample else {}, is_embedded=account.is_embedded)


def marks(scaling: Scaling) -> Markup:
    """Beside the title, of an endpoint that is the sample account's."""
    return Markup(badge("simulated", "sample")) if scaling.variant.is_sample else NO_MARK
