"""What Kennel's own questions to Cost Explorer have cost: noted when answered, and receipts like all others."""

import json
import threading
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from dashboard.core.aws import Account
from dashboard.core.costs.bill.names import REQUEST_PRICE
from dashboard.core.costs.ledger import trail_kept
from dashboard.core.costs.prices import Price
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.errors import ServiceFault

PRICE = Price(
    REQUEST_PRICE, "USD", "AWS Cost Explorer pricing: each request of its API", date(2026, 11, 21), per="request"
)
_writing = threading.Lock()


@dataclass(frozen=True)
class Asked:
    """One question that was answered: by which operation, in how many pages, when."""

    operation: str
    pages: int
    at: datetime


def place(account: Account) -> Path:
    """Where they are kept: beside what CloudTrail told of the account."""
    kept = trail_kept.place(account)
    return kept.with_name(f"{kept.stem}-bill-requests.jsonl")


def note(file: Path, asked: Asked) -> None:
    """Keep that it was answered. Raises ServiceFault where this machine cannot."""
    line = json.dumps({"operation": asked.operation, "pages": asked.pages, "at": asked.at.isoformat()})
    try:
        with _writing:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
    except OSError as error:
        raise ServiceFault(
            f"AWS answered, and its {REQUEST_PRICE} USD could not be noted", f"{file}: {error}", "free some space"
        ) from error


def read(file: Path) -> tuple[Asked, ...]:
    """All that was kept, the oldest first. Raises ServiceFault where it cannot be read."""
    try:
        told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
        return tuple(Asked(str(one["operation"]), int(one["pages"]), datetime.fromisoformat(one["at"])) for one in told)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceFault(
            "what Cost Explorer was asked cannot be read", f"{file}: {error}", "mend that file, or remove it"
        ) from error


def requests(account: Account) -> tuple[Receipt, ...]:
    """The receipts of all questions that Kennel asked this account. Raises ServiceFault."""
    return receipts(read(place(account)), is_embedded=account.is_embedded)


def receipts(asked: tuple[Asked, ...], *, is_embedded: bool) -> tuple[Receipt, ...]:
    """A receipt for each question."""
    nature = Nature.of({}, is_embedded=is_embedded)
    return tuple(_receipt(number, one, nature) for number, one in enumerate(asked, start=1))


def _receipt(number: int, asked: Asked, nature: Nature) -> Receipt:
    pages = Decimal(asked.pages)
    unit = "request" if asked.pages == 1 else "requests"
    line = Line("Requests", pages, unit, PRICE, REQUEST_PRICE * pages, asked.at, asked.at, "one for each page")
    return Receipt(
        f"request:{number}",
        f"Cost Explorer, question {number}",
        Service.COST_EXPLORER,
        nature,
        asked.at,
        asked.at,
        (line,),
        status="answered",
        facts=(Fact(asked.operation, "pages", str(asked.pages)),),
    )
