"""What is being done to a role, step by step: while it goes on, and how it ended."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.format import ago, count
from dashboard.core.iam.replace.going import Deed, Progress
from dashboard.core.iam.replace.proof import Nature, Proof
from dashboard.core.iam.replace.step import State, Step
from dashboard.ui import confirm, problem
from dashboard.ui.markup import Markup, badge, escape, note
from dashboard.ui.tones import Tone

TONES = {State.RUNNING: Tone.RUNNING, State.DONE: Tone.DONE, State.FAILED: Tone.FAILED, State.SKIPPED: Tone.STOPPED}
NAMES = {
    Deed.PROOF: "Proving",
    Deed.CHANGE: "Changing",
    Deed.UNDO: "Undoing the change of",
    Deed.RETIREMENT: "Retiring",
}
ENDS = {
    Deed.PROOF: ("proven", "not proven"),
    Deed.CHANGE: ("changed", "not changed"),
    Deed.UNDO: ("as before", "not undone"),
    Deed.RETIREMENT: ("done", "not done"),
}


def show(aws: Aws, role: str, *, ended: bool = True, acts: Callable[[Progress], None] | None = None) -> None:
    """The deed that goes on, looked at again every second, or (`ended`) how the last one came out.

    acts: draws what can be done about one that has ended.
    """
    progress = role_readings.going(aws, role)
    if progress is None:
        return
    if progress.is_over:
        if ended:
            _ended(aws, progress, acts)
    else:
        st.fragment(_watch, run_every=1, key="role-watch")(aws, role)


def is_busy(aws: Aws, role: str) -> bool:
    """Whether something is being done to it right now."""
    progress = role_readings.going(aws, role)
    return progress is not None and not progress.is_over


def _watch(aws: Aws, role: str) -> None:
    progress = role_readings.going(aws, role)
    if progress is None or progress.is_over:
        role_readings.forget_roles()
        st.rerun()  # the page shows what came of it
    with st.container(border=True, key="panel-role-going"):
        about = f" for {progress.about}" if progress.about else ""
        st.html(f'<h2 class="kn-finding">{escape(f"{NAMES[progress.deed]} {role}{about}")}</h2>')
        st.progress(progress.share)
        st.html(listed(progress.steps))
        st.html(note("It goes on when you leave this page."))
        if progress.deed.can_stop:
            st.button(
                "Stopping…" if progress.is_stopping else "Stop",
                key="role-stop",
                icon=":material/stop:",
                disabled=progress.is_stopping,
                on_click=confirm.at_once,
                args=(f"Stop {NAMES[progress.deed].lower()} {role}", partial(role_readings.stop, aws, role)),
                help="Ends after the step that is under way, and cleans up",
            )


def _ended(aws: Aws, progress: Progress, acts: Callable[[Progress], None] | None) -> None:
    done, failed = ENDS[progress.deed]
    about = f" for {progress.about}" if progress.about else ""
    with st.container(border=True, key="panel-role-ended"):
        tone = Tone.FAILED if progress.has_failed else Tone.DONE
        word = (f"{failed}, and taken back" if progress.has_undone else failed) if progress.has_failed else done
        told = ago(progress.begun, role_readings.now())
        if isinstance(progress.made, Proof):
            tone, word = verdict(progress.made)
            told = f"{progress.made.sentence} · {progress.made.nature} · {told}"
        st.html(
            f"<div class='kn-done'><p>{badge(tone, word)} <strong>{escape(f'{progress.role}{about}')}</strong></p>"
            f"{note(told)}</div>"
        )
        if progress.problem is not None:
            problem.card(progress.problem, "role-deed")
        st.html(listed(progress.steps))
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="role-ended-acts"):
            if acts is not None:
                acts(progress)
            st.button(
                "Hide these steps",
                key="role-put-away",
                type="tertiary",
                on_click=role_readings.put_away,
                args=(aws, progress.role),
            )


def verdict(proof: Proof) -> tuple[Tone, str]:
    """How a proof came out, in a word."""
    if proof.was_stopped:
        return Tone.STOPPED, "proof stopped"
    if any(one.state.is_failed for one in proof.steps):
        return Tone.FAILED, "not proven"
    if proof.nature is Nature.SIMULATION:
        return Tone.SIMULATED, "simulated only"
    return (Tone.DONE, "proven") if proof.holds else (Tone.WAITING, "proven in part")


def listed(steps: Sequence[Step]) -> Markup:
    """Steps under each other: how each stands, what came of it, and what speaks for it."""
    return Markup("".join(_one(step) for step in steps))


def _one(step: Step) -> str:
    tone = TONES[step.state]
    title = f"{step.number} {step.title}" if not step.undoes else f"{step.number} Back: {step.title}"
    detail = note(step.detail, tone if step.state.is_failed else "") if step.detail else ""
    evidence = ""
    if step.evidence:
        rows = "".join(f"<li>{escape(one)}</li>" for one in step.evidence)
        opened = " open" if step.state.is_failed else ""
        told = count(len(step.evidence), "line of evidence", "lines of evidence")
        evidence = f'<details{opened}><summary>{told}</summary><ul class="kn-evidence">{rows}</ul></details>'
    return (
        f'<div class="kn-deed"><p>{badge(tone, step.state.value)} <strong>{escape(title)}</strong></p>'
        f"{detail}{evidence}</div>"
    )
