"""A proposal is proven on the embedded AWS: replayed, run again, probed, and everything of it deleted afterwards."""

import json
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.replace import change, prove, standing, undo
from dashboard.core.iam.replace.prove import Nature
from dashboard.core.iam.replace.records import Records
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.usage import Duty, Use
from tests.core.iam.role_world import ACCOUNT, Faulty, document, proposal, statement, trust
from tests.local_aws.sagemaker_world import finished

BUCKET = "proofs"
LOGS = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"
SCRIPT = "cat /opt/ml/input/data/training/numbers.csv > /opt/ml/model/sum.txt && echo epochs done"


def trains(*more):
    """The least that the job below needs."""
    return document(
        statement("s3:ListBucket", resource=f"arn:aws:s3:::{BUCKET}", Condition=prefix_of("in", "in/*")),
        statement("s3:GetObject", resource=f"arn:aws:s3:::{BUCKET}/in/*"),
        statement("s3:PutObject", "s3:AbortMultipartUpload", resource=f"arn:aws:s3:::{BUCKET}/out/*"),
        statement("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams",
                  resource=[LOGS, f"{LOGS}:*"]),
        *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


@pytest.fixture(scope="module")
def trained(aws):
    """A role with FullAccess and the job that it ran; (its name, its uses)."""
    aws.call("s3", "CreateBucket", Bucket=BUCKET)
    aws.call("s3", "PutObject", Bucket=BUCKET, Key="in/numbers.csv", Body=b"1,2,3\n")
    name = "ProofTraining"
    aws.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust("sagemaker.amazonaws.com")))
    for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
        aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/", "S3DataDistributionType": "FullyReplicated"}
    told = aws.call(
        "sagemaker",
        "CreateTrainingJob",
        TrainingJobName="proof-dogs",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        AlgorithmSpecification={
            "TrainingImage": "kennel/sample",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", SCRIPT],
        },
        HyperParameters={"epochs": "40"},
        InputDataConfig=[{"ChannelName": "training", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    assert finished(aws.client("sagemaker"), "proof-dogs")["TrainingJobStatus"] == "Completed"
    return name, (Use(Duty.TRAINING, "proof-dogs", told["TrainingJobArn"]),)


def prefix_of(*prefixes):
    return {"StringLike": {"s3:prefix": list(prefixes)}}


def pause(_):
    threading.Event().wait(0.05)


def nothing_left(aws):
    roles = aws.call("iam", "ListRoles", PathPrefix="/kennel/")["Roles"]
    policies = aws.call("iam", "ListPolicies", Scope="Local", PathPrefix="/kennel/")["Policies"]
    keys = aws.call("s3", "ListObjectsV2", Bucket=BUCKET, Prefix="out/kennel-trial").get("Contents", [])
    return not [one for one in roles if one["RoleName"].startswith("kennel-trial-")] and not keys and not [
        one for one in policies if one["PolicyName"].startswith("kennel-trial-")
    ]  # fmt: skip


def test_a_full_access_role_is_replaced_by_a_policy_under_which_its_job_trains_and_what_went_is_denied(
    aws, trained, tmp_path
):
    name, uses = trained
    wanted = replace(proposal(name, trains()), policy_name="ProofTraining-least")
    told = []
    proof = prove.run(aws, prove.plan(aws, wanted, uses=uses), tell=told.append, sleep=pause)
    assert proof.holds, proof
    assert proof.nature is Nature.RERUN and proof.sentence.startswith("Proven")
    rerun, probed = proof.steps[2], proof.steps[4]
    assert "proof-dogs" in rerun.evidence[0] and "Completed" in rerun.evidence[1]
    assert any(line.startswith("sagemaker:DeleteEndpoint: denied") for line in probed.evidence), probed
    assert nothing_left(aws)
    assert [one.state for one in told[:2]] == [State.RUNNING, State.DONE], (
        "each step is told as it begins and as it ends"
    )

    records = Records(tmp_path / "changes.sqlite")
    steps = list(change.apply(aws, change.plan(aws, wanted, uses=uses), records=records, sleep=lambda _: None))
    assert steps[-1].state is State.DONE, steps
    (record,) = records.all(ACCOUNT)
    assert list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=lambda _: None))[-1].state is State.DONE
    assert len(standing.read(aws, name).attached) == 2


def test_a_policy_that_lacks_what_the_job_needs_is_not_proven_and_the_job_says_why(aws, trained):
    name, uses = trained
    lacking = trains()
    lacking["Statement"] = [one for one in lacking["Statement"] if "s3:GetObject" not in one["Action"]]
    proof = prove.run(aws, prove.plan(aws, proposal(name, lacking), uses=uses), sleep=pause)
    assert not proof.holds
    failed = [step for step in proof.steps if step.state is State.FAILED]
    assert "proof-dogs fails under the proposed policy" in failed[0].detail and "GetObject" in failed[0].detail
    assert nothing_left(aws)


def test_a_real_account_gets_a_simulation_that_says_so_and_nothing_is_made(aws, trained):
    name, uses = trained
    real = aws.failing(lambda *_: "")
    real.account = replace(aws.account, is_embedded=False)
    plan = prove.plan(real, proposal(name, trains()), uses=uses)
    proof = prove.run(real, plan)
    assert proof.nature is Nature.SIMULATION and proof.sentence.startswith("Simulated only")
    assert not [one for one in real.sent if one.startswith(("Create", "Put", "Attach", "Run"))]


def test_a_proof_that_is_stopped_deletes_what_it_made(aws, trained):
    name, uses = trained
    stop = threading.Event()

    def tell(step):
        if step.number == 3:
            stop.set()

    plan = prove.plan(aws, proposal(name, trains()), uses=uses)
    proof = prove.run(aws, plan, tell=tell, is_stopped=stop.is_set, sleep=pause)
    assert proof.was_stopped and not proof.holds
    assert nothing_left(aws)


def test_a_role_that_a_service_keeps_is_not_proven_at_all(aws):
    with suppress(Refused):  # another test of this account had it made already
        aws.call("iam", "CreateServiceLinkedRole", AWSServiceName="lambda.application-autoscaling.amazonaws.com")
    with pytest.raises(Refused, match="linked to a service"):
        prove.plan(aws, proposal("AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"))
    with pytest.raises(NotFound):
        prove.plan(aws, proposal("nobody-at-all"))
