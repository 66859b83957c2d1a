"""A figure made of its parts at once is the figure that plotly makes of them one by one."""

from plotly import graph_objects as go

from dashboard.ui.figures import template
from dashboard.ui.sketch import Sketch


def test_it_is_the_figure_that_is_made_one_by_one():
    sketch = Sketch(template("", "USD"))
    one_by_one = go.Figure(layout=template("", "USD"))
    for figure_name in ("runs", "endpoints"):
        sketch.add("bar", x=["a", "b"], y=[1, 2], name=figure_name)
        one_by_one.add_bar(x=["a", "b"], y=[1, 2], name=figure_name)
    sketch.add("scatter", x=["a"], y=[3.0], mode="lines")
    one_by_one.add_scatter(x=["a"], y=[3.0], mode="lines")
    sketch.write(x=0, y=1, text="limit", showarrow=False)
    one_by_one.add_annotation(x=0, y=1, text="limit", showarrow=False)
    sketch.across(1.5, {"dash": "dash", "width": 2})
    one_by_one.add_hline(y=1.5, line={"dash": "dash", "width": 2})
    sketch.layout["yaxis"].update(range=[0, 4], tickprefix="$")
    one_by_one.update_yaxes(range=[0, 4], tickprefix="$")
    assert sketch.drawn().to_dict() == one_by_one.to_dict()
