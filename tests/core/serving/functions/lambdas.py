"""Lambda functions of an account that exists here only: answers in botocore's shapes, checked against its model."""

import base64
import hashlib
import io
import json
from typing import Any

from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound
from tests.core.costs.shaped_aws import ShapedAws

ARN = "arn:aws:lambda:us-east-1:123456789012:function"
ROLE = "arn:aws:iam::123456789012:role"
MADE = {"kennel:made-by": "kennel"}
WHEN = "2026-11-20T10:00:00.000+0000"
OPERATIONS = (
    "ListFunctions", "GetFunction", "ListVersionsByFunction", "ListAliases", "ListProvisionedConcurrencyConfigs",
    "GetAccountSettings", "GetPolicy", "ListFunctionUrlConfigs", "CreateFunction", "UpdateFunctionCode",
    "UpdateFunctionConfiguration", "PublishVersion", "CreateAlias", "UpdateAlias", "DeleteFunction",
    "PutFunctionConcurrency", "DeleteFunctionConcurrency", "PutProvisionedConcurrencyConfig",
    "DeleteProvisionedConcurrencyConfig", "AddPermission", "RemovePermission", "CreateFunctionUrlConfig",
    "DeleteFunctionUrlConfig", "Invoke",
)  # fmt: skip


class Lambdas:
    """What Lambda, IAM, Logs and Application Auto Scaling keep, and their answers as methods `_Operation`."""

    def __init__(self) -> None:
        self.functions: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.limit = 1000
        self.updates_until_done = 0  # looks that an update lasts
        self.payload: Any = {"statusCode": 200, "predictions": [[]]}
        self.unknown_role_for = 0  # how many times a new role is not known yet

    def add(
        self, name: str = "dogs", endpoint: str = "starter", *, tags: dict[str, str] | None = None, **more: Any
    ) -> None:
        """A function that is there already, with version 1 and the alias live."""
        self._CreateFunction(
            {
                "FunctionName": name, "Role": f"{ROLE}/kennel-lambda-{name}", "Handler": "lambda_fn.handler.h",
                "Runtime": "python3.12", "Code": {"ZipFile": b"zip"}, "MemorySize": 256, "Timeout": 30,
                "Environment": {"Variables": {"ENDPOINT_NAME": endpoint}}, "Tags": MADE if tags is None else tags,
                "Publish": True, **more,
            }
        )  # fmt: skip
        self._CreateAlias({"FunctionName": name, "Name": "live", "FunctionVersion": "1"})

    def _of(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["FunctionName"]
        if name not in self.functions:
            raise NotFound(f"Function not found: {ARN}:{name}")
        return self.functions[name]

    @property
    def _unreserved(self) -> int:
        return self.limit - sum(one["reserved"] or 0 for one in self.functions.values())

    def _ListFunctions(self, asked: dict[str, Any]) -> dict[str, Any]:
        hidden = ("State", "LastUpdateStatus")
        return {"Functions": [{k: v for k, v in f["told"].items() if k not in hidden} for f in self.functions.values()]}

    def _GetFunction(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        if one["busy"] > 0:
            one["busy"] -= 1
            one["told"]["LastUpdateStatus"] = "InProgress" if one["busy"] else "Successful"
        kept = {} if one["reserved"] is None else {"Concurrency": {"ReservedConcurrentExecutions": one["reserved"]}}
        return {"Configuration": dict(one["told"]), "Tags": one["tags"], **kept}

    def _CreateFunction(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.unknown_role_for:
            self.unknown_role_for -= 1
            raise InvalidInput(
                "AWS refused lambda CreateFunction", "The role defined for the function cannot be assumed by Lambda."
            )
        name = asked["FunctionName"]
        if name in self.functions:
            raise AlreadyExists("the name is already taken", f"Function already exist: {name}")
        members = ("FunctionName", "Role", "Handler", "Runtime", "MemorySize", "Timeout", "Environment", "Description")
        told = {member: asked[member] for member in members if member in asked}
        told |= {
            "FunctionArn": f"{ARN}:{name}", "State": "Active", "LastUpdateStatus": "Successful", "LastModified": WHEN,
            "Architectures": asked.get("Architectures", ["x86_64"]), "Version": "$LATEST", "RevisionId": "r1",
            **_code(asked["Code"]["ZipFile"]),
        }  # fmt: skip
        if asked.get("VpcConfig"):
            told["VpcConfig"] = asked["VpcConfig"]
        self.functions[name] = {
            "told": told, "tags": dict(asked.get("Tags", {})), "versions": [], "aliases": {}, "reserved": None,
            "provisioned": {}, "policy": {}, "url": {}, "busy": 0,
        }  # fmt: skip
        return self._PublishVersion(asked) if asked.get("Publish") else dict(told)

    def _PublishVersion(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        if one["busy"]:
            raise AlreadyExists("the name is already taken", "an update is in progress for resource")
        number = str(len(one["versions"]) + 1)
        told = one["told"] | {"Version": number, "FunctionArn": f"{ARN}:{asked['FunctionName']}:{number}"}
        one["versions"].append(told)
        return dict(told)

    def _UpdateFunctionCode(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        assert one["busy"] == 0, "changed while it was being changed"
        one["told"] |= _code(asked["ZipFile"]) | {"Architectures": asked.get("Architectures", ["x86_64"])}
        one["busy"] = self.updates_until_done
        return dict(one["told"])

    def _UpdateFunctionConfiguration(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        assert one["busy"] == 0, "changed while it was being changed"
        one["told"] |= {name: value for name, value in asked.items() if name not in ("FunctionName", "RevisionId")}
        one["busy"] = self.updates_until_done
        return dict(one["told"])

    def _ListVersionsByFunction(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        return {"Versions": [one["told"], *one["versions"]]}

    def _CreateAlias(self, asked: dict[str, Any]) -> dict[str, Any]:
        aliases = self._of(asked)["aliases"]
        if asked["Name"] in aliases:
            raise AlreadyExists("the name is already taken", f"Alias already exists: {asked['Name']}")
        return self._UpdateAlias(asked | {"new": True})

    def _UpdateAlias(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        if not asked.get("new") and asked["Name"] not in one["aliases"]:
            raise NotFound("Alias not found")
        told = {"Name": asked["Name"], "FunctionVersion": asked["FunctionVersion"]}
        told["AliasArn"] = f"{ARN}:{asked['FunctionName']}:{asked['Name']}"
        if asked.get("RoutingConfig"):
            told["RoutingConfig"] = asked["RoutingConfig"]
        one["aliases"][asked["Name"]] = told
        return told

    def _ListAliases(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Aliases": list(self._of(asked)["aliases"].values())}

    def _DeleteFunction(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._of(asked)
        del self.functions[asked["FunctionName"]]
        return {}

    def _GetAccountSettings(self, asked: dict[str, Any]) -> dict[str, Any]:
        limit = {"ConcurrentExecutions": self.limit, "UnreservedConcurrentExecutions": self._unreserved}
        return {"AccountLimit": limit, "AccountUsage": {"FunctionCount": len(self.functions)}}

    def _PutFunctionConcurrency(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        one["reserved"] = asked["ReservedConcurrentExecutions"]
        assert self._unreserved >= 100, "Lambda refuses this"
        return {"ReservedConcurrentExecutions": one["reserved"]}

    def _DeleteFunctionConcurrency(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._of(asked)["reserved"] = None
        return {}

    def _PutProvisionedConcurrencyConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._of(asked)
        number = asked["ProvisionedConcurrentExecutions"]
        one["provisioned"][asked["Qualifier"]] = number
        assert one["reserved"] is None or sum(one["provisioned"].values()) <= one["reserved"], "Lambda refuses this"
        return {"RequestedProvisionedConcurrentExecutions": number, "Status": "IN_PROGRESS"}

    def _DeleteProvisionedConcurrencyConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._of(asked)["provisioned"].pop(asked["Qualifier"], None) is None:
            raise NotFound("No Provisioned Concurrency Config found for this function")
        return {}

    def _ListProvisionedConcurrencyConfigs(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {
                "FunctionArn": f"{ARN}:{asked['FunctionName']}:{qualifier}",
                "RequestedProvisionedConcurrentExecutions": number, "AvailableProvisionedConcurrentExecutions": number,
                "AllocatedProvisionedConcurrentExecutions": number, "Status": "READY", "LastModified": WHEN,
            }
            for qualifier, number in self._of(asked)["provisioned"].items()
        ]  # fmt: skip
        return {"ProvisionedConcurrencyConfigs": found}

    def _GetPolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = self._of(asked)["policy"].get(asked.get("Qualifier", ""))
        if not rows:
            raise NotFound("The resource you requested does not exist.")
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(rows.values())}), "RevisionId": "p1"}

    def _AddPermission(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = self._of(asked)["policy"].setdefault(asked.get("Qualifier", ""), {})
        if asked["StatementId"] in rows:
            raise AlreadyExists("the name is already taken", "The statement id provided already exists")
        who = asked["Principal"]
        condition: dict[str, Any] = {}
        if asked.get("SourceArn"):
            condition["ArnLike"] = {"AWS:SourceArn": asked["SourceArn"]}
        if asked.get("FunctionUrlAuthType"):
            condition["StringEquals"] = {"lambda:FunctionUrlAuthType": asked["FunctionUrlAuthType"]}
        if asked.get("InvokedViaFunctionUrl"):
            condition["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
        principal: Any = {"Service": who} if who.endswith(".com") else "*" if who == "*" else {"AWS": who}
        row = {"Sid": asked["StatementId"], "Effect": "Allow", "Principal": principal, "Action": asked["Action"]}
        rows[asked["StatementId"]] = row | ({"Condition": condition} if condition else {})
        return {"Statement": json.dumps(row)}

    def _RemovePermission(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = self._of(asked)["policy"].get(asked.get("Qualifier", ""), {})
        if rows.pop(asked["StatementId"], None) is None:
            raise NotFound("Statement is not found in resource policy.")
        return {}

    def _ListFunctionUrlConfigs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"FunctionUrlConfigs": list(self._of(asked)["url"].values())}

    def _CreateFunctionUrlConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        urls = self._of(asked)["url"]
        qualifier = asked.get("Qualifier", "")
        if qualifier in urls:
            raise AlreadyExists("the name is already taken", "FunctionUrlConfig exists for this Lambda function")
        arn = f"{ARN}:{asked['FunctionName']}" + (f":{qualifier}" if qualifier else "")
        urls[qualifier] = {
            "FunctionUrl": "https://abc.lambda-url.us-east-1.on.aws/", "FunctionArn": arn,
            "AuthType": asked["AuthType"], "CreationTime": WHEN, "LastModifiedTime": WHEN,
        }  # fmt: skip
        return {k: v for k, v in urls[qualifier].items() if k != "LastModifiedTime"}

    def _DeleteFunctionUrlConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._of(asked)["url"].pop(asked.get("Qualifier", ""), None) is None:
            raise NotFound("The resource you requested does not exist.")
        return {}

    def _Invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._of(asked)
        report = "REPORT RequestId: 1\tDuration: 12.30 ms\tBilled Duration: 113 ms\tMemory Size: 256 MB\t"
        report += "Max Memory Used: 61 MB\tInit Duration: 100.20 ms\t\n"
        log = base64.b64encode(f"START RequestId: 1 Version: 1\nEND RequestId: 1\n{report}".encode()).decode()
        body = io.BytesIO(json.dumps(self.payload).encode())
        return {"StatusCode": 200, "ExecutedVersion": "1", "LogResult": log, "Payload": body}

    # --- IAM, Logs, Application Auto Scaling ---------------------------------------------------------------------

    def _CreateRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["RoleName"]
        if name in self.roles:
            raise AlreadyExists("the name is already taken", f"Role with name {name} already exists.")
        self.roles[name] = {
            "trust": json.loads(asked["AssumeRolePolicyDocument"]),
            "tags": asked["Tags"],
            "policies": {},
        }
        return {"Role": self._role(name)}

    def _role(self, name: str) -> dict[str, Any]:
        return {
            "RoleName": name, "Path": "/", "RoleId": "AROA1234567890123456", "Arn": f"{ROLE}/{name}",
            "CreateDate": WHEN, "Tags": self.roles[name]["tags"],
            "AssumeRolePolicyDocument": json.dumps(self.roles[name]["trust"]),
        }  # fmt: skip

    def _a_role(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["RoleName"] not in self.roles:
            raise NotFound(f"The role with name {asked['RoleName']} cannot be found.")
        return self.roles[asked["RoleName"]]

    def _GetRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._a_role(asked)
        return {"Role": self._role(asked["RoleName"])}

    def _PutRolePolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._a_role(asked)["policies"][asked["PolicyName"]] = json.loads(asked["PolicyDocument"])
        return {}

    def _GetRolePolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._a_role(asked)["policies"].get(asked["PolicyName"])
        if found is None:
            raise NotFound("The role policy cannot be found.")
        # botocore decodes the document into what it says, whatever the model's shape is
        return {"RoleName": asked["RoleName"], "PolicyName": asked["PolicyName"], "PolicyDocument": json.dumps(found)}

    def _DeleteRolePolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._a_role(asked)["policies"].pop(asked["PolicyName"], None)
        return {}

    def _DeleteRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._a_role(asked)
        del self.roles[asked["RoleName"]]
        return {}

    def _CreateLogGroup(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"] in self.groups:
            raise AlreadyExists("the name is already taken", "The specified log group already exists")
        self.groups[asked["logGroupName"]] = {"tags": asked.get("tags", {})}
        return {}

    def _PutRetentionPolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.groups[asked["logGroupName"]]["days"] = asked["retentionInDays"]
        return {}

    def _RegisterScalableTarget(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.targets[asked["ResourceId"]] = asked
        return {}

    def _DeregisterScalableTarget(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.targets.pop(asked["ResourceId"], None) is None:
            raise NotFound("No scalable target found")
        self.policies.pop(asked["ResourceId"], None)
        return {}

    def _PutScalingPolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.policies[asked["ResourceId"]] = asked
        return {"PolicyARN": "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1"}

    def _DescribeScalableTargets(self, asked: dict[str, Any]) -> dict[str, Any]:
        more = {"RoleARN": f"{ROLE}/scaling", "CreationTime": WHEN}
        return {"ScalableTargets": [one | more for one in self.targets.values()]}

    def _DescribeScalingPolicies(self, asked: dict[str, Any]) -> dict[str, Any]:
        more = {"PolicyARN": "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1", "CreationTime": WHEN}
        found = [one | more for key, one in self.policies.items() if key == asked.get("ResourceId", key)]
        return {"ScalingPolicies": found}

    def _DescribeScalingActivities(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"ScalingActivities": []}


SERVICES = {
    "lambda": OPERATIONS,
    "iam": ("CreateRole", "GetRole", "PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "DeleteRole"),
    "logs": ("CreateLogGroup", "PutRetentionPolicy"),
    "application-autoscaling": (
        "RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DescribeScalableTargets",
        "DescribeScalingPolicies", "DescribeScalingActivities",
    ),
}  # fmt: skip


def shaped(lambdas: Lambdas) -> ShapedAws:
    """`Aws` over these answers: what is asked and what is answered are held against botocore's model."""
    answers = {
        f"{service} {name}": getattr(lambdas, f"_{name}") for service, names in SERVICES.items() for name in names
    }
    return ShapedAws(answers)


def _code(zipped: bytes) -> dict[str, Any]:
    return {"CodeSha256": base64.b64encode(hashlib.sha256(zipped).digest()).decode(), "CodeSize": len(zipped)}
