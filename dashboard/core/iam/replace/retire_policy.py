"""Delete a policy that is attached to nothing, in two steps: mark it with the day, and delete it after a while.

Its versions are written down first. A deleted policy can be made again from that, under the same ARN.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.errors import AlreadyExists, KennelError, Refused
from dashboard.core.format import count
from dashboard.core.iam.replace import made
from dashboard.core.iam.replace.records import Outcome, Record, Records, What
from dashboard.core.iam.replace.retire import WAIT_DAYS, Stage
from dashboard.core.iam.replace.standing import RETIRED, canonical, parsed
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.replace.undo import trying

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class PolicyPlan:
    """versions: the documents by version; default: the one in force. since, due: as for a role."""

    arn: str
    name: str
    path: str
    stage: Stage
    versions: Mapping[str, Mapping[str, Any]]
    default: str
    tags: Mapping[str, str]
    calls: tuple[Call, ...]
    since: datetime | None = None
    due: datetime | None = None
    description: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{'Mark' if self.stage is Stage.SWITCH_OFF else 'Delete'} the policy {self.name}"

    @property
    def button(self) -> str:
        return "Mark for deletion" if self.stage is Stage.SWITCH_OFF else "Delete the policy"

    def is_early(self, now: datetime) -> bool:
        return self.stage is Stage.DELETE and self.due is not None and now < self.due

    def code(self, account: Account) -> str:
        """The same as Python."""
        return code(self.calls, account)


def plan(aws: Aws, arn: str, *, now: datetime | None = None, wait_days: int = WAIT_DAYS) -> PolicyPlan:
    """The next step for a policy. Raises Refused for AWS's own and for one in use, and the errors of `Aws.call`."""
    if ":iam::aws:" in arn:
        raise Refused(f"{arn.rpartition('/')[2]} cannot be deleted", "AWS keeps it", "detach it where it is not needed")
    told = _look(aws, arn)
    name = told["PolicyName"]
    listed = [one for page in aws.pages("iam", "ListPolicyVersions", PolicyArn=arn) for one in page["Versions"]]
    versions = {one["VersionId"]: _document(aws, arn, one["VersionId"]) for one in listed}
    marks = tags.as_dict(told.get("Tags", []))
    since = _since(marks)
    at = (now or datetime.now(UTC)).astimezone(UTC)
    calls: tuple[Call, ...]
    if since is None:
        mark = {"PolicyArn": arn, "Tags": tags.listed({RETIRED: f"{at:%Y-%m-%dT%H:%M:%S+00:00}"})}
        calls = (Call("iam", "TagPolicy", mark, f"marks {name}, and since when"),)
    else:
        calls = (
            *(
                Call("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": one}, f"deletes its version {one}")
                for one in versions
                if one != told["DefaultVersionId"]
            ),
            Call("iam", "DeletePolicy", {"PolicyArn": arn}, f"deletes the policy {name}"),
        )
    return PolicyPlan(
        arn,
        name,
        told["Path"],
        Stage.SWITCH_OFF if since is None else Stage.DELETE,
        versions,
        told["DefaultVersionId"],
        marks,
        calls,
        since,
        since + timedelta(days=wait_days) if since else None,
        told.get("Description", ""),
        () if aws.account.writable else ("this account is connected read-only: it will be refused",),
    )


def apply(
    aws: Aws,
    planned: PolicyPlan,
    *,
    early: bool = False,
    records: Records | None = None,
    sleep: Sleep = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Step]:
    """Do the step, and tell of it; what fails is taken back. early: delete it before its time, as typed in the page."""
    kept = records or Records.kept()
    record: Record | None = None
    title = "See that nothing has it, and write it down"
    yield Step(1, title, State.RUNNING)
    try:
        if planned.is_early(now()) and not early:
            raise Refused(f"{planned.name} is not deleted yet", f"it is due on {planned.due:%Y-%m-%d}", "wait")
        told = _look(aws, planned.arn)
        if told["DefaultVersionId"] != planned.default:
            raise Refused(f"{planned.name} has changed since this was planned", "another version counts", "look again")
        record = kept.begin(_record(aws, planned, now()))
    except KennelError as error:
        yield Step(1, title, State.FAILED, str(error))
        return
    yield Step(1, title, State.DONE, f"Kept as record {record.id}: {count(len(planned.versions), 'version')} of it")
    title = planned.title
    yield Step(2, title, State.RUNNING)
    try:
        for call in planned.calls:
            made.gone(aws, call.operation, **call.parameters)
        record = kept.save(replace(record, outcome=Outcome.DONE), now())
    except KennelError as error:
        yield Step(2, title, State.FAILED, str(error))
        yield from undo(aws, record, records=kept, sleep=sleep, now=now, first=3)
        return
    yield Step(2, title, State.DONE, "It is marked" if planned.stage is Stage.SWITCH_OFF else "It is gone")


def undo(
    aws: Aws,
    record: Record,
    *,
    records: Records | None = None,
    sleep: Sleep = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    first: int = 1,
) -> Iterator[Step]:
    """Take the mark off, or make the policy again as it was. Done twice it changes nothing more."""
    kept = records or Records.kept()
    title = f"Give back the policy {record.name}"
    yield Step(first, title, State.RUNNING, undoes=True)
    try:
        said = _back(aws, record, sleep)
    except KennelError as error:
        kept.save(replace(record, outcome=Outcome.UNDO_FAILED, detail=str(error)), now())
        yield Step(first, title, State.FAILED, str(error), undoes=True)
        return
    kept.save(replace(record, outcome=Outcome.UNDONE), now())
    yield Step(first, title, State.DONE, said, undoes=True)


def _back(aws: Aws, record: Record, sleep: Sleep) -> str:
    told = record.more
    if record.what is What.MARK_POLICY:
        trying(lambda: made.gone(aws, "UntagPolicy", PolicyArn=record.target, TagKeys=[RETIRED]), sleep)
        return "Its mark is gone"

    def make() -> None:
        try:
            aws.call(
                "iam",
                "CreatePolicy",
                PolicyName=record.name,
                Path=told["path"],
                PolicyDocument=canonical(told["versions"][told["default"]]),
                **({"Description": told["description"]} if told["description"] else {}),
                Tags=tags.listed(told["tags"]),
            )
        except AlreadyExists:
            aws.call("iam", "GetPolicy", PolicyArn=record.target)  # it was not deleted after all, or is back

    trying(make, sleep)
    return "It is there again, as the version that counted; its older versions are in the record"


def _record(aws: Aws, planned: PolicyPlan, at: datetime) -> Record:
    return Record(
        id="",
        account=aws.account.account_id,
        target=planned.arn,
        what=What.MARK_POLICY if planned.stage is Stage.SWITCH_OFF else What.DELETE_POLICY,
        outcome=Outcome.UNDER_WAY,
        at=at,
        mark=tags.order(planned.arn, planned.default, planned.stage),
        more={
            "path": planned.path,
            "versions": {name: dict(document) for name, document in planned.versions.items()},
            "default": planned.default,
            "tags": dict(planned.tags),
            "description": planned.description,
        },
    )


def _look(aws: Aws, arn: str) -> Mapping[str, Any]:
    """The policy. Raises Refused where something has it."""
    told: dict[str, Any] = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]
    if not told.get("AttachmentCount", 0) and not told.get("PermissionsBoundaryUsageCount", 0):
        return told
    page = next(iter(aws.pages("iam", "ListEntitiesForPolicy", PolicyArn=arn)))
    has = [one["RoleName"] for one in page["PolicyRoles"]] + [one["UserName"] for one in page["PolicyUsers"]]
    has += [one["GroupName"] for one in page["PolicyGroups"]]
    raise Refused(
        f"the policy {told['PolicyName']} is not deleted",
        f"{', '.join(has[:3]) or 'something'} has it, or is bounded by it",
        "detach it there first",
    )


def _document(aws: Aws, arn: str, version: str) -> dict[str, Any]:
    return parsed(aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _since(marks: Mapping[str, str]) -> datetime | None:
    try:
        found = datetime.fromisoformat(marks.get(RETIRED, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
