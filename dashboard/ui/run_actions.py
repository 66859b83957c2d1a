"""What can be done with runs: stop, interrupt and delete them, each after a dialog that says what goes and stays."""

import secrets
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import AccessDenied, KennelError, Refused, ServiceFault
from dashboard.core.format import count, duration, money, size
from dashboard.core.runs import watch
from dashboard.core.runs.delete import DeletePlan, delete, plan_delete
from dashboard.core.runs.model import Run, RunKey
from dashboard.core.runs.window import Window
from dashboard.core.serving.registry import archives
from dashboard.ui import markup, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

TABLE = "runs-query"
"""The address of the table as it was left."""
NAMED = 12
"""Runs named one by one in a dialog."""


def stop(aws: Aws, one: Run) -> Question:
    """What a stop costs and keeps: SIGTERM lets the training save the best epoch it has."""
    return Question(f"Stop {literal(one.name)}", partial(_draw_stop, aws, [one]))


def stop_all(aws: Aws, runs: Sequence[Run]) -> Question:
    """The same for several at once."""
    return Question(f"Stop {count(len(runs), 'run')}", partial(_draw_stop, aws, runs))


def _draw_stop(aws: Aws, runs: Sequence[Run]) -> Action:
    now = state.now()
    told = {
        "Stops": listed([f"{one.name}, {one.status.word} for {duration(one.elapsed(now))}" for one in runs]),
        "Already billed": _spent(aws, runs),
        "Kept": "logs and figures",
    }
    if any(one.is_tuning for one in runs):
        told["Trials"] = "those that run are stopped with their tuning job; the best so far stays"
    if any(not one.is_tuning for one in runs):
        told["Model"] = "the best epoch so far, if an epoch is complete; else none"
    if any(one.is_on_ec2 for one in runs):
        told["Instance"] = "saves that within seconds, then terminates itself"
    st.html(markup.facts(told))

    def do() -> str:
        results = watch.stop_many(aws, [one.key for one in runs])
        return settled([(_name(result.key), result.problem) for result in results], "is stopping", "are stopping")

    return Action("Stop run" if len(runs) == 1 else f"Stop {count(len(runs), 'run')}", do)


def interrupt(aws: Aws, one: Run) -> Question:
    """Takes a run's spot instances back, as AWS may at any time; only the embedded AWS can be asked."""
    return Question(f"Interrupt {literal(one.name)}", partial(_draw_interrupt, aws, one, secrets.token_hex(4)))


def _draw_interrupt(aws: Aws, one: Run, mark: str) -> Action:
    then = (
        "the run ends; its checkpoint stays, and Resume goes on from it"
        if one.is_on_ec2
        else "it waits for capacity, then goes on from its checkpoint"
    )
    st.html(
        markup.facts(
            {
                "Interrupts": f"{one.name}, {one.status.word} for {duration(one.elapsed(state.now()))}",
                "First": "the training is told to end and saves a checkpoint",
                "Then": then,
                "Simulated": "the embedded AWS takes the instance back now; AWS does so whenever it needs it",
            }
        )
    )

    def do() -> str:
        watch.interrupt(aws, one, mark)
        return f"{one.name} is being interrupted"

    return Action("Interrupt now", do)


def remove(aws: Aws, runs: Sequence[Run]) -> Question:
    """What deleting ended runs takes with it and leaves. Raises the errors of `plan_delete`."""
    plans = {False: _deletion(aws, runs, with_artifacts=False)}
    name = literal(runs[0].name) if len(runs) == 1 else count(len(runs), "run")
    return Question(f"Delete {name}", partial(_draw_delete, aws, runs, plans))


def _deletion(aws: Aws, runs: Sequence[Run], *, with_artifacts: bool) -> DeletePlan:
    served = [endpoint.run for endpoint in state.endpoints(aws).value if endpoint.run]
    every = state.listing(aws, Window.ALL)
    if with_artifacts and not every.is_complete:
        raise Refused(
            "what these runs share with others is not known yet",
            "the account's runs are still being read, and one of them may go on from these checkpoints",
            "try again in a moment",
        )
    registered = _registered(aws) if with_artifacts else ()
    return plan_delete(
        aws, runs, with_artifacts=with_artifacts, served=served, registered=registered, others=every.runs
    )


def _registered(aws: Aws) -> Sequence[str]:
    """The archives that are versions in the model registry; none where there is no registry, or no right to read it."""
    try:
        return sorted(archives(aws))
    except (ServiceFault, AccessDenied):
        return ()


def _draw_delete(aws: Aws, runs: Sequence[Run], plans: dict[bool, DeletePlan]) -> Action | None:
    whole = st.toggle("Also delete their models, outputs and checkpoints in S3", key="delete-artifacts")
    if whole not in plans:  # measured once, not with every letter typed below
        plans[whole] = _deletion(aws, runs, with_artifacts=whole)
    plan = plans[whole]
    told = {
        "Goes": _summed([one.goes for one in plan.possible]),
        "Stays": _summed([one.stays for one in plan.possible]),
    }
    if plan.objects:
        told["In S3"] = f"{count(plan.objects, 'object')}, {size(plan.size)}"
    st.html(markup.facts({name: value for name, value in told.items() if value}))
    for one in plan.refused:
        st.html(note(f"{one.run.name} is not deleted: {one.refusal}.", Tone.WAITING))
    if not plan.possible:
        return None
    several = len(plan.possible) > 1
    name = count(len(plan.possible), "run") if several else plan.possible[0].run.name

    def do() -> str:
        results = delete(aws, plan)
        said = settled([(_name(result.key), result.problem) for result in results], "is deleted", "are deleted")
        state.deleted(aws, [result.key for result in results if result.problem is None])
        return said

    typed = (name, "It cannot be brought back.")
    query = st.session_state.get(TABLE)
    return Action(f"Delete {name}", do, then=Place.RUNS, query=query, is_dangerous=True, typed=typed)


def _summed(told: Sequence[Sequence[str]]) -> str:
    """What goes or stays in all, each once, with how often when not for every run."""
    counts = Counter(line for lines in told for line in lines)
    return "; ".join(f"{line} ({number}×)" if number > 1 else line for line, number in counts.items())


def _spent(aws: Aws, runs: Sequence[Run]) -> str:
    """What they have cost so far: sums of different natures stay apart."""
    is_embedded = aws.account.is_embedded
    natures = {one.key: Nature.of(one.tags, is_embedded=is_embedded) for one in runs}
    said = []
    for nature in Nature:
        quotes = [state.cost(aws, one) for one in runs if natures[one.key] is nature]
        known = [quote.amount for quote in quotes if quote.amount is not None]
        if quotes and not known:
            said.append(Markup(escape(quotes[0].why_unknown)))
        elif quotes:
            missing = len(quotes) - len(known)
            unpriced = f" and {count(missing, 'run')} without a price" if missing else ""
            said.append(Markup(f"{escape(money(sum(known, Decimal(0))) + unpriced)} {receipt.word_of(nature)}"))
    return Markup("; ".join(said))


def _name(key: str) -> str:
    """A run's name for a person, who knows nothing of keys."""
    return RunKey.parse(key).name


def listed(names: Sequence[str]) -> str:
    """Names in a row, the first of many."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return "; ".join(names[:NAMED]) + more


def settled(results: Sequence[tuple[str, KennelError | None]], one: str, many: str) -> str:
    """What became of several runs, in one sentence. Raises the error when it failed for every one of them."""
    done = [key for key, problem in results if problem is None]
    failed = [(key, problem) for key, problem in results if problem is not None]
    if failed and not done:
        raise failed[0][1]
    said = f"{done[0]} {one}" if len(done) == 1 else f"{count(len(done), 'run')} {many}"
    if not failed:
        return said
    return f"{said}; not {listed([f'{key} ({problem.what})' for key, problem in failed])}"
