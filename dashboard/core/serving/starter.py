"""The starter model: the one that the sample account brings, and how its endpoint comes back after it was deleted."""

from dashboard.core.aws import Account, Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import NotFound
from dashboard.core.serving.deploy import DeployPlan, plan_deploy

STARTER = "starter"
KEY = f"models/{STARTER}/model.tar.gz"
INSTANCE_TYPE = "ml.m5.large"


def has_starter(aws: Aws) -> bool:
    """Whether the starter's archive is in the account's bucket. Raises the errors of `Aws.call`."""
    try:
        found = aws.call("s3", "ListObjectsV2", Bucket=aws.account.bucket, Prefix=KEY)
    except NotFound:
        return False
    return any(thing["Key"] == KEY for thing in found.get("Contents", []))


def plan_starter(account: Account, prices: PriceBook, token: str) -> DeployPlan:
    """What serving the starter again would do: the same name and machine as on the first start."""
    uri = f"s3://{account.bucket}/{KEY}"
    return plan_deploy(uri, STARTER, INSTANCE_TYPE, account=account, prices=prices, token=token)
