"""Several runs launched once more as they were, after a dialog that says which repeats which and what each costs."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.quote import Quote, total
from dashboard.core.errors import KennelError
from dashboard.core.format import count, duration, money, short
from dashboard.core.runs.clone import spec_of
from dashboard.core.runs.launch import launch
from dashboard.core.runs.model import Run
from dashboard.core.runs.plan import Plan, plan
from dashboard.core.runs.window import Window
from dashboard.ui import markup, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.run_actions import settled
from dashboard.ui.tones import Tone
from dashboard.ui.words import simulated

NAMES = 120
"""Characters of their names in the trail."""


@dataclass(frozen=True)
class Repeat:
    """A run and what launching it once more would do."""

    of: Run
    plan: Plan


def repeat(aws: Aws, runs: Sequence[Run], after: Callable[[], None]) -> Question:
    """Each of these runs once more, with the same settings; then `after`.

    Raises the errors of `plan` and of looking around.
    """
    repeats = [Repeat(one, _plan(aws, one)) for one in runs]
    return Question(f"Train {count(len(runs), 'run')} again", partial(_draw, aws, repeats, after))


def _plan(aws: Aws, one: Run) -> Plan:
    spec = spec_of(one)
    return plan(
        spec,
        account=aws.account,
        prices=state.prices(),
        past_runs=state.listing(aws, Window.ALL).runs,
        now=state.now(),
        token=secrets.token_hex(8),  # of this dialog: two runs that are alike are two launches
        surroundings=state.surroundings(aws, spec).value,
    )


def _draw(aws: Aws, repeats: Sequence[Repeat], after: Callable[[], None]) -> Action | None:
    plans = [one.plan for one in repeats]
    worst = in_all([one.worst for one in plans])
    st.dataframe(
        rows(repeats),
        key="repeat-table",
        hide_index=True,
        height="content",
        alt="Which new run repeats which, and what each may cost",
        column_config={
            name: st.column_config.TextColumn(name, alignment="right") for name in ("Time", "Expected", "At most")
        },
    )
    st.html(
        markup.facts(
            {
                "Settings": "as they were, each under a new name",
                "Expected in all": receipt.inline(in_all([one.expected for one in plans]), aws.account),
                "At most in all": receipt.inline(worst, aws.account),
            }
        )
    )
    blocked = [(one, check) for one in plans for check in one.stops]
    for one, check in blocked:
        st.html(note(f"{one.name}: {check.sentence} {check.next_step}", Tone.FAILED))
    if blocked:
        return None

    def do() -> str:
        results: list[tuple[str, KennelError | None]] = []
        for one in plans:
            try:
                launch(aws, one)
                results.append((one.name, None))
            except KennelError as error:
                results.append((one.name, error))
        after()
        return settled(results, "is starting", "are starting")

    label = f"Launch {count(len(plans), 'run')}, at most {worst}{simulated(aws.account)}"
    return Action(label, do, then=Place.RUNS, about=short(", ".join(one.name for one in plans), NAMES))


def rows(repeats: Sequence[Repeat]) -> list[dict[str, str]]:
    """What repeats which, on what, and what it costs: one row a run."""
    return [
        {
            "New run": one.plan.name,
            "Repeats": one.of.name,
            "On": machines(one.plan),
            "Time": duration(one.plan.expected_seconds),
            "Expected": receipt.amount(one.plan.expected),
            "At most": receipt.amount(one.plan.worst),
        }
        for one in repeats
    ]


def machines(made: Plan) -> str:
    """What a plan runs on: "2 × ml.m5.large, spot"."""
    spec = made.spec
    several = f"{spec.instance_count} × " if spec.instance_count > 1 else ""
    trials = f", {count(spec.jobs, 'trial')}" if spec.tuning else ""
    return f"{several}{spec.instance_type}{', spot' if spec.is_spot else ''}{trials}"


def in_all(quotes: Sequence[Quote]) -> str:
    """The sum of the known ones, and how many are not in it: "$0.23 and 1 run unknown"."""
    amount, missing = total(quotes)
    if missing == len(quotes):
        return "unknown"
    return money(amount) + (f" and {count(missing, 'run')} unknown" if missing else "")
