"""Templates of CloudFormation: how they are read, what their functions stand for, and what of them is refused."""

import json
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.services.cloudformation_kinds import Place
from local_aws.services.cloudformation_plan import Design, changes, checked, design, needed_capabilities
from local_aws.services.cloudformation_template import read
from tests.local_aws.stack_world import TEMPLATE, given, logs_template

HERE = Place("123456789012", "eu-west-1", "dogs")
ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dogs/1"


def designed(template: str, **values: Any) -> Design:
    return design(template, given(**values), {}, {}, HERE, ID)


def value(expression: str, before: str = "") -> Any:
    """What an expression (YAML) in a tag of a log group stands for."""
    text = f"""
{before}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      Tags: [{{Key: value, Value: {expression}}}]
  Other:
    Type: AWS::Logs::LogGroup
    Properties: {{LogGroupName: /other}}
"""
    made = designed(text)
    known = {"Other": {"": "/other", "Arn": "arn:other"}}
    log = next(one for one in made.order if one.name == "Log")
    return made.properties(log, known)["Tags"][0].get("Value")


def refusal(text: str, **values: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        designed(text, **values)
    assert caught.value.code == "ValidationError"
    return caught.value.message


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref Other", "/other"),
        ("!GetAtt Other.Arn", "arn:other"),
        ('!Sub "${AWS::StackName} in ${AWS::AccountId}, ${Other.Arn}"', "dogs in 123456789012, arn:other"),
        ('!Sub "${!Literal}"', "${Literal}"),
        ('!Sub ["${a}-${AWS::Region}", {a: !Ref Other}]', "/other-eu-west-1"),
        ('!Join [":", [a, !Ref "AWS::Region", 3]]', "a:eu-west-1:3"),
        ('!Select [1, !Split ["-", "eu-west-1"]]', "west"),
        ('!FindInMap [Sizes, !Ref "AWS::Region", disk]', "small"),
        ("!Base64 dog", "ZG9n"),
        ('!If [Here, "there", "not"]', "there"),
        ('!If [Never, "there", !Ref "AWS::NoValue"]', None),
        ('{"Fn::Join": ["", ["a", {"Ref": "AWS::Region"}]]}', "aeu-west-1"),
    ],
)  # fmt: skip
def test_functions_stand_for_what_the_reference_says(expression: str, expected: Any) -> None:
    around = """
Mappings: {Sizes: {eu-west-1: {disk: small}}}
Conditions:
  Here: !And [!Equals [!Ref "AWS::Region", eu-west-1], !Not [!Condition Never]]
  Never: !Or [!Equals [a, b], !Equals [1, 2]]
"""
    assert value(expression, around) == expected


def test_what_is_needed_is_made_first_and_what_no_condition_asks_for_not_at_all() -> None:
    names = [one.name for one in designed(TEMPLATE, Name="a").order]
    assert set(names) == {"Profile", "Policy", "Role", "Log", "Bucket", "OnlyTls"}
    for earlier, later in (("Bucket", "Policy"), ("Policy", "Role"), ("Log", "Role"), ("Role", "Profile")):
        assert names.index(earlier) < names.index(later)
    without = designed(TEMPLATE, Name="a", WithProfile="no")
    assert "Profile" not in [one.name for one in without.order]
    assert [one["OutputKey"] for one in without.outputs({})] == ["RoleArn"]


def test_json_says_the_same_as_yaml() -> None:
    written = {
        "Resources": {
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/${AWS::Region}"}}}
        }
    }
    short = 'Resources: {Log: {Type: "AWS::Logs::LogGroup", Properties: {LogGroupName: !Sub "/${AWS::Region}"}}}'
    assert read(json.dumps(written)).resources == read(short).resources


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "unsupported structure"),
        ("a: [", "YAML not well-formed"),
        ('{"Resources": ', "JSON not well-formed"),
        ("Resources: {}", "At least one Resources member"),
        ("Resources: {A: {Type: AWS::EC2::Instance}}", "Unrecognized resource types: [AWS::EC2::Instance]"),
        ("Resources: {A: {Type: AWS::S3::Bucket, Properties: {LifecycleConfiguration: {}}}}", "LifecycleConfiguration"),
        ("Resources: {A: {Type: AWS::IAM::Role}}", "required key [AssumeRolePolicyDocument]"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, CreationPolicy: {}}}", "CreationPolicy"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, DeletionPolicy: Snapshot}}", "Snapshot"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Logs::LogGroup}}", "Transform"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}}", "Unresolved resource dependencies [B]"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref B}}}", "dependencies [B]"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !ImportValue b}}}", "!ImportValue"),
        ("Resources: {A: &a {Type: AWS::Logs::LogGroup}, B: *a}", "aliases"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup}, A: {Type: AWS::Logs::LogGroup}}", "duplicate key"),
        (
            "Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}, B: {Type: AWS::Logs::LogGroup, DependsOn: A}}",
            "Circular dependency",
        ),
        ("Outputs: {O: {Value: a, Export: {Name: b}}}\nResources: {A: {Type: AWS::Logs::LogGroup}}", "Export"),
        ("Parameters: {P: {Type: AWS::SSM::Name}}\nResources: {A: {Type: AWS::Logs::LogGroup}}", "parameter type"),
        ("Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::Logs::LogGroup}}", "must have values"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_by_name(text: str, why: str) -> None:
    assert why in refusal(text)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"Name": "Not This"}, "must match pattern"),
        ({"Name": "a", "Days": "often"}, "must be a number"),
        ({"Name": "a", "WithProfile": "perhaps"}, "enum value set"),
        ({"Name": "a", "Colour": "red"}, "[Colour] do not exist"),
    ],
)
def test_parameters_have_the_values_that_the_template_takes(values: dict[str, str], why: str) -> None:
    assert why in refusal(TEMPLATE, **values)


def test_roles_with_names_of_their_own_need_to_be_acknowledged() -> None:
    assert needed_capabilities(checked(TEMPLATE)) == ("CAPABILITY_NAMED_IAM",)
    assert needed_capabilities(checked(logs_template("/a"))) == ()


def test_a_change_says_what_is_added_changed_replaced_and_removed() -> None:
    before = designed(TEMPLATE, Name="a")
    there = {
        one.name: {
            "type": one.kind.type,
            "physical": f"p-{one.name}",
            "properties": before.properties(one, {}),
            "attributes": one.kind.foreseen(before.properties(one, {}), HERE),
            "deletion_policy": one.deletion_policy,
        }
        for one in before.order
        if one.name != "Role"
    }
    log = there["Log"]["properties"]
    after = designed(TEMPLATE, Name="a", Days="60", WithProfile="no")
    told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in changes(after, there)}
    assert told["Role"]["Action"] == "Add"
    assert (told["Log"]["Action"], told["Log"]["Replacement"]) == ("Modify", "False")
    assert [one["Target"]["Name"] for one in told["Log"]["Details"]] == ["RetentionInDays"]
    assert (told["Profile"]["Action"], told["Profile"]["PolicyAction"]) == ("Remove", "Delete")
    there["Log"]["properties"] = log | {"LogGroupName": "/another"}
    told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in changes(after, there)}
    assert told["Log"]["Replacement"] == "True"
