"""PutMetricAlarm: what an alarm can be here, checked as CloudWatch checks it; the rest is refused by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.cloudwatch_alarms_judge import COMPARISONS, MISSING
from local_aws.services.cloudwatch_data import Query, Reading, read_query
from local_aws.services.cloudwatch_statistics import SIMPLE, Statistic
from local_aws.services.cloudwatch_store import DAY, HOUR, Metric
from local_aws.services.cloudwatch_times import LONGEST_PERIOD

MOST_ACTIONS = 5  # for each state
MOST_TAGS = 50
SHORT = (10, 20, 30)
ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
REFUSED = {
    "ThresholdMetricId": "anomaly detection",
    "EvaluationWindow": "wall clock windows",
    "WarmUpConfiguration": "warm-up periods",
    "EvaluationCriteria": "PromQL alarms",
    "EvaluationInterval": "PromQL alarms",
    "ActionConfiguration": "other contents of notifications",
}
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
_TOPIC = re.compile(r"arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
_POLICY = re.compile(r"arn:aws:autoscaling:[a-z0-9-]+:\d{12}:scalingPolicy:[0-9a-f-]+:resource/.+:policyName/.+")

Params = dict[str, Any]


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def check(params: Params, caller: Caller) -> None:
    """Raises ServiceError for an alarm that is none, or that could not be evaluated here."""
    for member, what in REFUSED.items():
        if params.get(member) not in (None, {}, ""):
            raise invalid(f"The embedded AWS cannot do {what} yet ({member}). Use a real AWS account for it.")
    if params.get("EvaluateLowSampleCountPercentile") not in (None, "evaluate"):
        raise invalid(
            "The embedded AWS evaluates percentiles however few samples there are (EvaluateLowSampleCountPercentile). "
            "Leave it out, or give evaluate."
        )
    for member in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if params.get(member) is None:
            raise ServiceError("MissingParameter", f"The parameter {member} is required.")
    if params["ComparisonOperator"] not in COMPARISONS:
        raise invalid(
            f"The embedded AWS cannot compare with {params['ComparisonOperator']} yet (anomaly detection). Use one of "
            f"{', '.join(COMPARISONS)}."
        )
    periods, needed = params["EvaluationPeriods"], params.get("DatapointsToAlarm")
    if periods < 1 or (needed is not None and not 1 <= needed <= periods):
        raise invalid("DatapointsToAlarm must be at least 1 and not above EvaluationPeriods.")
    if params.get("TreatMissingData") not in (None, *MISSING):
        raise invalid(f"The value {params['TreatMissingData']} for parameter TreatMissingData is not supported.")
    queries = queries_of(params, caller)
    period = max(query.period for query in queries)
    if periods * period > (7 * DAY if period >= HOUR else DAY):
        raise invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
    check_actions(params, caller)
    if len(params.get("Tags") or ()) > MOST_TAGS:
        raise invalid(f"An alarm can have {MOST_TAGS} tags.")


def check_actions(params: Params, caller: Caller) -> None:
    """Raises ServiceError for an action that nothing would come of."""
    for member in ACTIONS:
        arns: Sequence[str] = params.get(member) or ()
        if len(arns) > MOST_ACTIONS:
            raise invalid(f"The collection {member} must not have a size greater than {MOST_ACTIONS}.")
        for arn in arns:
            if not arn.startswith("arn:"):
                raise invalid(f"Invalid arn syntax: {arn}")
            if not is_topic(arn) and not is_policy(arn):
                raise invalid(
                    f"The embedded AWS cannot do the action {arn} yet ({member}). Use the ARN of an SNS topic or of a "
                    "policy of Application Auto Scaling."
                )
            if arn.split(":")[3:5] != [caller.region, caller.account]:
                raise invalid(
                    f"Invalid region or account of {arn}: only {caller.region} of {caller.account} is allowed."
                )


def is_topic(arn: str) -> bool:
    return _TOPIC.fullmatch(arn) is not None


def is_policy(arn: str) -> bool:
    return _POLICY.fullmatch(arn) is not None


def queries_of(alarm: Mapping[str, Any], caller: Caller) -> list[Query]:
    """What an alarm reads; the one that it watches is returned. Raises ServiceError where it is nothing to read."""
    if alarm.get("Metrics"):
        if clash := [name for name in _OF_ONE_METRIC if alarm.get(name)]:
            raise invalid(f"The parameters Metrics and {clash[0]} are mutually exclusive.")
        queries = [read_query(number, one, caller) for number, one in enumerate(alarm["Metrics"], 1)]
        if len({query.id for query in queries}) < len(queries):
            raise invalid("The values for parameter id in Metrics are not unique.")
        if sum(query.returned for query in queries) != 1:
            raise invalid("Exactly one element of Metrics must have ReturnData set to true.")
        if not any(query.period for query in queries):
            raise invalid("Metrics must read at least one metric (MetricStat).")
        return queries
    for member in ("MetricName", "Namespace", "Period"):
        if not alarm.get(member):
            raise ServiceError("MissingParameter", f"The parameter {member} is required.")
    plain, extended = alarm.get("Statistic"), alarm.get("ExtendedStatistic")
    if bool(plain) == bool(extended):
        raise ServiceError(
            "InvalidParameterCombination" if plain else "MissingParameter",
            "Exactly one of the parameters Statistic and ExtendedStatistic must be specified.",
        )
    if plain and plain not in SIMPLE:
        raise invalid(f"The value {plain} for parameter Statistic is not one of {', '.join(SIMPLE)}.")
    period = alarm["Period"]
    if period not in SHORT and (period % 60 or not 0 < period <= LONGEST_PERIOD):
        raise invalid("The parameter Period must be 10, 20, 30 or a multiple of 60.")
    dimensions = tuple((one["Name"], one["Value"]) for one in alarm.get("Dimensions") or ())
    reading = Reading(
        Metric(alarm["Namespace"], alarm["MetricName"], dimensions),
        Statistic.named(str(plain or extended)),
        period,
        alarm.get("Unit"),
    )
    return [Query("m1", alarm["MetricName"], True, reading)]


def at_width(queries: Sequence[Query], period: int, width: int) -> list[Query]:
    """The same queries with periods that take `width` real seconds where the alarm's takes `period`."""
    return [
        replace(query, what=replace(query.what, period=max(1, round(query.what.period * width / period))))
        if isinstance(query.what, Reading)
        else query
        for query in queries
    ]
