"""The ways back of SageMaker: endpoints, versions in the registry, notebooks, tags."""

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.trail.way import Asked, Inverse, State, same, some

SERVING = "sagemaker"


def _configuration(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeEndpoint", EndpointName=asked["EndpointName"])
    pending = told.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return {"EndpointConfigName": pending or told["EndpointConfigName"]}


def _configuration_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("EndpointName",)) | dict(before)
    return [Call(SERVING, "UpdateEndpoint", of, f"gives it the configuration {of['EndpointConfigName']} again")]


def _weights(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeEndpoint", EndpointName=asked["EndpointName"])
    mine = {one["VariantName"]: one for one in asked["DesiredWeightsAndCapacities"]}
    return {
        one["VariantName"]: some(
            one,
            *(["DesiredWeight"] if "DesiredWeight" in mine[one["VariantName"]] else []),
            *(["DesiredInstanceCount"] if "DesiredInstanceCount" in mine[one["VariantName"]] else []),
        )
        for one in told.get("ProductionVariants", [])
        if one["VariantName"] in mine
    }


def _weights_back(asked: Asked, before: Asked) -> list[Call]:
    wanted = [{"VariantName": name, **one} for name, one in before.items()]
    of = {**same(asked, ("EndpointName",)), "DesiredWeightsAndCapacities": wanted}
    return [Call(SERVING, "UpdateEndpointWeightsAndCapacities", of, "shares its requests and instances as before")]


def _decision(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeModelPackage", ModelPackageName=asked["ModelPackageArn"])
    return some(told, "ModelApprovalStatus", "ApprovalDescription")


def _decision_back(asked: Asked, before: Asked) -> list[Call]:
    of = {"ModelPackageArn": asked["ModelPackageArn"], "ApprovalDescription": "", **before}
    return [Call(SERVING, "UpdateModelPackage", of, f"sets its approval to {before['ModelApprovalStatus']} again")]


def _notebook(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeNotebookInstance", NotebookInstanceName=asked["NotebookInstanceName"])
    return {"runs": told["NotebookInstanceStatus"] in ("InService", "Pending")}


def _notebook_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("NotebookInstanceName",))
    if before["runs"]:
        return [Call(SERVING, "StartNotebookInstance", of, "starts it again; it is paid by the hour from then on")]
    return [Call(SERVING, "StopNotebookInstance", of, "stops it again")]


_CONFIG = "NotebookInstanceLifecycleConfigName"


def _machine(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeNotebookInstance", NotebookInstanceName=asked["NotebookInstanceName"])
    return {"InstanceType": told["InstanceType"], "LifecycleConfigName": told.get(_CONFIG) or ""}


def _machine_back(asked: Asked, before: Asked) -> list[Call]:
    of, config = same(asked, ("NotebookInstanceName",)), before["LifecycleConfigName"]
    of |= {"InstanceType": before["InstanceType"]}
    of |= {"LifecycleConfigName": config} if config else {"DisassociateLifecycleConfig": True}
    return [Call(SERVING, "UpdateNotebookInstance", of, f"makes it {before['InstanceType']} again; its volume stays")]


def _marks(aws: Aws, asked: Asked) -> State:
    names = asked.get("TagKeys") or [one["Key"] for one in asked.get("Tags", ())]
    told = tags.of_sagemaker(aws, asked["ResourceArn"])
    return {name: told.get(name) for name in names}


def _marks_back(asked: Asked, before: Asked) -> list[Call]:
    if tags.INTERRUPT in before:
        return []  # what a mark set off does not come back with it
    of, name = same(asked, ("ResourceArn",)), asked["ResourceArn"].rpartition("/")[2]
    old = {key: value for key, value in before.items() if value is not None}
    new = [key for key in before if key not in old]
    calls = []
    if old:
        does = f"marks {name} as it was: {', '.join(old)}"
        calls.append(Call(SERVING, "AddTags", {**of, "Tags": [{"Key": k, "Value": v} for k, v in old.items()]}, does))
    if new:
        calls.append(Call(SERVING, "DeleteTags", {**of, "TagKeys": new}, f"takes off {name}: {', '.join(new)}"))
    return calls


OF_NOTEBOOK = Inverse(_notebook, _notebook_back, ("NotebookInstanceName",), "a notebook that runs is paid by the hour")
OF_MACHINE = Inverse(_machine, _machine_back, ("NotebookInstanceName",))
OF_TAGS = Inverse(_marks, _marks_back, ("ResourceArn", "Tags", "TagKeys"))
_MACHINES = "its instances are paid as those of that configuration"
OF_CONFIGURATION = Inverse(_configuration, _configuration_back, ("EndpointName",), _MACHINES)
OF_WEIGHTS = Inverse(_weights, _weights_back, ("EndpointName", "DesiredWeightsAndCapacities"))
OF_DECISION = Inverse(_decision, _decision_back, ("ModelPackageArn",))
