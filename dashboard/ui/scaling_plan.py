"""Beside the editor: what would change, what AWS would refuse, what it costs; and the dialogs that carry it out."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.calls import Call, send
from dashboard.core.errors import Refused
from dashboard.core.serving.scaling.advise import advise
from dashboard.core.serving.scaling.apply import apply
from dashboard.core.serving.scaling.around import Around
from dashboard.core.serving.scaling.plan import Change, ScalingPlan, plan, plan_suspend
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.read import read
from dashboard.core.serving.scaling.refuse import Problem, refuse
from dashboard.core.serving.scaling.scaling import Scaling, Suspended
from dashboard.ui import calls, confirm, scaling_words, told
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import escape, facts, literal, note, sentence
from dashboard.ui.receipt import marked
from dashboard.ui.scaling import nature
from dashboard.ui.tones import Tone
from dashboard.ui.words import money_word

ASKED = "scaling-asked"
PAUSED = Suspended(scale_in=True, scale_out=True, scheduled=True)


def panel(aws: Aws, scaling: Scaling, after: Settings, around: Around) -> None:
    """The difference between what is set and what the form says, with the button that applies it."""
    planned = plan(scaling, after if _asks(scaling, after) else scaling.settings, aws.account, state.prices())
    problems = refuse(after, scaling.variant, around, state.now())
    with st.container(border=True, key="panel-scaling-plan", gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html('<h2 class="kn-section">What would change</h2>')
            _buttons(aws, scaling, after, bool(problems), planned)
        if not planned.calls:
            empty = "Nothing yet: choose a metric to keep steady, or take the reference settings."
            st.html(note("Nothing: the form says what is set." if scaling.is_registered else empty))
        st.html(difference(planned.changes) or "<span></span>")
        if problems:
            st.html(refused(problems))
        st.html(cost(planned, aws))
        advice = advise(after, scaling.variant, around, _starts_in(aws, scaling))
        if advice and _asks(scaling, after):
            st.html(f'<ul class="kn-evidence">{"".join(f"<li>{escape(sentence(one))}.</li>" for one in advice)}</ul>')


def _starts_in(aws: Aws, scaling: Scaling) -> float | None:
    """Seconds that an instance takes to start, where that was measured."""
    if not scaling.variant.kind.has_instances:
        return None
    start = state.replay_facts(aws, scaling.variant.endpoint, scaling.variant.name).value.start
    return None if start.is_assumed else start.value


def _asks(scaling: Scaling, after: Settings) -> bool:
    """Whether the form of a variant that does not scale asks for anything at all."""
    stays = after.minimum == after.maximum == max(1, scaling.variant.desired)
    return scaling.is_registered or bool(after.policies or after.scheduled) or not stays


def _buttons(aws: Aws, scaling: Scaling, after: Settings, is_refused: bool, planned: ScalingPlan) -> None:
    variant = scaling.variant
    with st.container(horizontal=True, gap="small", width="content"):
        if scaling.is_registered:
            off = bool(scaling.suspended.words)
            st.button(
                "Switch on again" if off else "Pause",
                key="scaling-pause",
                type="tertiary",
                help="Keeps the settings" if off else "Nothing scales until it is switched on again; settings stay",
                on_click=confirm.ask,
                args=(partial(suspend_question, aws, variant.endpoint, variant.name, Suspended() if off else PAUSED),),
            )
            st.button(
                "Remove",
                key="scaling-remove",
                type="tertiary",
                help="End auto scaling: the variant stays as large as it is",
                on_click=confirm.ask,
                args=(partial(question, aws, variant.endpoint, variant.name, None),),
            )
        st.button(
            "Review",
            key="scaling-review",
            type="primary",
            disabled=is_refused or not planned.calls or not scaling.is_known,
            on_click=_ask,
        )
    if st.session_state.pop(ASKED, False):  # a field that was changed a moment before the click is in it
        confirm.put(partial(question, aws, variant.endpoint, variant.name, after))


def _ask() -> None:
    st.session_state[ASKED] = True


def difference(changes: Sequence[Change]) -> str:
    """What is different, as a table of before and after."""
    if not changes:
        return ""
    for one in changes:
        told.tell(f"{one.what}: {one.before} → {one.after}")
    rows = "".join(
        f'<tr><td data-of="">{escape(one.what)}</td><td data-of="now">{escape(one.before)}</td>'
        f'<td data-of="then">{escape(one.after)}</td></tr>'
        for one in changes
    )
    head = "<thead><tr><th>What</th><th>Now</th><th>Then</th></tr></thead>"
    return f'<div class="kn-scroll"><table class="kn-lines kn-stacks">{head}<tbody>{rows}</tbody></table></div>'


def refused(problems: Sequence[Problem]) -> str:
    """What AWS would reject, each with its reason and what to do."""
    rows = "".join(
        f"<li><strong>{escape(sentence(one.what))}</strong>: {escape(one.why)}. {escape(sentence(one.next_step))}.</li>"
        for one in problems
    )
    return f'<p class="kn-note kn-failed-text">AWS would refuse this:</p><ul class="kn-wrong">{rows}</ul>'


def cost(planned: ScalingPlan, aws: Aws) -> str:
    """What it costs at its smallest and its largest, for an hour and a month."""
    if planned.cost.least.amount is None:
        return note(f"Its cost is unknown: {planned.cost.least.why_unknown}.")
    hour = marked(f"{scaling_words.cost(planned.cost)} an hour", nature(planned.variant, aws.account))
    month = f"{scaling_words.monthly(planned.cost)} a month of 730 h"
    return f'<p class="kn-card-line">Costs {hour}, {escape(month)}</p>'


def question(aws: Aws, endpoint: str, variant: str, after: Settings | None) -> Question:
    """The plan, made from how things are now. Raises the errors of `read`, and Refused for what AWS would refuse."""
    now = read(aws, endpoint, variant)
    if not now.is_known:
        raise now.unread[0].problem
    if after is not None:
        problems = refuse(after, now.variant, state.scaling_around(aws, now.variant), state.now())
        if problems:
            raise Refused(problems[0].what, problems[0].why, problems[0].next_step)
    planned = plan(now, after, aws.account, state.prices())
    title = "Remove auto scaling" if after is None else "Change auto scaling" if now.settings else "Set auto scaling"
    return Question(f"{title} of {literal(endpoint)}", partial(_draw, aws, planned))


def _draw(aws: Aws, planned: ScalingPlan) -> Action | None:
    if not planned.calls:
        st.html(note("AWS has exactly these settings: there is nothing to change."))
        return None
    st.html(difference(planned.changes))
    st.html(cost(planned, aws))
    if planned.removes:
        stays = f"The variant stays at {planned.variant.kind.many(planned.variant.desired)}, at the cost above."
        st.html(note(stays))
    else:
        st.html(note("AWS asks nothing for Application Auto Scaling; CloudWatch charges for alarms on a real account."))
    _calls(aws, planned.calls, planned.code)
    if planned.removes:
        label = f"Remove auto scaling of {planned.variant.endpoint}"
    elif planned.cost.least.is_known:
        label = (
            f"Apply for {scaling_words.cost(planned.cost)} an hour{money_word(nature(planned.variant, aws.account))}"
        )
    else:
        label = "Apply at an unknown cost"
    return Action(label, partial(apply, aws, planned, state.prices()), is_dangerous=planned.removes)


def suspend_question(aws: Aws, endpoint: str, variant: str, suspended: Suspended) -> Question:
    """Switching scaling off, or on again. Raises the errors of `read`."""
    now = read(aws, endpoint, variant)
    word = "Pause" if suspended.words else "Switch on"
    return Question(f"{word} auto scaling of {literal(endpoint)}", partial(_draw_suspend, aws, now, suspended))


def _draw_suspend(aws: Aws, scaling: Scaling, suspended: Suspended) -> Action:
    call, code = plan_suspend(scaling, suspended, aws.account)
    stays = scaling.variant.kind.many(scaling.variant.desired)
    st.html(facts({"Then off": ", ".join(suspended.words) or "nothing", "Stays": f"{stays}, and all settings"}))
    _calls(aws, [call], code)

    def do() -> str:
        send(aws, call)
        return f"{scaling.variant.endpoint}: scaling is {'switched off' if suspended.words else 'on again'}"

    return Action("Pause scaling" if suspended.words else "Switch scaling on", do)


def _calls(aws: Aws, those: Sequence[Call], code: str) -> None:
    st.html(calls.listed(those))
    if not aws.account.writable:
        st.html(note("This account is connected read-only: the calls will be refused.", Tone.WAITING))
    with st.expander("Show as code"):
        st.code(code, language="python")
