"""Compared runs as bars: what another run beats is grey."""

from dashboard.ui.figures_compare import GREY, Bars, Compared, bars, dominated
from dashboard.ui.lines import STYLES


def compared(place: int, seconds: float | None, cost: float | None, accuracy: float | None) -> Compared:
    return Compared(f"run-{place}", STYLES[place], seconds, cost, accuracy)


RUNS = (
    compared(0, 60, 0.002, 0.9),
    compared(1, 70, 0.001, 0.9),  # slower but cheaper
    compared(2, 80, 0.003, 0.9),  # slower and dearer than A
    compared(3, 50, None, 0.9),  # its cost is unknown: nobody can say
)


def test_a_run_that_another_beats_in_everything_is_dominated() -> None:
    assert dominated(RUNS) == {"C"}
    assert dominated([RUNS[0], RUNS[0]]) == set()


def test_each_bar_has_its_letter_its_value_and_starts_at_zero() -> None:
    shown = Bars("seconds", [(run, run.seconds, f"{run.seconds} s") for run in RUNS])
    bar = bars(shown, {"C"}).data[0]
    assert list(reversed(bar.y)) == ["A", "B", "C", "D"]
    assert next(reversed(bar.text)) == "60 s"
    assert list(reversed(bar.marker.color))[2] == GREY
    assert bars(shown, set()).layout.xaxis.range[0] == 0
