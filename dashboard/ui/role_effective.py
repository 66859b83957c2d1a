"""What a change of policies comes to in effect: actions that go, come, or stay on less, by service."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.core.format import count
from dashboard.core.iam import actions
from dashboard.core.iam.actions import AccessLevel
from dashboard.core.iam.effective import Difference
from dashboard.ui import chart, role_words
from dashboard.ui.markup import Markup, badge, escape, note
from dashboard.ui.tones import Tone


def told(found: Difference | None, key: str, *, is_new: bool = False) -> None:
    """One line of what goes and comes, and behind it each action. None: a policy of the role cannot be judged.

    is_new: of a new role against the one that it relieves, from which nothing goes.
    """
    if found is None:
        st.html(note("In effect: not compared, since a policy of the role cannot be judged.", Tone.WAITING))
        return
    goes = "left out" if is_new else "taken away"
    st.html(Markup(f"<p>{marks(found, goes)} {escape(role_words.effect_sentence(found))}</p>"))
    if not found.gained and not found.lost and not found.changed:
        return
    parts = {goes: found.lost, "added": found.gained, "on other resources": found.changed}
    named = role_words.joined([f"{len(names):,} {word}" for word, names in parts.items() if names])
    behind = st.expander(f"The actions behind it: {named}", key=f"role-effective-{key}", on_change="rerun")
    if not behind.open:
        return  # hundreds of rows, which few look at
    listed = rows(found, goes)
    with behind:
        column = st.column_config
        st.dataframe(
            listed,
            key=f"table-role-effective-{key}",
            hide_index=True,
            alt="Every action that goes, comes or is allowed on other resources than before",
            column_config={"Action": column.TextColumn("Action", width=320)},
        )
        chart.download(lambda: listed, f"{key}-effect.csv", f"download-effective-{key}", is_quiet=True)


def marks(found: Difference, goes: str = "taken away") -> str:
    """How many go, come, and are held to less, as badges."""
    told = [
        badge(Tone.DONE, f"{count(len(found.lost), 'action')} {goes}", shape="−") if found.lost else "",
        badge(Tone.RUNNING, f"{count(len(found.changed), 'action')} on other resources", shape="~")
        if found.changed
        else "",
        badge(Tone.FAILED, f"{count(len(found.gained), 'action')} added", shape="+") if found.gained else "",
    ]
    return " ".join(one for one in told if one) or badge(Tone.STOPPED, "no action goes or comes")


def rows(found: Difference, goes: str = "taken away") -> list[dict[str, Any]]:
    """Each action with what becomes of it; those that manage permissions or change things first."""
    return [
        *_rows(found.gained, "added"),
        *_rows(found.lost, goes),
        *_rows(found.changed, "on other resources"),
    ]


def _rows(names: Iterable[str], becomes: str) -> list[dict[str, Any]]:
    order = (AccessLevel.PERMISSIONS, AccessLevel.WRITE, AccessLevel.TAGGING, AccessLevel.READ, AccessLevel.LIST)
    leveled = [(actions.access_level(name), name) for name in names]
    return [
        {"Action": name, "Becomes": becomes, "Kind": level.value}
        for level, name in sorted(leveled, key=lambda one: (order.index(one[0]), one[1]))
    ]
