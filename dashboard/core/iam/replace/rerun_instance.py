"""Launch a small instance as the trial role: it does once what its policies are for, and says what was denied."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound, Refused
from dashboard.core.iam.replace import needed, trial
from dashboard.core.iam.replace.needed import SAMPLE
from dashboard.core.iam.replace.rerun import POLL, NotRunError, Running, Told
from dashboard.core.iam.rights import Right

SECONDS = 300.0
DONE = "kennel-trial-done "
SCRIPT = """#!/bin/bash
TRIES='{tries}' REGION={region} python3 - <<'PYTHON'
import json, os
import boto3, botocore.exceptions

told = []
for service, method, asked in json.loads(os.environ["TRIES"]):
    try:
        getattr(boto3.client(service, region_name=os.environ["REGION"]), method)(**asked)
        told.append([method, asked, ""])
    except botocore.exceptions.ClientError as error:
        told.append([method, asked, error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]])
print({done!r} + json.dumps(told), flush=True)
PYTHON
"""
_OBJECT = re.compile(r"arn:[^:]*:s3:::(?P<bucket>[^/]+)/(?P<key>.+)")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
Try = tuple[str, str, dict[str, Any]]


def run(running: Running) -> Told:
    """Launch, read its console, and terminate it. Raises Refused where something was denied, NotRunError where no
    instance of the role is known or none can be launched.
    """
    like = _found(running)
    tried = tries(needed.of_policy(running.trial.documents), running.trial.name)
    trial.make_profile(running.aws, running.trial)
    script = SCRIPT.format(tries=json.dumps(tried), region=running.aws.account.region, done=DONE)
    try:
        told = running.aws.call(
            "ec2",
            "RunInstances",
            ImageId=like["ImageId"],
            InstanceType=like["InstanceType"],
            MinCount=1,
            MaxCount=1,
            UserData=script,
            IamInstanceProfile={"Name": running.trial.name},
            InstanceInitiatedShutdownBehavior="terminate",
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags.of_plan(running.trial.mark)}],
        )
    except KennelError as error:
        raise NotRunError(f"no instance can be launched here: {error.why or error.what}") from error
    instance = told["Instances"][0]["InstanceId"]
    running.later.append(_terminated(instance, tried))
    answers = _console(running, instance)
    denied = [(method, said) for method, _, said in answers if said.startswith(_DENIED)]
    if denied:
        raise Refused(
            f"{denied[0][0]} is denied on an instance under the proposed policy", denied[0][1], "add it to the proposal"
        )
    lines = [f"{method} {json.dumps(asked)[:120]}: {said or 'answered'}" for method, asked, said in answers]
    return Told(f"the instance {instance} worked as {running.trial.name}, and was denied nothing", tuple(lines[:20]))


def tries(rights: Iterable[Right], name: str) -> list[Try]:
    """What an instance can do of its rights once without harm: list, write an object of the trial's name, log, measure.

    Pure.
    """
    found: list[Try] = []
    for one in rights:
        place = _OBJECT.fullmatch(one.resource)
        if one.action == "s3:ListBucket":
            prefix = (one.context.get("s3:prefix") or ("",))[0]
            found.append(
                ("s3", "list_objects_v2", {"Bucket": one.resource.rpartition(":")[2], "Prefix": prefix, "MaxKeys": 1})
            )
        elif one.action == "s3:PutObject" and place and SAMPLE in place["key"]:
            key = place["key"].replace(SAMPLE, name)
            found.append(("s3", "put_object", {"Bucket": place["bucket"], "Key": key, "Body": "a trial"}))
        elif one.action == "cloudwatch:PutMetricData" and one.context.get("cloudwatch:namespace"):
            data = [{"MetricName": name, "Value": 1.0}]
            found.append(
                (
                    "cloudwatch",
                    "put_metric_data",
                    {"Namespace": one.context["cloudwatch:namespace"][0], "MetricData": data},
                )
            )
        elif one.action == "logs:DescribeLogStreams" and not one.resource.endswith(f":{SAMPLE}"):
            group = one.resource.partition(":log-group:")[2]
            found.append(("logs", "describe_log_streams", {"logGroupName": group, "limit": 1}))
    return found


def _found(running: Running) -> Mapping[str, Any]:
    """An instance that works as the role, for its image and type."""
    for use in running.uses:
        name = use.arn.rpartition("/")[2]
        if not name.startswith("i-"):
            continue
        try:
            told = running.aws.call("ec2", "DescribeInstances", InstanceIds=[name])
        except NotFound:
            continue
        for reservation in told["Reservations"]:
            found: Mapping[str, Any] = reservation["Instances"][0]
            return found
    raise NotRunError("no instance of it is there to launch another one like")


def _console(running: Running, instance: str) -> list[tuple[str, dict[str, Any], str]]:
    left = SECONDS
    said = ""
    while left > 0:
        said = running.aws.call("ec2", "GetConsoleOutput", InstanceId=instance).get("Output", "")
        line = next((one for one in said.splitlines() if DONE in one), "")
        if line:
            return [tuple(one) for one in json.loads(line.partition(DONE)[2])]
        running.wait()
        left -= POLL
    raise Refused(f"the instance {instance} said nothing in {SECONDS:.0f} s", said[-300:], "it was terminated")


def _terminated(instance: str, tried: Iterable[Try]) -> Callable[[Aws], tuple[str, ...]]:
    """Ends the instance and deletes what it wrote."""

    def clear(aws: Aws) -> tuple[str, ...]:
        left = [trial.gone(aws, "ec2", "TerminateInstances", InstanceIds=[instance])]
        for _, method, asked in tried:
            if method == "put_object":
                left.append(trial.gone(aws, "s3", "DeleteObject", Bucket=asked["Bucket"], Key=asked["Key"]))
        return tuple(one for one in left if one)

    return clear
