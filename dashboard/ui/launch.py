"""The review of a launch: all of it once more, what stands in its way, and the button that starts it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.errors import Refused
from dashboard.core.format import ago, count, duration
from dashboard.core.runs.candidates import Candidate
from dashboard.core.runs.candidates import candidates as offered
from dashboard.core.runs.launch import launch
from dashboard.core.runs.model import Run
from dashboard.core.runs.plan import Plan, plan
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Surroundings
from dashboard.ui import as_code, checks, confirm, markup, quote, receipt, train_form
from dashboard.ui import train_fields as fields
from dashboard.ui.confirm import Action, Question
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone
from dashboard.ui.train_form import Filled
from dashboard.ui.train_tuning import words
from dashboard.ui.words import simulated

ASKED = "train-review"


def planned(
    aws: Aws, filled: Filled, past_runs: Sequence[Run], around: Surroundings
) -> tuple[Plan | None, tuple[str, ...]]:
    """What launching the form's training would do, or why there is no plan: what does not fit, or the cap."""
    if not filled.fits:
        return None, filled.wrong
    try:
        made = plan(
            filled.spec,
            account=aws.account,
            prices=state.prices(),
            past_runs=past_runs,
            now=state.now(),
            token=state.intent(aws, filled.spec),
            surroundings=around,
        )
    except Refused as refused:
        return None, (str(refused),)
    return made, ()


def candidates(aws: Aws, filled: Filled, past_runs: Sequence[Run], around: Surroundings) -> tuple[Candidate, ...]:
    """The instance types for the form's training; they stay while something else in the form does not fit."""
    like = filled.spec if filled.fits else fields.DEFAULT
    spec = replace(filled.spec, max_seconds=like.max_seconds, epochs=like.epochs)
    return offered(spec, state.prices(), aws.account.region, past_runs=past_runs, spot_prices=around.spot_prices.value)


def button(aws: Aws, made: Plan | None, past_runs: Sequence[Run]) -> None:
    """Opens the review; grey while there is nothing to launch.

    The click only asks for it, and what is reviewed is what this run of the script has planned: a field that was
    changed a moment before the click is in it.
    """
    st.button(
        "Review launch",
        key="review-launch",
        type="primary",
        icon=":material/rocket_launch:",
        disabled=made is None,
        on_click=_ask,
    )
    if st.session_state.pop(ASKED, False) and made is not None:
        confirm.put(partial(question, aws, made, same_running(made.spec, past_runs)))


def _ask() -> None:
    st.session_state[ASKED] = True


def same_running(spec: TrainingSpec, past_runs: Sequence[Run]) -> Run | None:
    """A run that goes on and was asked for in the same words; a person may not want it twice."""
    if spec.tuning is not None:
        return None
    machine = (spec.platform, spec.capacity, spec.instance_type, spec.instance_count, spec.hyperparameters)
    for run in past_runs:
        its = (run.platform, run.capacity, run.instance_type, run.instance_count, dict(run.hyperparameters))
        is_whole = run.status.is_active and not run.is_tuning and not run.parent
        if is_whole and its == machine and run.dataset_uri.rstrip("/") == spec.dataset_uri.rstrip("/"):
            return run
    return None


def question(aws: Aws, made: Plan, same: Run | None = None) -> Question:
    """The review before a launch; `same` is a run with the same settings that goes on."""
    return Question("Review launch", partial(_draw, aws, made, same))


def _draw(aws: Aws, made: Plan, same: Run | None) -> Action | None:
    if same is not None:
        age = ago(same.created, state.now())
        st.html(markup.note(f"{same.name} goes on already with the same settings, launched {age}.", Tone.WAITING))
    st.html(markup.facts(facts(made, aws.account)))
    quote.show(made, (), aws.account)
    checks.loud(made.checks)
    with st.expander("Show as code", key="review-code"):
        as_code.tabs(made.code, "review-code-tabs")
    if made.stops:
        return None

    def do() -> str:
        launch(aws, made)
        state.launched(aws, made.spec)
        st.session_state[fields.NAME] = ""
        st.session_state[fields.RESUME] = ""
        return f"{made.name} is starting"

    return Action(label(made, aws.account), do, then=Place.RUN, query={"run": made.key}, about=made.name)


def label(made: Plan, account: Account) -> str:
    """What the button does, with what it may cost."""
    what = f"tuning of {count(made.spec.jobs, 'training')}" if made.spec.tuning else "training"
    return f"Launch {what}, at most {receipt.amount(made.worst)}{simulated(account)}"


def facts(made: Plan, account: Account) -> dict[str, str]:
    """All that a person decides with a launch, name by name; what was left alone is left out."""
    spec = made.spec
    found = {
        "Run": made.name,
        "Account": f"{account.account_id} in {account.region}",
        "Data": spec.dataset_uri,
        "Runs on": f"{spec.platform.word}, {train_form.CAPACITIES[spec.capacity].lower()}",
        "Instances": f"{spec.instance_count} × {train_form.machine(spec.instance_type)}, {spec.volume_gb} GB volume",
        "Settings": settings(spec),
        "Tuning": tuning(spec),
        "Time limit": limits(spec),
        "Cost cap": f"${spec.max_cost}" if spec.max_cost is not None else "",
        "Goes on from": spec.resume_from,
        "Network": ", ".join((*spec.subnets, *spec.security_groups)),
        "Encrypted with": spec.kms_key,
        "SSH": f"{spec.key_name}, from {spec.ssh_address} only" if spec.ssh_address else "",
        "Labels": ", ".join(f"{name} {value}" for name, value in
                            (("project", spec.project), ("owner", spec.owner)) if value),
        "Simulated": interruptions(spec),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def settings(spec: TrainingSpec) -> str:
    """What every training of this launch is given: "20 epochs, learning rate 0.02, batch size 64"."""
    given = {name: value for name, value in spec.hyperparameters.items() if value}
    epochs = [f"{given.pop('epochs')} epochs"] if "epochs" in given else []
    return ", ".join((*epochs, *(f"{words(name).lower()} {value}" for name, value in given.items())))


def limits(spec: TrainingSpec) -> str:
    """How long it may take, and wait."""
    each = " for each training" if spec.tuning else ""
    if not spec.is_spot or spec.is_on_ec2:
        return f"{duration(spec.max_seconds)}{each}"
    wait = duration(spec.wait_seconds - spec.max_seconds)
    return f"{duration(spec.max_seconds)}{each}, and at most {wait} of waiting for spot capacity on top"


def tuning(spec: TrainingSpec) -> str:
    """What is searched, how and for what; "" without a search."""
    if spec.tuning is None:
        return ""
    over = "; ".join(f"{words(one.name).lower()} {one.text}" for one in spec.tuning.ranges)
    aim = "lowest" if spec.tuning.goal == "Minimize" else "highest"
    early = ", hopeless trials end early" if spec.tuning.early_stopping else ""
    return (
        f"{spec.tuning.strategy}, {count(spec.jobs, 'trial')}, {min(spec.tuning.parallel, spec.jobs)} at once, for the "
        f"{aim} {spec.tuning.objective}{early} · {over}"
    )


def interruptions(spec: TrainingSpec) -> str:
    """The interruptions that are asked for; "" without any."""
    moments = " and ".join(f"{seconds} s" for seconds in spec.interrupt_after.split())
    told = f"{moments} after the instance begins to run" if spec.is_on_ec2 else f"after {moments} of training"
    parts = [f"interrupted {told}"] if moments else []
    if spec.interruptions_per_hour:
        parts.append(f"{spec.interruptions_per_hour:g} interruptions an hour on average")
    return f"{', '.join(parts)}; before the first epoch there is no checkpoint to go on from" if parts else ""
