"""What AWS would be asked when a plan is carried out: its calls in their order. Pure."""

from collections.abc import Sequence

from dashboard.core.calls import Call
from dashboard.ui import told
from dashboard.ui.markup import escape


def listed(calls: Sequence[Call]) -> str:
    """The calls as a numbered list, each with what it does. An open plan hears them."""
    for one in calls:
        told.tell(f"{one.service} {one.operation}: {one.does}")
    rows = "".join(f"<li><strong>{escape(one.operation)}</strong> {escape(one.does)}</li>" for one in calls)
    return f'<p class="kn-note">AWS gets these calls, in this order:</p><ol class="kn-calls">{rows}</ol>'
