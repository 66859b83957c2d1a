"""A replayed training on its run's page: what a write-up tells of it, and what there cannot be."""

from collections.abc import Mapping

import streamlit as st

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.format import duration
from dashboard.core.runs.model import Run
from dashboard.core.runs.reading import reading
from dashboard.ui import markup, page, run_parts, table
from dashboard.ui.markup import Markup, badge, note
from dashboard.ui.tones import Tone

WORD = "replayed"
TIP = "Recorded from what a write-up tells of it; nothing ran on this machine"


def mark() -> Markup:
    """The badge beside its name."""
    return Markup(badge(Tone.SIMULATED, WORD, TIP))


def sentence(one: Run) -> str:
    """How long it took, in place of how it went."""
    took = duration(one.elapsed(one.ended or one.created))
    return f"{WORD} from a write-up: {took} on {table.instances(one)}"


def show(aws: Aws, one: Run) -> None:
    """Where its figures come from, what it would have cost, and what was told of it."""
    left, right = st.columns((11, 10), gap="medium")
    with left:
        page.section("Replayed")
        with st.container(border=True, key="panel-replayed"):
            st.html(markup.facts(told(one)))
            st.html(note("Nothing ran on this machine: it has no log, no accuracy and no model to deploy."))
    with right:
        run_parts.cost(aws, one)


def told(one: Run) -> Mapping[str, str]:
    """What the write-up says, and how the rest of it was come by; the day is when the account places it."""
    basis, _, assumed = one.tags.get(tags.REPLAY_BASIS, "").partition(". Assumed ")
    facts = {
        "Project": one.project,
        "Instance": table.instances(one),
        "Paid as": one.capacity.value,
        "Network": one.hyperparameters.get("backbone", ""),
        "Photos": one.dataset,
        "Took": duration(one.elapsed(one.ended or one.created)),
        "How that is known": basis,
        "How that is read": reading(one),
        "Assumed": assumed,
        "Day": f"{one.created:%d %b %Y}, chosen by the sample account: write-ups name none",
    }
    return {name: value for name, value in facts.items() if value}
