"""Who may do what here: a person, the role in which they look at Kennel, and which role a sign-in has.

A role is given to an e-mail address (`ann@example.com`), to everybody of a domain (`@example.com`) or to who has a
claim (`groups=ml-engineers`). Addresses and domains count only where the provider says that it verified the address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.core.errors import InvalidInput


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
        """What it is for, in words that end a sentence."""
        return {
            Role.VISITOR: "may classify photos",
            Role.MANAGER: "may read everything and set budgets",
            Role.ENGINEER: "may do everything",
        }[self]

    @property
    def one(self) -> str:
        """One of them: "an engineer"."""
        return f"an {self}" if self is Role.ENGINEER else f"a {self}"


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
GUEST = Person("", "", Role.VISITOR)
"""Whoever opens a page that is shared without sign-in."""


@dataclass(frozen=True)
class Rule:
    """Who has a role: by the verified address or its domain (`claim` is ""), or by what a claim says."""

    text: str
    claim: str = ""

    def covers(self, claims: Mapping[str, Any]) -> bool:
        """Whether it speaks of the person whom a provider describes by these claims."""
        if self.claim:
            told = claims.get(self.claim)
            # True is what people write as "true"; a list holds several, as groups do
            values = told if isinstance(told, (list, tuple)) else [told]
            return any(_written(value) == self.text for value in values)
        address = verified_address(claims)
        if self.text.startswith("@"):
            return address.rpartition("@")[1:] == ("@", self.text[1:])
        return bool(address) and address == self.text


def rule(text: str) -> Rule:
    """What is written as "ann@example.com", "@example.com" or "claim=value". Raises InvalidInput for anything else."""
    claim, is_claim, value = (part.strip() for part in text.partition("="))
    if claim == "email" and is_claim:
        raise InvalidInput(
            f'"{text}" would hold for whoever says so',
            "an address counts only where the provider has verified it",
            f'write the address alone in [kennel.people] of the secrets file: "{value}"',
        )
    if is_claim and claim and value:
        return Rule(value, claim)
    before, at, domain = text.strip().rpartition("@")
    if is_claim or not at or "." not in domain.strip(".") or " " in text.strip() or "@" in before:
        raise InvalidInput(
            f'"{text}" says of nobody who they are',
            'people are named by an address ("ann@example.com"), a domain ("@example.com") or a claim '
            '("groups=ml-engineers")',
            "mend it in [kennel.people] of the secrets file",
        )
    return Rule(folded(text.strip()))


def person(claims: Mapping[str, Any], rules: Iterable[tuple[Role, Rule]]) -> Person | None:
    """Who signed in, with the highest role that a rule gives them; None where no rule speaks of them.

    claims: those of the provider's ID token, checked: `iss` and `sub` say who, whatever they are called.
    """
    roles = [role for role, one in rules if one.covers(claims)]
    who = _written(claims.get("sub"))
    if not roles or not who:
        return None
    role = max(roles, key=list(Role).index)
    return Person(f"{_written(claims.get('iss'))} {who}", called(claims), role)


def called(claims: Mapping[str, Any]) -> str:
    """What somebody is called: by the verified address, else by the names that the provider has for them."""
    names = (claims.get(name) for name in ("preferred_username", "name", "sub"))
    return verified_address(claims) or next(filter(None, map(_written, names)), "")


def verified_address(claims: Mapping[str, Any]) -> str:
    """The e-mail address, in small letters; "" where the provider does not say that it verified it."""
    address, is_verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(address, str) or is_verified not in (True, "true"):
        return ""
    return folded(address.strip())


def folded(address: str) -> str:
    """In small letters: but only ASCII's, because other alphabets have letters that become those of ASCII."""
    return address.lower() if address.isascii() else address


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else ""
