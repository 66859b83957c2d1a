"""What is paid by the hour once a deed is taken back, beside what is paid for the same things now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.errors import KennelError
from dashboard.core.serving.functions.concurrency import kept_ready_cost
from dashboard.core.serving.functions.model import Architecture
from dashboard.core.serving.variant import read, together
from dashboard.core.trail.undo import UndoPlan
from dashboard.core.trail.way import Asked
from dashboard.core.trail.way_function import FUNCTIONS
from dashboard.core.trail.way_serving import SERVING

State = Mapping[str, Any]
Priced = Callable[[Aws, PriceBook, Asked, State], Decimal | None]
"""USD an hour of what a call changes, in one of its states; None where that is not known."""


@dataclass(frozen=True)
class Cost:
    """USD an hour of all that is paid by the hour among what a deed changed. None: the price is not known."""

    now: Decimal | None
    then: Decimal | None


def cost(aws: Aws, prices: PriceBook, plan: UndoPlan) -> Cost | None:
    """What the undo would cost; None where nothing of it is paid by the hour. What AWS does not tell is not known."""
    found = [
        (_asked(priced, aws, prices, step.noted.parameters, step.noted.left or {}),
         _asked(priced, aws, prices, step.noted.parameters, step.noted.before or {}))
        for step in plan.steps
        if (priced := _PRICED.get(step.key))
    ]  # fmt: skip
    if not found:
        return None
    return Cost(_sum([now for now, _ in found]), _sum([then for _, then in found]))


def _asked(priced: Priced, aws: Aws, prices: PriceBook, asked: Asked, state: State) -> Decimal | None:
    try:
        return priced(aws, prices, asked, state)
    except KennelError:
        return None


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    return None if None in amounts else sum((each for each in amounts if each is not None), Decimal(0))


def _notebook(aws: Aws, prices: PriceBook, asked: Asked, state: State) -> Decimal | None:
    if not state.get("runs"):
        return Decimal(0)
    told = aws.call(SERVING, "DescribeNotebookInstance", NotebookInstanceName=asked["NotebookInstanceName"])
    return quote.hourly(prices, Kind.NOTEBOOK, told["InstanceType"], aws.account.region).amount


def _configuration(aws: Aws, prices: PriceBook, asked: Asked, state: State) -> Decimal | None:
    told = aws.call(SERVING, "DescribeEndpointConfig", EndpointConfigName=state["EndpointConfigName"])
    return together(read(told["ProductionVariants"], (), prices, aws.account.region)).amount


def _weights(aws: Aws, prices: PriceBook, asked: Asked, state: State) -> Decimal | None:
    endpoint = aws.call(SERVING, "DescribeEndpoint", EndpointName=asked["EndpointName"])
    told = aws.call(SERVING, "DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"])
    wanted = [
        {**one, "InitialInstanceCount": state.get(one["VariantName"], {}).get("DesiredInstanceCount", 0)}
        for one in told["ProductionVariants"]
        if "InstanceType" in one and "DesiredInstanceCount" in state.get(one["VariantName"], {})
    ]
    return together(read(wanted, (), prices, aws.account.region)).amount if wanted else Decimal(0)


def _ready(aws: Aws, prices: PriceBook, asked: Asked, state: State) -> Decimal | None:
    number = state.get("ProvisionedConcurrentExecutions", 0)
    if not number:
        return Decimal(0)
    told = aws.call(FUNCTIONS, "GetFunctionConfiguration", FunctionName=asked["FunctionName"],
                    Qualifier=asked["Qualifier"])  # fmt: skip
    arm = Architecture.ARM.value in told.get("Architectures", ())
    memory = int(told.get("MemorySize", 128))
    return kept_ready_cost(prices, aws.account.region, memory_mb=memory, number=number, arm=arm, hours=Decimal(1))


_PRICED: Mapping[tuple[str, str], Priced] = {
    (SERVING, "StopNotebookInstance"): _notebook,
    (SERVING, "StartNotebookInstance"): _notebook,
    (SERVING, "UpdateEndpoint"): _configuration,
    (SERVING, "UpdateEndpointWeightsAndCapacities"): _weights,
    (FUNCTIONS, "PutProvisionedConcurrencyConfig"): _ready,
    (FUNCTIONS, "DeleteProvisionedConcurrencyConfig"): _ready,
}
