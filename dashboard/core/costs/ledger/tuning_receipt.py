"""A tuning job as one line of a list of receipts: the sum of its trials, which a ledger holds apart. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from dashboard.core.costs.receipt import Receipt
from dashboard.core.format import count

Rows = Sequence[tuple[Receipt, Decimal | None]]


def folded(rows: Rows) -> list[tuple[Receipt, Decimal | None]]:
    """The rows with the trials of each tuning job as one, dearest first, unknown ones last; the sum stays the same."""
    trials: dict[str, list[tuple[Receipt, Decimal | None]]] = {}
    for receipt, amount in rows:
        if receipt.parent:
            trials.setdefault(receipt.parent, []).append((receipt, amount))
    if not trials:
        return list(rows)
    found = [(receipt, amount) for receipt, amount in rows if not receipt.parent]
    for held in trials.values():
        known = [amount for _, amount in held if amount is not None]
        found.append((together([receipt for receipt, _ in held]), sum(known, Decimal(0)) if known else None))
    return sorted(found, key=lambda pair: (pair[1] is None, -(pair[1] or 0), pair[0].key))


def together(trials: Sequence[Receipt]) -> Receipt:
    """The receipt of a tuning job from those of its trials: all of their lines. What they do not share is left out.

    Its key is that under which the page of a receipt shows the trials. Raises ValueError without any.
    """
    if not trials:
        raise ValueError("a tuning job without trials has no receipt")
    first = trials[0]
    ends = [one.ended for one in trials]
    saved = [one.saving for one in trials if one.saving is not None]
    same = len({(one.instance_type, one.count) for one in trials}) == 1
    return Receipt(
        key=f"run:{first.parent}",
        name=first.parent,
        service=first.service,
        nature=first.nature,
        started=min(one.started for one in trials),
        ended=None if None in ends else max(end for end in ends if end is not None),
        lines=tuple(line for one in trials for line in one.lines),
        status=_statuses(trials),
        project=_shared([one.project for one in trials]),
        owner=_shared([one.owner for one in trials]),
        platform=first.platform,
        instance_type=first.instance_type if same else "",
        count=first.count if same else 1,
        capacity=_shared([one.capacity for one in trials]),
        saving=sum(saved, Decimal(0)) if saved else None,
        trials=len(trials),
    )


def _shared(words: Sequence[str]) -> str:
    return words[0] if len(set(words)) == 1 else ""


def _statuses(trials: Sequence[Receipt]) -> str:
    """ "completed", or "2 completed, 1 failed"."""
    words = [one.status for one in trials]
    if len(set(words)) == 1:
        return words[0]
    return ", ".join(f"{count(words.count(word))} {word}" for word in dict.fromkeys(words))
