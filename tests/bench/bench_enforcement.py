"""What it costs to hold a caller to its policies: the same requests of the account's root user and of a role's session.

The endpoint answers without a model, so that the check is as large a part as it gets. The role has two of AWS's own
policies, of some hundred statements and actions, a boundary and one of its own: more than most have.
"""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import boto3
from botocore.config import Config

from tests.bench.bench_endpoint import embedded, invoke, load, model_less_endpoint
from tests.bench.bench_serving import CLIENTS, Load, best
from tests.bench.rows import Row
from tests.conftest import Embedded
from tests.local_aws.callers import allow, document, keys_of, trust

ENDPOINT = "model-less"
ONE_BY_ONE = 150
REQUESTS = 1_500
ROUNDS = 4
MANAGED = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")
PHOTO = b"\xff\xd8" + b"0" * 50_000


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder, embedded(Path(folder) / "aws") as aws:
        model_less_endpoint(aws, Path(folder))
        root = aws.client("sagemaker-runtime", max_pool_connections=CLIENTS)
        clients = {"role": _of_role(aws), "root": root}
        single: dict[str, list[float]] = {who: [] for who in clients}
        loads: dict[str, list[Load]] = {who: [] for who in clients}
        for _ in range(ONE_BY_ONE):
            for who, client in clients.items():
                started = perf_counter()
                invoke(client, ENDPOINT, PHOTO)
                single[who].append((perf_counter() - started) * 1000)
        for _ in range(ROUNDS):
            for who, client in clients.items():
                loads[who].append(load(client, ENDPOINT, [PHOTO], REQUESTS))
    role, other = best(loads["role"]), best(loads["root"])
    what = "an endpoint without a model, asked by a role whose policies are judged, against the root user"
    p50 = median(single["role"]), median(single["root"])
    lost = f"each with {CLIENTS} boto3 clients; {role.lost} and {other.lost} lost"
    return [
        Row.of_times(f"{what}: one request after the other, p50", *p50, "ms"),
        Row(
            f"{what}: throughput",
            role.throughput / other.throughput,
            role.throughput,
            other.throughput,
            "requests/s",
            lost,
        ),
    ]


def _of_role(aws: Embedded) -> Any:
    """A client of a session of a role with many policies."""
    iam, name = aws.client("iam"), "enforced"
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document(allow(["sagemaker:*", "s3:*"])))
    arn = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust(), PermissionsBoundary=boundary["Policy"]["Arn"]
    )["Role"]["Arn"]
    for policy in MANAGED:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    own = allow("sagemaker:InvokeEndpoint", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(own))
    given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS),
        **keys_of(given),
    )
