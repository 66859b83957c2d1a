"""1,000 roles read and audited: one paged GetAccountAuthorizationDetails, against asking for every role by itself.

Both read the same embedded AWS with boto3 and audit what they read. A call is answered in a millisecond or two here:
with a real account, tens of milliseconds away, the one by one stays further behind.
"""

import json
import random
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.core.iam.entities import merged
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.findings import audit
from local_aws import ACCOUNT
from local_aws.moto_app import Moto
from tests.bench.rows import Row
from tests.conftest import Embedded, start_embedded, stop_embedded

ROLES, SHARED = 1_000, 40
PAGE = 1_000
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_MIB = 2**20
_OF_AWS = ("AmazonSageMakerFullAccess", "AmazonS3ReadOnlyAccess", "service-role/AWSLambdaBasicExecutionRole",
           "AmazonEC2FullAccess", "AmazonSSMManagedInstanceCore", "CloudWatchReadOnlyAccess")  # fmt: skip


def rows() -> list[Row]:
    """Seconds from the first call to the findings, and the memory that the audit needs beside the answer."""
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder:
        fill(Path(folder), ROLES)
        with embedded(Path(folder)) as aws:
            calls = Calls(aws.client("iam"))
            started = time.perf_counter()
            found = audit(details := calls.paged(), now=NOW)
            paged, paged_calls = time.perf_counter() - started, calls.count
            calls.count = 0
            started = time.perf_counter()
            singly = audit(calls.one_by_one(), now=NOW)
            single, single_calls = time.perf_counter() - started, calls.count
    if _told(found) != _told(singly):
        raise RuntimeError("the two find different things")
    extra, answer = _memory(details)
    return [
        Row.of_times(
            f"security: {ROLES:,} roles read and audited",
            paged,
            single,
            "s",
            f"{len(found):,} findings; {paged_calls} calls against {single_calls:,} (GetRole, ListRolePolicies …)",
        ),
        Row.of_times(
            f"security: memory of the audit of {ROLES:,} roles, beside the answer",
            extra / _MIB,
            answer / _MIB,
            "MiB, peak",
            "baseline: the answer itself, as boto3 gives it",
        ),
    ]


class Calls:
    """IAM, with how often it was asked."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam
        self.count = 0
        iam.meta.events.register("before-call", self._counted)

    def paged(self) -> dict[str, Any]:
        pages = self._iam.get_paginator("get_account_authorization_details")
        return merged(pages.paginate(PaginationConfig={"PageSize": PAGE}))

    def one_by_one(self) -> dict[str, Any]:
        """The same, as tools read it that know a role's own operations only."""
        roles, policies = [], {}
        for page in self._iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": PAGE}):
            for one in page["Roles"]:
                name = one["RoleName"]
                role = dict(self._iam.get_role(RoleName=name)["Role"])
                attached = self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
                inline = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
                role["AttachedManagedPolicies"] = attached
                role["RolePolicyList"] = [self._iam.get_role_policy(RoleName=name, PolicyName=each) for each in inline]
                roles.append(role)
                for policy in attached:
                    if policy["PolicyArn"] not in policies:
                        policies[policy["PolicyArn"]] = self._policy(policy["PolicyArn"])
        return {"RoleDetailList": roles, "Policies": list(policies.values())}

    def _policy(self, arn: str) -> dict[str, Any]:
        policy = dict(self._iam.get_policy(PolicyArn=arn)["Policy"])
        version = self._iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return {**policy, "PolicyVersionList": [version]}

    def _counted(self, **_: Any) -> None:
        self.count += 1


@contextmanager
def embedded(state: Path) -> Iterator[Embedded]:
    running = start_embedded(state)
    try:
        yield running
    finally:
        stop_embedded(running)


def fill(state: Path, count: int, seed: int = 7) -> None:
    """Put so many roles into the state of an embedded AWS that does not run: over its API each would be saved anew."""
    chance = random.Random(seed)
    with Moto(state / "moto").using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        shared = [
            iam.create_policy("", "/", json.dumps(_policy(chance, number)), f"shared-{number}", []).arn
            for number in range(SHARED)
        ]
        of_aws = [f"arn:aws:iam::aws:policy/{name}" for name in _OF_AWS]
        for number in range(count):
            name = f"role-{number:04d}"
            iam.create_role(name, json.dumps(_trust(chance)), "/", None, "", [], "3600")
            for arn in (*chance.sample(shared, 2), *chance.sample(of_aws, chance.randrange(2))):
                iam.attach_role_policy(arn, name)
            for inline in range(chance.randrange(1, 3)):
                iam.put_role_policy(name, f"own-{inline}", json.dumps(_policy(chance, number)))


def _policy(chance: random.Random, number: int) -> dict[str, Any]:
    """Six statements as they are in accounts: mostly of one's own things, now and then too much."""
    bucket, where = f"arn:aws:s3:::project-{number}", f"us-east-1:{ACCOUNT}"
    usual = [
        (["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], f"{bucket}/*"),
        (["s3:ListBucket"], bucket),
        (["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{where}:log-group:/p/{number}:*"),
        (["sagemaker:InvokeEndpoint"], f"arn:aws:sagemaker:{where}:endpoint/dogs-{number}"),
        (["dynamodb:GetItem", "dynamodb:Query"], f"arn:aws:dynamodb:{where}:table/t{number}"),
    ]
    odd = [("s3:*", "*"), ("iam:PassRole", "*"), ("sqs:SendMessage", f"arn:aws:sqs:{where}:q{number}")]
    statements = [*usual, chance.choice(odd)]
    allowed = [{"Effect": "Allow", "Action": actions, "Resource": on} for actions, on in statements]
    return {"Version": "2012-10-17", "Statement": allowed}


def _trust(chance: random.Random) -> dict[str, Any]:
    service = chance.choice(("sagemaker", "lambda", "ec2"))
    allow = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def _told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return sorted((one.role, one.kind, one.policy) for one in found if one.role)


def _memory(details: dict[str, Any]) -> tuple[int, int]:
    """Bytes that the audit takes at its peak, and that the answer itself takes."""
    tracemalloc.start()
    try:
        copied = json.loads(json.dumps(details, default=str))
        answer = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        audit(copied, now=NOW)
        return tracemalloc.get_traced_memory()[1] - answer, answer
    finally:
        tracemalloc.stop()
