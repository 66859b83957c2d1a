"""One thing that a person can do from the pages: where it is asked for, and how one counts it in the account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from streamlit.testing.v1 import AppTest

from dashboard.core.aws import Aws
from dashboard.ui.confirm import Question
from dashboard.ui.page import Place
from tests.faults import stage
from tests.faults.conftest import Open
from tests.faults.world import World

Opens = Callable[[World, Open], AppTest]
Fill = Callable[[AppTest], object]
DIALOGS = "confirm-do"
"""The button of a dialog."""


@dataclass(frozen=True)
class Deed:
    """at: the function of a page that makes it, "endpoint._draw_delete"; kind: which of its varieties, where that has
    several.

    opens: a page in which its button can be pressed. count: how often it happened, seen in the account without Kennel;
    None where nothing of it is in the account. ready: makes what it needs. button: how the key of what does it begins.
    settle: waits until what goes on in the background has ended, and tells that something did. again: the button with
    which that is gone on with after it failed. reads: it changes nothing, and what it asks costs or
    takes long.
    """

    name: str
    at: str
    opens: Opens
    count: Callable[[World], int] | None
    kind: str = ""
    ready: Callable[[World], object] = lambda world: None
    button: str = DIALOGS
    settle: Callable[[World], bool] = lambda world: False
    again: str = ""
    reads: bool = False


def dialog(
    asks: Callable[[Aws, World], Question],
    fill: Fill = lambda page: None,
    draws: Callable[[Aws], object] = lambda aws: None,
) -> Opens:
    """The dialog alone. fill: puts into its fields what a person would. draws: where a page shows what came of it."""

    def opens(world: World, visit: Open) -> AppTest:
        page = stage.opened(lambda aws: asks(aws, world), draws)
        fill(page)
        return page

    return opens


def unopened(asks: Callable[[Aws, World], Question]) -> Opens:
    """The button of a dialog alone, where making its plan is the deed."""
    return lambda world, visit: stage.opened(lambda aws: asks(aws, world), lambda aws: None, is_open=False)


def part(draws: Callable[[Aws, World], object], fill: Fill = lambda page: None) -> Opens:
    """A part of a page alone."""

    def opens(world: World, visit: Open) -> AppTest:
        page = stage.opened(None, lambda aws: draws(aws, world))
        fill(page)
        return page

    return opens


def whole(place: Place, *click: str, fill: Fill = lambda page: None, **query: str) -> Opens:
    """The whole page: its fields are filled, then what opens the dialog is clicked."""

    def opens(world: World, visit: Open) -> AppTest:
        page = visit(place, **query)
        fill(page)
        for key in click:
            page.button(key=key).click().run()
        return page

    return opens


def typed(key: str, value: str) -> Fill:
    return lambda page: page.text_input(key=key).set_value(value).run()


def missing(look: Callable[[], Any]) -> int:
    """1 for what is gone, 0 while it is there."""
    try:
        look()
    except ClientError:
        return 1
    return 0


def there(look: Callable[[], Any]) -> int:
    return 1 - missing(look)
