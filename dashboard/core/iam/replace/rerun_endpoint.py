"""Deploy a model once more as the trial role, on one instance, and ask it."""

from collections.abc import Callable, Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import InvalidInput, KennelError, NotFound, Refused, ServiceFault
from dashboard.core.iam.replace.picture import GREY
from dashboard.core.iam.replace.rerun import POLL, NotRunError, Running, Told
from dashboard.core.iam.replace.trial import cleared

SECONDS = 900.0
LOGS = "/aws/sagemaker/Endpoints/"
_MODEL = ("PrimaryContainer", "Containers", "InferenceExecutionConfig", "VpcConfig", "EnableNetworkIsolation")
_VARIANT = {"VariantName": "AllTraffic", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}


def run(running: Running) -> Told:
    """Deploy, wait, ask, and delete. Raises Refused when it does not serve, NotRunError when there is no model."""
    aws, name, mark = running.aws, running.trial.name, tags.of_plan(running.trial.mark)
    model, variant = _found(running)
    running.later.append(
        cleared(
            Call("sagemaker", "DeleteEndpointConfig", {"EndpointConfigName": name}, ""),
            Call("sagemaker", "DeleteModel", {"ModelName": name}, ""),
            Call("logs", "DeleteLogGroup", {"logGroupName": f"{LOGS}{name}"}, ""),
        )
    )
    running.later.append(_deleted(running, name))
    kept = {member: model[member] for member in _MODEL if model.get(member)}
    try:
        aws.call("sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=running.trial.arn, Tags=mark, **kept)
    except InvalidInput as wrong:
        raise Refused(f"the model {model['ModelName']} was not accepted", str(wrong), "mend the proposal") from wrong
    aws.call(
        "sagemaker",
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=[{**variant, "ModelName": name}],
        Tags=mark,
    )
    aws.call("sagemaker", "CreateEndpoint", EndpointName=name, EndpointConfigName=name, Tags=mark)
    _wait(running, name, model["ModelName"])
    return Told(
        f"the model {model['ModelName']} was deployed once more as {running.trial.name} and answered",
        (f"the endpoint {name}: InService, its model loaded by the trial role", _asked(running, name)),
    )


def _found(running: Running) -> tuple[dict[str, Any], dict[str, Any]]:
    """The newest model that works as the role, and the variant that it serves in, on one instance."""
    for use in running.uses:
        try:
            if ":endpoint/" not in use.arn:
                return running.aws.call("sagemaker", "DescribeModel", ModelName=use.name), dict(_VARIANT)
            told = running.aws.call("sagemaker", "DescribeEndpoint", EndpointName=use.name)
            config = running.aws.call(
                "sagemaker", "DescribeEndpointConfig", EndpointConfigName=told["EndpointConfigName"]
            )
            for variant in config["ProductionVariants"]:
                model = running.aws.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])
                if model["ExecutionRoleArn"] == running.role_arn:
                    return model, _alone(variant)
        except NotFound:
            continue
    raise NotRunError("no model of it is there any more")


def _alone(variant: Mapping[str, Any]) -> dict[str, Any]:
    """The variant with the smallest capacity that it can have."""
    if "ServerlessConfig" in variant:
        serverless = {k: v for k, v in variant["ServerlessConfig"].items() if k != "ProvisionedConcurrency"}
        return {"VariantName": "AllTraffic", "ServerlessConfig": {**serverless, "MaxConcurrency": 1}}
    return {**_VARIANT, "InstanceType": variant["InstanceType"]}


def _wait(running: Running, name: str, model: str) -> None:
    left = SECONDS
    while left > 0:
        told = running.aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        if told["EndpointStatus"] == "InService":
            return
        if told["EndpointStatus"] == "Failed":
            why = told.get("FailureReason") or "it gave no reason"
            raise Refused(f"the model {model} does not serve under the proposed policy", why, "add what it lacks")
        running.wait()
        left -= POLL
    raise Refused(f"the endpoint {name} was not in service in {SECONDS:.0f} s", "it was deleted", "see its log")


def _deleted(running: Running, name: str) -> Callable[[Aws], tuple[str, ...]]:
    """Deletes the endpoint, once SageMaker takes that (not while it is being made), and waits until it is gone."""

    def clear(aws: Aws) -> tuple[str, ...]:
        left = SECONDS
        said = ""
        while left > 0:
            try:
                status = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointStatus"]
                if status not in ("Deleting", "Creating", "Updating"):
                    aws.call("sagemaker", "DeleteEndpoint", EndpointName=name)
            except NotFound:
                return ()
            except KennelError as error:
                said = error.what
            running.sleep(POLL)
            left -= POLL
        return (f"the endpoint {name} is left over{f': {said}' if said else ''}",)

    return clear


def _asked(running: Running, name: str) -> str:
    """What came of one question. A container that does not like a grey picture was reached all the same."""
    try:
        with running.aws.translated("sagemaker-runtime", "InvokeEndpoint"):
            told = running.aws.call(
                "sagemaker-runtime", "InvokeEndpoint", EndpointName=name, ContentType="image/jpeg", Body=GREY
            )
            size = len(told["Body"].read())
    except InvalidInput as odd:
        return f"asked with a grey picture its container answered: {odd.why or odd.what}"
    except ServiceFault as fault:
        raise Refused(f"the endpoint {name} does not answer", str(fault), "see its log") from fault
    return f"asked with a grey picture it answered {size:,} bytes"
