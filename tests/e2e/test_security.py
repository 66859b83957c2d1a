"""The account's roles in the browser: the risks are found, one is replaced, proven, held to it, and given back."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local_aws.sample_roles import BROAD_FUNCTION, GOOD_FUNCTION, LEFT_POLICY, OLD, PARTNER, SHARED, TRAINING
from tests.e2e import by_keyboard
from tests.e2e.conftest import Kennel, no_exception, settle, wait_for

pytestmark = pytest.mark.e2e

PLANTED = {
    (OLD, "full-access"),
    (OLD, "unused-role"),
    (SHARED, "full-access"),
    (SHARED, "privilege-escalation"),
    (SHARED, "shared-role"),
    (SHARED, "trust"),
    (TRAINING, "full-access"),
    (TRAINING, "trust"),
    (BROAD_FUNCTION, "full-access"),
    (PARTNER, "trust"),
}
GOOD = {"KennelTraining", "KennelEndpoint", "KennelInstance", GOOD_FUNCTION}
FULL_ACCESS = {"AmazonSageMakerFullAccess", "AmazonS3FullAccess"}
_PROBE = """
import boto3, botocore.exceptions, sys
s3 = boto3.client("s3")
try:
    s3.list_buckets()
except botocore.exceptions.ClientError as error:
    sys.exit(0 if error.response["Error"]["Code"] == "AccessDenied" else 3)
sys.exit(4)
"""
"""Ends with 0 where looking at the account's buckets is denied: a job of it is then Completed."""
PROBE = f"exec({_PROBE!r})"  # an entrypoint holds no line ends


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def confirm(page: Page, *, typed: str = "") -> None:
    dialog = page.get_by_role("dialog")
    if typed:
        field = dialog.locator("input[type=text]").first
        field.fill(typed)
        field.press("Enter")
    dialog.locator(".st-key-confirm-do button").click()
    expect(dialog).to_have_count(0)
    no_exception(page)


def ended(page: Page, word: str) -> None:
    """What was begun has come out so."""
    panel = page.locator(".st-key-panel-role-ended")
    expect(panel).to_be_visible(timeout=150_000)
    expect(panel).to_contain_text(re.compile(rf"(?<!not ){word}(?! in part)"))
    no_exception(page)


def attached(kennel: Kennel, role: str) -> set[str]:
    told = kennel.aws("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {one["PolicyName"] for one in told}


def job_as(kennel: Kennel, role: str, name: str, *command: str) -> str:
    """Run the sample training's job once more as a role, with the role's own keys; how it ended."""
    sagemaker = kennel.aws("sagemaker")
    sample = sagemaker.describe_training_job(TrainingJobName="sample-drawn-dogs")
    algorithm = {
        "TrainingImage": sample["AlgorithmSpecification"]["TrainingImage"],
        "TrainingInputMode": "File",
        "ContainerEntrypoint": list(command) or sample["AlgorithmSpecification"]["ContainerEntrypoint"],
    }
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=f"arn:aws:iam::123456789012:role/{role}",
        AlgorithmSpecification=algorithm,
        HyperParameters={**sample["HyperParameters"], "epochs": "1"},
        InputDataConfig=[
            {key: channel[key] for key in ("ChannelName", "DataSource")} for channel in sample["InputDataConfig"]
        ],
        OutputDataConfig={"S3OutputPath": sample["OutputDataConfig"]["S3OutputPath"]},
        ResourceConfig={
            key: sample["ResourceConfig"][key] for key in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def status() -> str:
        return str(sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"])

    wait_for(f"the end of {name}", lambda: status() in ("Completed", "Failed", "Stopped"), 120)
    return status()


def test_the_planted_risks_are_found_and_the_good_roles_are_not_flagged(
    page: Page, kennel: Kennel, tmp_path: Path
) -> None:
    page.goto(f"{kennel.url}/security")
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").first.click()
    file = tmp_path / "findings.json"
    download.value.save_as(file)
    told = json.loads(file.read_text())
    findings = told if isinstance(told, list) else told["findings"]
    found = {(one["role"], one["kind"]) for one in findings}
    assert not PLANTED - found
    assert not {role for role, _ in found} & GOOD
    assert any(one["kind"] == "unused-policy" and LEFT_POLICY in json.dumps(one) for one in findings)
    expect(page.locator(".kn-title")).to_contain_text(OLD)
    no_exception(page)


def test_a_full_access_role_is_replaced_proven_held_to_it_and_given_back(page: Page, kennel: Kennel) -> None:
    assert attached(kennel, TRAINING) == FULL_ACCESS
    # by a role of the same policies: what this one is seen to do, its proposal would keep
    assert attached(kennel, SHARED) == FULL_ACCESS
    assert job_as(kennel, SHARED, "full-access-may-look", "python", "-c", PROBE) == "Failed"

    page.goto(f"{kennel.url}/role?role={TRAINING}&part=Proposal")
    settle(page)
    press(page, "role-prove")
    confirm(page)
    ended(page, "proven")
    jobs = kennel.aws("sagemaker").list_training_jobs(NameContains="kennel-trial")["TrainingJobSummaries"]
    assert {one["TrainingJobStatus"] for one in jobs} == {"Completed"}
    roles = kennel.aws("iam").list_roles()["Roles"]
    assert not [one["RoleName"] for one in roles if "trial" in one["RoleName"]]

    by_keyboard.press(page, ".st-key-role-apply button")  # who cannot point may mend a role too
    by_keyboard.confirm(page, typed=TRAINING)
    ended(page, "changed")
    assert attached(kennel, TRAINING).isdisjoint(FULL_ACCESS)
    assert job_as(kennel, TRAINING, "after-it-trains") == "Completed"
    assert job_as(kennel, TRAINING, "after-it-may-not-look", "python", "-c", PROBE) == "Completed"

    page.goto(f"{kennel.url}/role?role={TRAINING}&part=History")
    settle(page)
    by_keyboard.press(page, "[class*=st-key-role-undo-] button")
    by_keyboard.confirm(page)
    ended(page, "as before")
    assert attached(kennel, TRAINING) == FULL_ACCESS
