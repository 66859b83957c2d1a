"""A page that holds nothing but what one deed needs: its dialog, or the part of a page whose button does it at once.

What a page draws around a deed costs far more than the deed, and is met by every fault in test_pages.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from dashboard.core.aws import Aws
from dashboard.ui import deed
from dashboard.ui.confirm import Action, Question

OPEN = "stage-open"


@dataclass
class Stage:
    """asks: makes the plan of a dialog; draws: a part of a page. action: the last one that a dialog offered; sites: the
    functions of pages that deeds came from, as `site` names them.
    """

    asks: Callable[[Aws], Question] | None = None
    draws: Callable[[Aws], object] = lambda aws: None
    action: Action | None = None
    sites: set[str] = field(default_factory=set)


PRESENT = Stage()
"""What the page shows at this moment: Streamlit runs its script from the text of a function, which can hold nothing."""


def _script() -> None:
    import streamlit as st

    from dashboard import state
    from dashboard.ui import confirm, problem, say
    from tests.faults.stage import OPEN, PRESENT

    say.place()
    with problem.shown(title="Stage"):
        aws = state.connection()
        if PRESENT.asks is not None:
            st.button("Open", key=OPEN, on_click=confirm.ask, args=(lambda: PRESENT.asks(aws),))
        PRESENT.draws(aws)
        confirm.show()


def opened(asks: Callable[[Aws], Question] | None, draws: Callable[[Aws], object], *, is_open: bool = True) -> AppTest:
    """The page in a tab of its own; the dialog is open where there is one and `is_open`."""
    PRESENT.asks, PRESENT.draws = asks, draws
    page = AppTest.from_function(_script, default_timeout=60)
    page.context = {"timezone": "Europe/Berlin"}
    page.run()
    return page.button(key=OPEN).click().run() if asks is not None and is_open else page


def watch(patch: pytest.MonkeyPatch) -> None:
    """Note which functions of pages make actions, and carry deeds out. There is no page that a link could lead to."""
    make, carry_out = Action.__init__, deed.carry_out

    def made(self: Action, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        PRESENT.action = self
        PRESENT.sites.add(_site())

    def carried(*given: Any, **named: Any) -> Any:
        PRESENT.sites.add(_site())
        return carry_out(*given, **named)

    patch.setattr(streamlit, "page_link", lambda *given, **named: None)
    patch.setattr(Action, "__init__", made)
    patch.setattr(deed, "carry_out", carried)


def _site() -> str:
    """The function that called whoever asks: "endpoint._draw_delete"."""
    frame = sys._getframe(2)
    return f"{frame.f_globals['__name__'].rpartition('.')[2]}.{frame.f_code.co_qualname.partition('.')[0]}"
