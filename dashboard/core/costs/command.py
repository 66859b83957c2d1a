"""The command line of the price book: what is asked for, and how the answer is said.

    python -m dashboard.core.costs quote sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 663
    python -m dashboard.core.costs quote lambda-provisioned --region us-east-1 --count 2 --memory-mb 128 \\
        --month-hours 744 --json

Exit code: 0 with an amount, 1 where the price is unknown, 2 for a command that makes no sense.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from dashboard.core.costs import price_cache
from dashboard.core.costs.asked import KINDS, Asked, Quoted, quoted
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput
from dashboard.core.format import amount as for_program
from dashboard.core.format import money, rate
from dashboard.core.home import home

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
LISTED_AT_MOST = "list price; credits, savings plans, free tier and tax are not in it"


def main(arguments: Sequence[str], *, now: datetime, environ: Mapping[str, str] = os.environ) -> int:
    """Answer one command on standard output, or say on standard error what is wrong with it. Returns the exit code."""
    try:
        options = _parser().parse_args(arguments)
        asked = _asked(options)
        quote = quoted(_book(asked.region, environ, shipped=options.shipped), asked, now)
    except (_NotUnderstood, InvalidInput) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    told = json.dumps(as_json(quote), indent=2) if options.json else as_text(quote)
    sys.stdout.write(f"{told}\n")
    return 0 if quote.amount is not None else 1


def as_json(quote: Quoted) -> dict[str, Any]:
    """The answer for a program; every number of money is a string of decimal digits, None where unknown."""
    price, asked = quote.price, quote.asked
    told: dict[str, Any] = {
        "amount": None if quote.amount is None else for_program(quote.amount),
        "currency": price.currency if price else "USD",
        "unit_price": f"{price.amount:f}" if price else None,
        "source": price.source if price else None,
        "date": str(price.date) if price else None,
        "exact": None if quote.amount is None else f"{quote.amount.normalize():f}",
        "how": quote.how,
        "kind": asked.kind,
        "instance": asked.instance or None,
        "region": asked.region,
        "seconds": f"{asked.seconds.normalize():f}",
        "count": asked.count,
        "unit": f"per {price.per}" if price else None,
        "confidence": price.confidence.value if price else None,
        "lines": [
            {
                "what": line.what,
                "quantity": None if line.quantity is None else f"{line.quantity.normalize():f}",
                "unit": line.unit,
                "unit_price": f"{line.price.amount:f}" if line.price else None,
                "amount": None if line.amount is None else f"{line.amount.normalize():f}",
                "how": line.how,
                "why_unknown": line.why_unknown,
            }
            for line in quote.lines
        ],
        "not_included": LISTED_AT_MOST,
    }
    if asked.memory_mb:
        told["memory_mb"] = asked.memory_mb
    if asked.month_hours is not None:
        told["month_hours"] = f"{asked.month_hours:f}"
    if quote.if_added_up is not None:
        told["if_seconds_are_added_up"] = for_program(quote.if_added_up)
    if quote.why_unknown:
        told["why_unknown"] = quote.why_unknown
    return told


def as_text(quote: Quoted) -> str:
    """The answer for a person: the sum, how it was made, and where the price comes from."""
    if quote.amount is None or quote.price is None:
        return f"unknown: {quote.why_unknown}"
    price = quote.price
    said = [
        f"{money(quote.amount, price.currency)}: {quote.how} at {rate(price.amount, price.per, price.currency)}",
        *quote.more,
        f"price: {price.source}, {price.date}, {price.confidence}",
        LISTED_AT_MOST,
    ]
    return "\n".join(said)


class _NotUnderstood(Exception):  # noqa: N818 - what happened, as in core/errors.py
    """A command line that cannot be read."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotUnderstood(f"{message} · {self.prog} --help tells what there is")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m dashboard.core.costs", description="What things cost, from the price book.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="quote")
    quote = commands.add_parser(
        "quote",
        help="what an amount of something costs",
        epilog="Exit code: 0 with an amount, 1 where the price is unknown, 2 for a command that makes no sense.",
    )
    quote.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    quote.add_argument("--instance", default="", metavar="TYPE", help="ml.m5.large, or m5.large for ec2")
    quote.add_argument("--region", required=True, metavar="REGION", help="us-east-1, …")
    quote.add_argument("--seconds", type=_decimal, metavar="N", help="how long: of each, not added up")
    quote.add_argument("--count", type=int, default=1, metavar="N", help="instances, or environments kept ready")
    quote.add_argument("--spot-price", type=_decimal, metavar="$/h", help="count with this instead of the list price")
    quote.add_argument("--memory-mb", type=int, default=0, metavar="MB", help="of a Lambda function")
    quote.add_argument(
        "--month-hours",
        type=_decimal,
        metavar="H",
        help="a month of so many hours instead of --seconds: 744 (Lambda's console), 730 (most calculators)",
    )
    quote.add_argument("--volume-gb", type=_decimal, default=Decimal(0), metavar="GB", help="ec2: with a gp3 volume")
    quote.add_argument("--public-address", action="store_true", help="ec2: with a public IPv4 address")
    quote.add_argument("--shipped", action="store_true", help="the shipped prices alone, none that were refreshed")
    quote.add_argument("--json", action="store_true", help="for a program; amounts are decimal strings")
    return parser


def _asked(options: argparse.Namespace) -> Asked:
    if not REGION.fullmatch(options.region):
        raise InvalidInput(f"{options.region!r} is no region", "regions are written like us-east-1", field="region")
    return Asked.of(
        options.kind,
        instance=options.instance,
        region=options.region,
        seconds=options.seconds,
        count=options.count,
        spot_price=options.spot_price,
        memory_mb=options.memory_mb,
        month_hours=options.month_hours,
        volume_gb=options.volume_gb,
        public_address=options.public_address,
    )


def _book(region: str, environ: Mapping[str, str], *, shipped: bool) -> PriceBook:
    book = PriceBook.load()
    if shipped:
        return book
    kept, problem = price_cache.read(price_cache.file(home(environ), region, is_embedded=False))
    if problem:
        sys.stderr.write(f"{problem}\n")
    return kept.into(book) if kept else book


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
