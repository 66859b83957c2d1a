"""The roles of the reference projects in the sample account: what their write-ups say they gave, risks and all.

Four of the five ran everything as one role with FullAccess (here `DogProject`), gave their functions
AmazonSageMakerFullAccess, and left old roles and policies behind; the fifth wrote one policy for one endpoint, which is
how it should be. Nothing here is done to the account's own roles. A role that should be old says since when in its tag
`kennel:replay`, which the embedded AWS takes for the day it was made.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

MANAGED = "arn:aws:iam::aws:policy/"
SHARED, TRAINING, BROAD_FUNCTION, GOOD_FUNCTION = "DogProject", "DogTraining", "DogInferLambda", "DogInferOneEndpoint"
OLD, PARTNER, LEFT_POLICY = "DogNotebookOld", "DogPartner", "DogOldS3"
OTHER_ACCOUNT = "444455556666"
"""One of the numbers that AWS's documentation uses for accounts that are nobody's."""
OLD_DAYS = 420
SAGEMAKER, EC2, LAMBDA = "sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"
FUNCTIONS = {"dog-infer": BROAD_FUNCTION, "dog-infer-one": GOOD_FUNCTION}
"""Functions by name, each with its role."""
PACKAGE = Path(__file__).resolve().parents[1] / "lambda_fn"
ALIAS = "live"


@dataclass(frozen=True)
class SampleRoles:
    """connect: boto3 clients; marks: the tags of everything that is a sample; endpoint: the one that functions ask."""

    connect: Callable[[str], Any]
    account: str
    region: str
    marks: Mapping[str, str]
    now: datetime
    endpoint: str

    def make(self) -> int:
        """Make the roles and policies that are not there yet; how many. Raises botocore's errors."""
        shared = _trust(SAGEMAKER, EC2, LAMBDA)
        partner = {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}
        made = [
            self._role(SHARED, shared, "AmazonSageMakerFullAccess", "AmazonS3FullAccess"),
            self._role(TRAINING, _trust(SAGEMAKER), "AmazonSageMakerFullAccess", "AmazonS3FullAccess"),
            self._role(
                BROAD_FUNCTION,
                _trust(LAMBDA),
                "service-role/AWSLambdaBasicExecutionRole",
                "AmazonSageMakerFullAccess",
            ),
            self._role(GOOD_FUNCTION, _trust(LAMBDA), inline=self._one_endpoint()),
            self._role(OLD, _trust(SAGEMAKER), "AdministratorAccess", days_old=OLD_DAYS),
            self._role(PARTNER, _statement(partner), "AmazonS3ReadOnlyAccess"),
            self._left_policy(),
        ]
        self._profile()
        return sum(made)

    def uses(self, model_data: str, image: str) -> None:
        """Give the shared role a model and the two roles of functions their functions. Raises botocore's errors.

        model_data: an archive in S3 that is there.
        """
        self._model(model_data, image)
        for function, role in FUNCTIONS.items():
            self._function(function, role)

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"

    def _tags(self, **more: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in {**self.marks, **more}.items()]

    def _role(
        self,
        name: str,
        trust: Mapping[str, Any],
        *managed: str,
        inline: Mapping[str, Any] | None = None,
        days_old: int = 0,
    ) -> bool:
        """One role with its policies; whether it was made now. One that has a policy stays as somebody left it."""
        iam = self.connect("iam")
        replay = {"kennel:replay": f"{self._ago(days_old):%Y-%m-%dT%H:%M:%SZ}"} if days_old else {}
        try:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=self._tags(**replay))
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
            attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            if attached or iam.list_role_policies(RoleName=name)["PolicyNames"]:
                return False
        for policy in managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=MANAGED + policy)
        if inline:
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(inline))
        return True

    def _ago(self, days: int) -> datetime:
        return self.now.astimezone(UTC) - timedelta(days=days)

    def _one_endpoint(self) -> dict[str, Any]:
        """The good one: it asks one endpoint and writes its own log."""
        where = f"{self.region}:{self.account}"
        asks = {
            "Effect": "Allow",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": f"arn:aws:sagemaker:{where}:endpoint/{self.endpoint}",
        }
        own = next(function for function, role in FUNCTIONS.items() if role == GOOD_FUNCTION)
        logs = {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:{where}:log-group:/aws/lambda/{own}:*",
        }
        return {"Version": "2012-10-17", "Statement": [asks, logs]}

    def _left_policy(self) -> bool:
        """A policy that nothing has any more."""
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        try:
            self.connect("iam").create_policy(
                PolicyName=LEFT_POLICY,
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
                Tags=self._tags(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
            return False
        return True

    def _profile(self) -> None:
        iam = self.connect("iam")
        try:
            iam.create_instance_profile(InstanceProfileName=SHARED, Tags=self._tags())
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
            return
        iam.add_role_to_instance_profile(InstanceProfileName=SHARED, RoleName=SHARED)

    def _model(self, model_data: str, image: str) -> None:
        sagemaker = self.connect("sagemaker")
        try:
            sagemaker.create_model(
                ModelName="project-a-model",
                ExecutionRoleArn=self.arn(SHARED),
                PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
                Tags=self._tags(),
            )
        except ClientError as error:
            if "already existing" not in error.response["Error"].get("Message", ""):
                raise

    def _function(self, name: str, role: str) -> None:
        functions, logs = self.connect("lambda"), self.connect("logs")
        group = f"/aws/lambda/{name}"
        try:
            logs.create_log_group(logGroupName=group, tags=dict(self.marks))
            logs.put_retention_policy(logGroupName=group, retentionInDays=30)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        try:
            functions.create_function(
                FunctionName=name,
                Runtime="python3.12",
                Handler="lambda_fn.handler.lambda_handler",
                Role=self.arn(role),
                Code={"ZipFile": _zipped()},
                MemorySize=512,
                Timeout=60,
                Environment={"Variables": {"ENDPOINT_NAME": self.endpoint}},
                Publish=True,
                Tags=dict(self.marks),
            )
            functions.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceConflictException":
                raise


def _statement(principal: Mapping[str, Any]) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def _trust(*services: str) -> dict[str, Any]:
    """Who may act as the role: these services, for any account that makes them (no aws:SourceAccount)."""
    return _statement({"Service": list(services) if len(services) > 1 else services[0]})


def _zipped() -> bytes:
    """lambda_fn as the zip that Lambda takes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for path in sorted(PACKAGE.glob("*.py")):
            zipped.write(path, f"{PACKAGE.name}/{path.name}")
    return out.getvalue()
