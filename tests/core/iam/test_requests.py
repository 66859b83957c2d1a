"""The rights that requests need: what the services' own guides say of them, by example."""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from dashboard.core.iam.requests import UnknownRequest, known_operations, rights_of
from dashboard.core.iam.rights import Right, Where
from local_aws.protocol import Service
from local_aws.services import (
    application_autoscaling,
    budgets,
    cloudformation,
    cloudtrail,
    cloudwatch,
    cost_explorer,
    lambda_service,
    logs,
    pricing,
    s3,
    sagemaker,
    scheduler,
    service_quotas,
    sns,
)

HERE = Where("111122223333", "eu-west-1")
ROLE = "arn:aws:iam::111122223333:role/team/Train"


class Account:
    """Knows one role and one profile."""

    def iam_arn(self, kind: str, name: str) -> str | None:
        return f"arn:aws:iam::111122223333:{kind}/team/{name}" if name == "Train" else None

    def boundary(self, kind: str, name: str) -> str | None:
        return "arn:aws:iam::111122223333:policy/limit" if (kind, name) == ("role", "Train") else None

    def profile_role(self, profile: str) -> str | None:
        return ROLE if profile == "machines" else None


def rights(service: str, operation: str, **parameters: Any) -> list[tuple[str, str]]:
    return [(one.action, one.resource) for one in rights_of(service, operation, parameters, HERE)]


def the_right(service: str, operation: str, **parameters: Any) -> Right:
    (only,) = rights_of(service, operation, parameters, HERE)
    return only


def of(found: tuple[Right, ...], action: str) -> Right:
    return next(one for one in found if one.action == action)


@pytest.mark.parametrize(
    ("operation", "parameters", "needed"),
    [
        ("ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("HeadObject", {"Bucket": "b", "Key": "a/k"}, [("s3:GetObject", "arn:aws:s3:::b/a/k")]),
        ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("CreateMultipartUpload", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("UploadPart", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("AbortMultipartUpload", {"Bucket": "b", "Key": "k"}, [("s3:AbortMultipartUpload", "arn:aws:s3:::b/k")]),
        ("ListParts", {"Bucket": "b", "Key": "k"}, [("s3:ListMultipartUploadParts", "arn:aws:s3:::b/k")]),
        ("PutBucketEncryption", {"Bucket": "b"}, [("s3:PutEncryptionConfiguration", "arn:aws:s3:::b")]),
        ("DeleteBucketTagging", {"Bucket": "b"}, [("s3:PutBucketTagging", "arn:aws:s3:::b")]),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/from/a%20b?versionId=7"},
            [("s3:GetObjectVersion", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::b/k")],
        ),
        (
            "PutObject",
            {"Bucket": "b", "Key": "k", "Tagging": "team=dogs", "ACL": "private"},
            [(f"s3:{one}", "arn:aws:s3:::b/k") for one in ("PutObject", "PutObjectTagging", "PutObjectAcl")],
        ),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "1"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::b/k"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/l")],
        ),
    ],
)
def test_s3_names_its_actions_otherwise_than_its_operations(
    operation: str, parameters: Mapping[str, Any], needed: list[tuple[str, str]]
) -> None:
    """ "Required permissions for Amazon S3 API operations"."""
    assert rights("s3", operation, **parameters) == needed


def test_an_object_in_an_access_point() -> None:
    """ "Configuring IAM policies for using access points"."""
    point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/dogs"
    assert rights("s3", "GetObject", Bucket=point, Key="a/k") == [("s3:GetObject", f"{point}/object/a/k")]
    assert rights("s3", "AbortMultipartUpload", Bucket=point, Key="k") == [
        ("s3:AbortMultipartUpload", f"{point}/object/k")
    ]
    assert rights("s3", "ListObjectsV2", Bucket=point) == [("s3:ListBucket", point)]


def test_an_object_that_is_encrypted_with_a_key_needs_the_key() -> None:
    """ "Protecting data with AWS KMS keys": kms:GenerateDataKey for whoever uploads."""
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    found = rights_of("s3", "PutObject", {"Bucket": "b", "Key": "k", "SSEKMSKeyId": "1"}, HERE)
    assert of(found, "kms:GenerateDataKey").resource == key
    assert of(found, "kms:GenerateDataKey").context == {"kms:ViaService": ("s3.eu-west-1.amazonaws.com",)}
    assert ("kms:GenerateDataKey", key) in rights("s3", "PutObject", Bucket="b", Key="k", SSEKMSKeyId=key)


def test_what_a_listing_is_limited_to_is_told() -> None:
    listed = the_right("s3", "ListObjectsV2", Bucket="b", Prefix="dogs/", Delimiter="/", MaxKeys=5)
    assert listed.context == {"s3:prefix": ("dogs/",), "s3:delimiter": ("/",), "s3:max-keys": ("5",)}
    assert the_right("s3", "ListObjectsV2", Bucket="b", Prefix="").context == {"s3:prefix": ("",)}
    assert the_right("s3", "ListObjectsV2", Bucket="b").context == {}


def test_of_several_resources_the_one_that_is_made_gets_the_tags() -> None:
    endpoint, tags = {"EndpointName": "e", "EndpointConfigName": "c"}, [{"Key": "team", "Value": "dogs"}]
    base = "arn:aws:sagemaker:eu-west-1:111122223333"
    assert rights("sagemaker", "CreateEndpoint", **endpoint, Tags=tags) == [
        ("sagemaker:CreateEndpoint", f"{base}:endpoint/e"),
        ("sagemaker:CreateEndpoint", f"{base}:endpoint-config/c"),
        ("sagemaker:AddTags", f"{base}:endpoint/e"),
    ]


def test_a_training_job_needs_its_role_to_be_passed_and_its_tags_to_be_allowed() -> None:
    found = rights_of(
        "sagemaker",
        "CreateTrainingJob",
        {
            "TrainingJobName": "dogs",
            "RoleArn": ROLE,
            "ResourceConfig": {"InstanceType": "ml.m5.large"},
            "EnableNetworkIsolation": True,
            "Tags": [{"Key": "team", "Value": "dogs"}],
        },
        HERE,
    )
    job = "arn:aws:sagemaker:eu-west-1:111122223333:training-job/dogs"
    assert [(one.action, one.resource) for one in found] == [
        ("sagemaker:CreateTrainingJob", job),
        ("sagemaker:AddTags", job),
        ("iam:PassRole", ROLE),
    ]
    assert of(found, "iam:PassRole").context == {"iam:PassedToService": ("sagemaker.amazonaws.com",)}
    tags = {"aws:TagKeys": ("team",), "aws:RequestTag/team": ("dogs",)}
    assert of(found, "sagemaker:AddTags").context == tags
    assert of(found, "sagemaker:CreateTrainingJob").context == {
        "sagemaker:InstanceTypes": ("ml.m5.large",),
        "sagemaker:NetworkIsolation": ("true",),
        **tags,
    }


def test_sagemaker() -> None:
    here = "arn:aws:sagemaker:eu-west-1:111122223333:"
    assert rights("sagemaker-runtime", "InvokeEndpoint", EndpointName="e") == [
        ("sagemaker:InvokeEndpoint", f"{here}endpoint/e")
    ]
    assert rights("sagemaker", "UpdateEndpoint", EndpointName="e", EndpointConfigName="c") == [
        ("sagemaker:UpdateEndpoint", f"{here}endpoint/e"),
        ("sagemaker:UpdateEndpoint", f"{here}endpoint-config/c"),
    ]
    group = f"{here}model-package/g/1"
    assert rights("sagemaker", "DescribeModelPackage", ModelPackageName=group) == [
        ("sagemaker:DescribeModelPackage", group)
    ]
    assert rights("sagemaker", "CreateModelPackage", ModelPackageGroupName="g") == [
        ("sagemaker:CreateModelPackage", f"{here}model-package/g/*")
    ]
    definitions = [{"RoleArn": ROLE}, {"RoleArn": ROLE}]
    assert rights(
        "sagemaker",
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="t",
        TrainingJobDefinitions=definitions,
    ) == [
        ("sagemaker:CreateHyperParameterTuningJob", f"{here}hyper-parameter-tuning-job/t"),
        ("iam:PassRole", ROLE),
    ]


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [
        ("f", {}, "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        ("f", {"Qualifier": "live"}, "arn:aws:lambda:eu-west-1:111122223333:function:f:live"),
        ("f:live", {}, "arn:aws:lambda:eu-west-1:111122223333:function:f:live"),
        ("999988887777:function:f", {}, "arn:aws:lambda:eu-west-1:999988887777:function:f"),
        ("999988887777:f:3", {}, "arn:aws:lambda:eu-west-1:999988887777:function:f:3"),
        ("function:f", {}, "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        ("us-east-1:111122223333:function:f", {}, "arn:aws:lambda:us-east-1:111122223333:function:f"),
        ("us-east-1:f", {}, "arn:aws:lambda:us-east-1:111122223333:function:f"),
        ("arn:aws:lambda:f", {}, "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        ("arn:aws:lambda:us-east-1:111122223333:f", {}, "arn:aws:lambda:us-east-1:111122223333:function:f"),
        (
            "arn:aws:lambda:eu-west-1:111122223333:function:f:3",
            {},
            "arn:aws:lambda:eu-west-1:111122223333:function:f:3",
        ),
    ],
)
def test_a_function_is_named_in_several_ways(name: str, qualifier: dict[str, str], arn: str) -> None:
    """Invoke's FunctionName: a name, a partial ARN or an ARN, each with or without a version."""
    assert rights("lambda", "Invoke", FunctionName=name, **qualifier) == [("lambda:InvokeFunction", arn)]


def test_lambda_fetches_the_package_with_the_rights_of_its_caller() -> None:
    """ "Your access has been denied by S3, please make sure your request credentials have permission to GetObject"."""
    function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
    assert rights("lambda", "CreateFunction", FunctionName="f", Role=ROLE, Code={"S3Bucket": "b", "S3Key": "k"}) == [
        ("lambda:CreateFunction", function),
        ("iam:PassRole", ROLE),
        ("s3:GetObject", "arn:aws:s3:::b/k"),
    ]
    assert rights("lambda", "UpdateFunctionCode", FunctionName="f", S3Bucket="b", S3Key="k", S3ObjectVersion="1") == [
        ("lambda:UpdateFunctionCode", function),
        ("s3:GetObjectVersion", "arn:aws:s3:::b/k"),
    ]
    assert rights("lambda", "UpdateFunctionConfiguration", FunctionName="f", Role=ROLE)[1:] == [("iam:PassRole", ROLE)]
    assert the_right("lambda", "CreateFunctionUrlConfig", FunctionName="f", AuthType="NONE").context == {
        "lambda:FunctionUrlAuthType": ("NONE",),
        "lambda:FunctionArn": (function,),
    }


def test_an_instance_needs_each_of_its_parts() -> None:
    found = rights_of(
        "ec2",
        "RunInstances",
        {
            "ImageId": "ami-1",
            "InstanceType": "t3.micro",
            "SecurityGroupIds": ["sg-1", "sg-2"],
            "SubnetId": "subnet-1",
            "KeyName": "mine",
            "IamInstanceProfile": {"Name": "machines"},
            "InstanceMarketOptions": {"MarketType": "spot"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "dogs"}]}],
        },
        HERE,
        Account(),
    )
    here = "arn:aws:ec2:eu-west-1:111122223333:"
    run = [one.resource for one in found if one.action == "ec2:RunInstances"]
    parts = ("instance/*", "volume/*", "network-interface/*", "security-group/sg-1", "security-group/sg-2")
    assert set(run) == {
        *(here + part for part in (*parts, "subnet/subnet-1", "key-pair/mine")),
        "arn:aws:ec2:eu-west-1::image/ami-1",
    }
    told = of(found, "ec2:RunInstances").context
    assert told["ec2:InstanceType"] == ("t3.micro",)
    assert told["ec2:InstanceMarketType"] == ("spot",)
    assert told["ec2:InstanceProfile"] == ("arn:aws:iam::111122223333:instance-profile/machines",)
    passed = of(found, "iam:PassRole")
    assert (passed.resource, passed.context) == (ROLE, {"iam:PassedToService": ("ec2.amazonaws.com",)})
    tagged = of(found, "ec2:CreateTags")
    assert tagged.resource == f"{here}instance/*"
    assert tagged.context["ec2:CreateAction"] == ("RunInstances",)


def test_ec2() -> None:
    here = "arn:aws:ec2:eu-west-1:111122223333:"
    assert rights("ec2", "DescribeInstances", InstanceIds=["i-1"]) == [("ec2:DescribeInstances", "*")]
    assert rights("ec2", "TerminateInstances", InstanceIds=["i-1", "i-2"]) == [
        ("ec2:TerminateInstances", f"{here}instance/i-1"),
        ("ec2:TerminateInstances", f"{here}instance/i-2"),
    ]
    assert rights("ec2", "CreateTags", Resources=["vol-1", "ami-2"]) == [
        ("ec2:CreateTags", f"{here}volume/vol-1"),
        ("ec2:CreateTags", "arn:aws:ec2:eu-west-1::image/ami-2"),
    ]
    assert rights("ec2", "ReleaseAddress", PublicIp="203.0.113.9") == [("ec2:ReleaseAddress", "*")]


def test_iam_knows_paths_and_boundaries_from_the_account() -> None:
    assert rights("iam", "GetRole", RoleName="Other") == [("iam:GetRole", "arn:aws:iam::111122223333:role/Other")]
    found = rights_of(
        "iam", "AttachRolePolicy", {"RoleName": "Train", "PolicyArn": "arn:aws:iam::aws:policy/X"}, HERE, Account()
    )
    assert [(one.action, one.resource) for one in found] == [("iam:AttachRolePolicy", ROLE)]
    assert found[0].context == {
        "iam:PolicyARN": ("arn:aws:iam::aws:policy/X",),
        "iam:PermissionsBoundary": ("arn:aws:iam::111122223333:policy/limit",),
    }
    made = the_right("iam", "CreateRole", RoleName="r", Path="/kennel/", PermissionsBoundary="arn:b")
    assert made.resource == "arn:aws:iam::111122223333:role/kennel/r"
    assert made.context == {"iam:PermissionsBoundary": ("arn:b",)}
    linked = the_right("iam", "CreateServiceLinkedRole", AWSServiceName="spot.amazonaws.com")
    assert linked.resource == "arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/*"
    assert rights("iam", "AddRoleToInstanceProfile", RoleName="r", InstanceProfileName="p")[1:] == [
        ("iam:PassRole", "arn:aws:iam::111122223333:role/r")
    ]


def test_a_role_is_assumed_with_what_trust_policies_ask_for() -> None:
    found = the_right("sts", "AssumeRole", RoleArn=ROLE, RoleSessionName="me", ExternalId="x")
    assert (found.action, found.resource) == ("sts:AssumeRole", ROLE)
    assert found.context == {"sts:RoleSessionName": ("me",), "sts:ExternalId": ("x",)}


def test_logs_and_metrics() -> None:
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/f"
    assert rights("logs", "PutLogEvents", logGroupName="/aws/lambda/f", logStreamName="s") == [
        ("logs:PutLogEvents", f"{group}:log-stream:s")
    ]
    assert rights("logs", "FilterLogEvents", logGroupName="/aws/lambda/f") == [
        ("logs:FilterLogEvents", f"{group}:log-stream:")
    ]
    for given in (group, f"{group}:*"):
        assert rights("logs", "FilterLogEvents", logGroupIdentifier=given) == [
            ("logs:FilterLogEvents", f"{group}:log-stream:")
        ]
    assert rights("logs", "TagResource", resourceArn=group, tags={"a": "b"}) == [("logs:TagResource", group)]
    metric = the_right("cloudwatch", "PutMetricData", Namespace="Dogs")
    assert (metric.resource, metric.context) == ("*", {"cloudwatch:namespace": ("Dogs",)})
    assert rights("cloudwatch", "DescribeAlarms") == [
        ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*")
    ]


def test_money_schedules_and_parameters() -> None:
    assert rights("budgets", "DescribeBudgets", AccountId="1") == [
        ("budgets:ViewBudget", "arn:aws:budgets::111122223333:budget/*")
    ]
    assert rights("budgets", "CreateBudget", Budget={"BudgetName": "b"}) == [
        ("budgets:ModifyBudget", "arn:aws:budgets::111122223333:budget/b")
    ]
    assert rights("ce", "GetCostAndUsage") == [("ce:GetCostAndUsage", "*")]
    assert rights("service-quotas", "GetServiceQuota", ServiceCode="sagemaker", QuotaCode="L-1") == [
        ("servicequotas:GetServiceQuota", "arn:aws:servicequotas:eu-west-1:111122223333:sagemaker/L-1")
    ]
    assert rights("scheduler", "CreateSchedule", Name="s", Target={"RoleArn": ROLE}) == [
        ("scheduler:CreateSchedule", "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/s"),
        ("iam:PassRole", ROLE),
    ]
    assert rights("ssm", "GetParameters", Names=["/mine", "/aws/service/ami"]) == [
        ("ssm:GetParameters", "arn:aws:ssm:eu-west-1:111122223333:parameter/mine"),
        ("ssm:GetParameters", "arn:aws:ssm:eu-west-1::parameter/aws/service/ami"),
    ]
    given = "arn:aws:ssm:eu-west-1:111122223333:parameter/mine"
    assert rights("ssm", "GetParameter", Name=f"{given}:3") == [("ssm:GetParameter", given)]
    topic = "arn:aws:sns:eu-west-1:111122223333:t"
    assert rights("sns", "Publish", TopicArn="", TargetArn=topic) == [("sns:Publish", topic)]
    assert rights("ecr", "BatchGetImage", registryId="763104351884", repositoryName="pytorch-training") == [
        ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-training")
    ]


def test_a_request_as_cloudtrail_tells_it() -> None:
    """Its members have small first letters inside, and Lambda's names carry a date."""
    assert rights("lambda", "CreateFunction20150331", functionName="f", role=ROLE) == [
        ("lambda:CreateFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        ("iam:PassRole", ROLE),
    ]
    job = the_right(
        "sagemaker", "CreateTrainingJob", TrainingJobName="j", ResourceConfig={"instanceType": "ml.m5.large"}
    )
    assert job.context == {"sagemaker:InstanceTypes": ("ml.m5.large",)}


def test_another_partition() -> None:
    (found,) = rights_of("s3", "GetObject", {"Bucket": "b", "Key": "k"}, Where("1", "cn-north-1", "aws-cn"))
    assert found.resource == "arn:aws-cn:s3:::b/k"


def test_what_is_not_known_is_said() -> None:
    for service, operation in (("s3", "SelectObjectContent"), ("nothing", "Get"), ("ec2", "DescribeNothing")):
        with pytest.raises(UnknownRequest):
            rights_of(service, operation, {}, HERE)


def test_hostile_parameters_do_not_break_it() -> None:
    strange: list[Any] = [None, [], {}, "*", "arn:", "arn:aws:s3:::x/*", "{account}", "a" * 5000, "ключ", 7, [[["x"]]]]
    for value in strange:
        for service, operation in (("s3", "PutObject"), ("lambda", "Invoke"), ("ec2", "RunInstances")):
            members = {"Bucket", "Key", "Tagging", "FunctionName", "ImageId", "TagSpecifications", "IamInstanceProfile"}
            found = rights_of(service, operation, dict.fromkeys(members, value), HERE)
            assert found
            assert all(one.resource for one in found)


@pytest.mark.parametrize(
    "service",
    [
        application_autoscaling.ApplicationAutoScaling,
        budgets.Budgets,
        cloudformation.CloudFormation,
        cloudtrail.CloudTrail,
        cloudwatch.CloudWatch,
        cost_explorer.CostExplorer,
        lambda_service.Lambda,
        logs.Logs,
        pricing.Pricing,
        s3.S3,
        sagemaker.SageMaker,
        scheduler.Scheduler,
        service_quotas.ServiceQuotas,
        sns.Sns,
    ],
)
def test_all_that_the_embedded_aws_answers_is_known(service: type[Service]) -> None:
    model = botocore.session.get_session().get_service_model(service.name)
    answered = {one for one in model.operation_names if hasattr(service, xform_name(one))}
    assert answered
    assert answered <= known_operations(service.name)


@pytest.mark.parametrize(
    ("service", "responses"),
    [
        ("iam", "IamResponse"),
        ("sts", "TokenResponse"),
        ("ec2", "EC2Response"),
        ("ssm", "SimpleSystemManagerResponse"),
    ],
)
def test_all_that_moto_answers_for_it_is_known(service: str, responses: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    moto = getattr(import_module(f"moto.{service}.responses"), responses)
    answered = {one for one in model.operation_names if hasattr(moto, xform_name(one))}
    pretended = {"GetFederationToken"}  # which the front answers with 501
    assert answered - pretended <= known_operations(service)


def test_all_that_kennel_itself_calls_is_known() -> None:
    written = re.compile(r"\(\s*\"([a-z0-9-]+)\",\s*\"([A-Z][A-Za-z0-9]+)\"")
    names = set(botocore.session.get_session().get_available_services())
    called = {
        found.groups()
        for file in Path("dashboard").rglob("*.py")
        for found in written.finditer(file.read_text())
        if found[1] in names
    }
    assert len(called) > 80
    for service, operation in sorted(called):
        assert operation in known_operations(service), (service, operation)
