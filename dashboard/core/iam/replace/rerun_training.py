"""Train once more as the trial role: its newest job that completed, for one epoch, its results beside its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError, NotFound, Refused
from dashboard.core.iam.replace.rerun import POLL, NotRunError, Running, StoppedError, Told
from dashboard.core.runs.delete import delete_objects
from dashboard.core.s3_address import parts

MOST_JOBS = 25
"""So many of the newest jobs are looked at for one that completed."""
SECONDS = 900
"""The longest that it may train."""
EPOCHS = ("epochs", "num_epochs", "max_epochs", "num_train_epochs")
NUMBERS = b"1,2.1\n2,3.9\n3,6.2\n4,7.8\n5,10.1\n"
FIT = b"""set -e
awk -F, '
  { n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2 }
  END { slope = (n * xy - x * y) / (n * xx - x * x); print "slope=" slope, "intercept=" (y - slope * x) / n }
' /opt/ml/input/data/training/numbers.csv > /opt/ml/model/line.txt
cat /opt/ml/model/line.txt
"""
"""The least training that there is: a line through a few points, by least squares, with what every image has."""
_KEPT = ("InputDataConfig", "OutputDataConfig", "VpcConfig", "EnableNetworkIsolation",
         "EnableInterContainerTrafficEncryption", "Environment")  # fmt: skip
_ENDED = ("Completed", "Failed", "Stopped")


def run(running: Running) -> Told:
    """Train and wait. Raises Refused when the job fails, NotRunError when there is none to run again."""
    job, is_recording, passed_over = _newest(running.aws, running)
    request = small(job, running.trial.name, running.trial.arn, running.trial.mark)
    if is_recording:
        request = _made_up(running, request)
    running.later.append(_cleared(request))
    try:
        running.aws.call("sagemaker", "CreateTrainingJob", **request)
    except InvalidInput as wrong:
        raise Refused(
            f"the job {request['TrainingJobName']} was not accepted", str(wrong), "mend the proposal"
        ) from wrong
    told = _wait(running, request["TrainingJobName"])
    if told["TrainingJobStatus"] != "Completed":
        why = told.get("FailureReason") or "it gave no reason"
        raise Refused(
            f"the job {job['TrainingJobName']} fails under the proposed policy",
            why,
            "add what it lacks to the proposal",
        )
    artifact = told.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    what = f"the training {job['TrainingJobName']} ran once more"
    if is_recording:
        what = f"a small training in the place of {job['TrainingJobName']}, which is a recording, ran"
    return Told(
        f"{what} as {running.trial.name} and completed",
        (
            _why(job, passed_over),
            f"{told['TrainingJobName']}: Completed after {told.get('TrainingTimeInSeconds', 0)} s of training",
            f"its model was written to {artifact}" if artifact else "it wrote no model",
        ),
    )


def small(job: Mapping[str, Any], name: str, role_arn: str, mark: str) -> dict[str, Any]:
    """The request for a short job like `job` (DescribeTrainingJob's answer), under another name and role. Pure."""
    algorithm = {key: value for key, value in job["AlgorithmSpecification"].items() if value}
    values = {key: "1" if key in EPOCHS else value for key, value in job.get("HyperParameters", {}).items()}
    made: dict[str, Any] = {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": algorithm,
        **({"HyperParameters": values} if values else {}),
        **{member: job[member] for member in _KEPT if job.get(member)},
        "ResourceConfig": {
            key: value for key, value in job["ResourceConfig"].items() if key != "KeepAlivePeriodInSeconds"
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": min(SECONDS, job["StoppingCondition"]["MaxRuntimeInSeconds"])},
        "Tags": [*tags.of_plan(mark), {"Key": tags.PROOF, "Value": name}],
    }
    if job.get("CheckpointConfig"):
        place = f"{job['CheckpointConfig']['S3Uri'].rstrip('/')}/{name}/"
        made["CheckpointConfig"] = {**job["CheckpointConfig"], "S3Uri": place}
    return made


def made_up(request: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """In the place of a job of which there is a recording only: one that fits a line to a few numbers, which lie below
    its first channel; the request, and where they lie. Raises NotRunError for a job without a channel. Pure.
    """
    channels = [one for one in request.get("InputDataConfig", ()) if "S3DataSource" in one["DataSource"]]
    if not channels:
        raise NotRunError("its newest job is a recording without any data")
    source = channels[0]["DataSource"]["S3DataSource"]
    place = f"{source['S3Uri'].rstrip('/')}/{request['TrainingJobName']}/"
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": place, "S3DataDistributionType": "FullyReplicated"}}
    algorithm = {
        "TrainingImage": request["AlgorithmSpecification"].get("TrainingImage", "kennel/trial"),
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", "/opt/ml/input/data/training/fit.sh"],
    }
    made = {name: value for name, value in request.items() if name not in ("HyperParameters", "VpcConfig")}
    made["AlgorithmSpecification"] = algorithm
    made["InputDataConfig"] = [{"ChannelName": "training", "DataSource": data}]
    made["ResourceConfig"] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return made, place


def _made_up(running: Running, request: Mapping[str, Any]) -> dict[str, Any]:
    made, place = made_up(request)
    bucket, key = parts(place)
    running.later.append(_deleted(place))
    try:
        for name, body in (("numbers.csv", NUMBERS), ("fit.sh", FIT)):
            running.aws.call("s3", "PutObject", Bucket=bucket, Key=f"{key}{name}", Body=body)
    except NotFound as absent:
        raise NotRunError(f"its newest job is a recording, and its bucket {bucket} is not here") from absent
    return made


def _newest(aws: Aws, running: Running) -> tuple[dict[str, Any], bool, int]:
    """The newest job of the role that completed, or, where all that did are recordings, the newest of these; whether it
    is a recording; and how many newer ones did not complete. What failed before would fail again for its own reasons.
    """
    recording, others = None, 0
    for told in _jobs(aws, running):
        if told["TrainingJobStatus"] != "Completed":
            others += 1
        elif tags.REPLAY not in tags.of_sagemaker(aws, told["TrainingJobArn"]):
            return told, False, others
        else:
            recording = recording or (told, True, others)
    if recording is not None:
        return recording
    if others:
        newest = f"its newest {others} did" if others > 1 else "its one job did"
        raise NotRunError(f"no training job that completed is known of it: {newest} not")
    raise NotRunError("no training job of it is known")


def _why(job: Mapping[str, Any], passed_over: int) -> str:
    """Which job was chosen, and why that."""
    ended = job.get("TrainingEndTime")
    when = f" ({ended:%Y-%m-%d %H:%M} UTC)" if ended else ""
    newer = f"; {passed_over} newer did not" if passed_over else ""
    return f"{job['TrainingJobName']}{when} is its newest job that completed{newer}"


def _jobs(aws: Aws, running: Running) -> Iterator[dict[str, Any]]:
    for use in [one for one in running.uses if ":training-job/" in one.arn][:MOST_JOBS]:
        try:
            told = aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=use.name)
        except NotFound:
            continue
        if told["RoleArn"] == running.role_arn:
            yield told


def _wait(running: Running, name: str) -> dict[str, Any]:
    left = float(SECONDS * 2)
    try:
        while left > 0:
            told = running.aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
            if told["TrainingJobStatus"] in _ENDED:
                return told
            running.wait()
            left -= POLL
    except StoppedError:
        _stop(running.aws, name)
        raise
    _stop(running.aws, name)
    raise Refused(f"the job {name} did not end in {2 * SECONDS} s", "it was stopped", "see its log")


def _stop(aws: Aws, name: str) -> None:
    try:
        aws.call("sagemaker", "StopTrainingJob", TrainingJobName=name)
    except (InvalidInput, NotFound):
        return  # it has ended by itself


def _cleared(request: Mapping[str, Any]) -> Callable[[Aws], tuple[str, ...]]:
    """Deletes what the job wrote. SageMaker keeps its record, as of every job."""
    places = [f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/"]
    if "CheckpointConfig" in request:
        places.append(request["CheckpointConfig"]["S3Uri"])
    return _deleted(*places)


def _deleted(*places: str) -> Callable[[Aws], tuple[str, ...]]:
    """Deletes all below some places of S3; it tells what is left."""

    def clear(aws: Aws) -> tuple[str, ...]:
        left = []
        for place in places:
            try:
                delete_objects(aws, place)
            except KennelError as error:
                left.append(f"{place} is left over: {error.what}")
        return tuple(left)

    return clear
