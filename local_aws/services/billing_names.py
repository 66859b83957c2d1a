"""The words of a bill: usage types with their region's prefix, and the ways to buy."""

from enum import StrEnum

from local_aws.services.billing_journal import Usage, Used

NO_INSTANCE = "NoInstanceType"
NO_REGION = "NoRegion"
HOME = "us-east-1"
ARM = "arm64"
_PREFIXES = {
    "us-east-1": "USE1",
    "us-east-2": "USE2",
    "us-west-1": "USW1",
    "us-west-2": "USW2",
    "ca-central-1": "CAN1",
    "sa-east-1": "SAE1",
    "eu-west-1": "EU",
    "eu-west-2": "EUW2",
    "eu-west-3": "EUW3",
    "eu-central-1": "EUC1",
    "eu-north-1": "EUN1",
    "eu-south-1": "EUS1",
    "ap-south-1": "APS3",
    "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2",
    "ap-northeast-1": "APN1",
    "ap-northeast-2": "APN2",
    "ap-northeast-3": "APN3",
    "ap-east-1": "APE1",
    "me-south-1": "MES1",
    "af-south-1": "AFS1",
}


class Purchase(StrEnum):
    """The dimension PURCHASE_TYPE."""

    ON_DEMAND = "On Demand Instances"
    SPOT = "Spot Instances"


def usage_type(usage: Usage) -> str:
    """The dimension USAGE_TYPE: "USE1-Train:ml.m5.large"; EC2's and Lambda's have no prefix in us-east-1."""
    prefix = _PREFIXES.get(usage.region, usage.region)
    ec2 = "" if usage.region == HOME else f"{prefix}-"
    arm = "-ARM" if usage.detail == ARM else ""
    match usage.used:
        case Used.TRAINING:
            return f"{prefix}-Train:{usage.kind}"
        case Used.ENDPOINT:
            return f"{prefix}-Host:{usage.kind}"
        case Used.SERVERLESS:
            return f"{prefix}-ServerlessInf:Mem-{int(usage.kind) // 1024}GB"
        case Used.NOTEBOOK:
            return f"{prefix}-Notebk:{usage.kind}"
        case Used.NOTEBOOK_VOLUME:
            return f"{prefix}-Notebk:VolumeUsage.gp2"
        case Used.INSTANCE:
            return f"{ec2}{'SpotUsage' if usage.spot_zone else 'BoxUsage'}:{usage.kind}"
        case Used.VOLUME:
            return f"{ec2}EBS:VolumeUsage.{usage.kind}"
        case Used.ADDRESS:
            return f"{prefix}-PublicIPv4:{usage.detail}"
        case Used.REQUEST:
            return "USE1-APIRequest"
        case Used.FUNCTION_REQUESTS:
            return f"{ec2}Request{arm}"
        case Used.FUNCTION_SECONDS:
            return f"{ec2}Lambda-GB-Second{arm}"
        case Used.PROVISIONED:
            return f"{ec2}Lambda-Provisioned-Concurrency{arm}"
        case Used.PROVISIONED_SECONDS:
            return f"{ec2}Lambda-Provisioned-GB-Second{arm}"
