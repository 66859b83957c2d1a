"""All notebook instances as a table, the one that is chosen below it; a click on a name chooses it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import Finding
from dashboard.core.errors import KennelError
from dashboard.core.notebooks.model import Notebook
from dashboard.ui import (
    chart,
    confirm,
    empty,
    markup,
    notebook_create,
    notebook_panel,
    notebook_words,
    page,
    problem,
    strip,
    table,
    words,
)
from dashboard.ui.tones import Tone, label

OPEN, SHOWN, CHOSEN = "notebooks-open", "notebooks-shown", "notebook"


def full(aws: Aws) -> None:
    """The page; looked at again every few seconds."""
    st.fragment(_full, run_every=4, key="notebooks")(aws)


def _full(aws: Aws) -> None:
    with problem.shown("notebooks-live", title="Notebooks"):
        seen = state.notebooks(aws)
        _head(aws, seen.value, words.age(seen.at, state.now()))
        if aws.account.is_embedded:
            st.html(markup.note(notebook_words.A_RECORD, Tone.SIMULATED))
        if not seen.value:
            empty.show(
                "notebooks",
                "No notebook yet.",
                "A notebook instance is Jupyter on a machine of AWS's, for looking at data and trying code. Kennel "
                "makes it small, without root, with a role for one bucket, and has it stop itself when nobody works "
                "in it. Create one with the button above.",
            )
        else:
            _body(aws, seen.value)
        st.html(markup.note(notebook_words.FREE_TIER))


def _body(aws: Aws, notebooks: Sequence[Notebook]) -> None:
    idle, unread = _idle(aws)
    strip.show(notebook_words.strip(notebooks, idle, aws.account))
    if unread is not None:
        st.html(markup.note(f"Not checked: which of them are idle: {unread}", Tone.WAITING))
    _table(aws, notebooks, idle or ())
    chosen = st.query_params.get(CHOSEN, "")
    one = next((each for each in notebooks if each.name == chosen), notebooks[0] if len(notebooks) == 1 else None)
    if one is not None:
        notebook_panel.show(aws, one, [each for each in idle or () if each.name == one.name])
    elif chosen:
        st.html(markup.note(f"There is no notebook {chosen} in this account and region.", Tone.WAITING))
    else:
        st.html(markup.note("A click on a name shows what it is, and what can be done with it."))


def _head(aws: Aws, notebooks: Sequence[Notebook], age: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="notebooks-head"):
        page.title("Notebooks", notebook_words.sentence(notebooks), age)
        st.space("stretch")
        if aws.account.writable:
            st.button(
                "Create notebook",
                key="create-notebook",
                type="primary",
                icon=":material/add:",
                on_click=confirm.ask,
                args=(partial(notebook_create.question, aws),),
            )


def _idle(aws: Aws) -> tuple[Sequence[Finding] | None, KennelError | None]:
    """What Waste finds of them; without the right to read their logs the table stands without."""
    try:
        return state.idle_notebooks(aws).value, None
    except KennelError as wrong:
        return None, wrong


def _table(aws: Aws, notebooks: Sequence[Notebook], idle: Sequence[Finding]) -> None:
    shown = notebook_words.rows(notebooks, notebook_words.per_day(idle))
    st.session_state[SHOWN] = [one.name for one in notebooks]
    st.dataframe(
        shown,
        key="table-notebooks",
        hide_index=True,
        placeholder="–",
        alt="Notebook instances; a click on a name shows it below",
        column_config=_columns(aws, notebooks),
    )
    chart.download(lambda: notebook_words.plain_rows(shown), "notebooks.csv", "download-notebooks", is_quiet=True)


def _columns(aws: Aws, notebooks: Sequence[Notebook]) -> dict[str, Any]:
    column = st.column_config
    money = words.money_of({Nature.of(one.tags, is_embedded=aws.account.is_embedded) for one in notebooks})
    return {
        "Notebook": table.opening("Notebook", OPEN, _choose, 160),
        "State": table.states(
            "State", ((one.status.tone, label(one.status.tone, one.status.word)) for one in notebooks)
        ),
        "Cost": column.NumberColumn(
            f"Per hour{money}", width=144, alignment="left", format="$%.3f", help="List price of its instance, now"
        ),
        "Idle": column.NumberColumn(
            "Idle, a day", width=92, format="$%.2f", help="What it costs a day while nobody works in it"
        ),
        "Instance": column.TextColumn("Instance", width=110),
        "Volume": column.NumberColumn("Volume", width=76, format="%d GB"),
        "Stops itself": column.TextColumn("Stops itself", width=130),
        "Root": column.TextColumn("Root", width=58, help="Whether its users are root on it"),
        "Origin": column.TextColumn("Origin", width=76),
    }


def _choose() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        st.query_params[CHOSEN] = name
