"""Every deed under every fault: it happened once or not at all, its dialog says why, and a second press ends it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.retries.standard
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.core import aws
from dashboard.ui.confirm import Action
from tests.faults.conftest import Open, forget
from tests.faults.deeds import DEEDS, Deed
from tests.faults.seam import Fault, Seam, writing
from tests.faults.world import World
from tests.views.conftest import text

FAILING = [fault for fault in Fault if fault.fails]


@dataclass
class Drawn:
    """The last action that a dialog offered."""

    action: Action | None = None


@pytest.fixture(scope="module")
def drawn(patch: pytest.MonkeyPatch) -> Iterator[Drawn]:
    seen, make = Drawn(), Action.__init__

    def made(self: Action, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        seen.action = self

    patch.setattr(Action, "__init__", made)
    yield seen


def opened(deed: Deed, visit: Open) -> AppTest:
    forget()
    page = visit(deed.place, **deed.query)
    deed.fill_page(page)
    for key in deed.click:
        page.button(key=key).click().run()
    deed.fill(page)
    return page


def type_name(page: AppTest, drawn: Drawn) -> str:
    """What a person types to confirm; "" where nothing is asked for."""
    if drawn.action is None or drawn.action.typed is None:
        return ""
    page.text_input(key="confirm-name").set_value(drawn.action.typed[0]).run()
    return drawn.action.typed[0]


def press(page: AppTest) -> str:
    page.button(key="confirm-do").click().run()
    return text(page).lower()


def is_open(page: AppTest) -> bool:
    return any(one.key in ("confirm-do", "confirm-blocked") for one in page.button)


def wrong(page: AppTest, said: str) -> list[str]:
    found = [f"stack trace: {one.value}" for one in page.exception]
    return found + (["a fault in Kennel"] if "a fault in kennel" in said else [])


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_deed_under_every_fault(
    deed: Deed, visit: Open, seam: Seam, world: World, drawn: Drawn, record_property, monkeypatch
) -> None:
    deed.ready(world)
    before, problems, tried = deed.count(world), [], 0
    page = opened(deed, visit)
    name = type_name(page, drawn)
    assert is_open(page), text(page)
    for fault in FAILING:
        tried += 1
        with seam.failing(fault, writing):
            seam.changed.clear()
            said = press(page)
        found = wrong(page, said)
        if not is_open(page):
            found.append("the dialog has closed")
            problems += [f"{fault}: {one}" for one in found]
            break
        if not seam.met:
            found.append("nothing was sent")
        elif not fault.is_told(said):
            found.append("silent")
        if seam.changed or deed.count(world) != before:
            found.append(f"it happened all the same: {seam.changed}")
        if name and page.text_input(key="confirm-name").value != name:
            found.append("what was typed is gone")
        problems += [f"{fault}: {one}" for one in found]
    # AWS acts, its answer is lost, and botocore asks once more, as it does on its own
    monkeypatch.setattr(aws, "EMBEDDED_ATTEMPTS", 2)
    monkeypatch.setattr(botocore.retries.standard.ExponentialBackoff, "delay_amount", lambda self, context: 0)
    with seam.failing(Fault.TIMED_OUT, writing, acts_first=True, times=1):
        tried += 1
        said = press(page)
    lost = wrong(page, said)
    if is_open(page):  # then it says why, and pressing again ends it
        said = press(page)
        lost += wrong(page, said)
        if is_open(page):
            lost.append(f"pressed again it still fails: {said[-400:]}")
    if deed.count(world) != before + 1:
        lost.append(f"it happened {deed.count(world) - before} times")
    problems += [f"lost answer: {one}" for one in lost]
    record_property("faults: deeds", 1)
    record_property("faults: deeds × faults", tried)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
