"""What a person does with trainings."""

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.runs.model import Run
from dashboard.core.runs.window import Window
from dashboard.ui import launch, run_actions, run_repeat
from dashboard.ui.confirm import Question
from tests.faults.deed import Deed, dialog, missing
from tests.faults.world import DATASET, RUNNING, TAGS, World, until
from tests.local_aws.sagemaker_world import training_request

ENDED, SPOT, GOOD = "to-delete", "on-spot", "has-model"


def named(aws: Aws, name: str) -> Run:
    return next(one for one in state.runs(aws, Window.ALL).value if one.name == name)


def _jobs(world: World, prefix: str) -> int:
    return len(world.client("sagemaker").list_training_jobs(NameContains=prefix)["TrainingJobSummaries"])


def _make(world: World, name: str, script: str, **more: object) -> None:
    sagemaker = world.client("sagemaker")
    if missing(lambda: sagemaker.describe_training_job(TrainingJobName=name)):
        asked = {"OutputDataConfig": {"S3OutputPath": f"s3://{world.bucket}/runs/"}, "Tags": TAGS[:1], **more}
        sagemaker.create_training_job(**training_request(name, script, **asked))


def _ended(world: World) -> None:
    _make(world, ENDED, "true")
    until(lambda: _status(world, ENDED)[0] not in ("InProgress", "Stopping"), "the run to delete has ended")


def good(world: World) -> None:
    """A run that has a model to deploy."""
    _make(world, GOOD, "echo weights > $SM_MODEL_DIR/weights")
    until(lambda: _status(world, GOOD)[0] == "Completed", "the run that has a model has ended")


def _on_spot(world: World) -> None:
    times = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    _make(world, SPOT, "sleep 900", EnableManagedSpotTraining=True, StoppingCondition=times)
    until(lambda: _status(world, SPOT)[1] == "Training", "the run on spot instances trains")


def _status(world: World, name: str) -> tuple[str, str]:
    found = world.client("sagemaker").describe_training_job(TrainingJobName=name)
    return found["TrainingJobStatus"], found["SecondaryStatus"]


def _marks(world: World) -> int:
    arn = world.client("sagemaker").describe_training_job(TrainingJobName=SPOT)["TrainingJobArn"]
    return sum(one["Key"] == "kennel:interrupt" for one in world.client("sagemaker").list_tags(ResourceArn=arn)["Tags"])


def _repeat(aws: Aws, world: World) -> Question:
    return run_repeat.repeat(aws, [named(aws, RUNNING)], lambda: None)


def _launch(aws: Aws, world: World) -> Question:
    return launch.question(aws, run_repeat._plan(aws, named(aws, RUNNING)))


DEEDS = [
    Deed("launch a training", "launch._draw", dialog(_launch), lambda world: _jobs(world, DATASET)),
    Deed("train again", "run_repeat._draw", dialog(_repeat), lambda world: _jobs(world, DATASET)),
    Deed("interrupt a run", "run_actions._draw_interrupt",
         dialog(lambda aws, world: run_actions.interrupt(aws, named(aws, SPOT))), _marks, ready=_on_spot),
    Deed("stop a run", "run_actions._draw_stop",
         dialog(lambda aws, world: run_actions.stop(aws, named(aws, RUNNING))),
         lambda world: int(_status(world, RUNNING)[0] in ("Stopping", "Stopped"))),
    Deed("delete a run", "run_actions._draw_delete",
         dialog(lambda aws, world: run_actions.remove(aws, [named(aws, ENDED)])),
         lambda world: missing(lambda: _status(world, ENDED)), ready=_ended),
]  # fmt: skip
