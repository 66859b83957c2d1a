"""Which model answers on Classify, and whether it is asked itself, through Lambda, or both."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.serving.endpoints import Endpoint
from dashboard.core.serving.starter import STARTER
from dashboard.core.serving.through import Front
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import access
from dashboard.ui.classify_result import Asking, Incoming, Way, last_batch, results
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

ASKED = "classify.asked"
HELP = "The endpoint itself, or a Lambda function that asks it, as other programs do. Both shows both times."


def asking(aws: Aws, serving: Sequence[str]) -> Asking:
    """The endpoint that answers and the way to it, chosen beside the drop zone and kept in the address.

    Visitors choose nothing.
    """
    if access.is_visitor():
        return Asking(preferred(serving)[0], is_visitors=True)
    endpoint = _choose(serving)
    found = [front for front in _fronts(aws) if front.endpoint == endpoint] if aws.account.writable else []
    if not found:
        return Asking(endpoint)
    way = st.segmented_control(
        "Asked through",
        list(Way),
        default=Way.ENDPOINT,
        required=True,
        key="through",
        bind="query-params",
        help=HELP,
    )
    if way in (None, Way.ENDPOINT):
        return Asking(endpoint)
    names = [front.function for front in found]
    front = found[0]
    if len(found) > 1:
        chosen = st.selectbox("Function", names, key="function", width=220)
        front = found[names.index(chosen)]
    return Asking(endpoint, way, front)


def offered(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """The endpoints that may answer whoever looks: where Classify is shared by an endpoint's name, that one alone."""
    share = doorkeeper().share
    return [one for one in endpoints if one.name == share.endpoint] if share and share.endpoint else endpoints


def preferred(serving: Sequence[str]) -> list[str]:
    """Endpoints in the order in which they are offered: the starter, then the newest; they come newest first."""
    return sorted(serving, key=lambda name: name != STARTER)


def not_serving(serving: Sequence[str], chosen: str) -> str:
    """What to say when a link asked for an endpoint that does not serve; "" otherwise."""
    asked = "" if access.is_visitor() else st.session_state.get(ASKED, "")
    return f"{asked} is not serving: {chosen} answers instead." if asked and asked not in serving else ""


def from_now_on(asking: Asking) -> str:
    """What to say once another way was chosen than the cards below were asked by; "" otherwise."""
    shown = [
        result.asking for result in results().values() if result.asking and result.asking.endpoint == asking.endpoint
    ]
    if not shown or any(one.way is asking.way for one in shown):
        return ""
    how = {
        Way.ENDPOINT: "the endpoint itself is asked",
        Way.LAMBDA: "Lambda is asked",
        Way.BOTH: "both are asked",
    }
    return f"From the next photo on {how[asking.way]}. The answers below stay as they were given."


def ask_again(asking: Asking) -> list[Incoming]:
    """Another way was chosen: says so, and offers to ask about the last photos by it. Those, once that was pressed."""
    said = from_now_on(asking)
    if not said:
        return []
    last = last_batch(asking.endpoint)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="ask-again-row"):
        st.html(note(said, Tone.WAITING))
        which = "it" if len(last) == 1 else f"these {len(last)}"
        is_pressed = bool(last) and st.button(f"Ask about {which} again", key="ask-again", type="tertiary")
    return last if is_pressed else []


def _choose(serving: Sequence[str]) -> str:
    """Which endpoint answers; one that a link asked for comes first if it serves."""
    asked = st.query_params.get("endpoint", "")
    if asked:
        st.session_state[ASKED] = asked  # of a name that is no choice, the address is cleaned
    names = preferred(serving)
    if len(names) > 1:
        return st.selectbox(
            "Model that answers", names, key="endpoint", bind="query-params", width=260, on_change=_chosen
        )
    st.html(f'<p class="kn-answers">Model that answers <strong>{escape(names[0])}</strong></p>')
    return names[0]


def _fronts(aws: Aws) -> Sequence[Front]:
    """Kennel's functions; none, and a word, where they cannot be read."""
    try:
        return state.fronts(aws).value
    except KennelError as error:
        st.html(note(f"Through Lambda: not checked ({error.what})", Tone.WAITING))
        return ()


def _chosen() -> None:
    st.session_state.pop(ASKED, None)
