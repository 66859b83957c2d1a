"""SNS, Systems Manager and CloudTrail, and what jobs themselves call: ECR and KMS."""

from collections.abc import Callable, Iterator

from dashboard.core.iam.needs.request import Context, Needs, Request
from dashboard.core.iam.rights import Right

SNS = Needs(
    prefix="sns",
    base="arn:{partition}:sns:{region}:{account}:",
    resources={
        "*": "GetSubscriptionAttributes SetSubscriptionAttributes ListSubscriptions ListTopics Unsubscribe",
        "{TopicArn}": """
            ConfirmSubscription DeleteTopic GetTopicAttributes ListSubscriptionsByTopic SetTopicAttributes Subscribe
            AddPermission RemovePermission
        """,
        "{Name}": "CreateTopic",
        "?{TopicArn|TargetArn}": "Publish PublishBatch",  # a text message to a telephone has none
        "{ResourceArn}": "ListTagsForResource TagResource UntagResource",
    },
    actions={"PublishBatch": "Publish"},
    contexts={"Subscribe": {"sns:Endpoint": "Endpoint", "sns:Protocol": "Protocol"}},
    tagging="TagResource",
)


def _parameters(member: str) -> Callable[[Request], Iterator[Right]]:
    def rights(request: Request) -> Iterator[Right]:
        context: Context = {}
        if request.operation == "GetParametersByPath":
            context = {"ssm:Recursive": request.values("Recursive") or ("false",)}
        if request.operation == "PutParameter":
            context = {**request.context({"ssm:Overwrite": "Overwrite"}), **request.tags()}
        for name in request.values(member) or ("*",):
            arn = ":".join(name.split(":")[:6])  # a version or label may follow
            if not name.startswith("arn:"):
                plain = name.lstrip("/").partition(":")[0]
                # AWS's own parameters are of no account
                account = "" if plain.startswith("aws/service/") else None
                arn = request.arn("ssm", f"parameter/{plain}", account=account)
            yield Right(f"ssm:{request.operation}", arn, context)

    return rights


_TAGGED_KINDS = {
    "Parameter": "parameter",
    "Document": "document",
    "MaintenanceWindow": "maintenancewindow",
    "PatchBaseline": "patchbaseline",
    "ManagedInstance": "managed-instance",
    "OpsItem": "opsitem",
    "Association": "association",
    "Automation": "automation-execution",
}


def _tags(request: Request) -> Iterator[Right]:
    kind, name = _TAGGED_KINDS.get(request.value("ResourceType")), request.value("ResourceId").lstrip("/")
    arn = request.arn("ssm", f"{kind}/{name}") if kind and name else "*"
    yield Right(f"ssm:{request.operation}", arn, request.tags())


SSM = Needs(
    prefix="ssm",
    base="arn:{partition}:ssm:{region}:{account}:",
    resources={
        "*": """
            DescribeParameters DescribeMaintenanceWindows DescribePatchBaselines DescribeInstanceInformation
            GetCommandInvocation ListCommands ListCommandInvocations ListDocuments CreateMaintenanceWindow
            CreatePatchBaseline GetPatchBaselineForPatchGroup
        """,
        "document/{Name}": """
            CreateDocument DeleteDocument DescribeDocument DescribeDocumentPermission GetDocument
            ModifyDocumentPermission UpdateDocument UpdateDocumentDefaultVersion
        """,
        "maintenancewindow/{WindowId}": """
            DeleteMaintenanceWindow DescribeMaintenanceWindowTargets DescribeMaintenanceWindowTasks
            GetMaintenanceWindow DeregisterTargetFromMaintenanceWindow DeregisterTaskFromMaintenanceWindow
            RegisterTargetWithMaintenanceWindow RegisterTaskWithMaintenanceWindow
        """,
        "patchbaseline/{BaselineId}": """
            DeletePatchBaseline DeregisterPatchBaselineForPatchGroup RegisterPatchBaselineForPatchGroup
        """,
        "document/{DocumentName} ?arn:{partition}:ec2:{region}:{account}:instance/{InstanceIds}": "SendCommand",
    },
    special={
        "GetParameter": _parameters("Name"),
        "GetParameters": _parameters("Names"),
        "GetParameterHistory": _parameters("Name"),
        "GetParametersByPath": _parameters("Path"),
        "PutParameter": _parameters("Name"),
        "DeleteParameter": _parameters("Name"),
        "DeleteParameters": _parameters("Names"),
        "LabelParameterVersion": _parameters("Name"),
        "UnlabelParameterVersion": _parameters("Name"),
        "AddTagsToResource": _tags,
        "RemoveTagsFromResource": _tags,
        "ListTagsForResource": _tags,
    },
)

CLOUDTRAIL = Needs(
    prefix="cloudtrail",
    base="arn:{partition}:cloudtrail:{region}:{account}:",
    resources={
        "*": "LookupEvents DescribeTrails ListTrails ListPublicKeys",
        "trail/{Name}": """
            CreateTrail DeleteTrail GetTrail GetTrailStatus StartLogging StopLogging UpdateTrail
        """,
        "trail/{TrailName}": "GetEventSelectors PutEventSelectors GetInsightSelectors PutInsightSelectors",
        "trail/{ResourceId}": "AddTags RemoveTags",
        "trail/{ResourceIdList}": "ListTags",
    },
    tags="TagsList",
    tagging="AddTags",
)


def _repository(request: Request) -> Iterator[Right]:
    """Of this account's registry or of the one that is named: AWS's own images are in another account."""
    name, registry = request.value("repositoryName") or "*", request.value("registryId") or None
    yield Right(f"ecr:{request.operation}", request.arn("ecr", f"repository/{name}", account=registry))


ECR = Needs(
    prefix="ecr",
    base="arn:{partition}:ecr:{region}:{account}:",
    resources={
        "*": "GetAuthorizationToken",
        "repository/{repositoryNames}": "DescribeRepositories",
    },
    special=dict.fromkeys(
        (
            "BatchCheckLayerAvailability",
            "BatchGetImage",
            "GetDownloadUrlForLayer",
            "DescribeImages",
            "ListImages",
            "CreateRepository",
            "DeleteRepository",
            "PutImage",
        ),
        _repository,
    ),
)


KMS = Needs(
    prefix="kms",
    base="arn:{partition}:kms:{region}:{account}:",
    resources={
        "key/{KeyId}": "Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant",
        "*": "ListKeys ListAliases",
    },
)
