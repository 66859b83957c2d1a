"""Every page and every plan with Kennel's own reader role: with the keys of a session of it, which the embedded AWS
limits to the policies that the Security page gives for it.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import connections
from dashboard.core import aws as seam
from dashboard.core.aws import Aws, connect
from dashboard.core.costs.budgets import plan as budget_plan
from dashboard.core.costs.budgets.budgets import Scope
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste.sweep import sweep
from dashboard.core.errors import AccessDenied, KennelError
from dashboard.core.iam.entities import parse
from dashboard.core.iam.least.generate import propose
from dashboard.core.iam.own import own_roles
from dashboard.core.iam.own.own_calls import READS
from dashboard.core.iam.replace import change_plan, retire, retire_policy
from dashboard.core.iam.seen import account, last_accessed, observed, served
from dashboard.core.runs.look import look
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec
from dashboard.core.serving import delete as endpoint_delete
from dashboard.core.serving.functions import functions
from dashboard.core.serving.scaling.read import read as read_scaling
from local_aws.sample_account import STARTER, STARTER_KEY, Builder, connect_to
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.views.conftest import APP

ENDPOINT, FUNCTION = STARTER, "dog-infer"
TRAIL = "kennel-trail-123456789012-us-east-1"
NOW = datetime.now(UTC)


@dataclass
class Seen:
    """What was asked of AWS, and what of it was denied."""

    asked: set[tuple[str, str]]
    denied: list[str]


@pytest.fixture(scope="module")
def account_with_everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Something for every page to read. Nothing trains and nothing serves: records say the same."""
    running = start_embedded(tmp_path_factory.mktemp("read") / "aws")
    fill(running)
    yield running
    stop_embedded(running)


def fill(running: Embedded) -> None:
    clients, region = connect_to(running.state)
    own = running.client("sts").get_caller_identity()["Account"]
    builder = Builder(clients, own, region, lambda line: None)
    bucket, s3, sagemaker = builder.bucket, running.client("s3"), running.client("sagemaker")
    s3.create_bucket(Bucket=bucket)
    for split in ("train", "valid", "test"):
        s3.put_object(Bucket=bucket, Key=f"datasets/dogs/{split}/a/1.jpg", Body=b"x")
    s3.put_object(Bucket=bucket, Key=STARTER_KEY, Body=b"x")
    s3.create_bucket(Bucket=TRAIL)
    running.client("cloudtrail").create_trail(Name=TRAIL, S3BucketName=TRAIL)
    running.client("cloudtrail").start_logging(Name=TRAIL)
    builder.roles()
    builder.replays()
    mark = [{"Key": "kennel:made-by", "Value": "kennel"}]
    sagemaker.create_model(
        ModelName=ENDPOINT,
        ExecutionRoleArn=f"arn:aws:iam::{own}:role/DogTraining",
        PrimaryContainer={"Image": "kennel/sample", "ModelDataUrl": f"s3://{bucket}/{STARTER_KEY}"},
        Tags=mark,
    )
    variant = {"VariantName": "v", "ModelName": ENDPOINT, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=ENDPOINT, ProductionVariants=[variant], Tags=mark)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT, Tags=mark)


@pytest.fixture(scope="module")
def reader(account_with_everything: Embedded) -> Aws:
    """A read-only connection with the keys of a session of the reader role, bounded as the page says."""
    running = account_with_everything
    root = connect({"KENNEL_HOME": str(running.state.parent)})
    iam = running.client("iam")
    own = own_roles.reader(root.account)
    limit = iam.create_policy(
        PolicyName=own.boundary, Path="/kennel/", PolicyDocument=json.dumps(own_roles.boundary(root.account))
    )["Policy"]["Arn"]
    made = iam.create_role(
        RoleName=own.name, AssumeRolePolicyDocument=json.dumps(own.trust), PermissionsBoundary=limit
    )["Role"]["Arn"]
    for name, document in own.policies.items():
        arn = iam.create_policy(PolicyName=name, Path="/kennel/", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=own.name, PolicyArn=arn)
    keys = running.client("sts").assume_role(RoleArn=made, RoleSessionName="pages")["Credentials"]
    acting = root.acting(keys)
    return Aws(replace(acting.account, writable=False), acting._session)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Every call that goes through the seam from now on, with what AWS denied."""
    found = Seen(set(), [])
    lock = threading.Lock()
    translated, translate = Aws.translated, seam.translate

    @contextmanager
    def noted(self: Aws, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
        with lock:
            found.asked.add((service, operation))
        with translated(self, service, operation, parameters):
            yield

    def told(error: Exception, **about: Any) -> KennelError:
        problem = translate(error, **about)
        if isinstance(problem, AccessDenied):
            with lock:
                found.denied.append(f"{about.get('service')} {about.get('operation')}: {error}")
        return problem

    monkeypatch.setattr(Aws, "translated", noted)
    monkeypatch.setattr(seam, "translate", told)
    return found


PAGES: list[tuple[str, dict[str, str]]] = [
    ("overview", {}),
    ("settings", {}),
    ("train", {}),
    ("runs", {}),
    ("run", {"run": "project-c-single"}),
    ("run", {"run": "tuning:project-d-tuning"}),
    ("run", {"run": "ec2:project-c-ec2"}),
    ("compare", {"compare": "project-c-single,ec2:project-c-ec2"}),
    ("data", {}),
    ("data", {"part": "Corrections"}),
    ("data", {"part": "Buckets"}),
    ("notebooks", {}),
    ("activity", {}),
    ("models", {}),
    ("endpoints", {}),
    ("endpoint", {"endpoint": ENDPOINT}),
    ("scaling", {"endpoint": ENDPOINT}),
    ("functions", {}),
    ("function", {"function": FUNCTION}),
    ("classify", {}),
    ("costs", {}),
    ("receipt", {}),
    ("choices", {}),
    ("waste", {}),
    ("prices", {}),
    ("security", {}),
    ("security", {"part": "Kennel's own roles"}),
    ("role", {"role": "DogProject"}),
    ("role", {"role": "DogProject", "part": "Use"}),
    ("role", {"role": "DogInferLambda", "part": "Proposal"}),
]


def test_every_page_stands_for_a_reader_and_nothing_of_it_is_denied(
    reader: Aws, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "connect", lambda environ: reader)
    page = AppTest.from_file(str(APP), default_timeout=60).run()
    wrong: dict[str, list[str]] = {}
    for name, query in PAGES:
        page.query_params.clear()
        page.switch_page(f"views/{name}.py")
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        where = " ".join((name, *query.values()))
        assert not page.exception, where
        if seen.denied:
            wrong[where] = list(seen.denied)
            seen.denied.clear()
    assert wrong == {}
    assert unknown(seen) == set()
    every = {path.stem for path in (APP.parent / "views").glob("*.py")} - {"__init__"}
    assert every == {name for name, _ in PAGES}, "a page that no reader was seen on"


def test_what_is_read_before_a_plan_is_confirmed_is_the_readers_too(reader: Aws, seen: Seen) -> None:
    """A read-only connection sees what would be done, and what it would cost: every plan reads before it asks."""
    bucket = reader.account.bucket
    data = f"s3://{bucket}/datasets/dogs/"
    for spec in (
        TrainingSpec(data),
        TrainingSpec(data, capacity=Capacity.SPOT),
        TrainingSpec(data, platform=Platform.EC2, instance_type="m5.large"),
    ):
        look(reader, spec)
    endpoint_delete.plan_delete(reader, PriceBook.load(), ENDPOINT)
    sweep(reader, PriceBook.load(), NOW)
    functions.read(reader, FUNCTION)
    read_scaling(reader, ENDPOINT)
    budget_plan.look(reader, Scope.ALL, "")
    assert seen.denied == []
    assert unknown(seen) == set()


def test_what_is_read_of_a_role_before_it_is_changed_is_the_readers_too(reader: Aws, seen: Seen) -> None:
    found = account.read(reader)
    assert found.unread == ()
    usage = found.usage
    for role in (one for one in parse(found.details) if one.name in ("DogTraining", "DogInferLambda")):
        uses = usage.of(role.arn)
        seen_calls = observed.read(reader, role.arn, NOW - timedelta(days=7))
        accessed = last_accessed.read(reader, role.arn)
        serves = served.read(reader, role.arn, uses)
        for proposal in propose(role, uses, serves, seen_calls, accessed, reader.account.where):
            change_plan.plan(reader, proposal, recorded=seen_calls, uses=uses)
    retire.plan(reader, "DogNotebookOld")
    retire_policy.plan(reader, f"arn:aws:iam::{reader.account.account_id}:policy/DogOldS3")
    assert seen.denied == []
    assert unknown(seen) == set()


def unknown(seen: Seen) -> set[tuple[str, str]]:
    """What was asked and is in no table of what a reader calls."""
    known = {(service, one) for service, operations in READS.items() for one in operations}
    return seen.asked - known - {("sts", "GetCallerIdentity")}
