"""What a person does with models and endpoints."""

from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.waste.waste import Act, Thing
from dashboard.core.serving import starter as starters
from dashboard.core.serving.registry import Approval, Group, Version
from dashboard.core.serving.scaling.policy import reference
from dashboard.core.serving.scaling.scaling import Suspended
from dashboard.ui import (
    endpoint,
    endpoint_deploy,
    endpoint_update,
    endpoint_variants,
    models_dialogs,
    scaling_plan,
    starter,
)
from dashboard.ui.confirm import Question
from tests.faults.deed import Deed, dialog, missing
from tests.faults.deeds_account import waste
from tests.faults.deeds_runs import GOOD, good, named
from tests.faults.world import ENDPOINT, GROUP, SPARE, World, until

VARIANT = "AllTraffic"


def _endpoint(world: World, name: str) -> dict[str, Any]:
    found: dict[str, Any] = world.client("sagemaker").describe_endpoint(EndpointName=name)
    return found


def _serves(world: World, name: str) -> None:
    until(lambda: _endpoint(world, name)["EndpointStatus"] == "InService", f"{name} serves")


def _is_going(world: World, name: str) -> bool:
    return bool(missing(lambda: _endpoint(world, name))) or _endpoint(world, name)["EndpointStatus"] == "Deleting"


def _endpoints(world: World, name: str) -> int:
    found = world.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
    return sum(one["EndpointName"] == name for one in found)


def _archive(world: World) -> None:
    world.client("s3").put_object(Bucket=world.bucket, Key=starters.KEY, Body=b"a model")


def _no_starter(world: World) -> None:
    """Its archive is there, and its endpoint is not."""
    _archive(world)
    _serves(world, ENDPOINT)
    world.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
    until(lambda: bool(missing(lambda: _endpoint(world, ENDPOINT))), f"{ENDPOINT} is gone")


def _two(page: AppTest) -> None:
    page.number_input(key=f"count-{VARIANT}").set_value(2).run()


def _desired(world: World) -> int:
    found = _endpoint(world, SPARE)["ProductionVariants"][0]
    return int(found["DesiredInstanceCount"] == 2)


def _configs(world: World) -> int:
    """Configurations that the endpoint has been given after its first one."""
    found = world.client("sagemaker").list_endpoint_configs(NameContains=SPARE)["EndpointConfigs"]
    return len(found)


def _target(world: World) -> dict[str, Any]:
    found = world.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return next((one for one in found["ScalableTargets"]), {})


def _group(aws: Aws) -> Group:
    listed = next(one for one in state.groups(aws).value if one.name == GROUP)
    return state.versions(aws, listed)


def _version(aws: Aws) -> Version:
    return _group(aws).versions[0]


def _versions(world: World, group: str = GROUP) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = world.client("sagemaker").list_model_packages(ModelPackageGroupName=group)[
        "ModelPackageSummaryList"
    ]
    return listed


def _registered(world: World) -> int:
    sagemaker = world.client("sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    return sum(len(_versions(world, one["ModelPackageGroupName"])) for one in groups)


def _scale(aws: Aws, world: World) -> Question:
    return scaling_plan.question(aws, ENDPOINT, VARIANT, reference())


DEEDS = [
    Deed("register a model", "models_dialogs._draw_register",
         dialog(lambda aws, world: models_dialogs.register_question(aws, named(aws, GOOD))), _registered,
         ready=good),
    Deed("approve a version", "models_dialogs._draw_decide",
         dialog(lambda aws, world: models_dialogs.decide_question(aws, _version(aws), Approval.APPROVED)),
         lambda world: sum(one["ModelApprovalStatus"] == "Approved" for one in _versions(world))),
    Deed("delete a version", "models_dialogs._draw_take_out",
         dialog(lambda aws, world: models_dialogs.take_out_question(aws, _group(aws), _version(aws))),
         lambda world: -_registered(world)),
    Deed("deploy a model", "endpoint_deploy._action",
         dialog(lambda aws, world: endpoint_deploy.of_model(aws, named(aws, GOOD), "0123456789abcdef")),
         lambda world: len(world.client("sagemaker").list_endpoints()["Endpoints"]),
         ready=good),
    Deed("set up scaling", "scaling_plan._draw", dialog(_scale),
         lambda world: int(_target(world).get("MaxCapacity") == 3), kind="set"),
    Deed("pause scaling", "scaling_plan._draw_suspend",
         dialog(lambda aws, world: scaling_plan.suspend_question(aws, ENDPOINT, VARIANT, Suspended(True, True, True))),
         lambda world: int(_target(world).get("SuspendedState", {}).get("ScheduledScalingSuspended", False))),
    Deed("remove scaling", "scaling_plan._draw",
         dialog(lambda aws, world: scaling_plan.question(aws, ENDPOINT, VARIANT, None)),
         lambda world: int(not _target(world)), kind="remove"),
    Deed("change an endpoint's instances", "endpoint_variants._action",
         dialog(lambda aws, world: endpoint_variants.question(aws, SPARE), _two), _desired),
    Deed("shrink an endpoint", "waste_dialogs._draw", waste(Thing.ENDPOINT, Act.SHRINK, SPARE, wanted=1),
         lambda world: -_desired(world), kind=Act.SHRINK, ready=lambda world: _serves(world, SPARE)),
    Deed("update an endpoint", "endpoint_update._action",
         dialog(lambda aws, world: endpoint_update.question(aws, SPARE)), _configs,
         ready=lambda world: (_archive(world), _serves(world, SPARE))),
    Deed("delete an endpoint", "endpoint._draw_delete",
         dialog(lambda aws, world: endpoint.delete_question(aws, SPARE)),
         lambda world: int(_is_going(world, SPARE)), ready=lambda world: _serves(world, SPARE)),
    Deed("deploy the starter", "starter._draw", dialog(lambda aws, world: starter.question(aws)),
         lambda world: _endpoints(world, ENDPOINT), ready=_no_starter),
]  # fmt: skip
