"""CloudFormation: rights on stacks. What a stack is made of is asked for in the caller's name, one right at a time.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS CloudFormation".
"""

from collections.abc import Iterator

from dashboard.core.iam.needs.request import Needs, Request
from dashboard.core.iam.rights import ANYTHING, Right

_CHANGE_SETS = ("CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet", "ExecuteChangeSet")
_STACKS = (
    "CreateStack",
    "DeleteStack",
    "DescribeStackEvents",
    "DescribeStackResources",
    "DescribeStacks",
    "GetTemplate",
    "ListChangeSets",
    "UpdateStack",
)
_TAGGED = ("CreateChangeSet", "CreateStack", "UpdateStack")
_WITH_ROLE = ("CreateChangeSet", "CreateStack", "DeleteStack", "UpdateStack")
SERVICE = "cloudformation.amazonaws.com"


def _stack(request: Request) -> Iterator[Right]:
    """A change set that is named by its own ARN may be of any stack."""
    named, operation = request.value("StackName"), request.operation
    arn = named if named.startswith("arn:") else request.arn("cloudformation", f"stack/{named or ANYTHING}/*")
    context = request.tags() if operation in _TAGGED else {}
    if operation in _CHANGE_SETS:
        context |= request.context({"cloudformation:ChangeSetName": "ChangeSetName"})
    if operation in _WITH_ROLE:
        context |= request.context({"cloudformation:RoleArn": "RoleARN"})
    if operation in ("CreateChangeSet", "CreateStack", "UpdateStack"):
        context |= request.context(
            {"cloudformation:TemplateUrl": "TemplateURL", "cloudformation:ResourceTypes": "ResourceTypes"}
        )
    yield Right(f"cloudformation:{operation}", arn, context)
    if operation in _WITH_ROLE:
        yield from request.passes(request.value("RoleARN"), SERVICE)


def _summary(request: Request) -> Iterator[Right]:
    """Of a template, or of a stack that is there."""
    if request.value("StackName"):
        yield from _stack(request)
    else:
        yield Right("cloudformation:GetTemplateSummary", ANYTHING)


CLOUDFORMATION = Needs(
    prefix="cloudformation",
    base="arn:{partition}:cloudformation:{region}:{account}:",
    resources={"*": "ListStacks ValidateTemplate"},
    special={**dict.fromkeys((*_CHANGE_SETS, *_STACKS), _stack), "GetTemplateSummary": _summary},
)
