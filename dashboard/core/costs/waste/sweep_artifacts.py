"""Files of runs in Kennel's own bucket that are old and that no model uses. A bounded look at the listing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import DAY, Act, Evidence, Finding, Kind, Look, Thing, told
from dashboard.core.errors import NotFound, Refused
from dashboard.core.format import count, size
from dashboard.core.parallel import gather

PREFIXES = ("runs/", "ec2-runs/", "checkpoints/")
"""What trainings leave behind, a folder each. Datasets and code are what new trainings need, and are never old."""
RECORDS = "ec2-runs/"
"""Here each run's folder holds its record too, by which it is listed: only what lies below these is files."""
FILES = ("output", "checkpoints")
PAGES = 10
"""1,000 objects each, of one prefix; more are not looked at, and that is said."""
MOST_MODELS = 500
GB = Decimal(1024**3)


@dataclass(frozen=True)
class Folder:
    """What lies below one prefix, all of it older than was asked for."""

    prefix: str
    objects: int
    size: int  # bytes
    newest: datetime


def look(aws: Aws, prices: PriceBook, now: datetime, old: timedelta) -> Look:
    """Raises the errors of `Aws.call`; no bucket is an empty one."""
    used = None
    findings, unread, folders = [], [], 0
    for prefix in PREFIXES:
        try:
            found, is_all = old_folders(aws, prefix, now - old)
        except NotFound:
            return Look(0)
        if found and used is None:
            used = in_use(aws)
        kept = [one for one in found if not _is_used(one, used or ())]
        folders += len(found)
        if kept:
            findings.append(_finding(prefix, kept, aws, prices, now, old))
        if not is_all:
            problem = Refused(f"only the first {PAGES * 1000:,} files of {prefix} were looked at", "there are more")
            unread.append(Unread(f"files below {prefix}", problem))
    return Look(folders, tuple(findings), tuple(unread))


def unused(aws: Aws, prefix: str, before: datetime) -> list[Folder]:
    """The folders below a prefix that are older than that and that no model uses. Raises the errors of `Aws.call`."""
    found, _ = old_folders(aws, prefix, before)
    used = in_use(aws) if found else set()
    return [one for one in found if not _is_used(one, used)]


def _is_used(folder: Folder, used: Collection[str]) -> bool:
    """Whether a model is made of something in the folder, or of all that lies around it."""
    return any(key.startswith(folder.prefix) or (key.endswith("/") and folder.prefix.startswith(key)) for key in used)


def old_folders(aws: Aws, prefix: str, before: datetime) -> tuple[list[Folder], bool]:
    """The folders below a prefix in which nothing is newer than that; whether all of the prefix was looked at.

    Of a listing that was cut off the last folder is left out: the rest of it may be new.
    """
    folders: dict[str, Folder] = {}
    last, pages, cut = "", 0, False
    for page in aws.pages("s3", "ListObjectsV2", limit=PAGES, Bucket=aws.account.bucket, Prefix=prefix):
        pages, cut = pages + 1, bool(page.get("IsTruncated"))
        for one in page.get("Contents", []):
            folder = _folder(prefix, one["Key"])
            if folder is None:
                continue
            last = folder
            known = folders.get(folder, Folder(folder, 0, 0, one["LastModified"]))
            newest = max(known.newest, one["LastModified"])
            folders[folder] = Folder(folder, known.objects + 1, known.size + int(one["Size"]), newest)
    is_all = not (cut and pages >= PAGES)
    if not is_all:
        folders.pop(last, None)
    return [one for one in folders.values() if one.newest < before], is_all


def _folder(prefix: str, key: str) -> str | None:
    """The folder that a key is counted in; None for what lies in none, or is a run's record."""
    parts = key.removeprefix(prefix).split("/")
    if prefix != RECORDS:
        return f"{prefix}{parts[0]}/" if len(parts) > 1 else None
    return f"{prefix}{parts[0]}/{parts[1]}/" if len(parts) > 2 and parts[1] in FILES else None


def in_use(aws: Aws) -> set[str]:
    """The keys in Kennel's bucket that SageMaker's models are made of. Raises Refused when they are too many."""
    names = [one["ModelName"] for page in aws.pages("sagemaker", "ListModels") for one in page["Models"]]
    if len(names) > MOST_MODELS:
        raise Refused(
            f"which files {len(names):,} models use was not looked at",
            f"{MOST_MODELS:,} are at a time",
            "delete models that nothing serves",
        )
    bucket = f"s3://{aws.account.bucket}/"
    return {
        uri.removeprefix(bucket)
        for uris in gather(lambda name: list(_addresses(aws, name)), names, workers=8)
        for uri in uris
        if uri.startswith(bucket)
    }


def _addresses(aws: Aws, name: str) -> Iterator[str]:
    try:
        model: Mapping[str, Any] = aws.call("sagemaker", "DescribeModel", ModelName=name)
    except NotFound:
        return
    for container in [model.get("PrimaryContainer", {}), *model.get("Containers", [])]:
        yield container.get("ModelDataUrl", "")
        yield container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri", "")


def _finding(prefix: str, folders: list[Folder], aws: Aws, prices: PriceBook, now: datetime, old: timedelta) -> Finding:
    total = sum(one.size for one in folders)
    oldest = min(one.newest for one in folders)
    what = f"{count(len(folders), 'folder')}, {count(sum(one.objects for one in folders), 'file')}, {size(total)}"
    return Finding(
        kind=Kind.OLD_ARTIFACTS,
        thing=Thing.FILES,
        name=prefix,
        # the objects themselves do not say whether they are a sample's; they lie in the account's own bucket
        nature=Nature.of({}, is_embedded=aws.account.is_embedded),
        evidence=(
            Evidence(f"{what}, not changed for {old.days} days; the oldest since {told(oldest)}", "ListObjectsV2"),
            Evidence("no model of SageMaker is made of them", "DescribeModel ModelDataUrl"),
        ),
        lines=charges.storage(prices, aws.account.region, gb=Decimal(total) / GB, started=now - DAY, ended=now),
        acts=(Act.DELETE,),
        receipt=f"bucket:{aws.account.bucket}",
        details={"before": (now - old).isoformat()},
    )
