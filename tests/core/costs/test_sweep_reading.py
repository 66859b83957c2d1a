"""What the sweep reads of services that the embedded AWS lacks: answers are held to botocore's own models."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from botocore.stub import Stubber

from dashboard.core.aws import connect
from dashboard.core.costs import sweep_endpoints, sweep_functions, sweep_notebooks, waste_actions, waste_plan
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import Act, Evidence, Finding, Kind, Thing
from dashboard.core.errors import Refused
from tests.core.conftest import write_client

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
DAY = timedelta(days=1)
BOOK = PriceBook.load()
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:classify"
NOTEBOOK = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/ada"
MADE = [{"Key": "kennel:made-by", "Value": "kennel"}]


@pytest.fixture
def aws(tmp_path):
    """An account that nobody reaches: every answer is one of the test's."""
    write_client(tmp_path, "http://127.0.0.1:9")
    return connect({"KENNEL_HOME": str(tmp_path)})


@pytest.fixture
def answers(aws):
    """answers("lambda", "list_functions", {...}): the next answer of a service, checked against its model."""
    stubs: dict[str, Stubber] = {}
    with ExitStack() as stack:

        def add(service, operation, response, asked=None):
            if service not in stubs:
                stubs[service] = stack.enter_context(Stubber(aws.client(service)))
            stubs[service].add_response(operation, response, asked)

        yield add
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def kept_ready(answers, used, tags=None):
    answers(
        "lambda",
        "list_functions",
        {
            "Functions": [
                {"FunctionName": "classify", "FunctionArn": FUNCTION, "MemorySize": 128, "Architectures": ["x86_64"]}
            ]
        },
    )
    config = {
        "FunctionArn": f"{FUNCTION}:live",
        "RequestedProvisionedConcurrentExecutions": 3,
        "AvailableProvisionedConcurrentExecutions": 3,
        "AllocatedProvisionedConcurrentExecutions": 3,
        "Status": "READY",
        "LastModified": "2026-11-18T09:00:00+0000",
    }
    answers("lambda", "list_provisioned_concurrency_configs", {"ProvisionedConcurrencyConfigs": [config]})
    points = [{"Timestamp": NOW, "Sum": float(used), "Unit": "Count"}] if used is not None else []
    answers("cloudwatch", "get_metric_statistics", {"Label": "x", "Datapoints": points})
    if not used:
        answers("lambda", "list_tags", {"Tags": tags or {}})


def test_provisioned_concurrency_that_nothing_runs_in(aws, answers):
    kept_ready(answers, None, {"kennel:made-by": "kennel"})
    look = sweep_functions.look(aws, BOOK, NOW, DAY)
    (found,) = look.findings
    assert look.things == 1
    assert (found.kind, found.name, found.acts) == (Kind.UNUSED_PROVISIONED, "classify:live", (Act.DELETE,))
    # 3 environments × 128 MB × 86,400 s × $0.0000041667 a GB-second
    assert round(found.per_day, 9) == round(3 * Decimal(128) / 1024 * 86_400 * Decimal("0.0000041667"), 9)
    assert "3 environments of 128 MB" in found.evidence[1].what


def test_provisioned_concurrency_that_is_used_is_none(aws, answers):
    kept_ready(answers, 4)
    assert sweep_functions.look(aws, BOOK, NOW, DAY).findings == ()


def test_somebody_elses_function_is_shown_and_not_touched(aws, answers):
    kept_ready(answers, 0, {"team": "search"})
    (found,) = sweep_functions.look(aws, BOOK, NOW, DAY).findings
    assert (found.is_kennels, found.acts) == (False, ())


def notebook(answers, last, started=NOW - 3 * DAY, tags=MADE):
    listed = {
        "NotebookInstanceName": "ada",
        "NotebookInstanceArn": NOTEBOOK,
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.t3.medium",
        "CreationTime": NOW - 9 * DAY,
        "LastModifiedTime": started,
    }
    answers("sagemaker", "list_notebook_instances", {"NotebookInstances": [listed]}, {"StatusEquals": "InService"})
    answers("sagemaker", "list_tags", {"Tags": tags})
    if NOW - started >= DAY:
        stream = {"logStreamName": "ada/jupyter.log"}
        if last:
            stream["lastEventTimestamp"] = int(last.timestamp() * 1000)
        answers("logs", "describe_log_streams", {"logStreams": [stream]})


def test_a_notebook_that_nobody_works_in(aws, answers):
    notebook(answers, NOW - 2 * DAY)
    (found,) = sweep_notebooks.look(aws, BOOK, NOW, DAY).findings
    assert (found.kind, found.name, found.acts) == (Kind.IDLE_NOTEBOOK, "ada", (Act.STOP,))
    assert found.per_day == Decimal("0.05") * 24
    assert "19 Nov 2026, 18:30 UTC" in found.evidence[0].what


@pytest.mark.parametrize(("last", "started"), [(NOW - timedelta(hours=2), NOW - 3 * DAY), (None, NOW - DAY / 2)])
def test_a_notebook_in_use_or_just_started_is_none(aws, answers, last, started):
    notebook(answers, last, started)
    look = sweep_notebooks.look(aws, BOOK, NOW, DAY)
    assert (look.things, look.findings) == (1, ())


def test_a_notebook_past_its_time_is_found_while_somebody_works_in_it(aws, answers):
    notebook(answers, NOW, tags=[*MADE, {"Key": "kennel:expires", "Value": "2026-11-21T12:00:00Z"}])
    (found,) = sweep_notebooks.look(aws, BOOK, NOW, DAY).findings
    assert found.kind is Kind.EXPIRED


def test_stopping_a_notebook_looks_again_first(aws, answers):
    notebook(answers, NOW - 2 * DAY)
    (found,) = sweep_notebooks.look(aws, BOOK, NOW, DAY).findings

    def described(status):
        answers(
            "sagemaker",
            "describe_notebook_instance",
            {"NotebookInstanceArn": NOTEBOOK, "NotebookInstanceStatus": status, "CreationTime": NOW - 9 * DAY},
        )

    described("InService")
    plan = waste_plan.plan(aws, found, Act.STOP, NOW)
    described("InService")
    answers("sagemaker", "stop_notebook_instance", {}, {"NotebookInstanceName": "ada"})
    assert waste_actions.act(aws, plan) == "ada is stopping"
    described("Stopping")
    assert waste_actions.act(aws, plan) == "ada is stopping", "a second click finds it done"
    described("Updating")
    with pytest.raises(Refused, match="it was InService, it is Updating"):
        waste_actions.act(aws, plan)


def target(minimum):
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/dogs/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": minimum,
        "MaxCapacity": 5,
        "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/scaling",
        "CreationTime": NOW,
    }


def test_minimum_capacities_are_read_by_endpoint(aws, answers):
    other = {**target(1), "ResourceId": "endpoint/cats/variant/a"}
    second = {**target(2), "ResourceId": "endpoint/cats/variant/b"}
    component = {
        **target(9),
        "ResourceId": "inference-component/x",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }
    answers(
        "application-autoscaling",
        "describe_scalable_targets",
        {"ScalableTargets": [target(2), other, second, component]},
    )
    assert sweep_endpoints.read_minimums(aws) == {"dogs": 2, "cats": 3}


def test_an_oversized_minimum_is_lowered_and_the_maximum_stays(aws, answers):
    found = Finding(
        Kind.OVERSIZED,
        Thing.ENDPOINT,
        "dogs",
        Nature.LISTED,
        (Evidence("", ""),),
        acts=(Act.SHRINK,),
        wanted=1,
    )

    def described():
        answers(
            "sagemaker",
            "describe_endpoint",
            {
                "EndpointName": "dogs",
                "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dogs",
                "EndpointConfigName": "dogs",
                "EndpointStatus": "InService",
                "CreationTime": NOW - DAY,
                "LastModifiedTime": NOW - DAY,
                "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}],
            },
        )

    described()
    answers("application-autoscaling", "describe_scalable_targets", {"ScalableTargets": [target(2)]})
    plan = waste_plan.plan(aws, found, Act.SHRINK, NOW)
    described()
    answers(
        "application-autoscaling",
        "register_scalable_target",
        {},
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/dogs/variant/main",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": 1,
            "MaxCapacity": 5,
        },
    )
    waste_actions.act(aws, plan)


def test_nothing_is_planned_for_what_kennel_did_not_make(aws):
    foreign = Finding(Kind.IDLE_NOTEBOOK, Thing.NOTEBOOK, "theirs", Nature.LISTED, (), is_kennels=False)
    with pytest.raises(Refused, match="did not make it"):
        waste_plan.plan(aws, foreign, Act.STOP, NOW)
