"""What is said of notebook instances: sentences, rows and figures. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs.prices import Price
from dashboard.core.costs.quote import Quote, total
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import Finding, together
from dashboard.core.format import count, duration, money
from dashboard.core.notebooks import lifecycle
from dashboard.core.notebooks.model import Notebook
from dashboard.core.notebooks.plan import Deed, Plan
from dashboard.ui import receipt
from dashboard.ui.markup import Markup, escape
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import label
from dashboard.ui.words import simulated

HOURS_A_MONTH = 730
NEVER = "until somebody does"
A_RECORD = (
    "On the embedded AWS a notebook instance is a record: its role, network, quota and bill are as in AWS, but no "
    "machine is started and no script runs. Opening one leads to a page that says so."
)
FREE_TIER = (
    "AWS's offer, not a fact about this account: accounts new to SageMaker get 250 hours of ml.t2.medium or "
    "ml.t3.medium on notebook instances a month, for two months after their first use (aws.amazon.com/sagemaker/"
    "pricing, Free Tier; accounts made since 15 July 2025 get credits instead). No call tells Kennel whether yours has "
    "it, so that every sum here is without it."
)
ABOUT = (
    "It gets a role of its own, which reads and writes one bucket and no other, is small, and stops itself when nobody "
    "works in it. Its volume is kept, and paid for, until it is deleted."
)


def sentence(notebooks: Sequence[Notebook]) -> str:
    """The live sentence: "2 notebooks, 1 in service"."""
    if not notebooks:
        return "none here"
    serving = sum(one.status.is_serving for one in notebooks)
    coming = sum(one.status.is_changing for one in notebooks)
    told = [count(len(notebooks), "notebook"), f"{serving} in service" if serving else "none in service"]
    return ", ".join([*told, f"{coming} changing"] if coming else told)


def strip(notebooks: Sequence[Notebook], idle: Sequence[Finding] | None, account: Account) -> list[Figure]:
    """idle: what Waste finds of them, None where that could not be looked at."""
    serving = [one for one in notebooks if one.status.is_serving]
    own = Nature.of({}, is_embedded=account.is_embedded)
    ours = [one for one in notebooks if Nature.of(one.tags, is_embedded=account.is_embedded) is own]
    cost, unpriced = total([one.hourly for one in ours if one.status.is_billed])
    unknown = f", {unpriced} of unknown price" if unpriced else ""
    others = f", {len(notebooks) - len(ours)} samples not counted" if len(ours) < len(notebooks) else ""
    volumes = sum(one.volume_gb for one in notebooks)
    stopping = sum(lifecycle.stops(one.lifecycle) is not None for one in notebooks)
    return [
        Figure(
            "serving",
            "In service",
            f"{len(serving)} of {len(notebooks)}",
            "the others cost their volumes alone" if len(serving) < len(notebooks) else "none is stopped",
        ),
        Figure(
            "cost", "Cost now", f"{money(cost)}/h", f"{money(cost * 24)} a day{unknown}{others}", mark=receipt.of(own)
        ),
        _idle(idle, own),
        Figure("stop", "Stop themselves", f"{stopping} of {len(notebooks)}", "when nobody works in them"),
        Figure("volumes", "Volumes", f"{volumes:,} GB", "paid for while stopped too, beside the cost now"),
    ]


def _idle(findings: Sequence[Finding] | None, own: Nature) -> Figure:
    name, key = "Idle", "idle"
    if findings is None:
        return Figure(key, name, "not checked", "what they log could not be read")
    wasted = together([one for one in findings if one.nature is own])
    if not wasted.things:
        return Figure(key, name, "none", "each was worked in within a day")
    said = f"{money(wasted.per_day)}/day" if wasted.unknown < wasted.things else "unknown"
    note = f"{count(wasted.things, 'notebook')} without work"
    return Figure(key, name, said, note, Place.WASTE, "See Waste", receipt.of(own), tone="waiting")


def stops(one: Notebook) -> str:
    """ "after 1 h", or that nothing is known to stop it."""
    minutes = lifecycle.stops(one.lifecycle)
    if minutes is not None:
        return f"after {duration(minutes * 60)} idle"
    return f"its script {one.lifecycle} may" if one.lifecycle else "nothing does"


def per_day(findings: Iterable[Finding]) -> dict[str, Decimal | None]:
    """What each idle notebook wastes a day; None where its price is unknown."""
    found: dict[str, Decimal | None] = {}
    for one in findings:
        found[one.name] = max(found.get(one.name) or Decimal(0), one.per_day) if one.per_day is not None else None
    return found


def rows(notebooks: Sequence[Notebook], idle: Mapping[str, Decimal | None]) -> list[dict[str, Any]]:
    """One row a notebook; money is a number underneath, so that it sorts."""
    made = []
    for one in notebooks:
        cost = one.hourly.amount if one.status.is_billed else Decimal(0)
        wasted = idle.get(one.name)
        made.append(
            {
                "Notebook": one.name,
                "State": [label(one.status.tone, one.status.word)],
                "Cost": None if cost is None else float(cost),
                "Idle": None if wasted is None else float(wasted),
                "Instance": one.instance_type,
                "Volume": one.volume_gb,
                "Stops itself": stops(one),
                "Root": "yes" if one.has_root else "no",
                "Origin": "sample" if one.is_sample else "Kennel" if one.is_kennels else "elsewhere",
            }
        )
    return made


def plain_rows(shown: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same for a file: a state is one text."""
    return [{**one, "State": one["State"][0].partition(" ")[2]} for one in shown]


def costs(hourly: Quote, volume_gb: int, storage: Price | None, account: Account) -> dict[str, str]:
    """What a notebook costs an hour, a day and a month; `storage`: of a GB a month, None where it is unknown."""
    disk = money(storage.amount * volume_gb) + " a month" if storage else "price unknown in this region"
    told = {"Volume": f"{volume_gb} GB, {disk}, also while it is stopped"}
    if hourly.amount is None:
        return {"While in service": f"unknown: {hourly.why_unknown}", **told}
    hour = receipt.inline(f"{receipt.amount(hourly)} an hour", account)
    left = f"{money(hourly.amount * 24)} a day, {money(hourly.amount * HOURS_A_MONTH)} a month of {HOURS_A_MONTH} h"
    return {"While in service": hour, "If it is left on": left, **told}


def idle(minutes: int | None) -> str:
    """After how long one stops itself; None: as it is."""
    if minutes is None:
        return "as its own script does"
    return f"{minutes} minutes" if minutes else f"never, {NEVER}"


def button(plan: Plan, account: Account) -> str:
    """The button's words; what costs money says how much."""
    if plan.deed not in (Deed.CREATE, Deed.START) or plan.hourly is None:
        return plan.button
    if plan.hourly.amount is None:
        return f"{plan.button}, cost unknown"
    return f"{plan.button} for {receipt.amount(plan.hourly)}/h{simulated(account)}"


def details(one: Notebook, account: Account) -> dict[str, str]:
    """What is to be known of one, by name."""
    internet = "its own way to the internet" if one.has_internet else "no direct way to the internet"
    network = f"{one.subnet}, {', '.join(one.groups)}; {internet}" if one.subnet else f"no VPC of yours; {internet}"
    price = (
        receipt.inline(receipt.price(one.hourly), account)
        if one.hourly.is_known
        else escape(f"at an unknown price ({one.hourly.why_unknown})")
    )
    return {
        "Instance": Markup(f"{escape(one.instance_type)}, {price} while in service"),
        "Volume": f"{one.volume_gb} GB, kept while it is stopped",
        "Stops itself": stops(one),
        "Users are root": "yes: they can change what stops it" if one.has_root else "no",
        "Network": network,
        **({"Platform": one.platform} if one.platform else {}),
    }
