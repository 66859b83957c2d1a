"""A figure's parts as plain values, of which plotly makes it at once: adding them one by one costs twice as much."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Sketch:
    """`layout` as `figures.template` makes it; traces and what is written are added in the order they are drawn."""

    layout: dict[str, Any]
    traces: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, **told: Any) -> None:
        """A trace: "scatter" or "bar", with plotly's own words."""
        self.traces.append({"type": kind, **told})

    def write(self, **told: Any) -> None:
        """A text in the figure."""
        self.layout.setdefault("annotations", []).append(told)

    def across(self, y: float, line: dict[str, Any]) -> None:
        """A line through the whole figure at the height `y`."""
        place = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y}
        self.layout.setdefault("shapes", []).append({**place, "line": line})

    def drawn(self) -> "Figure":
        """The figure."""
        from plotly import graph_objects as go

        return go.Figure(data=self.traces, layout=self.layout)
