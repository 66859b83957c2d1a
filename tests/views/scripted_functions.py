"""A scripted account that has Lambda functions too."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.core.serving.functions.lambdas import Lambdas
from tests.views.scripted import ScriptedAws, dog_answer


class WithFunctions(Lambdas, ScriptedAws):
    """An endpoint and a function that asks it."""

    def __init__(self) -> None:
        ScriptedAws.__init__(self)
        Lambdas.__init__(self)
        self.add_endpoint("starter")
        self.payload = {"statusCode": 200, "body": "[[0.1]]"} | dog_answer()
        self.asked_per_bin = 0.0

    def _GetMetricData(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Each metric of AWS/Lambda with one value at each of the last minutes."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        worth = {"Invocations": self.asked_per_bin, "Duration": 41.0, "ConcurrentExecutions": 2.0, "Throttles": 1.0}
        found = []
        for query in asked["MetricDataQueries"]:
            value = worth.get(query["MetricStat"]["Metric"]["MetricName"], 0.0)
            many = query["MetricStat"]["Period"] < 900 and self.asked_per_bin
            times = [now - timedelta(minutes=place) for place in range(1, 6)] if many else [now - timedelta(minutes=1)]
            told = {"Id": query["Id"], "Timestamps": times, "Values": [value] * len(times)}
            found.append(told if self.asked_per_bin else told | {"Timestamps": [], "Values": []})
        return {"MetricDataResults": found}

    def _ListTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "Resource" in asked:  # as Lambda asks for them
            return {"Tags": self.functions[asked["Resource"].rpartition(":")[2]]["tags"]}
        return super()._ListTags(asked)

    def _DescribeLogStreams(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"].startswith("/aws/lambda/"):
            return {"logStreams": [{"logStreamName": "2026/11/21/[1]abc"}]}
        return super()._DescribeLogStreams(asked)

    def _GetLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"].startswith("/aws/lambda/"):
            return {"events": [{"timestamp": 1_763_715_600_000, "message": "START RequestId: 1 Version: 1"}]}
        return super()._GetLogEvents(asked)

    def _DescribeSubnets(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "us-east-1a"}]}

    def _DescribeSecurityGroups(self, asked: dict[str, Any]) -> dict[str, Any]:
        out = [{"IpProtocol": "-1"}]
        return {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": out}]}

    def _DescribeRouteTables(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"RouteTables": []}

    def _DescribeVpcEndpoints(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"VpcEndpoints": []}
