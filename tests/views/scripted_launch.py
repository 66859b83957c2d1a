"""What a scripted account answers to a launch: the reads before it, and the calls that start it."""

from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.errors import AlreadyExists, NotFound

QUOTA = "ml.m5.large for training job usage"
TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["sagemaker.amazonaws.com", "ec2.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ]
}
IMAGE = "ami-0123456789abcdef0"


class LaunchAnswers:
    """An account that allows everything; a test takes something away before it opens the page."""

    account: Account
    bodies: dict[str, bytes]
    instances: dict[str, dict[str, Any]]
    tunings: dict[str, dict[str, Any]]
    trials: dict[str, list[str]]
    tags: dict[str, dict[str, str]]

    def __init__(self) -> None:
        self.denied: set[str] = set()  # actions that IAM's simulator denies
        self.quota: dict[str, float] = {QUOTA: 4.0}
        self.roles = {"KennelTraining", "KennelInstance"}
        self.spot = {"m5.large": "0.0384"}

    # --- reads -----------------------------------------------------------------------------------------------

    def _HeadBucket(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"BucketRegion": self.account.region}

    def _HeadObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Key"] not in self.bodies:
            raise NotFound(f"{asked['Key']} is not there")
        return {"ContentLength": len(self.bodies[asked["Key"]])}

    def _GetRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Role": self._role(asked["RoleName"])}

    def _GetInstanceProfile(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"InstanceProfile": {"Roles": [self._role(asked["InstanceProfileName"])]}}

    def _SimulatePrincipalPolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        [action] = asked["ActionNames"]
        return {"EvaluationResults": [{"EvalDecision": "implicitDeny" if action in self.denied else "allowed"}]}

    def _ListServiceQuotas(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "Quotas": [
                {"QuotaName": name, "QuotaCode": f"L-{place:08}", "Value": value}
                for place, (name, value) in enumerate(self.quota.items())
            ]
        }

    def _GetServiceQuota(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Quota": {"QuotaName": asked["QuotaCode"], "QuotaCode": asked["QuotaCode"], "Value": 32.0}}

    def _DescribeSubnets(self, asked: dict[str, Any]) -> dict[str, Any]:
        subnet = {
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "AvailabilityZone": "us-east-1a",
            "CidrBlock": "10.0.0.0/20",
        }
        return {"Subnets": [subnet]}

    def _DescribeSecurityGroups(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "kennel-training", "VpcId": "vpc-1"}]}

    def _DescribeVpcs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Vpcs": [{"VpcId": "vpc-1"}]}

    def _DescribeKeyPairs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"KeyPairs": [{"KeyName": "ada"}]}

    def _DescribeSpotPriceHistory(self, asked: dict[str, Any]) -> dict[str, Any]:
        seen = datetime.now(UTC)
        return {
            "SpotPriceHistory": [
                {"InstanceType": name, "AvailabilityZone": "us-east-1a", "SpotPrice": price, "Timestamp": seen}
                for name, price in self.spot.items()
            ]
        }

    def _GetParameters(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Parameters": [{"Name": asked["Names"][0], "Value": IMAGE}]}

    def _DescribeImages(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Images": [{"ImageId": IMAGE, "Name": "Deep Learning", "RootDeviceName": "/dev/sda1"}]}

    # --- what starts something -------------------------------------------------------------------------------

    def _RunInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        made = {
            "InstanceId": f"i-{len(self.instances):017x}",
            "InstanceType": asked["InstanceType"],
            "LaunchTime": datetime.now(UTC),
            "State": {"Name": "pending"},
            "Tags": asked["TagSpecifications"][0]["Tags"],
        }
        name = next(tag["Value"] for tag in made["Tags"] if tag["Key"] == "kennel:run")
        return {"Instances": [self.instances.setdefault(name, made)]}

    def _CreateHyperParameterTuningJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["HyperParameterTuningJobName"]
        if name in self.tunings:
            raise AlreadyExists(f"{name} exists")
        arn, now = f"arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/{name}", datetime.now(UTC)
        self.trials[name] = []
        self.tunings[name] = asked | {
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            "TrainingJobStatusCounters": {"Completed": 0, "InProgress": 1},
        }
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        return {"HyperParameterTuningJobArn": arn}

    # --- shared ----------------------------------------------------------------------------------------------

    def _role(self, name: str) -> dict[str, Any]:
        if name not in self.roles:
            raise NotFound(f"there is no role {name}")
        return {"RoleName": name, "Arn": f"arn:aws:iam::123456789012:role/{name}", "AssumeRolePolicyDocument": TRUST}
