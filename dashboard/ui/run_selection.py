"""The rows that are ticked in the table of runs, and what can be done with them together.

A table's ticks are row numbers. While any row is ticked, the rows stay as they were when it was, whatever begins or
ends meanwhile: otherwise a run that begins would push the tick to its neighbour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.runs.model import Run
from dashboard.ui import confirm, page, pages, run_actions, run_repeat
from dashboard.ui.lines import STYLES
from dashboard.ui.markup import note
from dashboard.ui.page import Place

HELD = "runs-held"
MOST_COMPARED = len(STYLES)
MOST_REPEATED = 12


@dataclass(frozen=True)
class Held:
    """The rows as they are shown, the table's key, and the runs that are ticked."""

    rows: tuple[Run, ...]
    key: str
    ticked: tuple[Run, ...]
    waiting: int  # runs that would be on this page now, and are not shown while rows are ticked


@dataclass
class _Memory:
    """What this tab last showed: for which filter, under which key, which runs."""

    asked: object
    number: int
    keys: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"runs-table-{self.number}"


def hold(rows: Sequence[Run], known: Mapping[str, Run], asked: object) -> Held:
    """The rows to show: those given, or while some are ticked those of that moment, as they are now.

    Another filter or page, or a run that is gone, clears the ticks. `known` are all runs by their key.
    """
    memory: _Memory | None = st.session_state.get(HELD)
    if memory is None or memory.asked != asked or any(key not in known for key in memory.keys):
        memory = _Memory(asked, memory.number + 1 if memory else 0, ())
    ticked = _ticked(memory)
    new = tuple(run.key for run in rows)
    kept = memory.keys if ticked else new
    st.session_state[HELD] = _Memory(asked, memory.number, kept)
    shown = tuple(known[key] for key in kept) if ticked else tuple(rows)
    chosen = tuple(shown[place] for place in ticked)
    return Held(shown, memory.key, chosen, sum(key not in kept for key in new))


def shown() -> tuple[str, ...]:
    """The keys of the rows as this tab last showed them."""
    memory: _Memory | None = st.session_state.get(HELD)
    return memory.keys if memory else ()


def clear() -> None:
    """Untick every row."""
    memory: _Memory | None = st.session_state.get(HELD)
    if memory is not None:
        st.session_state[HELD] = _Memory(memory.asked, memory.number + 1, ())


def _ticked(memory: _Memory) -> list[int]:
    """The numbers of the ticked rows, from the top."""
    said = st.session_state.get(memory.key)
    rows = said["selection"]["rows"] if said else []
    return sorted(place for place in rows if place < len(memory.keys))


def actions(aws: Aws, held: Held) -> None:
    """The bar above the table: what can be done with the ticked rows, each button with its number."""
    chosen = held.ticked
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run-bar"):
        if not chosen:
            st.html(note("Tick rows to stop, compare, repeat or delete them together."))
            return
        # Streamlit's own buttons appear over the right end of the table and of what is above it: ours stay left.
        st.html(note(_told(held)), width="content")
        stoppable = [run for run in chosen if run.status.can_stop]
        ended = [run for run in chosen if run.status.is_final]
        st.button(
            "Compare",
            key="compare-runs",
            icon=":material/compare_arrows:",
            disabled=not 2 <= len(chosen) <= MOST_COMPARED,
            help=f"Two to {MOST_COMPARED} runs side by side",
            on_click=page.go,
            args=(Place.COMPARE, {"compare": ",".join(run.key for run in chosen)}),
        )
        _asking("Stop", "stop-runs", ":material/stop_circle:", stoppable, partial(run_actions.stop_all, aws, stoppable))
        _again(aws, chosen)
        _asking("Delete", "delete-runs", ":material/delete:", ended, partial(run_actions.remove, aws, ended))
        st.button("Untick", key="untick-runs", type="tertiary", on_click=clear)


def _again(aws: Aws, chosen: Sequence[Run]) -> None:
    """One run is taken into the form, where it can be changed; several are launched as they were."""
    chosen = [run for run in chosen if not run.is_replayed]
    if len(chosen) == 1:
        pages.link(Place.TRAIN, "Train again", ":material/replay:", {"like": chosen[0].key})
        return
    repeated = chosen[:MOST_REPEATED]
    _asking(
        "Train again", "repeat-runs", ":material/replay:", repeated, partial(run_repeat.repeat, aws, repeated, clear)
    )


def _asking(verb: str, key: str, icon: str, runs: Sequence[Run], question: confirm.Make) -> None:
    """A button that opens a dialog about these runs; it is there, grey, when there are none."""
    label = f"{verb} {count(len(runs), 'run')}" if runs else verb
    st.button(label, key=key, icon=icon, disabled=not runs, on_click=confirm.ask, args=(question,))


def _told(held: Held) -> str:
    waiting = f" · {held.waiting} newer not shown" if held.waiting else ""
    return f"{count(len(held.ticked), 'run')} ticked{waiting}"
