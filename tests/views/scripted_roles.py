"""An account with roles in memory: good ones, and one of each risk that an audit of an account should find."""

import json
from datetime import timedelta
from typing import Any

from dashboard.core.aws import Account
from tests.views import scripted
from tests.views.scripted import ARN, EMBEDDED, ScriptedAws

OWN, OTHER = "123456789012", "444455556666"
IAM = f"arn:aws:iam::{OWN}"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
FUNCTION = f"arn:aws:lambda:us-east-1:{OWN}:function:dog-infer"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def trust(principal: Any, condition: Any = None) -> dict[str, Any]:
    told = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return document({**told, "Condition": condition} if condition else told)


SAGEMAKER = trust({"Service": "sagemaker.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": OWN}})
LAMBDA = trust({"Service": "lambda.amazonaws.com"})


class RolesAws(ScriptedAws):
    """Roles, an unattached policy, two trainings, an endpoint, a function that anybody may call, and an instance."""

    def __init__(self, account: Account = EMBEDDED) -> None:
        super().__init__(account)
        self.roles: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.lambda_policy: dict[str, Any] | None = None
        self.urls: list[dict[str, Any]] = []
        self.functions_there: dict[str, str] = {}

    def with_risks(self) -> "RolesAws":
        self.add_role("DogProject", trust({"Service": "sagemaker.amazonaws.com"}), managed=[ADMIN], profile=True)
        self.add_role("DogPartner", trust({"AWS": f"{IAM.replace(OWN, OTHER)}:root"}), document(allow("s3:ListBucket")))
        self.add_role("DogGood", LAMBDA, document(allow("sagemaker:InvokeEndpoint", f"{ARN}:endpoint/starter")))
        self.add_role("DogOld", SAGEMAKER, document(allow("s3:GetObject", "arn:aws:s3:::dogs/*")), age=500)
        self.add_policy("DogOldS3", document(allow("s3:GetObject", "arn:aws:s3:::dogs/*")))
        self.add_policy("AdministratorAccess", document(allow("*")), arn=ADMIN, attached=1)
        self.add_policy("ReadOnlyAccess", document(allow("s3:Get*")), arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        self.add_job("train-a")
        self.add_job("train-b")
        for job in self.jobs.values():
            job["RoleArn"] = f"{IAM}:role/DogProject"
        self.functions_there = {"dog-infer": "DogGood"}
        self.lambda_policy = document({"Sid": "all", "Effect": "Allow", "Principal": "*",
                                       "Action": "lambda:InvokeFunction", "Resource": FUNCTION})  # fmt: skip
        return self

    def add_role(
        self,
        name: str,
        who: dict[str, Any],
        inline: dict[str, Any] | None = None,
        *,
        managed: list[str] | None = None,
        age: float = 10,
        profile: bool = False,
        tags: dict[str, str] | None = None,
    ) -> None:
        """One role, `age` days old, that nobody has used as far as IAM says."""
        self.roles[name] = {
            "RoleName": name,
            "Arn": f"{IAM}:role/{name}",
            "Path": "/",
            "CreateDate": scripted.NOW - timedelta(days=age),
            "AssumeRolePolicyDocument": who,
            "AttachedManagedPolicies": [
                {"PolicyArn": arn, "PolicyName": arn.rpartition("/")[2]} for arn in managed or ()
            ],
            "RolePolicyList": [{"PolicyName": f"{name}-inline", "PolicyDocument": inline}] if inline else [],
            "InstanceProfileList": [{"Arn": f"{IAM}:instance-profile/{name}"}] if profile else [],
            "RoleLastUsed": {},
            "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        }

    def add_policy(self, name: str, told: dict[str, Any], *, arn: str = "", attached: int = 0) -> None:
        self.policies[name] = {
            "PolicyName": name,
            "Arn": arn or f"{IAM}:policy/{name}",
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": attached,
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": told}],
        }

    def _GetAccountAuthorizationDetails(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"RoleDetailList": list(self.roles.values()), "Policies": list(self.policies.values())}

    def _Search(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Resource"] != "TrainingJob":
            return super()._Search(asked)
        found = sorted(self.jobs.values(), key=lambda one: one["CreationTime"], reverse=True)
        first = int(asked.get("NextToken", 0))
        shown = found[first : first + 100]
        more = {"NextToken": str(first + 100)} if first + 100 < len(found) else {}
        return {"Results": [{"TrainingJob": one} for one in shown], "TotalHits": {"Value": len(found)}, **more}

    def _ListModels(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Models": [{**one, "CreationTime": scripted.NOW} for one in self.models.values()]}

    def _DescribeInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Reservations": [{"Instances": list(self.instances.values())}]}

    def _ListNotebookInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"NotebookInstances": []}

    def _ListFunctions(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "Functions": [
                {
                    "FunctionName": name,
                    "FunctionArn": f"{FUNCTION.rpartition(':')[0]}:{name}",
                    "Role": f"{IAM}:role/{role}",
                    "LastModified": scripted.NOW.isoformat(),
                }
                for name, role in self.functions_there.items()
            ]
        }

    def _ListAliases(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Aliases": []}

    def _ListTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": {}} if "Resource" in asked else super()._ListTags(asked)

    def _GetPolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Policy": json.dumps(self.lambda_policy or document()), "RevisionId": "1"}

    def _ListFunctionUrlConfigs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"FunctionUrlConfigs": self.urls}
