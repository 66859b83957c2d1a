"""CloudFormation as boto3 and AWS's command line see it: stacks that are made, changed, taken back and deleted."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ROOT, Embedded, start_embedded, stop_embedded
from tests.local_aws.callers import Caller, allow, session
from tests.local_aws.sagemaker_world import unique
from tests.local_aws.stack_world import NAMED, TEMPLATE, given, logs_template, made, reasons, settled

HURRIED = """
import sys, time
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.05))  # it looks every 30 seconds otherwise
from awscli.clidriver import main
sys.exit(main())
"""
"""AWS's command line."""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("stacks"))
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def cloudformation(aws: Embedded) -> Any:
    return aws.client("cloudformation")


def refused(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def groups(aws: Embedded, prefix: str) -> dict[str, int | None]:
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    return {one["logGroupName"]: one.get("retentionInDays") for one in found}


def test_a_stack_is_really_made_and_its_deletion_keeps_the_bucket(aws: Embedded, cloudformation: Any) -> None:
    name = unique("whole")
    stack = made(aws, name, TEMPLATE, given(Name=name), Tags=[{"Key": "team", "Value": "dogs"}])
    (told,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    role = aws.client("iam").get_role(RoleName=f"{name}-role")["Role"]
    assert (told["StackStatus"], told["Tags"]) == ("CREATE_COMPLETE", [{"Key": "team", "Value": "dogs"}])
    assert {one["OutputKey"]: one["OutputValue"] for one in told["Outputs"]}["RoleArn"] == role["Arn"]
    assert {one["Key"]: one["Value"] for one in role["Tags"]} == {"team": "dogs", "made-for": "tests"}
    profile = aws.client("iam").get_instance_profile(InstanceProfileName=f"{name}-profile")["InstanceProfile"]
    assert [one["RoleName"] for one in profile["Roles"]] == [f"{name}-role"]
    attached = aws.client("iam").list_attached_role_policies(RoleName=f"{name}-role")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [f"arn:aws:iam::123456789012:policy/kennel/{name}-policy"]
    assert groups(aws, f"/{name}") == {f"/{name}/log": 30}
    bucket, s3 = f"{name}-123456789012", aws.client("s3")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    happened = reasons(aws, name)
    assert happened[0][:2] == (name, "REVIEW_IN_PROGRESS")
    assert happened[-1][:2] == (name, "CREATE_COMPLETE")
    kept = {
        one["LogicalResourceId"] for one in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    }
    assert kept == {"Bucket", "Log", "OnlyTls", "Policy", "Profile", "Role"}
    assert cloudformation.get_template(StackName=name)["TemplateBody"] == TEMPLATE

    cloudformation.delete_stack(StackName=name)
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"
    s3.head_bucket(Bucket=bucket)  # it stays
    assert ("Bucket", "DELETE_SKIPPED", "") in reasons(aws, stack)
    assert groups(aws, f"/{name}") == {}
    assert refused(aws.client("iam").get_role, RoleName=f"{name}-role")[0] == "NoSuchEntity"
    assert refused(cloudformation.describe_stacks, StackName=name) == (
        "ValidationError", f"Stack with id {name} does not exist",
    )  # fmt: skip
    listed = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert stack in [one["StackId"] for one in listed]


def test_what_fails_is_taken_back(aws: Embedded, cloudformation: Any) -> None:
    name = unique("back")
    aws.client("logs").create_log_group(logGroupName=f"/{name}/2")
    stack = made(aws, name, logs_template(f"/{name}/1", f"/{name}/2", f"/{name}/3"))
    (told,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert told["StackStatus"] == "ROLLBACK_COMPLETE"
    (why,) = [why for name_, status, why in reasons(aws, stack) if status == "CREATE_FAILED"]
    assert f"/{name}/2 already exists" in why
    assert groups(aws, f"/{name}") == {f"/{name}/2": None}  # what was there before is untouched
    code, message = refused(cloudformation.update_stack, StackName=name, TemplateBody=logs_template("/x"))
    assert (code, "can not be updated" in message) == ("ValidationError", True)
    cloudformation.delete_stack(StackName=name)
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"
    assert groups(aws, f"/{name}") == {f"/{name}/2": None}


def test_an_update_changes_what_differs_and_is_taken_back_when_it_fails(aws: Embedded, cloudformation: Any) -> None:
    name = unique("change")
    made(aws, name, TEMPLATE, given(Name=name))
    role = f"{name}-role"

    def change(template: str, **values: Any) -> dict[str, Any]:
        asked = {"StackName": name, "ChangeSetName": unique("c"), "Capabilities": NAMED}
        answer = cloudformation.create_change_set(TemplateBody=template, Parameters=given(Name=name, **values), **asked)
        found: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=answer["Id"])
        return found

    same = change(TEMPLATE)
    assert (same["Status"], same["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in same["StatusReason"]

    longer = change(TEMPLATE.replace("works in tests", "works on"), Days=60, WithProfile="no")
    told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]["Action"] for one in longer["Changes"]}
    assert told == {"Log": "Modify", "Role": "Modify", "Profile": "Remove"}
    cloudformation.execute_change_set(ChangeSetName=longer["ChangeSetId"])
    assert settled(aws, name)["StackStatus"] == "UPDATE_COMPLETE"
    assert groups(aws, f"/{name}") == {f"/{name}/log": 60}
    assert aws.client("iam").get_role(RoleName=role)["Role"]["Description"] == "works on"
    assert refused(aws.client("iam").get_instance_profile, InstanceProfileName=f"{name}-profile")[0] == "NoSuchEntity"

    aws.client("logs").create_log_group(logGroupName=f"/{name}/taken")
    extra = f"Type: AWS::Logs::LogGroup, DependsOn: Role, Properties: {{LogGroupName: /{name}/taken}}"
    broken = TEMPLATE.replace("works in tests", "never").replace("\nOutputs:", f"\n  Taken: {{{extra}}}\nOutputs:")
    cloudformation.execute_change_set(ChangeSetName=change(broken, Days=90, WithProfile="yes")["ChangeSetId"])
    assert settled(aws, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.client("iam").get_role(RoleName=role)["Role"]["Description"] == "works on"
    assert groups(aws, f"/{name}") == {f"/{name}/log": 60, f"/{name}/taken": None}
    left = {
        one["LogicalResourceId"] for one in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    }
    assert left == {"Bucket", "Log", "OnlyTls", "Policy", "Role"}


def test_what_still_holds_something_is_not_deleted(aws: Embedded, cloudformation: Any) -> None:
    name = unique("held")
    template = json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}})
    stack = made(aws, name, template)
    aws.client("s3").put_object(Bucket=name, Key="a", Body=b"a")
    cloudformation.delete_stack(StackName=name)
    assert settled(aws, stack)["StackStatus"] == "DELETE_FAILED"
    assert "not empty" in next(why for _, status, why in reasons(aws, stack) if status == "DELETE_FAILED")
    cloudformation.delete_stack(StackName=name, RetainResources=["Bucket"])
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"
    aws.client("s3").head_bucket(Bucket=name)


def test_a_stack_is_made_with_the_callers_own_rights(aws: Embedded) -> None:
    name = unique("rights")
    keys = session(aws, allow("cloudformation:*"), allow("logs:DescribeLogGroups"))
    with Caller(aws, keys) as caller:
        caller("cloudformation").create_stack(StackName=name, TemplateBody=logs_template(f"/{name}"))
        assert settled(aws, name)["StackStatus"] == "ROLLBACK_COMPLETE"
    (why,) = [why for _, status, why in reasons(aws, name) if status == "CREATE_FAILED"]
    assert "is not authorized to perform: logs:CreateLogGroup" in why
    assert "AccessDenied" in why
    trail = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateLogGroup"}]
    )["Events"]
    event = next(json.loads(one["CloudTrailEvent"]) for one in trail if name in one["CloudTrailEvent"])
    assert event["userIdentity"]["invokedBy"] == event["sourceIPAddress"] == "cloudformation.amazonaws.com"
    assert event["errorCode"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("asked", "code", "why"),
    [
        ({"TemplateBody": TEMPLATE, "Parameters": given(Name="x")}, "InsufficientCapabilitiesException", "NAMED_IAM"),
        ({"TemplateBody": logs_template("/a"), "RoleARN": "arn:aws:iam::1:role/Role"}, "ValidationError", "RoleARN"),
        ({"TemplateURL": "https://bucket.s3.amazonaws.com/a.yaml"}, "ValidationError", "TemplateURL"),
        ({"TemplateBody": logs_template("/a"), "NotificationARNs": ["arn"]}, "ValidationError", "NotificationARNs"),
        ({"TemplateBody": logs_template("/a"), "StackName": "not_a_name"}, "ValidationError", "stackName"),
        ({}, "ValidationError", "Template Body must be specified"),
    ],
)  # fmt: skip
def test_what_is_not_done_is_refused_by_name(cloudformation: Any, asked: dict[str, Any], code: str, why: str) -> None:
    name = asked.pop("StackName", unique("no"))
    found = refused(cloudformation.create_stack, StackName=name, **asked)
    assert found[0] == code
    assert why in found[1]
    assert refused(cloudformation.describe_stacks, StackName=name)[0] == "ValidationError"


def test_asking_twice_makes_one_stack(aws: Embedded, cloudformation: Any) -> None:
    name = unique("twice")
    asked = {"StackName": name, "TemplateBody": logs_template(f"/{name}"), "ClientRequestToken": "one"}
    assert cloudformation.create_stack(**asked)["StackId"] == cloudformation.create_stack(**asked)["StackId"]
    again = asked | {"ClientRequestToken": "two"}
    assert refused(cloudformation.create_stack, **again)[0] == "AlreadyExistsException"
    assert settled(aws, name)["StackStatus"] == "CREATE_COMPLETE"
    new = {"StackName": name, "ChangeSetName": "c", "TemplateBody": logs_template(f"/{name}/b"), "ClientToken": "t"}
    assert cloudformation.create_change_set(**new)["Id"] == cloudformation.create_change_set(**new)["Id"]
    cloudformation.delete_change_set(StackName=name, ChangeSetName="c")
    assert refused(cloudformation.describe_change_set, StackName=name, ChangeSetName="c")[0] == "ChangeSetNotFound"


def test_templates_are_summed_up(cloudformation: Any) -> None:
    told = cloudformation.get_template_summary(TemplateBody=TEMPLATE)
    assert [one["ParameterKey"] for one in told["Parameters"]] == ["Name", "Days", "WithProfile"]
    assert told["Capabilities"] == NAMED
    assert "AWS::IAM::InstanceProfile" in told["ResourceTypes"]
    assert cloudformation.validate_template(TemplateBody=TEMPLATE)["Parameters"][1]["DefaultValue"] == "30"
    assert refused(cloudformation.validate_template, TemplateBody="Resources: {}")[0] == "ValidationError"


def test_awss_command_line_deploys_and_deploys_again(aws: Embedded, tmp_path: Path) -> None:
    name = unique("cli")
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

    def deploy(*values: str) -> subprocess.CompletedProcess[str]:
        asked = ["cloudformation", "deploy", "--stack-name", name, "--template-file", str(tmp_path / "t.yaml"),
                 "--capabilities", *NAMED, "--parameter-overrides", f"Name={name}", *values]  # fmt: skip
        command = [sys.executable, "-c", HURRIED, *asked]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    first = deploy("--tags", "team=dogs")
    assert "Successfully created/updated stack" in first.stdout, first.stderr
    assert settled(aws, name)["StackStatus"] == "CREATE_COMPLETE"
    made_at = int(time.time())
    while int(time.time()) == made_at:  # the command line names its change sets by the second
        time.sleep(0.05)
    second = deploy("--tags", "team=dogs", "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in second.stdout, second.stderr


def test_a_stack_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    """At several moments of making and deleting: nothing is left half way, nothing is made twice."""
    chance = random.Random(8)
    running = start_embedded(tmp_path)
    try:
        parameters = given(Name="killed")
        running.client("iam").list_roles()  # what is slow once is not part of the moments
        stack = running.client("cloudformation").create_stack(
            StackName="killed", TemplateBody=TEMPLATE, Parameters=parameters, Capabilities=NAMED
        )["StackId"]
        for _ in range(2):
            time.sleep(chance.uniform(0.0, 0.15))
            running.process.kill()
            stop_embedded(running)
            running = start_embedded(tmp_path)
        assert settled(running, stack)["StackStatus"] == "CREATE_COMPLETE", reasons(running, stack)
        happened = reasons(running, stack)
        assert [name for name, status, _ in happened if status == "CREATE_FAILED"] == []
        finished = [name for name, status, _ in happened if status == "CREATE_COMPLETE"]
        assert len(finished) == len(set(finished))
        assert groups(running, "/killed") == {"/killed/log": 30}
        running.client("cloudformation").delete_stack(StackName=stack)
        time.sleep(chance.uniform(0.0, 0.05))
        running.process.kill()
        stop_embedded(running)
        running = start_embedded(tmp_path)
        assert settled(running, stack)["StackStatus"] == "DELETE_COMPLETE"
        assert groups(running, "/killed") == {}
    finally:
        stop_embedded(running)
