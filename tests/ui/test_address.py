"""An address that asks for what a page does not know."""

from dashboard.ui import address


def test_what_is_not_known_is_named_and_cut_and_runs_nothing() -> None:
    assert address.sentence(["the period garbage"]) == (
        "The address asks for the period garbage, which is not known here: shown is what it would show without that."
    )
    assert "<script>" not in address.sentence(["the money <script>"])
    assert len(address.sentence(["x" * 5000])) < 200


def test_what_a_page_knows_or_was_not_asked_is_not_named() -> None:
    known = {"data": ("the data", ["dogs", "all"]), "by": ("the grouping", ["run"])}
    assert address.unknown_of({"data": "nope", "by": "run", "other": "x"}, known) == ("the data nope",)
    assert address.unknown_of({"data": "dogs", "by": ""}, known) == ()
