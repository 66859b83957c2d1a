"""What models and endpoints name: archives, images, captured and asynchronous answers, keys, network."""

from collections.abc import Mapping
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.iam.least.resources import Folder, Resources, repository
from dashboard.core.iam.seen.served_training import MODELS, RUNS, folder, key_arn
from dashboard.core.iam.usage import Use
from dashboard.core.parallel import gather
from dashboard.core.runs.images import inference_image

_ANY_TYPE = "ml.m5.large"


def look(aws: Aws, use: Use, role_arn: str) -> Resources:
    """Of a model, or of an endpoint with those of its models that work as the role. Raises the errors of `Aws.call`."""
    if ":endpoint/" not in use.arn:
        return of_model(aws.call("sagemaker", "DescribeModel", ModelName=use.name), aws.account)
    config = aws.call("sagemaker", "DescribeEndpoint", EndpointName=use.name)["EndpointConfigName"]
    told = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=config)
    variants = [*told["ProductionVariants"], *told.get("ShadowProductionVariants", ())]
    names = dict.fromkeys(one["ModelName"] for one in variants if one.get("ModelName"))
    models = gather(lambda name: aws.call("sagemaker", "DescribeModel", ModelName=name), names)
    own = [of_model(one, aws.account) for one in models if one.get("ExecutionRoleArn") == role_arn]
    return Resources.joined([of_config(told, use.name, aws.account), *own])


def of_model(told: Mapping[str, Any], account: Account) -> Resources:
    """Of DescribeModel's answer. Pure."""
    containers = [one for one in (told.get("PrimaryContainer"), *(told.get("Containers") or ())) if one]
    name = str(told.get("ModelName", ""))
    archives = [one["ModelDataUrl"] for one in containers if one.get("ModelDataUrl")]
    unpacked = [
        uri for one in containers if (uri := (one.get("ModelDataSource") or {}).get("S3DataSource", {}).get("S3Uri"))
    ]
    network = told.get("VpcConfig") or {}
    folders = tuple(_archive(uri, name, account) for uri in archives)
    whole = tuple(folder(uri, name, account) for uri in unpacked)
    return Resources(
        reads=(*folders, *whole),
        kept=whole,
        images=tuple(one["Image"] for one in containers if one.get("Image")),
        subnets=tuple(network.get("Subnets", ())),
        security_groups=tuple(network.get("SecurityGroupIds", ())),
    )


def of_config(told: Mapping[str, Any], name: str, account: Account) -> Resources:
    """Of DescribeEndpointConfig's answer. Pure."""
    capture = (told.get("DataCaptureConfig") or {}).get("DestinationS3Uri")
    output = (told.get("AsyncInferenceConfig") or {}).get("OutputConfig", {})
    writes = [uri for uri in (capture, output.get("S3OutputPath"), output.get("S3FailurePath")) if uri]
    keys = [told.get("KmsKeyId"), output.get("KmsKeyId"), (told.get("DataCaptureConfig") or {}).get("KmsKeyId")]
    topics = (output.get("NotificationConfig") or {}).values()
    return Resources(
        writes=tuple(folder(uri, name, account) for uri in writes),
        keys=tuple(key_arn(key, account) for key in keys if key),
        topics=tuple(str(topic) for topic in topics if str(topic).startswith("arn:")),
    )


def common(account: Account, serves: Resources) -> Resources:
    """What any deployment of Kennel needs besides: the region's own image where no model names one in a registry, and
    the two folders that models lie in.
    """
    ours = any(one.bucket == account.bucket for one in serves.reads)
    images: tuple[str, ...] = ()
    if not any(repository(image) for image in serves.images):
        try:
            images = (inference_image(account.region, _ANY_TYPE),)
        except (InvalidInput, ServiceFault):
            images = ()  # the SDK's table has no image for this region, so that nothing is pulled from there
    return Resources(
        reads=(Folder(account.bucket, RUNS), Folder(account.bucket, MODELS)) if ours else (), images=images
    )


def _archive(uri: str, name: str, account: Account) -> Folder:
    """The folder of an archive; of a training's output, that of the outputs of all its kind."""
    found = folder(uri, name, account)
    if not found.prefix.endswith(".tar.gz"):
        return found
    steps = found.prefix.split("/")
    above = steps[:-3] if len(steps) > 2 and steps[-2] == "output" else steps[:-1]
    return Folder(found.bucket, "/".join(above) + "/") if above else found
