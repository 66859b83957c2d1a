"""The ways back of Lambda functions: their concurrency, and what an alias points at."""

from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import NotFound
from dashboard.core.trail.way import Asked, Inverse, State, same, some

FUNCTIONS = "lambda"

_KEPT_READY = "it keeps environments ready again, which are paid by the hour"


def _reserved(aws: Aws, asked: Asked) -> State:
    told = aws.call(FUNCTIONS, "GetFunction", FunctionName=asked["FunctionName"])
    return some(told.get("Concurrency", {}), "ReservedConcurrentExecutions")


def _reserved_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("FunctionName",))
    if not before:
        return [Call(FUNCTIONS, "DeleteFunctionConcurrency", of, "takes its ceiling away")]
    number = before["ReservedConcurrentExecutions"]
    return [Call(FUNCTIONS, "PutFunctionConcurrency", of | dict(before), f"lets at most {number:,} run at once again")]


def _ready(aws: Aws, asked: Asked) -> State:
    of = same(asked, ("FunctionName", "Qualifier"))
    try:
        told = aws.call(FUNCTIONS, "GetProvisionedConcurrencyConfig", **of)
    except NotFound:
        return {}
    return {"ProvisionedConcurrentExecutions": told["RequestedProvisionedConcurrentExecutions"]}


def _ready_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("FunctionName", "Qualifier"))
    if not before:
        return [Call(FUNCTIONS, "DeleteProvisionedConcurrencyConfig", of, "keeps nothing ready any more")]
    number = before["ProvisionedConcurrentExecutions"]
    does = f"keeps {number:,} ready again, which is paid by the hour"
    return [Call(FUNCTIONS, "PutProvisionedConcurrencyConfig", of | dict(before), does)]


def _alias(aws: Aws, asked: Asked) -> State:
    told = aws.call(FUNCTIONS, "GetAlias", **same(asked, ("FunctionName", "Name")))
    return {
        **some(told, "FunctionVersion"),
        "RoutingConfig": told.get("RoutingConfig", {"AdditionalVersionWeights": {}}),
    }


def _alias_back(asked: Asked, before: Asked) -> list[Call]:
    does = f"points {asked['Name']} at version {before['FunctionVersion']} again"
    return [Call(FUNCTIONS, "UpdateAlias", same(asked, ("FunctionName", "Name")) | dict(before), does)]


OF_RESERVED = Inverse(_reserved, _reserved_back, ("FunctionName",))
OF_READY = Inverse(_ready, _ready_back, ("FunctionName", "Qualifier"), _KEPT_READY)
OF_ALIAS = Inverse(_alias, _alias_back, ("FunctionName", "Name"))
