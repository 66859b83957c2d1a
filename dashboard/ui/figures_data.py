"""The classes of a data set → plotly: how many photos each of them has, by split. Pure."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from dashboard.ui.figures import BLUE, GREEN, ORANGE, SKY, template
from dashboard.ui.sketch import Sketch
from training.breeds import display_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NAMED = 14
"""Classes whose names still have room below their bars."""


def classes(found: Mapping[str, Mapping[str, int]], *, is_dark: bool = False) -> "Figure | None":
    """One bar a class, of its training, validation and test photos, the largest first; None for no class."""
    if not found:
        return None
    ordered = sorted(found.items(), key=lambda one: (-one[1].get("train", 0), one[0]))
    names = [display_name(name) for name, _ in ordered]
    is_named = len(names) <= NAMED
    layout = template("class", "photos", 290 if is_named else 260)  # the names take room of it
    layout["margin"] = {"l": 8, "r": 12, "t": 28, "b": 8}
    layout |= {"barmode": "stack", "bargap": 0.35 if is_named else 0.12, "showlegend": True}
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    sketch = Sketch(layout)
    colours = {"train": SKY if is_dark else BLUE, "valid": ORANGE, "test": GREEN}
    shapes = {"train": "", "valid": "/", "test": "."}
    for split, colour in colours.items():
        values = [of.get(split, 0) for _, of in ordered]
        if any(values):
            sketch.add(
                "bar",
                x=list(range(len(names))),
                y=values,
                name=split,
                customdata=[escape(name) for name in names],  # plotly takes tags in it for its own
                marker={
                    "color": colour,
                    "pattern": {"shape": shapes[split], "fillmode": "overlay", "fgcolor": "#ffffff", "size": 5},
                },
                hovertemplate=f"%{{customdata}}: %{{y:,}} in {split}<extra></extra>",
            )
    layout["xaxis"] |= {
        "tickvals": list(range(len(names))) if is_named else [],
        "ticktext": [escape(name if len(name) <= 16 else f"{name[:15]}…") for name in names] if is_named else [],
        "title": {"text": "class" if is_named else f"{len(names)} classes, the largest first"},
    }
    layout["yaxis"] |= {"rangemode": "tozero"}
    return sketch.drawn()
