"""Each way back: from a call and what was read before it, through the plan, to how it was. On an account in memory."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core import noting
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.own.own_calls import OPERATES, READS
from dashboard.core.noting import Answered, Sent
from dashboard.core.trail import scribe, undo, undo_cost
from dashboard.core.trail.book import Book
from dashboard.core.trail.inverse import INVERSES, STAYS
from dashboard.core.trail.model import Deed
from dashboard.core.trail.read import deed
from tests.views.scripted import EMBEDDED

SCALED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/starter/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
OFF = {"DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": False}
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/dogs/1"
NOTES = {"NotebookInstanceName": "n"}
NIGHT = {"Schedule": "cron(0 22 * * ? *)", "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1}}


def tracking(target: float) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return {"TargetValue": target, "PredefinedMetricSpecification": metric}


@cache
def models(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def shape_of(service: str, operation: str) -> Any:
    """botocore's own of the parameters: what is sent here must be what AWS takes."""
    return models(service).operation_model(operation).input_shape


class Memory:
    """The parts of an account that a deed changes and an undo brings back, as AWS answers for them."""

    account = EMBEDDED

    def __init__(self) -> None:
        self.target: dict[str, Any] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.scheduled: dict[str, dict[str, Any]] = {}
        self.reserved: int | None = None
        self.ready: dict[str, int] = {}
        self.alias: dict[str, Any] = {"FunctionVersion": "3"}
        self.config, self.pending = "old", ""
        self.configs = {"old": ("ml.m5.large", 1), "new": ("ml.m5.2xlarge", 2)}
        self.weights: dict[str, dict[str, Any]] = {
            "a": {"DesiredWeight": 1.0, "DesiredInstanceCount": 2},
            "b": {"DesiredWeight": 1.0, "DesiredInstanceCount": 1},
        }
        self.decision = {"ModelApprovalStatus": "PendingManualApproval"}
        self.notebook = "InService"
        self.machine = {"InstanceType": "ml.t3.medium", "NotebookInstanceLifecycleConfigName": "kennel-60min"}
        self.schedules: dict[str, dict[str, Any]] = {}
        self.sent: list[str] = []

    def call(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:
        shape = shape_of(service, operation)
        report = ParamValidator().validate(asked, shape)
        assert not report.has_errors(), report.generate_report()
        one = noting.witness()
        if operation.startswith(("Describe", "Get")):
            answer: dict[str, Any] = getattr(self, operation)(asked)
            return answer
        number = one.sending(self, Sent(service, operation, asked, shape)) if one else 0  # type: ignore[arg-type]
        self.sent.append(operation)
        answer = getattr(self, operation)(asked) or {}
        if one:
            one.answered(number, Answered(200, "req"))
        return answer

    def pages(self, service: str, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self.call(service, operation, **asked)

    def DescribeScalableTargets(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScalableTargets": [self.target] if self.target else []}

    def RegisterScalableTarget(self, asked: Mapping[str, Any]) -> None:
        self.target = {"SuspendedState": OFF, **self.target, **asked}

    def DeregisterScalableTarget(self, asked: Mapping[str, Any]) -> None:
        self.target, self.policies, self.scheduled = {}, {}, {}

    def DescribeScalingPolicies(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScalingPolicies": [{"PolicyARN": f"arn:{name}", **one} for name, one in self.policies.items()]}

    def PutScalingPolicy(self, asked: Mapping[str, Any]) -> None:
        self.policies[asked["PolicyName"]] = dict(asked)

    def DeleteScalingPolicy(self, asked: Mapping[str, Any]) -> None:
        if self.policies.pop(asked["PolicyName"], None) is None:
            raise NotFound("no such policy")

    def DescribeScheduledActions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScheduledActions": list(self.scheduled.values())}

    def PutScheduledAction(self, asked: Mapping[str, Any]) -> None:
        self.scheduled[asked["ScheduledActionName"]] = dict(asked)

    def DeleteScheduledAction(self, asked: Mapping[str, Any]) -> None:
        self.scheduled.pop(asked["ScheduledActionName"])

    def GetFunction(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {} if self.reserved is None else {"Concurrency": {"ReservedConcurrentExecutions": self.reserved}}

    def PutFunctionConcurrency(self, asked: Mapping[str, Any]) -> None:
        self.reserved = asked["ReservedConcurrentExecutions"]

    def DeleteFunctionConcurrency(self, asked: Mapping[str, Any]) -> None:
        self.reserved = None

    def GetProvisionedConcurrencyConfig(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Qualifier"] not in self.ready:
            raise NotFound("nothing is kept ready")
        return {"RequestedProvisionedConcurrentExecutions": self.ready[asked["Qualifier"]]}

    def PutProvisionedConcurrencyConfig(self, asked: Mapping[str, Any]) -> None:
        self.ready[asked["Qualifier"]] = asked["ProvisionedConcurrentExecutions"]

    def DeleteProvisionedConcurrencyConfig(self, asked: Mapping[str, Any]) -> None:
        self.ready.pop(asked["Qualifier"])

    def GetAlias(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.alias)

    def UpdateAlias(self, asked: Mapping[str, Any]) -> None:
        self.alias = {name: asked[name] for name in ("FunctionVersion", "RoutingConfig") if asked.get(name)}
        if not self.alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            self.alias.pop("RoutingConfig", None)

    def DescribeEndpoint(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        pending = {"PendingDeploymentSummary": {"EndpointConfigName": self.pending}} if self.pending else {}
        variants = [{"VariantName": name, **one} for name, one in self.weights.items()]
        return {"EndpointConfigName": self.config, "ProductionVariants": variants, **pending}

    def DescribeEndpointConfig(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["EndpointConfigName"] not in self.configs:
            raise NotFound("there is no such configuration")
        kind, count = self.configs[asked["EndpointConfigName"]]
        one = {"VariantName": "a", "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": count}
        return {"ProductionVariants": [one]}

    def GetFunctionConfiguration(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"MemorySize": 1024, "Architectures": ["x86_64"]}

    def UpdateEndpoint(self, asked: Mapping[str, Any]) -> None:
        self.pending = asked["EndpointConfigName"]

    def UpdateEndpointWeightsAndCapacities(self, asked: Mapping[str, Any]) -> None:
        for one in asked["DesiredWeightsAndCapacities"]:
            self.weights[one["VariantName"]] |= {name: one[name] for name in one if name != "VariantName"}

    def DescribeModelPackage(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ModelPackageArn": PACKAGE, **self.decision}

    def UpdateModelPackage(self, asked: Mapping[str, Any]) -> None:
        self.decision = {
            name: asked[name] for name in ("ModelApprovalStatus", "ApprovalDescription") if asked.get(name)
        }

    def DescribeNotebookInstance(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"NotebookInstanceStatus": self.notebook, **self.machine}

    def UpdateNotebookInstance(self, asked: Mapping[str, Any]) -> None:
        script = asked.get("LifecycleConfigName", self.machine["NotebookInstanceLifecycleConfigName"])
        self.machine = {
            "InstanceType": asked.get("InstanceType", self.machine["InstanceType"]),
            "NotebookInstanceLifecycleConfigName": "" if asked.get("DisassociateLifecycleConfig") else script,
        }

    def StopNotebookInstance(self, asked: Mapping[str, Any]) -> None:
        self.notebook = "Stopping"

    def StartNotebookInstance(self, asked: Mapping[str, Any]) -> None:
        self.notebook = "Pending"

    def GetSchedule(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Name"] not in self.schedules:
            raise NotFound("no such schedule")
        return {"Arn": "arn:schedule", "State": "ENABLED", **self.schedules[asked["Name"]]}

    def CreateSchedule(self, asked: Mapping[str, Any]) -> None:
        assert asked["Name"] not in self.schedules
        self.schedules[asked["Name"]] = dict(asked)

    def UpdateSchedule(self, asked: Mapping[str, Any]) -> None:
        assert asked["Name"] in self.schedules
        self.schedules[asked["Name"]] = dict(asked)

    def DeleteSchedule(self, asked: Mapping[str, Any]) -> None:
        self.schedules.pop(asked["Name"])

    def CreateEndpointConfig(self, asked: Mapping[str, Any]) -> None:
        """Made on the way; an undo leaves it."""


def later(at: str) -> dict[str, Any]:
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "RoleArn": "arn:aws:iam::1:role/KennelS"}
    return {
        "Name": "kennel-delete-demo",
        "ScheduleExpression": at,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }


def scale(minimum: int, maximum: int) -> tuple[str, str, dict[str, Any]]:
    return (
        "application-autoscaling",
        "RegisterScalableTarget",
        {**SCALED, "MinCapacity": minimum, "MaxCapacity": maximum},
    )


def policy(target: float) -> tuple[str, str, dict[str, Any]]:
    asked = {**SCALED, "PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    asked["TargetTrackingScalingPolicyConfiguration"] = tracking(target)
    return "application-autoscaling", "PutScalingPolicy", asked


Call = tuple[str, str, dict[str, Any]]
BEFORE: tuple[Call, ...] = (scale(1, 2), policy(100.0))
READY = {"FunctionName": "dog-infer", "Qualifier": "live"}
DEEDS: dict[str, tuple[tuple[Call, ...], tuple[Call, ...]]] = {
    "auto scaling set": ((), (scale(1, 4), policy(50.0))),
    "auto scaling changed": (
        BEFORE,
        (
            scale(2, 4),
            policy(50.0),
            ("application-autoscaling", "PutScheduledAction", {**SCALED, "ScheduledActionName": "night", **NIGHT}),
        ),
    ),
    "auto scaling paused": (
        BEFORE,
        (
            (
                "application-autoscaling",
                "RegisterScalableTarget",
                {**SCALED, "SuspendedState": dict.fromkeys(OFF, True)},
            ),
        ),
    ),
    "auto scaling removed": (
        BEFORE,
        (
            ("application-autoscaling", "DeleteScalingPolicy", {**SCALED, "PolicyName": "p"}),
            ("application-autoscaling", "DeregisterScalableTarget", SCALED),
        ),
    ),
    "auto scaling removed at once": (BEFORE, (("application-autoscaling", "DeregisterScalableTarget", SCALED),)),
    "a scheduled change removed": (
        (
            scale(1, 2),
            ("application-autoscaling", "PutScheduledAction", {**SCALED, "ScheduledActionName": "night", **NIGHT}),
        ),
        (("application-autoscaling", "DeleteScheduledAction", {**SCALED, "ScheduledActionName": "night"}),),
    ),
    "reserved": (
        (),
        (("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 5}),),
    ),
    "no longer reserved": (
        (("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 5}),),
        (("lambda", "DeleteFunctionConcurrency", {"FunctionName": "f"}),),
    ),
    "kept ready": (
        (),
        (("lambda", "PutProvisionedConcurrencyConfig", {**READY, "ProvisionedConcurrentExecutions": 2}),),
    ),
    "no longer kept ready": (
        (("lambda", "PutProvisionedConcurrencyConfig", {**READY, "ProvisionedConcurrentExecutions": 2}),),
        (("lambda", "DeleteProvisionedConcurrencyConfig", READY),),
    ),
    "another version live": (
        (),
        (("lambda", "UpdateAlias", {"FunctionName": "f", "Name": "live", "FunctionVersion": "4"}),),
    ),
    "an endpoint updated": (
        (),
        (
            (
                "sagemaker",
                "CreateEndpointConfig",
                {"EndpointConfigName": "new", "ProductionVariants": [{"VariantName": "a", "ModelName": "m"}]},
            ),
            ("sagemaker", "UpdateEndpoint", {"EndpointName": "starter", "EndpointConfigName": "new"}),
        ),
    ),
    "requests shared": (
        (),
        (
            (
                "sagemaker",
                "UpdateEndpointWeightsAndCapacities",
                {
                    "EndpointName": "starter",
                    "DesiredWeightsAndCapacities": [
                        {"VariantName": "a", "DesiredWeight": 9.0},
                        {"VariantName": "b", "DesiredInstanceCount": 3},
                    ],
                },
            ),
        ),
    ),
    "a version approved": (
        (),
        (("sagemaker", "UpdateModelPackage", {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"}),),
    ),
    "a notebook stopped": ((), (("sagemaker", "StopNotebookInstance", {"NotebookInstanceName": "n"}),)),
    "a notebook made larger": (
        (),
        (("sagemaker", "UpdateNotebookInstance", {**NOTES, "InstanceType": "ml.m5.xlarge"}),),
    ),
    "a notebook that nothing stops": (
        (),
        (("sagemaker", "UpdateNotebookInstance", {**NOTES, "DisassociateLifecycleConfig": True}),),
    ),
    "a notebook given a script": (
        (("sagemaker", "UpdateNotebookInstance", {**NOTES, "DisassociateLifecycleConfig": True}),),
        (("sagemaker", "UpdateNotebookInstance", {**NOTES, "LifecycleConfigName": "kennel-30min"}),),
    ),
    "a notebook started": (
        (("sagemaker", "StopNotebookInstance", {"NotebookInstanceName": "n"}),),
        (("sagemaker", "StartNotebookInstance", {"NotebookInstanceName": "n"}),),
    ),
    "to be deleted later": ((), (("scheduler", "CreateSchedule", later("at(2027-01-01T00:00:00)")),)),
    "to be deleted another time": (
        (("scheduler", "CreateSchedule", later("at(2027-01-01T00:00:00)")),),
        (("scheduler", "UpdateSchedule", later("at(2027-02-01T00:00:00)")),),
    ),
    "not to be deleted": (
        (("scheduler", "CreateSchedule", later("at(2027-01-01T00:00:00)")),),
        (("scheduler", "DeleteSchedule", {"Name": "kennel-delete-demo"}),),
    ),
}


def carry_out(aws: Memory, book: Book, calls: tuple[Call, ...]) -> Deed:
    one = scribe.begin(book, "Do it", "ann", aws.account)
    with noting.under(one):
        for service, operation, asked in calls:
            aws.call(service, operation, **asked)
    one.release()
    found = deed(book, one.deed)
    assert found is not None
    return found


def state(aws: Memory) -> dict[str, Any]:
    """All of the account, but what was sent to it. An update that is under way counts as done."""
    told = {
        name: value
        for name, value in deepcopy(vars(aws)).items()
        if name not in ("sent", "config", "pending", "notebook")
    }
    settings = ("MinCapacity", "MaxCapacity", "SuspendedState")
    told["target"] = {name: aws.target[name] for name in settings if name in aws.target}
    told["schedules"] = {name: {**one, "State": "ENABLED"} for name, one in aws.schedules.items()}
    return told | {"serves": aws.pending or aws.config, "runs": aws.notebook in ("InService", "Pending")}


@pytest.mark.parametrize("name", DEEDS)
def test_it_is_as_it_was(name: str, tmp_path: Path) -> None:
    first, then = DEEDS[name]
    aws, book = Memory(), Book(tmp_path / "activity.sqlite")
    for service, operation, asked in first:
        aws.call(service, operation, **asked)
    before = state(aws)
    done = carry_out(aws, book, then)
    assert state(aws) != before
    planned = undo.plan(aws, done)  # type: ignore[arg-type]
    assert undo.apply(aws, planned) == "Undone: Do it"  # type: ignore[arg-type]
    assert state(aws) == before
    aws.sent.clear()
    undo.apply(aws, planned)  # type: ignore[arg-type]
    assert (state(aws), aws.sent) == (before, []), "pressed twice it is done once"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("auto scaling set", lambda aws: aws.target.update(MaxCapacity=9)),
        ("reserved", lambda aws: setattr(aws, "reserved", 7)),
        ("kept ready", lambda aws: aws.ready.clear()),
        ("an endpoint updated", lambda aws: setattr(aws, "pending", "a third one")),
        ("a notebook stopped", lambda aws: setattr(aws, "notebook", "InService")),
        ("to be deleted later", lambda aws: aws.schedules.clear()),
    ],
)
def test_it_is_offered_only_while_things_are_as_the_deed_left_them(
    name: str, change: Callable[[Memory], None], tmp_path: Path
) -> None:
    aws, book = Memory(), Book(tmp_path / "activity.sqlite")
    done = carry_out(aws, book, DEEDS[name][1])
    undo.plan(aws, done)  # type: ignore[arg-type]
    change(aws)
    with pytest.raises(Refused, match="somebody changed it since"):
        undo.plan(aws, done)  # type: ignore[arg-type]


def test_what_is_paid_again_and_what_stays_is_said(tmp_path: Path) -> None:
    aws, book = Memory(), Book(tmp_path / "activity.sqlite")
    stopped = undo.plan(aws, carry_out(aws, book, DEEDS["a notebook stopped"][1]))  # type: ignore[arg-type]
    assert stopped.costs == ("a notebook that runs is paid by the hour",)
    updated = undo.plan(aws, carry_out(aws, book, DEEDS["an endpoint updated"][1]))  # type: ignore[arg-type]
    assert updated.stays == ("the configuration that was made",)
    assert updated.costs == ("its instances are paid as those of that configuration",)
    reserved = undo.plan(aws, carry_out(aws, book, DEEDS["reserved"][1]))  # type: ignore[arg-type]
    assert (reserved.costs, reserved.stays) == ((), ())


@pytest.mark.parametrize(
    ("name", "now", "then"),
    [
        ("a notebook stopped", "0", "0.050"),
        ("a notebook started", "0.050", "0"),
        ("an endpoint updated", "0.922", "0.115"),
        ("kept ready", "0.030", "0"),
        ("no longer kept ready", "0", "0.030"),
    ],
)
def test_what_an_undo_costs_is_said_beside_what_is_paid_now(name: str, now: str, then: str, tmp_path: Path) -> None:
    aws, book = Memory(), Book(tmp_path / "activity.sqlite")
    first, deeds = DEEDS[name]
    for service, operation, asked in first:
        aws.call(service, operation, **asked)
    planned = undo.plan(aws, carry_out(aws, book, deeds))  # type: ignore[arg-type]
    paid = undo_cost.cost(aws, PriceBook.load(), planned)  # type: ignore[arg-type]
    assert paid is not None and paid.now is not None and paid.then is not None
    assert [round(one, 3) for one in (paid.now, paid.then)] == [Decimal(now), Decimal(then)]


def test_what_costs_nothing_by_the_hour_has_no_price_and_what_aws_does_not_tell_is_unknown(tmp_path: Path) -> None:
    aws, book = Memory(), Book(tmp_path / "activity.sqlite")
    reserved = undo.plan(aws, carry_out(aws, book, DEEDS["reserved"][1]))  # type: ignore[arg-type]
    assert undo_cost.cost(aws, PriceBook.load(), reserved) is None  # type: ignore[arg-type]
    updated = undo.plan(aws, carry_out(aws, book, DEEDS["an endpoint updated"][1]))  # type: ignore[arg-type]
    aws.configs.clear()
    assert undo_cost.cost(aws, PriceBook.load(), updated) == undo_cost.Cost(None, None)  # type: ignore[arg-type]


def test_every_way_back_is_of_calls_that_kennel_may_make() -> None:
    told = {service: {*OPERATES.get(service, ()), *READS.get(service, ())} for service in {*OPERATES, *READS}}
    assert not [key for key in {*INVERSES, *STAYS} if key[0] != "iam" and key[1] not in told.get(key[0], ())]
    assert {key for _, then in DEEDS.values() for key in ((one[0], one[1]) for one in then)} >= {
        key for key in INVERSES if key[0] not in ("budgets",) and not key[1].endswith("Tags")
    }, "each is tried above, or on the embedded AWS in test_scribe"
