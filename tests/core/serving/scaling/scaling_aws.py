"""Application Auto Scaling over one endpoint, in memory: each request is held against botocore's model first."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.session import get_session
from botocore.validate import validate_parameters

from dashboard.core.aws import Account
from dashboard.core.errors import KennelError, NotFound

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "/nowhere/client.json")
RESOURCE = "endpoint/dogs/variant/AllTraffic"
INSTANCES = "sagemaker:variant:DesiredInstanceCount"
PROVISIONED = "sagemaker:variant:DesiredProvisionedConcurrency"
_SESSION = get_session()


class ScalingAws:
    """The endpoint "dogs" with one variant. `errors`: what an operation raises; `calls`: what was asked to change."""

    def __init__(self, account: Account = EMBEDDED, *, instance: str = "ml.m5.large", count: int = 1) -> None:
        self.account = account
        self.endpoint: dict[str, Any] = {
            "EndpointName": "dogs",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dogs",
            "EndpointConfigName": "dogs-config",
            "EndpointStatus": "InService",
            "CreationTime": NOW - timedelta(hours=5),
            "LastModifiedTime": NOW - timedelta(hours=5),
            "ProductionVariants": [
                {"VariantName": "AllTraffic", "CurrentInstanceCount": count, "DesiredInstanceCount": count}
            ],
        }
        self.config: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": "dogs", "InstanceType": instance}
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.scheduled: dict[str, dict[str, Any]] = {}
        self.activities: list[dict[str, Any]] = []
        self.alarms: dict[str, dict[str, Any]] = {}
        self.series: dict[str, list[tuple[datetime, float]]] = {}
        self.limits: dict[str, float] = {"ml.m5.large for endpoint usage": 8.0}
        self.roles: set[str] = set()
        self.may: bool = True
        self.errors: dict[str, KennelError] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:
        shape = _SESSION.get_service_model(service).operation_model(operation).input_shape
        validate_parameters(asked, shape)
        if operation in self.errors:
            raise self.errors[operation]
        if not operation.startswith(("Describe", "Get", "List", "Simulate")):
            self.calls.append((operation, asked))
        answer: dict[str, Any] = getattr(self, f"_{operation}")(asked)
        return answer

    def pages(self, service: str, operation: str, limit: int = 100, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self.call(service, operation, **asked)

    @property
    def changed(self) -> list[str]:
        """The names of what was asked to change, in order."""
        return [name for name, _ in self.calls]

    def alarm(self, name: str, state: str, comparison: str, **more: Any) -> None:
        """An alarm as DescribeAlarms tells it."""
        self.alarms[name] = {
            "AlarmName": name,
            "StateValue": state,
            "ComparisonOperator": comparison,
            "MetricName": "InvocationsPerInstance",
            "Statistic": "Sum",
            "Threshold": 10.0,
            "Period": 60,
            "EvaluationPeriods": 3,
            "ActionsEnabled": True,
        } | more

    def did(self, capacity: int, status: str = "Successful", age: float = 60, **more: Any) -> None:
        """An activity that asked for so many instances, `age` seconds ago."""
        self.activities.append(
            {
                "ActivityId": f"a{len(self.activities)}",
                "StatusCode": status,
                "StartTime": NOW - timedelta(seconds=age),
                "EndTime": NOW - timedelta(seconds=age - 5),
                "Description": f"Setting desired instance count to {capacity}.",
                "Cause": "monitor alarm high in state ALARM triggered policy p",
                "ScalableDimension": INSTANCES,
            }
            | more
        )

    # --- what AWS answers ------------------------------------------------------------------------------------

    def _DescribeEndpoint(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["EndpointName"] != "dogs":
            raise NotFound(f"could not find {asked['EndpointName']}")
        return self.endpoint

    def _DescribeEndpointConfig(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ProductionVariants": [self.config]}

    def _ListTags(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Tags": [{"Key": "kennel:made-by", "Value": "kennel"}]}

    def _DescribeScalableTargets(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScalableTargets": list(self.targets.values())}

    def _DescribeScalingPolicies(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScalingPolicies": list(self.policies.values())}

    def _DescribeScheduledActions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScheduledActions": list(self.scheduled.values())}

    def _DescribeScalingActivities(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"ScalingActivities": self.activities}

    def _DescribeAlarms(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"MetricAlarms": [self.alarms[name] for name in asked["AlarmNames"] if name in self.alarms]}

    def _GetMetricData(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        results = []
        for query in asked["MetricDataQueries"]:
            points = self.series.get(query["MetricStat"]["Metric"]["MetricName"], [])
            results.append(
                {"Id": query["Id"], "Timestamps": [at for at, _ in points], "Values": [v for _, v in points]}
            )
        return {"MetricDataResults": results}

    def _RegisterScalableTarget(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        known = self.targets.get(asked["ScalableDimension"], {"CreationTime": NOW})
        self.targets[asked["ScalableDimension"]] = known | asked
        return {}

    def _DeregisterScalableTarget(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["ScalableDimension"] not in self.targets:
            raise NotFound("No scalable target found")
        self.targets.clear()
        self.policies.clear()
        self.scheduled.clear()
        return {}

    def _PutScalingPolicy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        made = {
            one["PolicyName"]
            for one in self.policies.values()
            if _metric(one) == _metric(asked) and one["PolicyName"] != asked["PolicyName"]
        }
        assert not made, "AWS takes one target tracking policy for a metric"
        names = [
            f"TargetTracking-{asked['ResourceId']}-{side}-{asked['PolicyName']}" for side in ("AlarmHigh", "AlarmLow")
        ]
        self.policies[asked["PolicyName"]] = dict(asked) | {"Alarms": [{"AlarmName": name} for name in names]}
        return {}

    def _DeleteScalingPolicy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self.policies.pop(asked["PolicyName"], None):
            raise NotFound("No scaling policy found")
        return {}

    def _PutScheduledAction(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.scheduled[asked["ScheduledActionName"]] = dict(asked)
        return {}

    def _DeleteScheduledAction(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self.scheduled.pop(asked["ScheduledActionName"], None):
            raise NotFound("No scheduled action found")
        return {}

    def _GetRole(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["RoleName"] not in self.roles:
            raise NotFound(f"The role with name {asked['RoleName']} cannot be found")
        return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/{asked['RoleName']}"}}

    def _GetCallerIdentity(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Arn": "arn:aws:iam::123456789012:user/ada"}

    def _SimulatePrincipalPolicy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"EvaluationResults": [{"EvalDecision": "allowed" if self.may else "implicitDeny"}]}

    def _ListServiceQuotas(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Quotas": [{"QuotaName": name, "Value": value} for name, value in self.limits.items()]}


def _metric(policy: Mapping[str, Any]) -> object:
    of = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return repr(
        of.get("PredefinedMetricSpecification") or of.get("CustomizedMetricSpecification") or policy["PolicyName"]
    )
