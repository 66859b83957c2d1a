"""What the sweep reads of services that the embedded AWS lacks: answers are held to botocore's own models."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from botocore.stub import Stubber

from dashboard.core.aws import connect
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import actions as waste_actions
from dashboard.core.costs.waste import plan as waste_plan
from dashboard.core.costs.waste import sweep_ec2, sweep_endpoints, sweep_functions, sweep_notebooks
from dashboard.core.costs.waste.waste import Act, Evidence, Finding, Kind, Thing
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


# --- EC2: instances that are stopped, or past their time ----------------------------------------------------------


def instance(state, *, tags=MADE, reason="", kept=False):
    def device(name, volume, goes):
        ebs = {"VolumeId": volume, "DeleteOnTermination": goes, "Status": "attached"}
        return {"DeviceName": name, "Ebs": ebs}

    devices = [device("/dev/xvda", "vol-root", True), *([device("/dev/sdb", "vol-data", False)] if kept else [])]
    one = {
        "InstanceId": "i-0123456789abcdef0",
        "InstanceType": "m5.large",
        "LaunchTime": NOW - 9 * DAY,
        "State": {"Code": 80, "Name": state},
        "StateTransitionReason": reason,
        "BlockDeviceMappings": devices,
        "Tags": tags,
    }
    return {"Reservations": [{"ReservationId": "r-1", "Instances": [one]}]}


def volume(name, size, kind="gp3"):
    return {"VolumeId": name, "Size": size, "VolumeType": kind, "State": "in-use", "CreateTime": NOW - 9 * DAY}


def test_a_stopped_instance_costs_its_volumes(aws, answers):
    answers(
        "ec2", "describe_instances", instance("stopped", reason="User initiated (2026-11-15 08:00:00 GMT)", kept=True)
    )
    answers("ec2", "describe_volumes", {"Volumes": [volume("vol-root", 30), volume("vol-data", 70)]})
    (found,) = sweep_ec2.instances(aws, BOOK, NOW).findings
    assert (found.kind, found.acts) == (Kind.STOPPED_INSTANCE, (Act.DELETE,))
    assert "15 Nov 2026, 08:00 UTC" in found.evidence[0].what
    assert round(found.per_day, 9) == round(Decimal("0.08") * 100 * 24 / 730, 9)
    answers("ec2", "describe_instances", instance("stopped", kept=True))
    plan = waste_plan.plan(aws, found, Act.DELETE, NOW)
    assert any("vol-root" in one for one in plan.goes)
    assert any("vol-data" in one and "goes on costing" in one for one in plan.stays)
    answers("ec2", "describe_instances", instance("running", kept=True))
    with pytest.raises(Refused, match="it was stopped, it is running"):
        waste_actions.act(aws, plan)  # somebody started it again: it is in use
    answers("ec2", "describe_instances", instance("stopped", kept=True))
    answers("ec2", "terminate_instances", {}, {"InstanceIds": ["i-0123456789abcdef0"]})
    waste_actions.act(aws, plan)
    answers("ec2", "describe_instances", instance("shutting-down", kept=True))
    assert "being terminated" in waste_actions.act(aws, plan), "a second click finds it done"


def test_a_volume_that_cannot_be_read_makes_the_sum_unknown(aws, answers):
    answers("ec2", "describe_instances", instance("stopped", kept=True))
    answers("ec2", "describe_volumes", {"Volumes": [volume("vol-root", 30)]})
    (found,) = sweep_ec2.instances(aws, BOOK, NOW).findings
    assert found.per_day is None
    assert "1 volume of it could not be read" in found.why
    assert found.evidence[0].what == "stopped", "since when is not made up"


def test_an_instance_past_its_time_can_be_stopped(aws, answers):
    late = [*MADE, {"Key": "kennel:expires", "Value": "2026-11-20T09:00:00Z"}, {"Key": "kennel:run", "Value": "dogs-7"}]
    answers("ec2", "describe_instances", instance("running", tags=late))
    (found,) = sweep_ec2.instances(aws, BOOK, NOW).findings
    assert (found.kind, found.of, found.acts) == (Kind.EXPIRED, "dogs-7", (Act.STOP, Act.DELETE))
    assert found.per_day == Decimal("0.096") * 24
    answers("ec2", "describe_instances", instance("running", tags=late))
    plan = waste_plan.plan(aws, found, Act.STOP, NOW)
    answers("ec2", "describe_instances", instance("running", tags=late))
    answers("ec2", "stop_instances", {}, {"InstanceIds": [found.name]})
    assert waste_actions.act(aws, plan) == f"{found.name} is stopping"


def test_a_day_of_a_running_instance_has_its_address_and_no_list_price_on_spot(aws, answers):
    late = [*MADE, {"Key": "kennel:expires", "Value": "2026-11-20T09:00:00Z"}]
    told = instance("running", tags=late)
    told["Reservations"][0]["Instances"][0]["PublicIpAddress"] = "203.0.113.7"
    answers("ec2", "describe_instances", told)
    (found,) = sweep_ec2.instances(aws, BOOK, NOW).findings
    assert found.per_day == (Decimal("0.096") + Decimal("0.005")) * 24
    told["Reservations"][0]["Instances"][0]["InstanceLifecycle"] = "spot"
    answers("ec2", "describe_instances", told)
    (found,) = sweep_ec2.instances(aws, BOOK, NOW).findings
    assert (found.lines[0].what, found.lines[0].amount) == ("m5.large, spot", None)
    assert "spot price" in found.lines[0].why_unknown


def test_a_loose_address_without_an_id_is_not_kennels_to_release(aws, answers):
    answers("ec2", "describe_addresses", {"Addresses": [{"PublicIp": "203.0.113.7", "Tags": MADE}]})
    (found,) = sweep_ec2.addresses(aws, BOOK, NOW).findings
    assert (found.name, found.acts) == ("203.0.113.7", ())
    assert found.per_day == Decimal("0.005") * 24


def test_provisioned_concurrency_is_taken_away(aws, answers):
    kept_ready(answers, None, {"kennel:made-by": "kennel"})
    (found,) = sweep_functions.look(aws, BOOK, NOW, DAY).findings
    config = {"RequestedProvisionedConcurrentExecutions": 3, "Status": "READY"}
    answers("lambda", "get_provisioned_concurrency_config", config)
    plan = waste_plan.plan(aws, found, Act.DELETE, NOW)
    assert "delete_provisioned_concurrency_config" in plan.code(aws.account)
    answers("lambda", "get_provisioned_concurrency_config", config)
    asked = {"FunctionName": "classify", "Qualifier": "live"}
    answers("lambda", "delete_provisioned_concurrency_config", {}, asked)
    waste_actions.act(aws, plan)
