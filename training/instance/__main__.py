"""`python -m training.instance`: train what this instance was launched for. RUN in the environment says which run.

Exit codes: 0 the run has ended, however, and S3 says how; 1 S3 could not be told.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training import terminal
from training.container import BASE
from training.errors import TrainingError
from training.instance.agent import Agent, Cloud
from training.instance.metadata import Metadata
from training.instance.order import PREFIX, Order
from training.stopping import Stop, listening


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.instance",
        description="Train what this EC2 instance was launched for; its user data starts it.",
    )
    base = Path(environ.get("KENNEL_BASE") or BASE)  # where the instance has no /opt/ml of its own, it is named
    parser.add_argument("--base", type=Path, default=base, help="SageMaker's folders go here (/opt/ml)")
    parser.add_argument("--run", default=environ.get("RUN", ""), help='{"bucket", "name", "region"} as JSON (RUN)')
    options = parser.parse_args(arguments)
    terminal.tolerate_few_characters()
    stop = Stop()
    with listening(stop, to_the_end=arguments is None):
        try:
            told: dict[str, Any] = json.loads(options.run)
            name, bucket, region = told["name"], told["bucket"], told["region"]
        except (ValueError, KeyError, TypeError):
            parser.error("RUN names no run: it is set by the user data that Kennel launches an instance with")
        try:
            cloud = _connect(region)
            text = cloud.s3.get_object(Bucket=bucket, Key=f"{PREFIX}{name}/request.json")["Body"].read().decode()
            order = Order.parse(bucket, text)
        except TrainingError as error:
            print(error, file=sys.stderr)
            return 1
        if _has_ended(cloud, order):
            print(f"{name} has ended already: this instance was started again, and has nothing to do.")
            return 0
        print(f"{name} ended: {Agent(order, cloud, options.base, stop=stop, environ=environ).run()}", flush=True)
    return 0


def _connect(region: str) -> Cloud:
    import boto3
    from botocore.config import Config

    session = boto3.Session(region_name=region)
    config = Config(retries={"mode": "standard", "total_max_attempts": 6}, max_pool_connections=32)
    s3, logs, cloudwatch = (session.client(name, config=config) for name in ("s3", "logs", "cloudwatch"))
    return Cloud(s3, logs, cloudwatch, Metadata())


def _has_ended(cloud: Cloud, order: Order) -> bool:
    """Whether the run's status says so. S3 tells a role that may list some prefixes only 403 of what is not there."""
    try:
        body = cloud.s3.get_object(Bucket=order.bucket, Key=f"{order.folder}status.json")["Body"].read()
    except cloud.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
            return False
        raise
    return bool(json.loads(body).get("ended"))


if __name__ == "__main__":
    sys.exit(main())
