"""What lies in Kennel's bucket, as S3 tells CloudWatch once a day. Objects are never listed: that costs money."""

from datetime import UTC, date, datetime
from decimal import Decimal

from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.daily_metrics import Metric, by_day
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Fact, Nature, Receipt, Service
from dashboard.core.errors import NotFound, ServiceFault

GB = Decimal(2**30)
"""AWS bills storage in binary gigabytes (S3's pricing page: 1 GB = 2^30 bytes)."""


def buckets(aws: Aws, prices: PriceBook, now: datetime) -> tuple[Receipt, ...]:
    """The receipt of Kennel's bucket, S3 Standard alone; requests and transfers are not counted.

    Nothing for a bucket that is not there. Raises the errors of `Aws.call`, NotFound while CloudWatch has no size, and
    ServiceFault where it never will: on the embedded AWS.
    """
    account = aws.account
    dimensions = (("BucketName", account.bucket), ("StorageType", "StandardStorage"))
    (sizes,) = by_day(aws, [Metric("AWS/S3", "BucketSizeBytes", dimensions, "Average")], now)
    if not sizes:
        try:
            aws.call("s3", "HeadBucket", Bucket=account.bucket)
        except NotFound:
            return ()
        if account.is_embedded:  # whose CloudWatch never tells one: to wait would be in vain
            raise ServiceFault(
                f"the size of {account.bucket} is unknown",
                "what S3 tells CloudWatch once a day is not part of the embedded AWS",
                "nothing is charged here; an account of AWS tells it within two days",
            )
        raise NotFound(
            f"CloudWatch has no size of {account.bucket} yet",
            "S3 tells it once a day, up to two days late",
            "look again tomorrow",
        )
    lines = tuple(
        line
        for begun, ended, size in _spans(sizes, now)
        for line in charges.storage(prices, account.region, gb=Decimal(str(size)) / GB, started=begun, ended=ended)
    )
    return (
        Receipt(
            key=f"bucket:{account.bucket}",
            name=account.bucket,
            service=Service.S3,
            nature=Nature.of({}, is_embedded=account.is_embedded),
            started=lines[0].started,
            ended=None,
            lines=lines,
            status="there",
            facts=(Fact("GetMetricData", "AWS/S3 BucketSizeBytes", f"{sizes[max(sizes)]:,.0f} on {max(sizes)}"),),
            notes=("storage in S3 Standard by its size of each day; requests and transfers are not counted",),
        ),
    )


def _spans(sizes: dict[date, float], now: datetime) -> list[tuple[datetime, datetime, float]]:
    """Times of one size, day by day; a day without a figure has that of the day before, and so has today."""
    found: list[tuple[datetime, datetime, float]] = []
    for day in sorted(sizes):
        begun = min(datetime(day.year, day.month, day.day, tzinfo=UTC), now)
        if found and found[-1][2] == sizes[day]:
            continue
        if found:
            found[-1] = (found[-1][0], begun, found[-1][2])
        found.append((begun, now, sizes[day]))
    return found
