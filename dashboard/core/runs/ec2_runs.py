"""EC2 trainings, read from the account's bucket and from EC2."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound, Refused, ServiceFault
from dashboard.core.parallel import gather
from dashboard.core.runs.ec2_record import Ec2Record, is_time, run_from
from dashboard.core.runs.model import Run, RunStatus
from dashboard.core.runs.requests_ec2 import INDEX, LAST_SECOND, RUNS

STOP = "stop.json"
FIRST_PAGE, PAGE = 50, 1000
FILTER_VALUES = 200  # DescribeInstances takes no more values in a filter


def get_ec2(aws: Aws, name: str, now: datetime) -> Run:
    """One EC2 training as it is now. Raises NotFound and the errors of `Aws.call`."""
    record = read_record(aws, name)
    if record is None:
        raise NotFound(
            f"there is no EC2 training named {name}",
            f"{RUNS}{name}/ in the bucket {aws.account.bucket} holds none",
            "choose one under All runs",
        )
    [run], _ = read_runs(aws, [record], now)  # its own report tells most, where EC2 cannot be asked
    return run


def read_record(aws: Aws, name: str, known: Ec2Record | None = None) -> Ec2Record | None:
    """The run's documents as they are now; None when there is no such run. A `known` one is only read on."""
    request = known.request if known else _document(aws, name, "request.json")
    if request is None:
        return None
    if request.get("name") != name or not is_time(request.get("created")):
        raise _broken(aws, name, "request.json", "it does not say which run it is of, and when that was asked for")
    launched = (known.launched if known else None) or _document(aws, name, "instance.json") or {}
    record = Ec2Record(request, launched, _document(aws, name, "status.json") or {})
    return record if record.has_ended else replace(record, is_to_stop=_document(aws, name, STOP) is not None)


def stop_ec2(aws: Aws, run: Run) -> None:
    """Ask a training to end: its instance sees that within seconds, saves its model and its checkpoint, and ends.

    One that has not begun to report is terminated with its instance. Raises Refused while there is no instance.
    """
    if run.stages and run.stages[-1].name != str(RunStatus.STARTING):
        where = {"Bucket": aws.account.bucket, "Key": f"{RUNS}{run.name}/{STOP}"}
        aws.call("s3", "PutObject", **where, Body=b"{}")
        return
    if not run.instance_id:
        raise Refused("it cannot be stopped yet", "EC2 has not told its instance", "try again in a moment")
    aws.call("ec2", "TerminateInstances", InstanceIds=[run.instance_id])


def instances(aws: Aws, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """DescribeInstances' record of each run's instance that EC2 still knows, by the run's name."""
    found: dict[str, Mapping[str, Any]] = {}
    for first in range(0, len(names), FILTER_VALUES):
        asked = [{"Name": f"tag:{tags.RUN}", "Values": list(names[first : first + FILTER_VALUES])}]
        for page in aws.pages("ec2", "DescribeInstances", Filters=asked):
            for instance in (one for group in page["Reservations"] for one in group["Instances"]):
                name = tags.as_dict(instance.get("Tags", [])).get(tags.RUN, "")
                other = found.get(name)
                if other is None or instance["LaunchTime"] > other["LaunchTime"]:
                    found[name] = instance
    return found


def indexed(aws: Aws, since: datetime | None, known: Container[str] = (), limit: int = 10_000) -> list[str]:
    """The names of the account's EC2 trainings that are not `known`, newest first, created at `since` or later.

    Reads no further than a page of which everything is known. At most `limit`.
    """
    oldest = 0.0 if since is None else since.timestamp()
    new: list[str] = []
    after = ""
    size = FIRST_PAGE
    while True:
        where = {"StartAfter": after} if after else {}
        try:
            page = aws.call(
                "s3", "ListObjectsV2", Bucket=aws.account.bucket, Prefix=INDEX, MaxKeys=size, **where
            )  # fmt: skip
        except NotFound:
            return []  # no bucket yet
        keys = [one["Key"].removeprefix(INDEX) for one in page.get("Contents", [])]
        listed = [(LAST_SECOND - int(count), name) for key in keys if (count := key[:10]).isdecimal()
                  and (name := key[11:])]  # fmt: skip
        fresh = [name for moment, name in listed if moment >= oldest and name not in known]
        new += fresh[: limit - len(new)]
        is_older = bool(listed) and listed[-1][0] < oldest
        if not page.get("IsTruncated") or is_older or not fresh or len(new) >= limit:
            return new
        after, size = page["Contents"][-1]["Key"], PAGE


def read_runs(aws: Aws, records: Iterable[Ec2Record], now: datetime) -> tuple[list[Run], KennelError | None]:
    """The runs of these documents, and why EC2 could not be asked about those that go on, if it could not."""
    held = list(records)
    open_names = [record.name for record in held if not record.has_ended]
    problem: KennelError | None = None
    found: dict[str, Mapping[str, Any]] = {}
    if open_names:
        try:
            found = instances(aws, open_names)
        except KennelError as error:
            problem = error
    asked = problem is None
    return [run_from(record, found.get(record.name), now, asked=asked) for record in held], problem


def read_records(
    aws: Aws, names: Iterable[str], known: Mapping[str, Ec2Record]
) -> tuple[dict[str, Ec2Record], KennelError | None]:
    """The documents of these runs by name, several at once; without those that are gone.

    Of one that cannot be read the `known` ones, if there are any, and the first such error is answered as well: one
    broken document must not hide all other runs.
    """
    asked = list(names)

    def read(name: str) -> Ec2Record | ServiceFault | None:
        try:
            return read_record(aws, name, known.get(name))
        except ServiceFault as broken:
            return broken

    found = dict(zip(asked, gather(read, asked), strict=True))
    problem = next((one for one in found.values() if isinstance(one, ServiceFault)), None)
    records = {name: known.get(name) if isinstance(one, ServiceFault) else one for name, one in found.items()}
    return {name: record for name, record in records.items() if record is not None}, problem


def _document(aws: Aws, name: str, file: str) -> dict[str, Any] | None:
    """A JSON document of a run; None when it is not there. Raises ServiceFault for one that cannot be read."""
    where = {"Bucket": aws.account.bucket, "Key": f"{RUNS}{name}/{file}"}
    try:
        with aws.translated("s3", "GetObject", where):
            text = aws.call("s3", "GetObject", **where)["Body"].read()
    except NotFound:
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):  # brackets within brackets, thousands deep
        told = None
    if not isinstance(told, dict):
        raise _broken(aws, name, file, "it is no JSON object")
    return told


def _broken(aws: Aws, name: str, file: str, why: str) -> ServiceFault:
    return ServiceFault(
        f"{file} of the EC2 training {name} cannot be read", why, f"see s3://{aws.account.bucket}/{RUNS}{name}/{file}"
    )
