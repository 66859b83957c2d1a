"""Who may do what here: a person, and the role in which they look at Kennel."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may open and do, least first: each may do all that those before it may."""

    VISITOR = "visitor"
    MANAGER = "manager"
    ENGINEER = "engineer"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what that one asks for."""
        order = list(Role)
        return order.index(self) >= order.index(other)

    @property
    def may(self) -> str:
        """What it is for, in words that end a sentence: "may read everything and set budgets"."""
        return {
            Role.VISITOR: "may classify photos",
            Role.MANAGER: "may read everything and set budgets",
            Role.ENGINEER: "may do everything",
        }[self]


@dataclass(frozen=True)
class Person:
    """Somebody who uses Kennel. `name`: what they are called; `key`: what tells them from everybody else."""

    key: str
    name: str
    role: Role

    def may(self, needed: Role) -> bool:
        """Whether their role is enough for what asks for `needed`."""
        return self.role.includes(needed)


OWNER = Person("", "", Role.ENGINEER)
"""Whoever sits at this machine, where nobody signs in."""
