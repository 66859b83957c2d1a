from dashboard.core.errors import AccessDenied
from dashboard.core.runs.quota import Limits, sagemaker_limits
from dashboard.core.serving.scaling.around import ROLE, look
from dashboard.core.serving.scaling.read import read
from tests.core.serving.scaling.scaling_aws import ScalingAws


def around(aws):
    return look(aws, read(aws, "dogs").variant, lambda: sagemaker_limits(aws))


def test_the_role_that_is_there_and_the_limit_of_the_type_are_found():
    aws = ScalingAws()
    aws.roles.add(ROLE)
    found = around(aws)
    assert (found.has_role, found.lacks_role, found.limit) == (True, False, 8)


def test_a_missing_role_is_no_matter_for_those_who_may_have_it_made():
    aws = ScalingAws()
    assert (around(aws).has_role, around(aws).may_make_role, around(aws).lacks_role) == (False, True, False)
    aws.may = False
    assert around(aws).lacks_role


def test_what_may_not_be_asked_is_unknown_with_its_reason():
    aws = ScalingAws()
    aws.errors["GetRole"] = AccessDenied("not allowed to iam:GetRole", action="iam:GetRole")
    found = around(aws)
    assert (found.has_role, found.lacks_role, found.role_why) == (None, False, "not allowed to iam:GetRole")
    aws.limits.clear()
    assert around(aws).limit is None
    assert "ml.m5.large for endpoint usage" in around(aws).limit_why


def test_a_serverless_variant_has_no_limit_of_instances():
    aws = ScalingAws()
    aws.endpoint["ProductionVariants"][0]["CurrentServerlessConfig"] = {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    variant = read(aws, "dogs").variant
    assert look(aws, variant, lambda: Limits({}, "never asked")).limit is None
