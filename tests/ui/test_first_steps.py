"""What somebody new has to do before the five steps."""

from dashboard.core.attention_risks import BEING_SET_UP, of_missing
from dashboard.core.overview import Overview
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import Piece
from dashboard.ui.first_steps import needed


def seen(*items):
    return Overview(tuple(items), (), (), (), 0, 0, 0)


def test_setting_the_account_up_comes_first_while_something_is_missing():
    lacking = of_missing([Found(Piece.BUCKET, "b", Standing.MISSING)])
    assert needed(seen(*lacking)) is lacking[0]
    assert lacking[0].query == {"part": "Set up"}


def test_nothing_comes_first_where_nothing_is_known_to_be_missing_or_it_is_being_made():
    assert needed(seen()) is None
    assert needed(seen(*BEING_SET_UP)) is None
