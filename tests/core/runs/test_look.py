"""Looking around before a launch, in an account whose roles, buckets and quotas are really missing or wrong."""

import json
from dataclasses import replace

import pytest

from dashboard.core.aws import connect
from dashboard.core.errors import QuotaExceeded, Refused, Unreachable
from dashboard.core.runs.checks import CheckState
from dashboard.core.runs.checks_around import checks_of
from dashboard.core.runs.launch import launch
from dashboard.core.runs.look import look, trusts
from dashboard.core.runs.plan import plan
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec, Tuning
from dashboard.core.runs.surroundings import about
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES
from tests.core.conftest import write_client
from tests.core.runs.made import NOW

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def check(live, title="", **about_it):
    """The checks of a launch with this title."""
    spec = TrainingSpec(**({"dataset_uri": live.data} | about_it))
    found = checks_of(spec, live.aws.account, look(live.aws, spec))
    return [one for one in found if not title or one.title == title]


def test_a_fresh_account_has_all_that_a_training_needs(live):
    found = check(live)
    assert {one.state for one in found} == {CheckState.OK}, found
    assert [one.title for one in found] == ["Bucket", "Role", "Quota", "Quota", "Permission"]
    training, endpoint = check(live, "Quota")
    assert "ml.m5.large for training job usage" in training.sentence
    assert "0 in use, this needs 1" in training.sentence
    assert "ml.m5.large for endpoint usage" in endpoint.sentence


def test_and_all_that_an_instance_needs(live):
    found = check(live, platform=Platform.EC2, instance_type="m5.large", capacity=Capacity.SPOT)
    assert {one.state for one in found} == {CheckState.OK}, found
    (image,) = [one for one in found if one.title == "Image"]
    assert "PyTorch" in image.sentence
    (quota,) = [one for one in found if one.title == "Quota"]
    assert "Spot Instance Requests" in quota.sentence
    assert "this needs 2" in quota.sentence  # vCPUs of one m5.large


def test_and_all_that_a_spot_job_and_a_resumed_one_need(live):
    kept = f"s3://{live.bucket}/checkpoints/dogs-0/"
    for about_it in ({"capacity": Capacity.SPOT}, {"resume_from": kept}):
        found = check(live, **about_it)
        assert {one.state for one in found} == {CheckState.OK}, found


def test_spot_counts_against_a_quota_of_its_own_and_a_tuning_job_as_its_parallel_trainings(live):
    assert "spot training job usage" in check(live, "Quota", capacity=Capacity.SPOT)[0].sentence
    tuning = Tuning(DEFAULT_RANGES, max_jobs=6, parallel=3)
    assert "this needs 6" in check(live, "Quota", tuning=tuning, instance_count=2)[0].sentence


def test_a_quota_that_is_zero_stops_the_launch(live, prices):
    (first, *_) = check(live, "Quota", instance_type="ml.p3.2xlarge")
    assert first.state is CheckState.STOP
    assert "Service Quotas" in first.next_step
    (vcpus,) = check(live, "Quota", platform=Platform.EC2, instance_type="p3.2xlarge")
    assert vcpus.state is CheckState.STOP
    spec = TrainingSpec(live.data, instance_type="ml.p3.2xlarge", name="large")
    with pytest.raises(Refused, match=r"ml\.p3\.2xlarge for training job usage"):
        launch(live.aws, planned(live, prices, spec))
    with pytest.raises(QuotaExceeded, match=r"ml\.p3\.2xlarge for training job usage"):  # nobody looked: AWS says so
        launch(live.aws, planned(live, prices, spec, looked=False))


@pytest.mark.parametrize(
    ("platform", "kind", "role", "service"),
    [
        (Platform.SAGEMAKER, "ml.m5.large", "KennelTraining", "sagemaker.amazonaws.com"),
        (Platform.EC2, "m5.large", "KennelInstance", "ec2.amazonaws.com"),
    ],
)
def test_a_role_that_trusts_another_service_stops_the_launch(live, platform, kind, role, service):
    iam = live.embedded.client("iam")
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    wrong = json.loads(json.dumps(before).replace(service, "lambda.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wrong))
    try:
        (found,) = check(live, "Role", platform=platform, instance_type=kind)
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
    assert found.state is CheckState.STOP
    assert service in found.sentence
    assert '"sts:AssumeRole"' in found.next_step


def test_a_role_that_is_missing_stops_the_launch_and_so_does_sagemaker(live, prices):
    iam = live.embedded.client("iam")
    iam.delete_role_policy(RoleName="KennelTraining", PolicyName="KennelTraining")
    iam.delete_role(RoleName="KennelTraining")
    try:
        (found,) = check(live, "Role")
        unchecked = check(live, "Permission")
        with pytest.raises(Refused, match="cannot act as the role KennelTraining") as caught:
            launch(live.aws, planned(live, prices, TrainingSpec(live.data, name="no-role"), looked=False))
    finally:
        live.make_roles()
    assert found.state is CheckState.STOP
    assert "KennelTraining is not in account" in found.sentence
    assert CheckState.UNKNOWN in {one.state for one in unchecked}
    assert "sagemaker.amazonaws.com" in caught.value.next_step


def test_a_permission_that_the_role_lacks_is_named_with_the_statement_to_ask_for(live):
    iam = live.embedded.client("iam")
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{live.bucket}/runs/*"}
    only = {"Version": "2012-10-17", "Statement": [EVERYTHING["Statement"][0], deny]}
    iam.put_role_policy(RoleName="KennelTraining", PolicyName="KennelTraining", PolicyDocument=json.dumps(only))
    try:
        found = [one for one in check(live, "Permission") if one.state is CheckState.STOP]
    finally:
        iam.delete_role_policy(RoleName="KennelTraining", PolicyName="KennelTraining")
        live.make_roles()
    (missing,) = found
    resource = f"arn:aws:s3:::{live.bucket}/runs/*"
    assert missing.statement == {"Effect": "Allow", "Action": "s3:PutObject", "Resource": resource}
    assert "the role KennelTraining may not s3:PutObject" in missing.sentence
    assert json.dumps(missing.statement) in missing.next_step


def test_data_that_is_not_there_or_lies_in_another_region_stops_the_launch(live):
    (empty,) = check(live, "Data", dataset_uri=f"s3://{live.bucket}/datasets/cats/")
    assert empty.state is CheckState.STOP
    (missing,) = check(live, "Bucket", dataset_uri="s3://no-such-bucket-of-dogs/datasets/dogs/")
    assert (missing.state, "no bucket no-such-bucket-of-dogs" in missing.sentence) == (CheckState.STOP, True)
    s3 = live.embedded.client("s3")
    s3.create_bucket(Bucket="dogs-of-europe", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="dogs-of-europe", Key="dogs/train/a/1.jpg", Body=b"x")
    (far,) = check(live, "Bucket", dataset_uri="s3://dogs-of-europe/dogs/")
    assert far.state is CheckState.STOP
    assert "is in eu-west-1, the training would be in us-east-1" in far.sentence


def test_an_account_that_does_not_answer_is_no_list_of_unknowns(tmp_path):
    write_client(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        look(connect({"KENNEL_HOME": str(tmp_path)}), TrainingSpec("s3://bucket-of-dogs/dogs/"))


def test_what_is_looked_at_does_not_depend_on_what_is_typed():
    one = TrainingSpec("s3://bucket-of-dogs/dogs/", name="a", epochs=3, project="x")
    other = TrainingSpec("s3://bucket-of-dogs/dogs/", name="b", epochs=4, max_seconds=120)
    assert about(one) == about(other)
    assert about(one) != about(TrainingSpec("s3://bucket-of-dogs/dogs/", instance_count=2))


def test_of_a_tuning_only_what_runs_at_once_is_looked_at():
    one = TrainingSpec("s3://bucket-of-dogs/dogs/", instance_count=2, tuning=Tuning(DEFAULT_RANGES, parallel=2))
    other = replace(one, tuning=Tuning((), "Random", max_jobs=9, parallel=2))
    more = replace(one, tuning=Tuning(DEFAULT_RANGES, parallel=3))
    assert about(one) == about(other)
    assert about(one).at_once == one.at_once == 4
    assert about(one) != about(more)
    assert about(one) != about(replace(one, tuning=None))


@pytest.mark.parametrize(
    ("statement", "fits"),
    [
        ({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}, True),
        ({"Effect": "Allow", "Principal": {"Service": ["a", "ec2.amazonaws.com"]}, "Action": ["STS:assumeRole"]}, True),
        ({"Effect": "Allow", "Principal": "*", "Action": "sts:*"}, True),
        ({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"AWS": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:TagSession"}, False),
        ({"Effect": "Deny", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}, False),
    ],
)
def test_who_a_trust_policy_lets_in(statement, fits):
    assert trusts({"Statement": statement}, "ec2.amazonaws.com") is fits
    allowed = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert trusts({"Statement": [allowed, statement]}, "ec2.amazonaws.com") is (statement["Effect"] == "Allow")


def planned(live, prices, spec, looked=True):
    around = look(live.aws, spec) if looked else None
    return plan(
        spec, account=live.aws.account, prices=prices, past_runs=(), surroundings=around, now=NOW, token="4f2a9c"
    )
