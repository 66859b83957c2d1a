"""Who is asked about, and what is said when IAM does not tell."""

from dataclasses import replace

import pytest

from dashboard.core.errors import Unreachable
from dashboard.core.runs.permissions import Need, of_caller, of_role, permissions
from dashboard.core.runs.quota import Limits, quotas, vcpus
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec, Tuning
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES
from tests.core.conftest import Reply, refusal
from tests.core.runs.made import DOGS

SPEC = TrainingSpec(DOGS)
ON_EC2 = TrainingSpec(DOGS, platform=Platform.EC2, instance_type="m5.large")


def identity(fake, arn):
    inside = f"<GetCallerIdentityResult><Arn>{arn}</Arn><Account>123456789012</Account></GetCallerIdentityResult>"
    fake.on("GetCallerIdentity", Reply(f"<R>{inside}</R>".encode()))


def simulate(fake, decision="allowed", missing=""):
    def answer(asked):
        found = (
            f"<EvalActionName>{asked['ActionNames.member.1']}</EvalActionName><EvalDecision>{decision}</EvalDecision>"
        )
        keys = f"<MissingContextValues><member>{missing}</member></MissingContextValues>" if missing else ""
        inside = f"<EvaluationResults><member>{found}{keys}</member></EvaluationResults>"
        return Reply(f"<R><SimulatePrincipalPolicyResult>{inside}</SimulatePrincipalPolicyResult></R>".encode())

    fake.on("SimulatePrincipalPolicy", answer)


def asked_about(fake):
    return {asked["PolicySourceArn"] for name, asked in fake.calls if name == "SimulatePrincipalPolicy"}


def test_a_session_is_asked_about_by_its_role(aws, fake):
    identity(fake, "arn:aws:sts::123456789012:assumed-role/Engineer/ada")
    role = "<Role><Arn>arn:aws:iam::123456789012:role/people/Engineer</Arn></Role>"
    fake.on("GetRole", Reply(f"<R><GetRoleResult>{role}</GetRoleResult></R>".encode()))
    simulate(fake)
    found = permissions(aws, SPEC)
    assert all(one.allowed for one in found)
    training = "arn:aws:iam::123456789012:role/KennelTraining"
    assert asked_about(fake) == {"arn:aws:iam::123456789012:role/people/Engineer", training}


def test_the_accounts_root_user_is_not_asked_about(aws, fake):
    identity(fake, "arn:aws:iam::123456789012:root")
    simulate(fake)
    assert {one.who for one in permissions(aws, SPEC)} == {"the role KennelTraining"}


def test_a_denial_that_hangs_on_something_unknown_is_unknown(aws, fake):
    identity(fake, "arn:aws:iam::123456789012:user/ada")
    simulate(fake, "implicitDeny", "aws:MultiFactorAuthPresent")
    found = permissions(aws, SPEC)
    assert {one.allowed for one in found} == {None}
    assert "aws:MultiFactorAuthPresent" in found[0].why
    simulate(fake, "explicitDeny", "aws:MultiFactorAuthPresent")
    assert {one.allowed for one in permissions(aws, SPEC)} == {False}


def test_without_the_right_to_simulate_nothing_is_known_and_nothing_breaks(aws, fake):
    identity(fake, "arn:aws:iam::123456789012:user/ada")
    fake.on("SimulatePrincipalPolicy", Reply(b"<R><Error><Code>AccessDenied</Code></Error></R>", 403))
    found = permissions(aws, SPEC)
    assert {one.allowed for one in found} == {None}
    assert "iam:SimulatePrincipalPolicy" in found[0].why


def test_what_is_needed_depends_on_the_way_of_training(aws):
    account = aws.account

    def actions(needs):
        return {need.action for need in needs}

    assert "sagemaker:CreateTrainingJob" in actions(of_caller(SPEC, account))
    tuning = TrainingSpec(DOGS, tuning=Tuning(DEFAULT_RANGES))
    assert "sagemaker:CreateHyperParameterTuningJob" in actions(of_caller(tuning, account))
    assert {"ec2:RunInstances", "iam:PassRole"} <= actions(of_caller(ON_EC2, account))
    assert "ecr:BatchGetImage" in actions(of_role(SPEC, account))  # AWS's image is pulled with the role's rights
    assert "ecr:BatchGetImage" not in actions(of_role(ON_EC2, account))
    assert "cloudwatch:PutMetricData" in actions(of_role(ON_EC2, account))
    spot = of_role(TrainingSpec(DOGS, capacity=Capacity.SPOT), account)
    kept = {(need.action, need.resource) for need in spot if "checkpoints" in need.resource}
    folder = "arn:aws:s3:::kennel-123456789012-us-east-1/checkpoints/*"
    assert kept == {("s3:GetObject", folder), ("s3:PutObject", folder)}
    resumed = of_role(replace(ON_EC2, resume_from="s3://bucket-of-dogs/checkpoints/dogs-0/"), account)
    assert Need("s3:GetObject", "arn:aws:s3:::bucket-of-dogs/checkpoints/dogs-0/*") in resumed


def test_quotas_that_may_not_be_read_are_unknown(aws, fake):
    fake.on("ListServiceQuotas", refusal("AccessDeniedException", "no"))
    fake.on("GetServiceQuota", refusal("AccessDeniedException", "no"))
    for spec in (SPEC, ON_EC2):
        (quota,) = quotas(aws, spec)
        assert quota.limit is None
        assert "servicequotas:" in quota.why


def test_quotas_are_found_on_whichever_page_they_are(aws, fake):
    name, beside = "ml.m5.large for training job usage", "ml.m5.large for endpoint usage"

    def answer(asked):
        if "NextToken" not in asked:
            return {"Quotas": [{"QuotaName": "ml.m5.large for processing job usage", "Value": 1.0}], "NextToken": "2"}
        assert asked["NextToken"] == "2"
        return {"Quotas": [{"QuotaName": name, "Value": 4.0}, {"QuotaName": beside, "Value": 2.0}]}

    fake.on("ListServiceQuotas", answer)
    job = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2}}
    other = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}, "EnableManagedSpotTraining": True}
    fake.on("Search", {"Results": [{"TrainingJob": job}, {"TrainingJob": other}]})
    first, second = quotas(aws, SPEC)
    assert (first.name, first.limit, first.used, first.needed) == (name, 4, 2, 1)
    assert (second.name, second.limit, second.needed) == (beside, 2, 0)


def test_limits_that_are_known_are_not_read_again(aws, fake):
    fake.on("Search", {"Results": []})
    (quota,) = quotas(aws, SPEC, Limits({"ml.m5.large for training job usage": 4.0}))
    assert (quota.limit, quota.used) == (4, 0)
    assert fake.counts["ListServiceQuotas"] == 0


def test_without_search_the_use_is_unknown_and_the_limit_stands(aws, fake):
    name = "ml.m5.large for training job usage"
    fake.on("ListServiceQuotas", {"Quotas": [{"QuotaName": name, "Value": 4.0}]})
    fake.on("Search", refusal("AccessDeniedException", "no"))
    (quota,) = quotas(aws, SPEC)
    assert (quota.limit, quota.used) == (4, None)


def test_vcpus_are_cores_times_threads():
    counted = [
        {"InstanceType": "c5.2xlarge", "CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 2}},
        {"InstanceType": "m5.large"},  # from our table
        {"InstanceType": "x9.huge"},  # unknown to it: nobody can say
    ]
    assert vcpus(counted) == 10


@pytest.mark.parametrize("read", [quotas, permissions])
def test_an_account_that_does_not_answer_is_no_unknown(aws, fake, read):
    fake.close()
    with pytest.raises(Unreachable):
        read(aws, SPEC)
