"""The arithmetic of Lambda's concurrency: what an account has, what is set aside, what must stay for all others.

Lambda Developer Guide, "Configuring reserved concurrency": at least 100 executions stay unreserved (in an account whose
limit is less than that, all of them); "Configuring provisioned concurrency": it is part of what a function reserves,
and, where that is nothing, is set aside from what is left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from local_aws.services.lambda_names import invalid
from local_aws.services.lambda_record import Document

UNRESERVED = 100
"""Executions that must stay for functions without a reservation."""


@dataclass(frozen=True)
class Account:
    """One region's executions at once. set_aside: by function (its document's key), reserved or else provisioned."""

    limit: int
    reserved: int
    set_aside: dict[str, int]

    @property
    def unreserved(self) -> int:
        """As GetAccountSettings tells it: the limit without what is reserved."""
        return self.limit - self.reserved

    @property
    def shared(self) -> int:
        """Executions for all that reserve nothing, beside what is kept ready for some of them."""
        return self.limit - sum(self.set_aside.values())

    @property
    def least(self) -> int:
        """What must stay unreserved."""
        return min(UNRESERVED, self.limit)

    def check(self, key: str, wanted: int, what: str) -> None:
        """Raises ServiceError when setting so many aside for a function would leave too few for the others.

        Giving back what was set aside is always allowed.
        """
        before = self.set_aside.get(key, 0)
        if wanted > before and self.shared + before - wanted < self.least:
            raise invalid(
                f"Specified {what} for function decreases account's UnreservedConcurrentExecution below its minimum "
                f"value of [{self.least}]."
            )


def account(limit: float, documents: Iterable[Document]) -> Account:
    """documents: all functions of the region."""
    documents = list(documents)
    reserved = sum(one["Reserved"] for one in documents if one["Reserved"] is not None)
    return Account(int(limit), reserved, {one["Key"]: set_aside(one) for one in documents})


def set_aside(document: Document) -> int:
    return document["Reserved"] if document["Reserved"] is not None else provisioned(document)


def provisioned(document: Document, *, but: str = "") -> int:
    """Environments that a function keeps ready, over all its aliases and versions but one."""
    return sum(one["Count"] for qualifier, one in document["Provisioned"].items() if qualifier != but)


def split(count: int, version: str, weights: dict[str, float]) -> dict[str, int]:
    """How many of an alias's environments are of which version: by its weights, the rest of the first version."""
    shares = {other: int(count * weight) for other, weight in weights.items()}
    return {version: count - sum(shares.values()), **shares}
