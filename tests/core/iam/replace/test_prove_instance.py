"""An instance's policy is proven by an instance that does what it is for."""

import json
import threading

import pytest

from dashboard.core.iam.replace import prove
from dashboard.core.iam.replace.needed import of_policy
from dashboard.core.iam.replace.rerun_instance import tries
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.usage import Duty, Use
from local_aws.engine.instance import namespaces_allowed
from tests.core.iam.role_world import ACCOUNT, MANAGED, Faulty, document, proposal, statement, trust
from tests.local_aws.ec2_world import run, terminate

BUCKET = "instance-proofs"
LISTS = statement("s3:ListBucket", resource=f"arn:aws:s3:::{BUCKET}", Condition={"StringLike": {"s3:prefix": ["in/*"]}})
WRITES = statement("s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/out/*")


def test_each_right_that_can_be_used_without_harm_is_used_once():
    metrics = statement("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "Mine"}})
    reads = statement("s3:GetObject", resource=f"arn:aws:s3:::{BUCKET}/in/*")
    found = tries(of_policy([document(LISTS, WRITES, metrics, reads)]), "kennel-trial-1")
    assert [(service, method) for service, method, _ in found] == [
        ("s3", "list_objects_v2"),
        ("s3", "put_object"),
        ("cloudwatch", "put_metric_data"),
    ]
    assert found[1][2]["Key"] == "out/kennel-trial-1"


@pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")
def test_an_instance_works_under_the_proposed_policy_and_is_gone_afterwards(embedded):
    aws = Faulty(embedded)
    aws.call("s3", "CreateBucket", Bucket=BUCKET)
    text = json.dumps(trust("ec2.amazonaws.com"))
    aws.call("iam", "CreateRole", RoleName="BroadInstance", AssumeRolePolicyDocument=text)
    aws.call("iam", "AttachRolePolicy", RoleName="BroadInstance", PolicyArn=f"{MANAGED}AmazonS3FullAccess")
    aws.call("iam", "CreateInstanceProfile", InstanceProfileName="BroadInstance")
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="BroadInstance", RoleName="BroadInstance")
    instance = run(embedded, "true", IamInstanceProfile={"Name": "BroadInstance"})
    uses = (Use(Duty.INSTANCE, instance, f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{instance}"),)
    wanted = proposal(
        "BroadInstance", document(LISTS, WRITES), duty=Duty.INSTANCE, trust=trust("ec2.amazonaws.com"), evidence=()
    )
    try:
        plan = prove.plan(aws, wanted, uses=uses)
        proof = prove.run(aws, plan, sleep=lambda _: threading.Event().wait(0.1))
    finally:
        terminate(embedded, instance)
    assert proof.holds, proof
    assert proof.steps[2].state is State.DONE and len(proof.steps[2].evidence) == 2
    assert not aws.call("s3", "ListObjectsV2", Bucket=BUCKET).get("Contents")
    profiles = aws.call("iam", "ListInstanceProfiles", PathPrefix="/kennel/")["InstanceProfiles"]
    assert not [one for one in profiles if one["InstanceProfileName"].startswith("kennel-trial-")]
