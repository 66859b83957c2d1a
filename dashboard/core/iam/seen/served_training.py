"""What training and tuning jobs name: channels, outputs, checkpoints, image, keys, network."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.iam.least.resources import Folder, Resources, family, folder_of, repository
from dashboard.core.iam.usage import Use
from dashboard.core.runs.images import training_image

CODE, CHECKPOINTS, RUNS, MODELS = "code/", "checkpoints/", "runs/", "models/"
SDK_CODE = f"{RUNS}code/"
"""Where the SageMaker SDK puts the code of a training that it launches with these outputs: one of the ways that Kennel
shows a launch as code."""
OWN = (SDK_CODE, CODE, CHECKPOINTS, RUNS, MODELS)
"""Folders of Kennel's bucket that every training and deployment of it uses as a whole."""
SUBMITTED = "sagemaker_submit_directory"
"""The hyperparameter by which AWS's images are told where a script lies."""
_ANY_TYPE = "ml.m5.large"


def look(aws: Aws, use: Use, role_arn: str) -> Resources:
    """Raises the errors of `Aws.call`."""
    if ":hyper-parameter-tuning-job/" in use.arn:
        name = {"HyperParameterTuningJobName": use.name}
        told = aws.call("sagemaker", "DescribeHyperParameterTuningJob", **name)
        several = [told.get("TrainingJobDefinition") or {}, *told.get("TrainingJobDefinitions", [])]
        return Resources.joined(of_job(one, use.name, aws.account) for one in several)
    return of_job(aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=use.name), use.name, aws.account)


def of_job(told: Mapping[str, Any], name: str, account: Account) -> Resources:
    """Of DescribeTrainingJob's answer, or of a tuning job's TrainingJobDefinition. Pure."""
    keys = [told.get("OutputDataConfig", {}).get("KmsKeyId"), told.get("ResourceConfig", {}).get("VolumeKmsKeyId")]
    network = told.get("VpcConfig") or {}
    image = told.get("AlgorithmSpecification", {}).get("TrainingImage")
    kept = (told.get("CheckpointConfig") or {}).get("S3Uri")
    return Resources(
        reads=tuple(source(uri, name, account) for uri in _read(told)),
        writes=tuple(folder(uri, name, account) for uri in _written(told)),
        kept=(folder(kept, name, account),) if kept else (),
        images=(image,) if image else (),
        keys=tuple(key_arn(key, account) for key in keys if key),
        subnets=tuple(network.get("Subnets", ())),
        security_groups=tuple(network.get("SecurityGroupIds", ())),
    )


def common(account: Account, serves: Resources) -> Resources:
    """What any training that Kennel launches needs besides: its code, its folders, and the region's own image where
    none of the jobs names one in a registry.
    """
    ours = any(folder.bucket == account.bucket for folder in (*serves.reads, *serves.writes))
    images = serves.images
    return Resources(
        reads=(Folder(account.bucket, CODE), Folder(account.bucket, SDK_CODE)) if ours else (),
        writes=(Folder(account.bucket, RUNS),) if ours else (),
        kept=(Folder(account.bucket, CHECKPOINTS),) if ours else (),
        images=() if any(repository(image) for image in images) else default_image(account.region),
    )


def default_image(region: str) -> tuple[str, ...]:
    """AWS's own image in the registry of this region, from the SageMaker SDK's table; () where it lists none."""
    try:
        return (training_image(region, _ANY_TYPE),)
    except (InvalidInput, ServiceFault):
        return ()


def folder(uri: str, name: str, account: Account) -> Folder:
    """The folder that an address of a job or model stands for, for the next one too."""
    whole = OWN if uri.removeprefix("s3://").startswith(f"{account.bucket}/") else ()
    return folder_of(uri, name, whole)


def source(uri: str, name: str, account: Account) -> Folder:
    """The same for what is read: data may be named like a job by chance. Only a name that a tool made is a sign."""
    return folder(uri, name if family(name) != name else "", account)


def key_arn(key: str, account: Account) -> str:
    """The ARN of a KMS key, or of its alias, that a request names by id, alias or ARN."""
    if key.startswith("arn:"):
        return key
    named = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{account.partition}:kms:{account.region}:{account.account_id}:{named}"


def _read(told: Mapping[str, Any]) -> Iterator[str]:
    for channel in told.get("InputDataConfig") or ():
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        if source.get("S3Uri"):
            yield source["S3Uri"]
    script = (told.get("HyperParameters") or told.get("StaticHyperParameters") or {}).get(SUBMITTED, "").strip('"')
    if script.startswith("s3://"):
        yield script


def _written(told: Mapping[str, Any]) -> Iterator[str]:
    for part in ("OutputDataConfig", "DebugHookConfig", "ProfilerConfig", "TensorBoardOutputConfig"):
        uri = (told.get(part) or {}).get("S3OutputPath")
        if uri:
            yield uri
