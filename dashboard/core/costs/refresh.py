"""Asking AWS for its prices, when somebody wants that: the Pricing API and EC2's spot price history, of one region.

Both are free of charge and change nothing. What AWS does not tell stays as it is known; nothing is guessed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dashboard.core.aws import Account, Aws
from dashboard.core.aws_models import client_region
from dashboard.core.costs.price_cache import Refreshed
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.refresh_parse import LeftOut, price
from dashboard.core.costs.spot_history import MOST_PAGES, SPOT_DAYS, spot_days
from dashboard.core.errors import KennelError
from dashboard.core.format import count
from dashboard.core.parallel import gather
from dashboard.core.runs.instances import EC2_TRAINING, SERVING, TRAINING

AT_ONCE = 8
HOURS = "Hrs"
AWS, EMBEDDED = "AWS Pricing API", "price list of the embedded AWS"
PREFIXES = {
    "af-south-1": "AFS1", "ap-east-1": "APE1", "ap-northeast-1": "APN1", "ap-northeast-2": "APN2",
    "ap-northeast-3": "APN3", "ap-south-1": "APS3", "ap-south-2": "APS5", "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2", "ap-southeast-3": "APS4", "ap-southeast-4": "APS6",
    "ca-central-1": "CAN1", "eu-central-1": "EUC1", "eu-north-1": "EUN1", "eu-south-1": "EUS1", "eu-west-1": "EU",
    "eu-west-2": "EUW2", "eu-west-3": "EUW3", "me-south-1": "MES1", "sa-east-1": "SAE1", "us-east-1": "USE1",
    "us-east-2": "USE2", "us-west-1": "USW1", "us-west-2": "USW2",
}  # fmt: skip
"""What AWS's usage types of a region begin with. Source: AWS's region codes of billing and usage reports."""
USES = {Kind.SAGEMAKER_TRAINING: "Train", Kind.ENDPOINT: "Host", Kind.NOTEBOOK: "Notebk"}
LINUX = {
    "tenancy": "Shared",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "licenseModel": "No License required",
    "capacitystatus": "Used",
}


@dataclass(frozen=True)
class Figure:
    """One figure of the price book, and how AWS is asked for it: a service's product by its attributes."""

    what: tuple[Kind, str] | Extra
    service: str
    attributes: tuple[tuple[str, str], ...]
    unit: str
    per: str
    is_tiered: bool = False

    @property
    def word(self) -> str:
        return self.what.word if isinstance(self.what, Extra) else f"{self.what[1]} ({self.what[0]})"


@dataclass(frozen=True)
class RefreshPlan:
    """What will be asked of AWS: figures of the Pricing API, and the spot history of instance types."""

    region: str
    asked_in: str
    figures: tuple[Figure, ...]
    spot_types: tuple[str, ...]

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls in words, for whoever confirms them."""
        return (
            f"pricing GetProducts in {self.asked_in}: {count(len(self.figures), 'call')}, "
            f"one for each figure of {self.region}",
            f"ec2 DescribeSpotPriceHistory in {self.region}: the last {SPOT_DAYS} days of "
            f"{count(len(self.spot_types), 'instance type')}, at most {MOST_PAGES} calls",
        )


@dataclass(frozen=True)
class Refreshing:
    """What came of a plan. `problems` are the halves that could not be read: what was read stands all the same."""

    found: Refreshed
    problems: tuple[tuple[str, KennelError], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.found.prices and not self.found.extras and not self.found.spot


def plan_refresh(account: Account, book: PriceBook, region: str = "") -> RefreshPlan:
    """What to ask for a region, the account's own unless another is named: the instance types that Kennel offers or has
    prices of, and Lambda. Asks nothing itself.
    """
    region = region or account.region
    known = {(kind, instance) for kind, instance, _ in book.prices}
    known |= {(Kind.EC2, one) for one in EC2_TRAINING} | {(Kind.SAGEMAKER_TRAINING, one) for one in TRAINING}
    known |= {(Kind.ENDPOINT, one) for one in SERVING}
    prefix = PREFIXES.get(region)
    figures = [
        _ec2(instance, region) if kind is Kind.EC2 else _sagemaker(kind, instance, region, prefix or "")
        for kind, instance in sorted(known)
        if kind is Kind.EC2 or prefix
    ]
    figures += [_lambda(what, group, region) for what, group in LAMBDA_GROUPS.items()]
    spot = sorted(instance for kind, instance in known if kind is Kind.EC2)
    return RefreshPlan(region, client_region("pricing", account.region), tuple(figures), tuple(spot))


def refresh(aws: Aws, plan: RefreshPlan, now: Callable[[], datetime]) -> Refreshing:
    """Carry it out. One half that fails leaves the other; raises the first half's error when both do."""
    at = now()
    found, problems = Refreshed(plan.region), []
    try:
        found = _prices(aws, plan, at)
    except KennelError as error:
        problems.append(("The price list", error))
    try:
        spot, left_out = spot_days(aws.in_region(plan.region), plan.spot_types, at)
    except KennelError as error:
        problems.append(("Spot prices", error))
    else:
        found = replace(found, spot_at=at, spot=spot, left_out=(*found.left_out, *left_out))
    if len(problems) == 2:
        raise problems[0][1]
    return Refreshing(found, tuple(problems))


def _prices(aws: Aws, plan: RefreshPlan, at: datetime) -> Refreshed:
    today = at.astimezone(UTC).date()
    teller = EMBEDDED if aws.account.is_embedded else AWS

    def ask(figure: Figure) -> Price | str:
        told = aws.call(
            "pricing",
            "GetProducts",
            ServiceCode=figure.service,
            Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in figure.attributes],
            MaxResults=10,
        )
        try:
            return price(told["PriceList"], figure.unit, figure.per, today, teller, tiered=figure.is_tiered)
        except LeftOut as why:
            return f"{figure.word}: {why}"

    answers = list(zip(plan.figures, gather(ask, plan.figures, AT_ONCE), strict=True))
    left_out = [answer for _, answer in answers if isinstance(answer, str)]
    if plan.region not in PREFIXES:
        left_out.append(f"SageMaker: what AWS's usage types in {plan.region} begin with is not known")
    told = [(figure.what, answer) for figure, answer in answers if isinstance(answer, Price)]
    return Refreshed(
        plan.region,
        prices_at=at,
        prices=tuple((what, answer) for what, answer in told if not isinstance(what, Extra)),
        extras=tuple((what, answer) for what, answer in told if isinstance(what, Extra)),
        left_out=tuple(left_out),
    )


def _ec2(instance: str, region: str) -> Figure:
    named = LINUX | {"instanceType": instance, "regionCode": region}
    return Figure((Kind.EC2, instance), "AmazonEC2", tuple(named.items()), HOURS, "h")


def _sagemaker(kind: Kind, instance: str, region: str, prefix: str) -> Figure:
    named = {"usagetype": f"{prefix}-{USES[kind]}:{instance}", "regionCode": region}
    return Figure((kind, instance), "AmazonSageMaker", tuple(named.items()), HOURS, "h")


LAMBDA_GROUPS = {
    Extra.LAMBDA_REQUEST: "AWS-Lambda-Requests",
    Extra.LAMBDA_DURATION_X86: "AWS-Lambda-Duration",
    Extra.LAMBDA_DURATION_ARM: "AWS-Lambda-Duration-ARM",
    Extra.LAMBDA_PROVISIONED: "AWS-Lambda-Provisioned-Concurrency",
    Extra.LAMBDA_PROVISIONED_DURATION: "AWS-Lambda-Duration-Provisioned",
}


def _lambda(what: Extra, group: str, region: str) -> Figure:
    named = {"productFamily": "Serverless", "group": group, "regionCode": region}
    is_request = what is Extra.LAMBDA_REQUEST
    unit, per = ("Requests", "request") if is_request else ("Lambda-GB-Second", "GB-s")
    # The more a function computes in a month, the cheaper it gets; requests and the rest have one rate.
    is_tiered = what in (Extra.LAMBDA_DURATION_X86, Extra.LAMBDA_DURATION_ARM)
    return Figure(what, "AWSLambda", tuple(named.items()), unit, per, is_tiered)
