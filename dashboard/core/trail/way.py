"""A way back: how to read what a call changes, and the calls that bring that back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.calls import Call

Asked = Mapping[str, Any]
State = dict[str, Any]
"""{} where the thing is not there."""


@dataclass(frozen=True)
class Inverse:
    """read: how what the call changes is now, of its parameters. back: what brings that state back; () where nothing
    can. names: the parameters that say what it changes. costs: what is paid for again once it is taken back, "" for
    nothing.
    """

    read: Callable[[Aws, Asked], State]
    back: Callable[[Asked, Asked], Sequence[Call]]
    names: tuple[str, ...]
    costs: str = ""

    def thing(self, asked: Asked) -> str:
        """What a call with these parameters changes: the same for two calls that change the same."""
        inner = asked.get("NewBudget", asked.get("Budget", {}))
        return repr((self.names, [asked.get(name, inner.get(name)) for name in self.names]))


def some(told: Asked, *names: str) -> State:
    return {name: told[name] for name in names if told.get(name) is not None}


def same(asked: Asked, names: Sequence[str]) -> State:
    return {name: asked[name] for name in names if name in asked}
