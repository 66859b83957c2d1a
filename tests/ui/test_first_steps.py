"""What somebody new has to do before the five steps."""

from dashboard.core.attention_risks import BEING_SET_UP, of_missing
from dashboard.core.first_steps import Step, Taken
from dashboard.core.overview import Overview
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import Piece
from dashboard.ui.first_steps import first, needed, way
from dashboard.ui.page import Place


def seen(*items):
    return Overview(tuple(items), (), (), (), 0, 0, 0)


def test_setting_the_account_up_comes_first_while_something_is_missing():
    lacking = of_missing([Found(Piece.BUCKET, "b", Standing.MISSING)])
    assert needed(seen(*lacking)) is lacking[0]
    assert lacking[0].query == {"part": "Set up"}


def test_nothing_comes_first_where_nothing_is_known_to_be_missing_or_it_is_being_made():
    assert needed(seen()) is None
    assert needed(seen(*BEING_SET_UP)) is None


def test_what_comes_first_is_said_with_what_is_missing():
    (lacking,) = of_missing([Found(Piece.BUCKET, "b", Standing.MISSING)])
    said = first(lacking)
    assert "Set up this account" in said
    assert "1 piece that Kennel needs is missing. Nothing can be trained or registered: bucket" in said


def test_a_function_that_is_there_leads_to_its_test():
    assert way(Taken(Step.CALL, False, "", True)) == (Place.FUNCTIONS, "Deploy function", {})
    place, label, query = way(Taken(Step.CALL, False, "", True, "dogs-photos"))
    assert (place, label, query) == (Place.FUNCTION, "Test the function", {"function": "dogs-photos", "part": "Test"})
