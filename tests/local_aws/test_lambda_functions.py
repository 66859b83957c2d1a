"""Lambda's functions, versions, aliases, tags and policies, as boto3 sees them on the embedded AWS."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded
from tests.local_aws.lambda_world import ECHO, make, package, remove
from tests.local_aws.sagemaker_world import bucket, client, role, unique


@pytest.fixture
def name(embedded: Embedded) -> Iterator[str]:
    made = make(embedded, Environment={"Variables": {"GREETING": "hello"}}, Tags={"project": "dogs"})
    yield made
    if made in {one["FunctionName"] for one in functions(embedded).list_functions()["Functions"]}:
        remove(embedded, made)


def functions(aws: Embedded) -> Any:
    return client(aws, "lambda")


def refused(code: str, call: Any, **params: Any) -> str:
    """The words with which a call is refused."""
    with pytest.raises(ClientError) as error:
        call(**params)
    told = error.value.response["Error"]
    assert told["Code"] == code, told
    return str(told["Message"])


def test_a_function_is_told_as_it_was_made(embedded: Embedded, name: str) -> None:
    found = functions(embedded).get_function(FunctionName=name)
    told = found["Configuration"]
    assert told["FunctionArn"] == f"arn:aws:lambda:{embedded.region}:123456789012:function:{name}"
    assert (told["MemorySize"], told["Timeout"], told["Handler"]) == (256, 10, "app.handler")
    assert told["Environment"] == {"Variables": {"GREETING": "hello"}}
    assert (told["State"], told["LastUpdateStatus"], told["Version"]) == ("Active", "Successful", "$LATEST")
    assert told["Architectures"] == ["x86_64"]
    assert told["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{name}"
    assert found["Tags"] == {"project": "dogs"}
    functions(embedded).get_waiter("function_active_v2").wait(FunctionName=told["FunctionArn"])
    again = refused("ResourceConflictException", make, aws=embedded, name=name)
    assert "already exist" in again


def test_a_package_has_the_hash_of_its_bytes_wherever_it_comes_from(embedded: Embedded, name: str) -> None:
    code = package(app=ECHO, more="x = 1")
    sha = functions(embedded).update_function_code(FunctionName=name, ZipFile=code)["CodeSha256"]
    client(embedded, "s3").put_object(Bucket=bucket(embedded), Key=f"{name}.zip", Body=code)
    other = make(embedded, Code={"S3Bucket": bucket(embedded), "S3Key": f"{name}.zip"})
    assert functions(embedded).get_function_configuration(FunctionName=other)["CodeSha256"] == sha
    remove(embedded, other)
    said = refused(
        "InvalidParameterValueException",
        functions(embedded).update_function_code,
        FunctionName=name,
        S3Bucket=bucket(embedded),
        S3Key="none.zip",
    )
    assert "NoSuchKey" in said


def test_a_package_can_be_fetched_from_the_address_that_is_told(embedded: Embedded, name: str) -> None:
    location = functions(embedded).get_function(FunctionName=name)["Code"]["Location"]
    with urlopen(location, timeout=10) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).read("app.py").decode() == ECHO
    for changed in (location.replace(".zip", ".zap"), re.sub(r"/(\d+)/", "/99999999999/", location)):
        with pytest.raises(HTTPError, match="403") as refused_so:
            urlopen(changed, timeout=10)
        refused_so.value.close()


def escaping() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../outside.py", "")
    return out.getvalue()


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"Runtime": "nodejs22.x"}, "ValidationException", "another runtime than Python"),
        ({"MemorySize": 20_000}, "ValidationException", "memorySize"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"FunctionName": "fn:live"}, "InvalidParameterValueException", "without a version"),
        ({"Handler": "nothing"}, "ValidationException", "handler"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip"),
        ({"Code": {"ZipFile": escaping()}}, "InvalidParameterValueException", "outside of it"),
        ({"Code": {"ImageUri": "1.dkr.ecr/x"}, "PackageType": "Image"}, "ValidationException", "container images"),
        ({"Layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"]}, "ValidationException", "layers"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "ValidationException", "SnapStart"),
        ({"EphemeralStorage": {"Size": 1024}}, "ValidationException", "than 512 MB"),
        ({"TracingConfig": {"Mode": "Active"}}, "ValidationException", "X-Ray"),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/a"}, "ValidationException", "KMS"),
        ({"Role": "arn:aws:iam::123456789012:role/Nobody"}, "InvalidParameterValueException", "cannot be assumed"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "reserved keys"),
        ({"Environment": {"Variables": {"A1": "x" * 5000}}}, "InvalidParameterValueException", "4KB limit"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "InvalidParameterValueException", "must coexist"),
        (
            {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
            "InvalidParameterValueException",
            "subnet-1",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    embedded: Embedded, changes: dict[str, Any], code: str, said: str
) -> None:
    name = unique("no")
    assert said in refused(code, make, aws=embedded, name=name, **changes)
    refused("ResourceNotFoundException", functions(embedded).get_function, FunctionName=name)


def test_a_role_that_another_service_assumes_is_none_for_a_function(embedded: Embedded) -> None:
    other = role(embedded)
    assert "cannot be assumed" in refused("InvalidParameterValueException", make, aws=embedded, Role=other)


def test_a_vpc_s_subnets_and_groups_are_kept_with_their_vpc(embedded: Embedded, name: str) -> None:
    ec2 = client(embedded, "ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"]
    network = {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [groups[0]["GroupId"]]}
    told = functions(embedded).update_function_configuration(FunctionName=name, VpcConfig=network)
    assert told["VpcConfig"]["VpcId"] == subnet["VpcId"]
    without = {"SubnetIds": [], "SecurityGroupIds": []}
    assert "VpcConfig" not in functions(embedded).update_function_configuration(FunctionName=name, VpcConfig=without)


def test_a_change_makes_another_revision_and_one_of_an_old_revision_is_refused(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    before = calls.get_function_configuration(FunctionName=name)["RevisionId"]
    after = calls.update_function_configuration(FunctionName=name, MemorySize=512, RevisionId=before)
    assert (after["MemorySize"], after["RevisionId"] != before) == (512, True)
    said = refused(
        "PreconditionFailedException",
        calls.update_function_configuration,
        FunctionName=name,
        Timeout=5,
        RevisionId=before,
    )
    assert "latest Revision Id" in said
    tried = calls.update_function_code(FunctionName=name, ZipFile=package(app="x = 1"), DryRun=True)
    assert tried["CodeSha256"] != calls.get_function_configuration(FunctionName=name)["CodeSha256"]


def test_versions_are_published_and_stay_as_they_were(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    assert calls.publish_version(FunctionName=name, Description="first")["Version"] == "1"
    assert calls.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    calls.update_function_configuration(FunctionName=name, MemorySize=512)
    assert calls.publish_version(FunctionName=name)["Version"] == "2"
    first = calls.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (first["MemorySize"], first["Description"]) == (256, "first")
    assert first["FunctionArn"].endswith(f"{name}:1")
    listed = calls.list_versions_by_function(FunctionName=name)["Versions"]
    assert [one["Version"] for one in listed] == ["$LATEST", "1", "2"]
    pages = calls.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    assert [one["Version"] for page in pages for one in page["Versions"]] == ["$LATEST", "1", "2"]
    calls.delete_function(FunctionName=name, Qualifier="1")
    refused("ResourceNotFoundException", calls.get_function, FunctionName=name, Qualifier="1")
    assert calls.update_function_code(FunctionName=name, ZipFile=package(app="x"), Publish=True)["Version"] == "3"


def test_an_alias_names_versions_with_weights(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    calls.publish_version(FunctionName=name)
    calls.update_function_configuration(FunctionName=name, MemorySize=512)
    calls.publish_version(FunctionName=name)
    made = calls.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert made["AliasArn"].endswith(f"{name}:live")
    assert calls.get_function_configuration(FunctionName=f"{name}:live")["Version"] == "1"
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    changed = calls.update_alias(FunctionName=name, Name="live", RoutingConfig=routing)
    assert changed["RoutingConfig"] == routing
    for version in ("1", "2"):
        said = refused("ResourceConflictException", calls.delete_function, FunctionName=name, Qualifier=version)
        assert "aliases reference it" in said
    assert [one["Name"] for one in calls.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]] == ["live"]
    refused("ResourceConflictException", calls.create_alias, FunctionName=name, Name="live", FunctionVersion="1")
    refused("ResourceNotFoundException", calls.create_alias, FunctionName=name, Name="next", FunctionVersion="9")
    calls.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    latest = {"FunctionName": name, "Name": "live", "FunctionVersion": "$LATEST"}
    assert "RoutingConfig" not in calls.update_alias(**latest)
    said = refused("InvalidParameterValueException", calls.update_alias, **latest, RoutingConfig=routing)
    assert "$LATEST is not supported" in said
    calls.delete_alias(FunctionName=name, Name="live")
    refused("ResourceNotFoundException", calls.get_alias, FunctionName=name, Name="live")


def test_tags_are_of_the_function(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    arn = calls.get_function_configuration(FunctionName=name)["FunctionArn"]
    calls.tag_resource(Resource=arn, Tags={"owner": "me"})
    calls.untag_resource(Resource=arn, TagKeys=["project"])
    assert calls.list_tags(Resource=arn)["Tags"] == {"owner": "me"}


def test_functions_are_listed_page_by_page(embedded: Embedded) -> None:
    names = sorted(make(embedded, unique("list")) for _ in range(3))
    pages = functions(embedded).get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    found = [one["FunctionName"] for page in pages for one in page["Functions"]]
    assert [one for one in found if one in names] == names
    remove(embedded, *names)


def test_who_may_invoke_is_a_policy_of_statements(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    refused("ResourceNotFoundException", calls.get_policy, FunctionName=name)
    gateway = {
        "FunctionName": name,
        "StatementId": "gateway",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": f"arn:aws:execute-api:{embedded.region}:123456789012:abc/*/POST/classify",
    }
    statement = json.loads(calls.add_permission(**gateway)["Statement"])
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": gateway["SourceArn"]}}
    assert "already exists" in refused("ResourceConflictException", calls.add_permission, **gateway)
    calls.add_permission(
        FunctionName=name, StatementId="account", Action="lambda:InvokeFunction", Principal="210987654321"
    )
    told = calls.get_policy(FunctionName=name)
    policy = json.loads(told["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["gateway", "account"]
    assert policy["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    remove_one = {"FunctionName": name, "StatementId": "gateway"}
    refused("PreconditionFailedException", calls.remove_permission, **remove_one, RevisionId="old")
    calls.remove_permission(**remove_one, RevisionId=told["RevisionId"])
    refused("ResourceNotFoundException", calls.remove_permission, **remove_one)
    bad = {"FunctionName": name, "StatementId": "x", "Action": "lambda:InvokeFunction", "Principal": "somebody"}
    assert "principal was invalid" in refused("InvalidParameterValueException", calls.add_permission, **bad)


def test_names_are_read_in_every_form_and_others_are_not_there(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    for form in (
        name,
        f"123456789012:function:{name}",
        f"arn:aws:lambda:{embedded.region}:123456789012:function:{name}",
    ):
        assert calls.get_function_configuration(FunctionName=form)["FunctionName"] == name
    for gone in ("not-there", f"arn:aws:lambda:eu-west-1:123456789012:function:{name}", f"{name}:live"):
        refused("ResourceNotFoundException", calls.get_function_configuration, FunctionName=gone)
    refused("ResourceNotFoundException", calls.delete_function, FunctionName="not-there")


def test_asynchronous_settings_are_kept_and_destinations_refused(embedded: Embedded, name: str) -> None:
    calls = functions(embedded)
    refused("ResourceNotFoundException", calls.get_function_event_invoke_config, FunctionName=name)
    calls.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    calls.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    told = calls.get_function_event_invoke_config(FunctionName=name)
    assert (told["MaximumRetryAttempts"], told["MaximumEventAgeInSeconds"]) == (0, 60)
    assert len(calls.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1
    said = refused(
        "ValidationException",
        calls.put_function_event_invoke_config,
        FunctionName=name,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:q"}},
    )
    assert "destinations" in said
    calls.delete_function_event_invoke_config(FunctionName=name)
    refused("ResourceNotFoundException", calls.get_function_event_invoke_config, FunctionName=name)


def test_what_lambda_has_and_this_does_not_says_so(embedded: Embedded, name: str) -> None:
    with pytest.raises(ClientError, match="not part of the embedded AWS"):
        functions(embedded).list_layers()
