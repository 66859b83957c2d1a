"""What works as which role, read from the account: trainings, models and endpoints, functions, instances, notebooks.

A part that cannot be read is told of and the others stand. What never changes once it is made (which role a model
works as) is asked once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.iam.judge.functions import Exposure
from dashboard.core.iam.usage import Duty, Usage, Use
from dashboard.core.parallel import gather

PAGE = 100
TRAININGS, MODELS, ENDPOINTS = 500, 300, 100
"""The newest that are looked at. Search tells a hundred trainings a call; a model takes a call of its own, once."""
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})

Found = tuple[str, Use]
"""A role's ARN, or the ARN of an instance profile that it is in, and what works as it."""


@dataclass(frozen=True)
class Known:
    """What was asked before and cannot change: the roles of models, by ARN and moment of making."""

    models: MutableMapping[tuple[str, datetime], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What one kind of thing uses. partial: why not all of it was looked at."""

    found: tuple[Found, ...] = ()
    partial: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def parts(aws: Aws, known: Known, now: datetime) -> Sequence[Callable[[], Part]]:
    """The reads, all but that of the functions, to be made side by side. None of them raises a KennelError."""
    return (
        lambda: _part("trainings", lambda: _trainings(aws)),
        lambda: _part("models and endpoints", lambda: _serving(aws, known, now)),
        lambda: _part("instances", lambda: _instances(aws, now)),
        lambda: _part("notebooks", lambda: _notebooks(aws, now)),
    )


def of_functions(functions: Iterable[Exposure]) -> Part:
    """What the functions use; `last` is when a function was changed: that it was called AWS says of its role only."""
    return Part(
        tuple((one.role_arn, Use(Duty.FUNCTION, one.name, one.arn, one.changed, has_worked=False)) for one in functions)
    )


def joined(found: Iterable[Part], profiles: Mapping[str, str]) -> Usage:
    """All parts by role, the latest use first. profiles: the roles' ARNs by instance profile's.

    An instance profile without an instance stands for itself: what is started with it works as its role.
    """
    read = list(found)
    by_role: dict[str, list[Use]] = {}
    running: set[str] = set()
    for arn, use in (one for part in read for one in part.found):
        if use.duty is Duty.INSTANCE:
            running.add(arn)
        by_role.setdefault(profiles.get(arn, arn), []).append(use)
    for profile, role in profiles.items():
        if profile not in running:
            by_role.setdefault(role, []).append(Use(Duty.INSTANCE, profile.rpartition("/")[2], profile))
    unread = [f"{one.what} were not looked at: {one.problem}" for part in read for one in part.unread]
    return Usage(
        {role: tuple(sorted(uses, key=_latest_first)) for role, uses in by_role.items()},
        (*unread, *(why for part in read for why in part.partial)),
    )


def profiles_of(details: Mapping[str, Any]) -> dict[str, str]:
    """The roles' ARNs by instance profile's, of an answer of GetAccountAuthorizationDetails."""
    return {
        profile["Arn"]: role["Arn"]
        for role in details.get("RoleDetailList", ())
        for profile in role.get("InstanceProfileList", ())
    }


def _latest_first(use: Use) -> tuple[float, str]:
    return (-use.last.timestamp() if use.last is not None else 0.0, use.name)


def _part(what: str, look: Callable[[], Part]) -> Part:
    try:
        return look()
    except KennelError as problem:
        return Part(unread=(Unread(what, problem),))


def _trainings(aws: Aws) -> Part:
    """The newest trainings, trials of tuning jobs among them, as Search tells them: with their roles and tags."""
    found: list[Found] = []
    token, total, oldest = "", 0, None
    while len(found) < TRAININGS:
        more = {"NextToken": token} if token else {}
        answer = aws.call("sagemaker", "Search", Resource="TrainingJob", SortBy="CreationTime", SortOrder="Descending",
                          MaxResults=PAGE, **more)  # fmt: skip
        for one in (result["TrainingJob"] for result in answer.get("Results", ()) if "TrainingJob" in result):
            oldest = one["CreationTime"]
            last = one.get("TrainingEndTime") or one.get("LastModifiedTime") or oldest
            sample = tags.is_sample(tags.as_dict(one.get("Tags", [])))
            use = Use(Duty.TRAINING, one["TrainingJobName"], one["TrainingJobArn"], last, sample)
            found.append((one["RoleArn"], use))
        total = answer.get("TotalHits", {}).get("Value", 0)
        token = answer.get("NextToken", "")
        if not token:
            return Part(tuple(found))
    of = f" of {total:,}" if total else ""
    return Part(
        tuple(found), (f"of the trainings the newest {len(found):,}{of} were looked at, back to {oldest:%Y-%m-%d}",)
    )


def _serving(aws: Aws, known: Known, now: datetime) -> Part:
    """Endpoints by the roles of their models; a model that no endpoint serves stands for itself."""
    models = _newest(aws, "ListModels", "Models", MODELS)
    endpoints = _newest(aws, "ListEndpoints", "Endpoints", ENDPOINTS)

    def role_of(one: Mapping[str, Any]) -> str | None:
        key = (one["ModelArn"], one["CreationTime"])
        if key not in known.models:
            try:
                told = aws.call("sagemaker", "DescribeModel", ModelName=one["ModelName"])
            except NotFound:
                return None  # deleted since it was listed
            known.models[key] = told.get("ExecutionRoleArn", "")
        return known.models[key]

    def served(one: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]] | None:
        try:
            name = aws.call("sagemaker", "DescribeEndpoint", EndpointName=one["EndpointName"])["EndpointConfigName"]
            role, names = _config(aws, name)
        except NotFound:
            return None
        return one["EndpointArn"], role, names

    roles = dict(zip((one["ModelName"] for one in models), gather(role_of, models, workers=8), strict=True))
    found: list[Found] = []
    busy: set[str] = set()
    for one, told in zip(endpoints, gather(served, endpoints, workers=8), strict=True):
        if told is None:
            continue
        arn, own, names = told
        busy.update(names)
        last = now if one["EndpointStatus"] in SERVING else one.get("LastModifiedTime", one["CreationTime"])
        use = Use(Duty.ENDPOINT, one["EndpointName"], arn, last)
        found += [(role, use) for role in dict.fromkeys([own, *(roles.get(name) or "" for name in names)]) if role]
    for one in models:
        role = roles[one["ModelName"]]
        if role and one["ModelName"] not in busy:
            use = Use(Duty.ENDPOINT, one["ModelName"], one["ModelArn"], one["CreationTime"], has_worked=False)
            found.append((role, use))
    cut = [f"of the {what} only the newest {limit} were looked at"
           for what, all_of_them, limit in (("models", models, MODELS), ("endpoints", endpoints, ENDPOINTS))
           if len(all_of_them) >= limit]  # fmt: skip
    return Part(tuple(found), tuple(cut))


def _config(aws: Aws, name: str) -> tuple[str, tuple[str, ...]]:
    """An endpoint configuration's own role ("" without one) and its models' names."""
    told = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
    variants = [*told.get("ProductionVariants", ()), *told.get("ShadowProductionVariants", ())]
    return told.get("ExecutionRoleArn", ""), tuple(one["ModelName"] for one in variants if one.get("ModelName"))


def _newest(aws: Aws, operation: str, member: str, most: int) -> list[Mapping[str, Any]]:
    asked = {"SortBy": "CreationTime", "SortOrder": "Descending", "PaginationConfig": {"PageSize": PAGE}}
    pages = aws.pages("sagemaker", operation, limit=most // PAGE, **asked)
    return [one for page in pages for one in page[member]][:most]


def _instances(aws: Aws, now: datetime) -> Part:
    """EC2 instances that are there, by their instance profile's ARN."""
    there = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    found = []
    for page in aws.pages("ec2", "DescribeInstances", Filters=[there]):
        for one in (instance for group in page["Reservations"] for instance in group["Instances"]):
            if profile := one.get("IamInstanceProfile", {}).get("Arn"):
                is_on = one["State"]["Name"] in ("pending", "running")
                place = f"{aws.account.region}:{aws.account.account_id}"
                arn = f"arn:{aws.account.partition}:ec2:{place}:instance/{one['InstanceId']}"
                last = now if is_on else one.get("LaunchTime")
                found.append((profile, Use(Duty.INSTANCE, _name(one), arn, last)))
    return Part(tuple(found))


def _name(instance: Mapping[str, Any]) -> str:
    named = tags.as_dict(instance.get("Tags", [])).get("Name", "")
    return f"{named} ({instance['InstanceId']})" if named else str(instance["InstanceId"])


def _notebooks(aws: Aws, now: datetime) -> Part:
    names = [
        one["NotebookInstanceName"]
        for page in aws.pages("sagemaker", "ListNotebookInstances")
        for one in page["NotebookInstances"]
    ]

    def look(name: str) -> Iterator[Found]:
        try:
            told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
        except NotFound:
            return
        is_on = told["NotebookInstanceStatus"] == "InService"
        last = now if is_on else told.get("LastModifiedTime")
        yield told["RoleArn"], Use(Duty.NOTEBOOK, name, told["NotebookInstanceArn"], last)

    return Part(tuple(one for found in gather(lambda name: tuple(look(name)), names) for one in found))
