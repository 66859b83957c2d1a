"""What each duty does in AWS as its role, whoever wrote the code: the grants that it needs for given resources. Pure.

The one place that knows: policies of functions, checks before a launch and proposals are all made from it. Sources: the
SageMaker Developer Guide ("SageMaker roles": CreateTrainingJob, CreateModel and notebook execution roles), the Lambda
Developer Guide (execution role), the Systems Manager User Guide (minimal Session Manager permissions), and what
Kennel's own training and instance packages call.
"""

from collections.abc import Iterable

from dashboard.core.iam.least.grants import Grant, Limit
from dashboard.core.iam.least.resources import Folder, Resources, log_group, repository
from dashboard.core.iam.rights import Where
from dashboard.core.iam.usage import Duty

READ, WRITE, UNDO, LIST = "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"
NEW_GROUP, NEW_STREAM, LOG, STREAMS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "logs:DescribeLogStreams",
)
TRAININGS, ENDPOINTS, NOTEBOOKS = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/Endpoints/",
    "/aws/sagemaker/NotebookInstances",
)
ENDPOINT_METRICS = "/aws/sagemaker/Endpoints"
LAMBDA_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda needs to put a function into a VPC, as in AWSLambdaVPCAccessExecutionRole; "*" is all it takes."""
_INTERFACES = (
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_NETWORK_READS = (
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)
_STOPS = ("sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance")
_SESSIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


def needs(duty: Duty, serves: Resources, where: Where) -> tuple[Grant, ...]:
    """What a role of that duty needs, in the order in which its work does it."""
    return _NEEDS[duty](serves, where)


def training(serves: Resources, where: Where) -> tuple[Grant, ...]:
    """A training job, a tuning job and its trainings: channels in, checkpoints both ways, artifacts out."""
    return (
        *_data(serves, where, "the job reads its channels, its code among them"),
        *_results(serves, where, "the job uploads its artifacts and outputs"),
        *_kept(serves, where),
        *_logs("Logs", serves.groups or (TRAININGS,), where, new=True),
        *_metrics(serves.namespaces or (TRAININGS,)),
        *_images(serves, where),
        *_keys(serves),
        *_network(serves, where),
    )


def endpoint(serves: Resources, where: Where) -> tuple[Grant, ...]:
    """A model behind an endpoint: its archive in, captured or asynchronous answers out, log, metrics."""
    prefixes = tuple(folder for folder in serves.reads if folder.prefix.endswith("/"))
    return (
        *_read("ReadModel", serves.reads, where, "the endpoint loads its model"),
        *(_listing("ListModel", prefixes, where, "models that lie unpacked are listed") if serves.kept else ()),
        *_results(serves, where, "the endpoint stores captured or asynchronous answers"),
        Grant(
            "Logs",
            (NEW_GROUP, NEW_STREAM, LOG, STREAMS),
            (f"{log_group(ENDPOINTS, where)}*",),
            why="its containers' output goes to CloudWatch Logs",
        ),
        Grant(
            "Metrics",
            ("cloudwatch:PutMetricData",),
            limits=(Limit("StringEquals", "cloudwatch:namespace", (ENDPOINT_METRICS,)),),
            why="its machines' load goes to CloudWatch",
        ),
        *_images(serves, where),
        *(
            [Grant("Tell", ("sns:Publish",), serves.topics, why="asynchronous answers are told")]
            if serves.topics
            else []
        ),
        *_keys(serves),
        *_network(serves, where),
    )


def function(serves: Resources, where: Where) -> tuple[Grant, ...]:
    """A Lambda function that asks endpoints: its questions, its own log and no other, photos that it reads."""
    own = tuple(f"{log_group(group, where)}:*" for group in serves.groups)
    asks = Grant("InvokeOneEndpoint", ("sagemaker:InvokeEndpoint",), serves.endpoints, why="the function asks it")
    logs = Grant("OwnLogs", (NEW_STREAM, LOG), own, why="the function's output goes to its log")
    new = tuple(log_group(group, where) for group in serves.new_groups)
    joins = Grant("JoinNetwork", LAMBDA_NETWORK, why="Lambda joins the function to its VPC")
    return (
        *([asks] if serves.endpoints else []),
        *([Grant("NewLog", (NEW_GROUP,), new, why="its log group is not there yet")] if new else []),
        *([logs] if own else []),
        *_read("ReadPhotos", serves.reads, where, "the function reads photos"),
        *_keys(serves),
        *([joins] if serves.in_network else []),
    )


def instance(serves: Resources, where: Where) -> tuple[Grant, ...]:
    """A training on an EC2 instance: its order, code and data in, reports, checkpoints and model out, log, metrics."""
    sessions = Grant("Sessions", _SESSIONS, why="Systems Manager opens sessions on it")
    return (
        *_data(serves, where, "the instance reads its order, its code and its data"),
        *_results(serves, where, "the instance uploads its reports and its model"),
        *_kept(serves, where),
        *(_logs("Logs", serves.groups, where, new=True) if serves.groups else ()),
        *(_metrics(serves.namespaces) if serves.namespaces else ()),
        *_images(serves, where),
        *_keys(serves),
        *([sessions] if serves.managed else []),
    )


def notebook(serves: Resources, where: Where) -> tuple[Grant, ...]:
    """A notebook instance: it starts, watches and stops trainings, reads and writes their data, and logs."""
    here = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}"
    jobs = tuple(f"{here}:training-job/{pattern}" for pattern in serves.jobs)
    runs = ("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob")
    passes = Limit("StringEquals", "iam:PassedToService", (Duty.TRAINING.service,))
    return (
        *([Grant("RunJobs", runs, jobs, why="the notebook starts and watches trainings")] if jobs else []),
        *(
            [Grant("TagOnCreate", ("sagemaker:AddTags",), jobs, why="they are tagged when they are made")]
            if jobs
            else []
        ),
        *(
            [Grant("PassTrainRole", ("iam:PassRole",), serves.roles, (passes,), "a training is given its role")]
            if serves.roles and jobs
            else []
        ),
        *_data(serves, where, "the notebook reads data"),
        *_results(serves, where, "the notebook stores data and code"),
        *(
            [
                Grant(
                    "ReadJobLogs",
                    (STREAMS, "logs:GetLogEvents"),
                    (log_group(TRAININGS, where), f"{log_group(TRAININGS, where)}:*"),
                    why="the notebook shows its trainings' output",
                )
            ]
            if jobs
            else []
        ),
        *(
            [Grant("StopItself", _STOPS, serves.notebooks, why="it stops itself when nobody works in it")]
            if serves.notebooks
            else []
        ),
        *_logs("OwnLogs", (NOTEBOOKS,), where, new=True),
        *_keys(serves),
        *_network(serves, where),
    )


_NEEDS = {
    Duty.TRAINING: training,
    Duty.ENDPOINT: endpoint,
    Duty.FUNCTION: function,
    Duty.INSTANCE: instance,
    Duty.NOTEBOOK: notebook,
}


def _data(serves: Resources, where: Where, why: str) -> tuple[Grant, ...]:
    return (*_listing("ListPrefix", serves.reads, where, why), *_read("ReadIn", serves.reads, where, why))


def _kept(serves: Resources, where: Where) -> tuple[Grant, ...]:
    why = "checkpoints are written, and read when the training goes on"
    objects = tuple(folder.objects(where.partition) for folder in serves.kept)
    both = (Grant("Checkpoints", (READ, WRITE, UNDO), objects, why=why),) if objects else ()
    return (*_listing("ListCheckpoints", serves.kept, where, why), *both)


def _results(serves: Resources, where: Where, why: str) -> tuple[Grant, ...]:
    objects = tuple(folder.objects(where.partition) for folder in serves.writes)
    return (Grant("WriteOut", (WRITE, UNDO), objects, why=why),) if objects else ()


def _read(sid: str, folders: Iterable[Folder], where: Where, why: str) -> tuple[Grant, ...]:
    objects = tuple(folder.objects(where.partition) for folder in folders)
    return (Grant(sid, (READ,), objects, why=why),) if objects else ()


def _listing(sid: str, folders: Iterable[Folder], where: Where, why: str) -> tuple[Grant, ...]:
    """One grant a bucket: which prefix may be listed is a condition, and differs by bucket."""
    by_bucket: dict[str, list[Folder]] = {}
    for folder in folders:
        by_bucket.setdefault(folder.arn(where.partition), []).append(folder)
    return tuple(Grant(sid, (LIST,), (bucket,), _prefixes(inside), why) for bucket, inside in by_bucket.items())


def _prefixes(folders: Iterable[Folder]) -> tuple[Limit, ...]:
    """None for a folder that is the whole bucket."""
    given = [folder.prefix.removesuffix("*") for folder in folders]
    if "" in given:
        return ()
    return (Limit("StringLike", "s3:prefix", tuple(f"{prefix}*" for prefix in given)),)


def _logs(sid: str, groups: Iterable[str], where: Where, *, new: bool) -> tuple[Grant, ...]:
    """On the group and on the streams in it: which of the two a right is asked for on differs by action."""
    actions = (*([NEW_GROUP] if new else []), NEW_STREAM, LOG, STREAMS)
    arns = [log_group(group, where) for group in groups]
    both = tuple(f"{arn}{end}" for arn in arns for end in ("", ":*"))
    return (Grant(sid, actions, both, why="what it writes goes to CloudWatch Logs"),)


def _metrics(namespaces: tuple[str, ...]) -> tuple[Grant, ...]:
    """PutMetricData knows no resources: the namespace is what limits it."""
    limit = Limit("StringEquals", "cloudwatch:namespace", namespaces)
    return (Grant("Metrics", ("cloudwatch:PutMetricData",), limits=(limit,), why="its metrics go to CloudWatch"),)


def _images(serves: Resources, where: Where) -> tuple[Grant, ...]:
    found = dict.fromkeys(repository(image, where.partition) for image in serves.images)
    repositories = tuple(arn for arn in found if arn)
    if not repositories:
        return ()
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
    return (
        Grant("EcrLogin", ("ecr:GetAuthorizationToken",), why="its container image is pulled"),
        Grant("EcrPull", pull, repositories, why="its container image is pulled"),
    )


def _keys(serves: Resources) -> tuple[Grant, ...]:
    """An alias is no resource of a policy: any key then, as long as it has that alias."""
    actions = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant")
    why = "its data and volumes are encrypted with this key"
    keys = tuple(key for key in serves.keys if ":alias/" not in key)
    aliases = tuple(key for key in serves.keys if ":alias/" in key)
    any_key = tuple(dict.fromkeys(f"{alias.partition(':alias/')[0]}:key/*" for alias in aliases))
    named = tuple(f"alias/{alias.partition(':alias/')[2]}" for alias in aliases)
    limit = Limit("ForAnyValue:StringEquals", "kms:ResourceAliases", named)
    return (
        *([Grant("Keys", actions, keys, why=why)] if keys else []),
        *([Grant("AliasedKeys", actions, any_key, (limit,), why)] if aliases else []),
    )


def _network(serves: Resources, where: Where) -> tuple[Grant, ...]:
    if not serves.in_network:
        return ()
    here = f"arn:{where.partition}:ec2:{where.region}:{where.account}"
    interfaces = f"{here}:network-interface/*"
    around = [f"{here}:subnet/{one}" for one in serves.subnets]
    around += [f"{here}:security-group/{one}" for one in serves.security_groups]
    why = "SageMaker joins it to its VPC"
    return (
        Grant("SeeNetwork", _NETWORK_READS, why=why),
        Grant("JoinNetwork", ("ec2:CreateNetworkInterface",), (interfaces, *around), why=why),
        Grant("Interfaces", _INTERFACES, (interfaces,), why=why),
    )
