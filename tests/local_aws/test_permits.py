"""Requests of users and sessions of roles: what their policies open, in each of AWS's protocols, and nothing else."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded
from tests.local_aws.callers import ACCOUNT, Caller, allow, deny, document, keys_of, role, session, trust, user
from tests.local_aws.ec2_world import request
from tests.local_aws.lambda_world import make, remove
from tests.local_aws.sagemaker_world import IMAGE, bucket, client, refused, training_request, unique

NOWHERE = "arn:aws:iam::123456789012:role/KennelTraining"


@pytest.fixture(scope="module")
def nobody(embedded: Embedded) -> Iterator[Caller]:
    """A user without any policy."""
    with Caller(embedded, user(embedded)) as caller:
        yield caller


PUT = {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1}]}
ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("call", "params", "code", "right"),
    [
        ("s3.get_object", {"Bucket": "d", "Key": "a"}, "AccessDenied", 's3:GetObject on resource: "arn:aws:s3:::d/a"'),
        ("s3.list_objects_v2", {"Bucket": "d"}, "AccessDenied", 's3:ListBucket on resource: "arn:aws:s3:::d"'),
        ("s3.put_object", {"Bucket": "d", "Key": "a", "Body": b"x"}, "AccessDenied", "s3:PutObject on"),
        ("iam.list_roles", {}, "AccessDenied", "iam:ListRoles on"),
        ("sagemaker.list_endpoints", {}, "AccessDeniedException", "sagemaker:ListEndpoints on"),
        (
            "sagemaker-runtime.invoke_endpoint",
            {"EndpointName": "e", "Body": b"x"},
            "AccessDeniedException",
            f"sagemaker:InvokeEndpoint on resource: {ENDPOINT}",
        ),
        (
            "lambda.invoke",
            {"FunctionName": "f"},
            "AccessDeniedException",
            f"lambda:InvokeFunction on resource: {FUNCTION}",
        ),
        ("lambda.list_functions", {}, "AccessDeniedException", "lambda:ListFunctions on"),
        ("logs.describe_log_groups", {}, "AccessDeniedException", "logs:DescribeLogGroups on"),
        ("cloudwatch.put_metric_data", PUT, "AccessDenied", "cloudwatch:PutMetricData on"),
        ("ec2.describe_instances", {}, "UnauthorizedOperation", "ec2:DescribeInstances on"),
        ("ssm.get_parameter", {"Name": "/a"}, "AccessDeniedException", "ssm:GetParameter on"),
        ("sns.list_topics", {}, "AuthorizationError", "sns:ListTopics on"),
        ("ce.list_cost_allocation_tags", {}, "AccessDeniedException", "ce:ListCostAllocationTags on"),
        ("cloudtrail.lookup_events", {}, "AccessDeniedException", "cloudtrail:LookupEvents on"),
        ("scheduler.list_schedules", {}, "AccessDeniedException", "scheduler:ListSchedules on"),
    ],
)
def test_without_a_policy_nothing_is_open(
    nobody: Caller, call: str, params: dict[str, Any], code: str, right: str
) -> None:
    service, _, operation = call.partition(".")
    told = refused(getattr(nobody(service), operation), **params)
    assert told[0] == code
    assert f"is not authorized to perform: {right}".lower() in told[1].lower()
    assert "because no identity-based policy allows the" in told[1]


def test_everybody_may_ask_who_they_are(nobody: Caller) -> None:
    assert nobody("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_role_reads_what_its_policy_names_and_not_the_rest(embedded: Embedded) -> None:
    name, key = bucket(embedded), unique("k")
    storage = client(embedded, "s3")
    for folder in ("own", "other"):
        storage.put_object(Bucket=name, Key=f"{key}/{folder}/a", Body=b"a")
    within = {"StringLike": {"s3:prefix": f"{key}/own/*"}}
    statements = (
        allow("s3:ListBucket", f"arn:aws:s3:::{name}", Condition=within),
        allow(["s3:GetObject", "s3:DeleteObject"], f"arn:aws:s3:::{name}/{key}/own/*"),
    )
    with Caller(embedded, session(embedded, *statements)) as caller:
        s3 = caller("s3")
        assert s3.get_object(Bucket=name, Key=f"{key}/own/a")["Body"].read() == b"a"
        assert s3.list_objects_v2(Bucket=name, Prefix=f"{key}/own/")["KeyCount"] == 1
        for call, params in (
            (s3.get_object, {"Key": f"{key}/other/a"}),
            (s3.head_object, {"Key": f"{key}/other/a"}),
            (s3.list_objects_v2, {"Prefix": f"{key}/"}),
            (s3.put_object, {"Key": f"{key}/own/b", "Body": b"b"}),
            (s3.copy_object, {"Key": f"{key}/own/b", "CopySource": f"{name}/{key}/own/a"}),
        ):
            assert refused(call, Bucket=name, **params)[0] in ("AccessDenied", "403")
        # what is not there is kept from who may not list it, as S3 does
        assert refused(s3.get_object, Bucket=name, Key=f"{key}/own/none")[0] == "AccessDenied"
        assert refused(s3.head_object, Bucket=name, Key=f"{key}/own/none")[0] == "403"


def test_of_many_deletions_those_are_done_that_are_allowed(embedded: Embedded) -> None:
    """Amazon S3 API Reference, DeleteObjects: each key is answered for itself."""
    name, key = bucket(embedded), unique("k")
    for folder in ("own", "other"):
        client(embedded, "s3").put_object(Bucket=name, Key=f"{key}/{folder}", Body=b"a")
    with Caller(embedded, session(embedded, allow("s3:DeleteObject", f"arn:aws:s3:::{name}/{key}/own"))) as caller:
        asked = [{"Key": f"{key}/{folder}"} for folder in ("own", "other")]
        told = caller("s3").delete_objects(Bucket=name, Delete={"Objects": asked})
    assert [one["Key"] for one in told["Deleted"]] == [f"{key}/own"]
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [(f"{key}/other", "AccessDenied")]
    left = client(embedded, "s3").list_objects_v2(Bucket=name, Prefix=f"{key}/")["Contents"]
    assert [one["Key"] for one in left] == [f"{key}/other"]


def test_what_is_denied_is_so_by_whichever_name_it_is_asked_for(embedded: Embedded) -> None:
    name, key, s3 = bucket(embedded), unique("k"), client(embedded, "s3")
    s3.put_object(Bucket=name, Key=f"{key}/secret", Body=b"a")
    object_arn, hidden, shown = f"arn:aws:s3:::{name}/{key}/secret", f"/{key}/hidden", f"/{key}/shown"
    for parameter in (hidden, shown):
        client(embedded, "ssm").put_parameter(Name=parameter, Value=f"of {parameter} & a=b", Type="String")
    tagged = deny("s3:PutObjectTagging", "*", Condition={"StringEquals": {"s3:RequestObjectTag/team": "cats"}})
    denied = (
        deny(["s3:GetObject", "s3:DeleteObjectVersion"], object_arn),
        deny("ssm:*", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter{hidden}"),
    )
    with Caller(embedded, session(embedded, allow(["s3:*", "ssm:*"]), *denied, tagged)) as caller:
        own, ssm = caller("s3"), caller("ssm")
        # botocore writes what is a key's own ? as %3F
        own.meta.events.register("before-sign.s3.CopyObject", _with_a_query)
        told = refused(
            own.copy_object, Bucket=name, Key=f"{key}/b", CopySource={"Bucket": name, "Key": f"{key}/secret"}
        )
        assert told[0] == "NoSuchKey"
        removed = {"Objects": [{"Key": f"{key}/secret", "VersionId": "null"}]}
        assert own.delete_objects(Bucket=name, Delete=removed)["Errors"][0]["Code"] == "AccessDenied"
        team = {"TagSet": [{"Key": "team", "Value": "cats"}]}
        assert refused(own.put_object_tagging, Bucket=name, Key=f"{key}/secret", Tagging=team)[0] == "AccessDenied"
        arn = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter{hidden}:1"
        assert refused(ssm.get_parameter, Name=arn)[0] == "AccessDeniedException"
        # a form within the JSON is a text like any other
        ssm.meta.events.register("before-sign.ssm.GetParameter", partial(_with_a_form, hidden))
        assert ssm.get_parameter(Name=shown)["Parameter"]["Value"] == f"of {shown} & a=b"


def test_an_address_signed_by_a_session_opens_what_its_role_may_open_now(embedded: Embedded) -> None:
    name, key = bucket(embedded), unique("k")
    client(embedded, "s3").put_object(Bucket=name, Key=key, Body=b"a")
    arn = role(embedded, allow("s3:GetObject", f"arn:aws:s3:::{name}/{key}"))
    given = client(embedded, "sts").assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
    with Caller(embedded, keys_of(given)) as caller:
        address = caller("s3").generate_presigned_url("get_object", Params={"Bucket": name, "Key": key})
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"a"
    client(embedded, "iam").delete_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="own")
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(address)
    assert told.value.code == 403
    told.value.close()


def _with_a_query(request: Any, **_: Any) -> None:
    request.headers.replace_header("x-amz-copy-source", request.headers["x-amz-copy-source"] + "?x")


def _with_a_form(hidden: str, request: Any, **_: Any) -> None:
    request.data = json.dumps({**json.loads(request.data), "Form": f"&Name={hidden}&"})


def test_handing_a_role_over_needs_a_right_of_its_own(embedded: Embedded) -> None:
    bucket(embedded)
    name = unique("job")
    handed = allow("iam:PassRole", NOWHERE, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
    with Caller(embedded, session(embedded, allow("sagemaker:*"), handed)) as caller:
        told = refused(caller("sagemaker").create_training_job, **training_request(name))
        assert told[0] == "AccessDeniedException"
        assert f"is not authorized to perform: iam:PassRole on resource: {NOWHERE}" in told[1]
    handed["Condition"]["StringEquals"]["iam:PassedToService"] = "sagemaker.amazonaws.com"
    with Caller(embedded, session(embedded, allow("sagemaker:*"), handed)) as caller:
        sagemaker = caller("sagemaker")
        container = {"Image": IMAGE}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=NOWHERE)
        sagemaker.delete_model(ModelName=name)


def test_launching_an_instance_hands_over_the_role_in_its_profile(embedded: Embedded) -> None:
    name, iam = unique("profile"), client(embedded, "iam")
    handed = role(embedded, Path="/team/")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=handed.rpartition("/")[2])
    asked = request(embedded, IamInstanceProfile={"Name": name}, DryRun=True)
    for statements, code in (
        ((allow("ec2:*"),), "UnauthorizedOperation"),
        ((allow("ec2:*"), allow("iam:PassRole", handed)), "DryRunOperation"),
    ):
        with Caller(embedded, session(embedded, *statements)) as caller:
            told = refused(caller("ec2").run_instances, **asked)
        assert told[0] == code
        assert code == "DryRunOperation" or f"perform: iam:PassRole on resource: {handed} because" in told[1]


def test_a_security_group_is_the_same_by_its_name(embedded: Embedded) -> None:
    ec2, name = client(embedded, "ec2"), unique("group")
    group = ec2.create_security_group(GroupName=name, Description="d")["GroupId"]
    denied = deny("ec2:*", f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group}")
    with Caller(embedded, session(embedded, allow(["ec2:*", "iam:PassRole"]), denied)) as caller:
        for call, params in (
            (caller("ec2").delete_security_group, {"GroupName": name}),
            (caller("ec2").run_instances, request(embedded, SecurityGroups=[name], DryRun=True)),
        ):
            assert refused(call, **params)[0] == "UnauthorizedOperation"
    with Caller(embedded, session(embedded, allow("ec2:*"))) as caller:
        caller("ec2").delete_security_group(GroupName=name)


def test_a_function_lets_in_whom_its_own_policy_names(embedded: Embedded) -> None:
    boundary = document(allow("lambda:GetFunction*"))
    limit = client(embedded, "iam").create_policy(PolicyName=unique("limit"), PolicyDocument=boundary)["Policy"]["Arn"]
    name, arn, bounded = make(embedded), role(embedded), role(embedded, PermissionsBoundary=limit)
    given = client(embedded, "sts").assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
    with Caller(embedded, keys_of(given)) as caller:
        assert refused(caller("lambda").invoke, FunctionName=name)[0] == "AccessDeniedException"
        client(embedded, "lambda").add_permission(
            FunctionName=name, StatementId="s", Principal=arn, Action="lambda:InvokeFunction"
        )
        assert caller("lambda").invoke(FunctionName=name)["StatusCode"] == 200
        assert refused(caller("lambda").get_function, FunctionName=name)[0] == "AccessDeniedException"
    client(embedded, "lambda").add_permission(
        FunctionName=name, StatementId="b", Principal=bounded, Action="lambda:InvokeFunction"
    )
    given = client(embedded, "sts").assume_role(RoleArn=bounded, RoleSessionName="s1")["Credentials"]
    with Caller(embedded, keys_of(given)) as caller:  # a role that is named stays within its boundary
        told = refused(caller("lambda").invoke, FunctionName=name)
        assert told[1].endswith("because no permissions boundary allows the lambda:InvokeFunction action")
    remove(embedded, name)


def test_tags_of_what_is_asked_for_decide(embedded: Embedded) -> None:
    sagemaker, names = client(embedded, "sagemaker"), [unique("model") for _ in range(2)]
    for name, team in zip(names, ("dogs", "cats"), strict=True):
        tags = [{"Key": "team", "Value": team}]
        sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=NOWHERE, Tags=tags)
    own = allow("sagemaker:DeleteModel", Condition={"StringEquals": {"aws:ResourceTag/team": "dogs"}})
    with Caller(embedded, session(embedded, own)) as caller:
        caller("sagemaker").delete_model(ModelName=names[0])
        assert refused(caller("sagemaker").delete_model, ModelName=names[1])[0] == "AccessDeniedException"
    sagemaker.delete_model(ModelName=names[1])


def test_a_user_that_names_nobody_asks_about_itself(embedded: Embedded) -> None:
    own = allow("iam:*", "arn:aws:iam::123456789012:user/${aws:username}")
    with Caller(embedded, user(embedded, own)) as caller:
        iam = caller("iam")
        name = iam.get_user()["User"]["UserName"]
        assert [one["UserName"] for one in iam.list_access_keys()["AccessKeyMetadata"]] == [name]
        assert refused(iam.get_user, UserName="another")[0] == "AccessDenied"


def test_a_denied_request_is_in_the_history(embedded: Embedded, nobody: Caller) -> None:
    name = unique("denied")
    refused(nobody("sagemaker").delete_endpoint, EndpointName=name)
    found = client(embedded, "cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "DeleteEndpoint"}]
    )["Events"]
    documents = [json.loads(one["CloudTrailEvent"]) for one in found]
    own = [one for one in documents if (one["requestParameters"] or {}).get("endpointName") == name]
    assert [one["errorCode"][:12] for one in own] == ["AccessDenied"]
    assert "is not authorized to perform: sagemaker:DeleteEndpoint" in own[0]["errorMessage"]


class TestAssumingARole:
    def test_a_user_needs_the_right_and_the_trust(self, embedded: Embedded) -> None:
        target = role(embedded)
        with Caller(embedded, user(embedded)) as without, Caller(embedded, user(embedded, allow("sts:*"))) as having:
            asked = {"RoleArn": target, "RoleSessionName": "s1"}
            told = refused(without("sts").assume_role, **asked)
            assert told[0] == "AccessDenied"
            assert f"is not authorized to perform: sts:AssumeRole on resource: {target}" in told[1]
            given = having("sts").assume_role(**asked)
            assert given["AssumedRoleUser"]["Arn"].endswith("/s1")
            service = role(embedded, trusts=trust({"Service": "sagemaker.amazonaws.com"}))
            assert refused(having("sts").assume_role, **asked | {"RoleArn": service})[0] == "AccessDenied"

    def test_who_is_named_in_the_trust_needs_no_policy_and_a_deny_still_wins(self, embedded: Embedded) -> None:
        keys = user(embedded)
        with Caller(embedded, keys) as caller:
            me = caller("sts").get_caller_identity()["Arn"]
            target = role(embedded, trusts=trust({"AWS": me}))
            assert caller("sts").assume_role(RoleArn=target, RoleSessionName="s1")["Credentials"]
            forbidden = allow("sts:AssumeRole") | {"Effect": "Deny"}
            client(embedded, "iam").put_user_policy(
                UserName=me.rpartition("/")[2],
                PolicyName="no",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [forbidden]}),
            )
            assert refused(caller("sts").assume_role, RoleArn=target, RoleSessionName="s1")[0] == "AccessDenied"

    @pytest.mark.parametrize(
        ("given", "opens"), [({}, False), ({"ExternalId": "77"}, False), ({"ExternalId": "88"}, True)]
    )
    def test_an_external_id_is_asked_for(self, embedded: Embedded, given: dict[str, str], opens: bool) -> None:
        target = role(embedded, trusts=trust(StringEquals={"sts:ExternalId": "88"}))
        asked = {"RoleArn": target, "RoleSessionName": "s1"} | given
        sts = client(embedded, "sts")
        if opens:
            assert sts.assume_role(**asked)["Credentials"]
        else:
            assert refused(sts.assume_role, **asked)[0] == "AccessDenied"

    def test_roles_that_trust_each_other_are_roles_like_others(self, embedded: Embedded) -> None:
        first = role(embedded, allow("sts:AssumeRole"))
        second = role(embedded, allow("sts:AssumeRole"), trusts=trust({"AWS": first}))
        client(embedded, "iam").update_assume_role_policy(
            RoleName=first.rpartition("/")[2], PolicyDocument=trust({"AWS": [second, ACCOUNT]})
        )
        given = client(embedded, "sts").assume_role(RoleArn=first, RoleSessionName="s1")["Credentials"]
        for target, name in ((second, "s2"), (first, "s3")):
            with Caller(embedded, keys_of(given)) as caller:
                told = caller("sts").assume_role(RoleArn=target, RoleSessionName=name)
            assert told["AssumedRoleUser"]["Arn"].endswith(f"/{name}")
            given = told["Credentials"]

    def test_the_policy_of_a_session_narrows_it(self, embedded: Embedded) -> None:
        target = role(embedded, allow("iam:*"))
        given = client(embedded, "sts").assume_role(
            RoleArn=target, RoleSessionName="s1", Policy=document(allow("iam:ListRoles"))
        )
        assert 0 < given["PackedPolicySize"] <= 100
        with Caller(embedded, keys_of(given["Credentials"])) as caller:
            assert caller("iam").list_roles()["Roles"]
            assert "no session policy allows the iam:ListUsers action" in refused(caller("iam").list_users)[1]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"Policy": "{"}, "MalformedPolicyDocument"),
            ({"RoleSessionName": "a b"}, "ValidationError"),
            ({"DurationSeconds": 7200}, "ValidationError"),
            ({"Tags": [{"Key": "a", "Value": "b"}]}, "ValidationError"),
            ({"SourceIdentity": "ada"}, "ValidationError"),
        ],
    )
    def test_what_is_not_done_is_refused_by_name(self, embedded: Embedded, changes: dict[str, Any], code: str) -> None:
        asked = {"RoleArn": role(embedded), "RoleSessionName": "s1"} | changes
        told = refused(client(embedded, "sts").assume_role, **asked)
        assert told[0] == code

    def test_a_session_ends_with_its_role(self, embedded: Embedded) -> None:
        target = role(embedded)
        client(embedded, "iam").attach_role_policy(
            RoleName=target.rpartition("/")[2], PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
        )
        given = client(embedded, "sts").assume_role(RoleArn=target, RoleSessionName="s1")["Credentials"]
        with Caller(embedded, keys_of(given)) as caller:
            assert caller("iam").list_roles()["Roles"]
            name = target.rpartition("/")[2]
            client(embedded, "iam").detach_role_policy(
                RoleName=name, PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
            )
            assert refused(caller("iam").list_roles)[0] == "AccessDenied"
            client(embedded, "iam").delete_role(RoleName=name)
            with pytest.raises(ClientError, match="does not exist any more"):
                caller("iam").list_roles()
