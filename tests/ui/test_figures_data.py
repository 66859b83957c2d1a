"""The chart of a data set's classes."""

from dashboard.ui import figures_data


def test_each_class_is_a_bar_of_its_splits_the_largest_first() -> None:
    figure = figures_data.classes({"001.Beagle": {"train": 2, "test": 1}, "002.Poodle": {"train": 5}})
    assert figure is not None
    assert [trace.name for trace in figure.data] == ["train", "test"]
    assert list(figure.data[0].y) == [5, 2]
    assert list(figure.layout.xaxis.ticktext) == ["Poodle", "Beagle"]
    assert figure.layout.barmode == "stack"


def test_many_classes_have_no_names_below_and_no_class_has_no_chart() -> None:
    figure = figures_data.classes({f"c{number}": {"train": number} for number in range(133)})
    assert figure is not None
    assert not figure.layout.xaxis.ticktext
    assert "133 classes" in figure.layout.xaxis.title.text
    assert figures_data.classes({}) is None


def test_a_class_is_called_as_its_folder_is_and_not_as_plotly_reads_tags() -> None:
    figure = figures_data.classes({"a <b>dog": {"train": 2}})
    assert figure is not None
    assert list(figure.layout.xaxis.ticktext) == list(figure.data[0].customdata) == ["a &lt;b&gt;dog"]
