"""Every deed under every fault: it happened once or not at all, the page says why, and a second press ends it."""

from collections.abc import Iterator

import botocore.retries.standard
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from dashboard.core import aws
from dashboard.core.aws_writes import changes
from dashboard.core.serving import feedback
from tests.faults import stage
from tests.faults.conftest import Open, forget
from tests.faults.deed import DIALOGS, Deed
from tests.faults.deeds import DEEDS
from tests.faults.seam import Fault, Seam, every, writing
from tests.faults.stage import PRESENT
from tests.faults.world import World
from tests.views.conftest import text

FAILING = [fault for fault in Fault if fault.fails]
MOST = 20
"""Answers that are lost of one deed, at most."""


@pytest.fixture(scope="module", autouse=True)
def watched(patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.watch(patch)
    patch.setenv(feedback.SETTING, "1")
    patch.setattr(botocore.retries.standard.ExponentialBackoff, "delay_amount", lambda self, context: 0)
    yield


class Tried:
    """One deed on its page, and what was wrong with it."""

    def __init__(self, deed: Deed, world: World, visit: Open, seam: Seam) -> None:
        self.deed, self.world, self.seam = deed, world, seam
        self.problems: list[str] = []
        self.presses = 0
        PRESENT.action = None
        self.page: AppTest = deed.opens(world, visit)
        self.name = self._type_name()
        self.before = self.count()
        PRESENT.sites.clear()

    def _type_name(self) -> str:
        """What a person types to confirm; "" where nothing is asked for."""
        if self.deed.button != DIALOGS or PRESENT.action is None or PRESENT.action.typed is None:
            return ""
        self.page.text_input(key="confirm-name").set_value(PRESENT.action.typed[0]).run()
        return PRESENT.action.typed[0]

    def count(self) -> int:
        return self.deed.count(self.world) if self.deed.count else 0

    @property
    def _buttons(self) -> list[Button]:
        """What begins it, else what goes on with it."""
        names = [name for name in (self.deed.button, self.deed.again) if name]
        return [one for name in names for one in self.page.button if one.key.startswith(name) and not one.disabled]

    @property
    def _asks_name(self) -> bool:
        """Whether the dialog that asks for it is still open; what goes on in the background has closed it."""
        return bool(self.name) and self._buttons[0].key == DIALOGS

    @property
    def can_press(self) -> bool:
        return bool(self._buttons)

    def press(self) -> str:
        """What the page says then, in small letters."""
        self.presses += 1
        self.seam.changed.clear()
        self._buttons[0].click().run()
        if self.deed.settle(self.world):
            self.page.run()
        said = text(self.page).lower()
        self.problems += [f"stack trace: {one.value}" for one in self.page.exception]
        if "a fault in kennel" in said:
            self.problems.append("a fault in Kennel")
        return said

    def fails(self, fault: Fault, *, writes: bool) -> None:
        """Nothing of it happens, and the page says why."""
        what = f"{fault} of {'what it changes' if writes else 'everything'}"
        known = len(self.problems)
        with self.seam.failing(fault, writing if writes else every):
            said = self.press()
        if not self.seam.met:
            self.problems.append("nothing was sent")
        elif not fault.is_told(said):
            self.problems.append(f"silent: {said[-300:]}")
        if self.seam.changed or self.count() != self.before:
            self.problems.append(f"it happened all the same: {self.seam.changed}")
        if not self.can_press:  # a plan that needs to be read anew: once the fault is over
            forget()
            self.page.run()
        if not self.can_press:
            self.problems.append("it cannot be asked for again")
        elif self._asks_name and self.page.text_input(key="confirm-name").value != self.name:
            self.problems.append("what was typed is gone")
        self.problems[known:] = [f"{what}: {one}" for one in self.problems[known:]]

    def loses(self, patch: pytest.MonkeyPatch) -> None:
        """AWS does what it was asked, call after call, and no answer comes back; it happens once all the same.

        Every other call is asked once more by botocore itself, as it does on its own.
        """
        lost: set[tuple[str, str]] = set()
        said = ""

        def hits(service: str, operation: str) -> bool:
            return changes(operation) and (service, operation) not in lost

        for number in range(MOST):
            patch.setattr(aws, "EMBEDDED_ATTEMPTS", 1 + number % 2)
            with self.seam.failing(Fault.TIMED_OUT, hits, acts_first=True, times=1):
                said = self.press()
            lost |= set(self.seam.met)
            if not self.seam.met or not self.can_press:
                break
        if self.deed.button == DIALOGS and self.can_press:
            self.problems.append(f"lost answers: pressed again it still fails: {said[-400:]}")
        if self.deed.count and self.count() != self.before + 1:
            self.problems.append(f"lost answers: it happened {self.count() - self.before} times: {said[-300:]}")


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_deed_under_every_fault(
    deed: Deed, visit: Open, seam: Seam, world: World, record_property, monkeypatch
) -> None:
    deed.ready(world)
    forget()
    tried = Tried(deed, world, visit, seam)
    assert tried.can_press, text(tried.page)
    of_everything = {Fault.DENIED, FAILING[DEEDS.index(deed) % len(FAILING)]}
    for fault in FAILING:
        if not deed.reads:
            tried.fails(fault, writes=True)
        if deed.reads or fault in of_everything:
            tried.fails(fault, writes=False)
        if not tried.can_press:
            break
    if tried.can_press:
        tried.loses(monkeypatch)
    if deed.at not in PRESENT.sites and "confirm.at_once" not in PRESENT.sites:  # that one is told by its button
        tried.problems.append(f"it is not made by {deed.at}, but by one of {sorted(PRESENT.sites)}")
    record_property("faults: deeds", 1)
    record_property("faults: deeds × faults", tried.presses)
    if tried.problems:
        pytest.fail("\n".join(tried.problems), pytrace=False)
