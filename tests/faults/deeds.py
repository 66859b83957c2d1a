"""What a person can do from the pages: where it is asked for, what it leaves in the account, and how one counts it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from streamlit.testing.v1 import AppTest

from dashboard.ui.page import Place
from tests.faults.world import ACCOUNT, ENDPOINT, FUNCTION, GROUP, RUNNING, SPARE, World, until
from tests.local_aws.sagemaker_world import training_request

Page = AppTest


@dataclass(frozen=True)
class Deed:
    """One thing that a person can do. fill_page: what is put into the page's fields; click: the keys
    of what opens its dialog, in order; fill: what is then put into those of the dialog.

    count: how often it happened, seen in the account without Kennel. ready: makes what it needs, each time anew.
    """

    name: str
    place: Place
    click: tuple[str, ...]
    count: Callable[[World], int]
    query: dict[str, str] = field(default_factory=dict)
    ready: Callable[[World], None] = lambda world: None
    fill_page: Callable[[AppTest], None] = lambda page: None
    fill: Callable[[AppTest], None] = lambda page: None


def missing(look: Callable[[], Any]) -> int:
    """1 for what is gone, 0 while it is there."""
    try:
        look()
    except ClientError:
        return 1
    return 0


def there(look: Callable[[], Any]) -> int:
    return 1 - missing(look)


def endpoints(world: World, prefix: str) -> int:
    found = world.client("sagemaker").list_endpoints(NameContains=prefix)["Endpoints"]
    return sum(one["EndpointName"].startswith(prefix) for one in found)


def jobs(world: World, prefix: str) -> int:
    return len(world.client("sagemaker").list_training_jobs(NameContains=prefix)["TrainingJobSummaries"])


def typed(key: str, value: str) -> Callable[[AppTest], None]:
    def fill(page: AppTest) -> None:
        page.text_input(key=key).set_value(value).run()

    return fill


def _launch(page: AppTest) -> None:
    page.text_input(key="train-name").set_value("faulty-launch").run()


def _running(world: World) -> None:
    """The run to be stopped; a new one where the last was."""
    sagemaker = world.client("sagemaker")
    if sagemaker.describe_training_job(TrainingJobName=RUNNING)["TrainingJobStatus"] != "InProgress":
        raise AssertionError("it was stopped already")


def _deletable(world: World) -> None:
    sagemaker = world.client("sagemaker")
    if missing(lambda: sagemaker.describe_training_job(TrainingJobName="to-delete")):
        sagemaker.create_training_job(
            **training_request("to-delete", "true", OutputDataConfig={"S3OutputPath": f"s3://{world.bucket}/runs/"})
        )
    until(
        lambda: (
            sagemaker.describe_training_job(TrainingJobName="to-delete")["TrainingJobStatus"]
            not in ("InProgress", "Stopping")
        ),
        "the run to delete has ended",
    )


def _stopped(world: World) -> int:
    found = world.client("sagemaker").describe_training_job(TrainingJobName=RUNNING)["TrainingJobStatus"]
    return int(found in ("Stopping", "Stopped"))


def _spare(world: World) -> int:
    return missing(lambda: world.client("sagemaker").describe_endpoint(EndpointName=SPARE))


def _versions(world: World) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = world.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)[
        "ModelPackageSummaryList"
    ]
    return listed


def _target(world: World) -> int:
    found = world.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return sum(one["MaxCapacity"] == 2 for one in found["ScalableTargets"])


def _review_scaling(page: AppTest) -> None:
    for each in page.number_input:
        if each.key and each.key.startswith("scaling-max"):
            each.set_value(2)
    page.run()


def _budgets(world: World) -> int:
    return len(world.client("budgets").describe_budgets(AccountId=ACCOUNT).get("Budgets", []))


def _limit(page: AppTest) -> None:
    field_ = next(one for one in page.number_input if str(one.key).startswith("budget-limit"))
    field_.set_value(25.0).run()


def _functions(world: World) -> int:
    names = [one["FunctionName"] for one in world.client("lambda").list_functions()["Functions"]]
    return sum(name.endswith("-photos") for name in names)


def _reserved(world: World) -> int:
    found = world.client("lambda").get_function_concurrency(FunctionName=FUNCTION)
    return int(found.get("ReservedConcurrentExecutions") == 3)


def _reserve(page: AppTest) -> None:
    key = next(one.key for one in page.toggle if str(one.key).startswith("concurrency-has-"))
    page.toggle(key=key).set_value(True).run()
    reserved = next(one for one in page.number_input if str(one.key).startswith("concurrency-reserved-"))
    reserved.set_value(3).run()


def _invoked_by_all(world: World) -> int:
    return there(lambda: world.client("lambda").get_policy(FunctionName=FUNCTION))


DEEDS = [
    Deed("launch a training", Place.TRAIN, ("review-launch",), lambda world: jobs(world, "faulty-launch"),
         fill_page=_launch),
    Deed("stop a run", Place.RUN, ("stop-run",), _stopped, {"run": RUNNING}, _running),
    Deed("delete a run", Place.RUN, ("delete-run",),
         lambda world: missing(lambda: world.client("sagemaker").describe_training_job(TrainingJobName="to-delete")),
         {"run": "to-delete"}, _deletable),
    Deed("approve a version", Place.MODELS, ("approve-version",),
         lambda world: sum(one["ModelApprovalStatus"] == "Approved" for one in _versions(world)), {"model": GROUP}),
    Deed("deploy a function", Place.FUNCTIONS, ("deploy-function",), _functions),
    Deed("reserve concurrency", Place.FUNCTION, ("concurrency-review",), _reserved,
         {"function": FUNCTION, "part": "Concurrency"}, fill_page=_reserve),
    Deed("set up scaling", Place.SCALING, ("scaling-review",), _target, {"endpoint": ENDPOINT},
         fill_page=_review_scaling),
    Deed("set a budget", Place.COSTS, ("budget-set",), _budgets, fill=_limit),
    Deed("delete an endpoint", Place.ENDPOINT, ("delete-endpoint",), _spare, {"endpoint": SPARE}),
    Deed("delete a function", Place.FUNCTION, ("delete-function",),
         lambda world: missing(lambda: world.client("lambda").get_function(FunctionName=FUNCTION)),
         {"function": FUNCTION}),
]  # fmt: skip
