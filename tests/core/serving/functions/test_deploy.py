"""A function is made, updated, pointed elsewhere and deleted: what is planned is what happens, once."""

import ast
import io
import zipfile
from dataclasses import replace

import pytest

from dashboard.core.errors import AlreadyExists, InvalidInput, Refused, ServiceFault
from dashboard.core.iam.documents import Policy
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.serving.functions import role
from dashboard.core.serving.functions.act import act
from dashboard.core.serving.functions.delete import plan_delete
from dashboard.core.serving.functions.deploy import plan_deploy, plan_update
from dashboard.core.serving.functions.functions import read
from dashboard.core.serving.functions.model import Architecture
from dashboard.core.serving.functions.package import Package, package, packed
from dashboard.core.serving.functions.plan import Plan
from dashboard.core.serving.functions.versions import plan_point
from dashboard.core.serving.functions.wanted import Wanted, like, parse_variables
from tests.core.costs.shaped_aws import ShapedAws
from tests.core.serving.functions.lambdas import Lambdas, shaped

ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/starter"
WANTED = Wanted("dogs", "starter", ENDPOINT)
CODE = packed({"lambda_fn/handler.py": b"def lambda_handler(event, context): ..."})
NEWER = packed({"lambda_fn/handler.py": b"def lambda_handler(event, context): return 1"})


@pytest.fixture
def lambdas() -> Lambdas:
    return Lambdas()


@pytest.fixture
def aws(lambdas: Lambdas) -> ShapedAws:
    return shaped(lambdas)


def deployed(aws: ShapedAws, wanted: Wanted = WANTED) -> Plan:
    plan = plan_deploy(wanted, CODE, account=aws.account, token="form")
    act(aws, plan, sleep=lambda _: None)
    return plan


def test_a_zip_is_the_same_whenever_and_in_whatever_order_it_is_packed() -> None:
    files = {"b.py": b"1", "a/c.py": b"2"}
    one, other = packed(files), packed(dict(reversed(files.items())))
    assert one == other and one.names == ("a/c.py", "b.py")
    with zipfile.ZipFile(io.BytesIO(one.content)) as zipped:
        assert zipped.testzip() is None
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in zipped.infolist()} == {0o100644}
    assert packed({"b.py": b"1", "a/c.py": b"3"}).sha != one.sha


def test_the_package_holds_the_handler_and_nothing_compiled() -> None:
    made: Package = package()
    assert "lambda_fn/handler.py" in made.names
    assert not [name for name in made.names if name.endswith(".pyc") or "__pycache__" in name]


def test_a_deployed_function_has_its_role_log_version_and_alias(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    found = read(aws, "dogs")
    assert (found.function.endpoint, found.function.code_sha) == ("starter", CODE.sha)
    assert found.live and found.live.version == "1"
    assert found.function.role_name == "kennel-lambda-dogs"
    assert lambdas.groups["/aws/lambda/dogs"]["days"] == 30


def test_its_role_may_ask_its_endpoint_and_no_other_and_delete_nothing(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws, replace(WANTED, photos="s3://photos/in/"))
    policies = [Policy.parse(one) for one in lambdas.roles["kennel-lambda-dogs"]["policies"].values()]

    def may(action: str, resource: str) -> bool:
        return evaluate(policies, action, resource, {}).allowed

    log = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/dogs:log-stream:x"
    assert may("sagemaker:InvokeEndpoint", ENDPOINT)
    assert may("logs:PutLogEvents", log)
    assert may("s3:GetObject", "arn:aws:s3:::photos/in/a.jpg")
    assert not may("sagemaker:InvokeEndpoint", f"{ENDPOINT}-2")
    assert not may("sagemaker:DeleteEndpoint", ENDPOINT)
    assert not may("logs:PutLogEvents", log.replace("dogs", "cats"))
    assert not may("s3:GetObject", "arn:aws:s3:::photos/out/a.jpg")
    assert not may("s3:PutObject", "arn:aws:s3:::photos/in/a.jpg")
    assert not may("ec2:CreateNetworkInterface", "*")
    assert role.photos_in(role.granted(aws, "dogs")) == "s3://photos/in/"


def test_confirmed_twice_it_is_made_once(lambdas: Lambdas, aws: ShapedAws) -> None:
    plan = deployed(aws)
    act(aws, plan, sleep=lambda _: None)
    assert len(lambdas.functions["dogs"]["versions"]) == 1


def test_a_name_that_belongs_to_another_function_is_not_taken_over(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.add("dogs", "breeds", tags={})
    with pytest.raises(AlreadyExists, match="already a function named dogs"):
        deployed(aws)
    assert lambdas.functions["dogs"]["told"]["Environment"]["Variables"]["ENDPOINT_NAME"] == "breeds"


def test_a_role_of_somebody_else_gets_no_rights(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.roles["kennel-lambda-dogs"] = {"trust": {}, "tags": [], "policies": {}}
    with pytest.raises(AlreadyExists, match="already a role"):
        deployed(aws)
    assert lambdas.roles["kennel-lambda-dogs"]["policies"] == {}


def test_a_function_of_the_same_name_leaves_the_others_role_as_it_is(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    (before,) = lambdas.roles["kennel-lambda-dogs"]["policies"].values()
    other = replace(WANTED, endpoint="cats", endpoint_arn=f"{ENDPOINT}-2")
    with pytest.raises(AlreadyExists, match="already a function named dogs"):  # here
        act(aws, plan_deploy(other, CODE, account=aws.account, token="another form"), sleep=lambda _: None)
    here, lambdas.functions = lambdas.functions, {}
    aws.account = replace(aws.account, region="eu-central-1")
    with pytest.raises(AlreadyExists, match="did not make it for a function in eu-central-1"):  # in another region
        deployed(aws, other)
    lambdas.functions = here
    plan = plan_delete(aws, read(aws, "dogs"))
    assert any("was not made for this function alone" in one for one in plan.stays)
    assert [call.service for call in plan.calls] == ["lambda"]
    assert lambdas.roles["kennel-lambda-dogs"]["policies"]["kennel-lambda"] == before


def test_a_role_that_lambda_does_not_know_yet_is_waited_for(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.unknown_role_for = 3
    waits: list[float] = []
    act(aws, plan_deploy(WANTED, CODE, account=aws.account, token="form"), sleep=waits.append)
    assert len(waits) == 3 and "dogs" in lambdas.functions
    lambdas.functions.clear()
    lambdas.unknown_role_for = 1000
    with pytest.raises(InvalidInput, match="cannot be assumed"):
        act(aws, plan_deploy(WANTED, CODE, account=aws.account, token="form"), sleep=lambda _: None)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": "dogs 1"}, "name"),
        ({"name": ""}, "name"),
        ({"endpoint": ""}, "endpoint"),
        ({"memory_mb": 64}, "memory"),
        ({"timeout": 901}, "timeout"),
        ({"photos": "s3://photos/in"}, "photos"),
        ({"photos": "s3://photos/*/"}, "photos"),
        ({"more": (("AWS_REGION", "x"),)}, "more"),
        ({"more": (("ENDPOINT_NAME", "x"),)}, "more"),
        ({"more": (("LARGE", "x" * 5000),)}, "more"),
        ({"subnets": ("subnet-1",)}, "subnets"),
    ],
)
def test_what_lambda_would_not_take_is_said_with_its_field(bad: dict[str, object], field: str, aws: ShapedAws) -> None:
    with pytest.raises(InvalidInput) as wrong:
        plan_deploy(replace(WANTED, **bad), CODE, account=aws.account, token="form")  # type: ignore[arg-type]
    assert wrong.value.field == field


def test_variables_are_read_line_by_line() -> None:
    assert parse_variables("B=2\n\n A = 1=1 \n") == (("A", "1=1"), ("B", "2"))
    with pytest.raises(InvalidInput):
        parse_variables("nothing")


def test_an_update_waits_for_each_change_and_moves_the_alias_last(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    lambdas.updates_until_done = 3
    wanted = replace(WANTED, memory_mb=512, architecture=Architecture.ARM)
    plan = plan_update(read(aws, "dogs"), wanted, NEWER, account=aws.account)
    assert [(one.what, one.after) for one in plan.changes][:2] == [("memory", "512 MB"), ("processor", "ARM")]
    aws.calls.clear()
    act(aws, plan, sleep=lambda _: None)
    sent = [name for name, _ in aws.calls if name.startswith(("Update", "Publish"))]
    assert sent == ["UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "UpdateAlias"]
    found = read(aws, "dogs")
    assert (found.function.memory_mb, found.function.code_sha, found.function.architecture) == (
        512,
        NEWER.sha,
        Architecture.ARM,
    )
    assert found.live and found.live.version == "2"


def test_what_is_as_wanted_already_is_not_changed(aws: ShapedAws) -> None:
    deployed(aws)
    details = read(aws, "dogs")
    granted = role.granted(aws, "dogs")
    assert plan_update(details, like(details.function, ENDPOINT), CODE, account=aws.account, granted=granted).is_empty


def test_another_endpoint_takes_the_right_to_ask_it_along(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    wanted = replace(WANTED, endpoint="breeds", endpoint_arn=ENDPOINT.replace("starter", "breeds"))
    act(aws, plan_update(read(aws, "dogs"), wanted, None, account=aws.account), sleep=lambda _: None)
    (document,) = lambdas.roles["kennel-lambda-dogs"]["policies"].values()
    assert document["Statement"][0]["Resource"].endswith("endpoint/breeds")


def test_rights_alone_can_change(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    granted = role.granted(aws, "dogs")
    wanted = replace(WANTED, photos="s3://photos/in/")
    plan = plan_update(read(aws, "dogs"), wanted, CODE, account=aws.account, granted=granted)
    assert [call.operation for call in plan.calls] == ["PutRolePolicy"]
    assert "reads photos below photos/in/" in plan.changes[0].after
    act(aws, plan, sleep=lambda _: None)
    assert role.photos_in(role.granted(aws, "dogs")) == "s3://photos/in/"


def test_a_role_that_somebody_deleted_is_made_again(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    lambdas.roles.clear()
    granted = role.granted(aws, "dogs")
    act(aws, plan_update(read(aws, "dogs"), WANTED, CODE, account=aws.account, granted=granted), sleep=lambda _: None)
    assert list(lambdas.roles["kennel-lambda-dogs"]["policies"]) == ["kennel-lambda"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    plan = plan_update(read(aws, "dogs"), replace(WANTED, memory_mb=512), CODE, account=aws.account)
    lambdas.functions["dogs"]["told"]["MemorySize"] = 1024
    with pytest.raises(Refused, match="has changed since"):
        act(aws, plan, sleep=lambda _: None)
    assert lambdas.functions["dogs"]["told"]["MemorySize"] == 1024


def test_a_change_that_fails_is_said_and_the_alias_stays(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    plan = plan_update(read(aws, "dogs"), replace(WANTED, memory_mb=512), CODE, account=aws.account)
    update = aws.answers["lambda UpdateFunctionConfiguration"]

    def failing(asked: dict[str, object]) -> object:
        told = update(asked)  # type: ignore[operator]
        lambdas.functions["dogs"]["told"] |= {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no subnet"}
        return told

    aws.answers["lambda UpdateFunctionConfiguration"] = failing
    with pytest.raises(ServiceFault, match="no subnet"):
        act(aws, plan, sleep=lambda _: None)
    assert lambdas.functions["dogs"]["aliases"]["live"]["FunctionVersion"] == "1"


def test_the_alias_goes_back_to_an_earlier_version_or_shares(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    act(aws, plan_update(read(aws, "dogs"), WANTED, NEWER, account=aws.account), sleep=lambda _: None)
    act(aws, plan_point(read(aws, "dogs"), "2", account=aws.account, second="1", share=0.1), sleep=lambda _: None)
    shared = read(aws, "dogs").live
    assert shared and (shared.version, shared.second, shared.share) == ("2", "1", 0.1)
    act(aws, plan_point(read(aws, "dogs"), "1", account=aws.account), sleep=lambda _: None)
    back = read(aws, "dogs").live
    assert back and (back.version, back.second) == ("1", "")
    assert plan_point(read(aws, "dogs"), "1", account=aws.account).is_empty
    with pytest.raises(Refused, match="no version 7"):
        plan_point(read(aws, "dogs"), "7", account=aws.account)


def test_deleting_takes_its_role_and_scaling_and_keeps_the_log(lambdas: Lambdas, aws: ShapedAws) -> None:
    deployed(aws)
    target = {"ServiceNamespace": "lambda", "ResourceId": "function:dogs:live", "MinCapacity": 1, "MaxCapacity": 3}
    lambdas.targets["function:dogs:live"] = target | {"ScalableDimension": "lambda:function:ProvisionedConcurrency"}
    plan = plan_delete(aws, read(aws, "dogs"))
    assert "the function dogs" in plan.goes and "the alias live" in plan.goes
    assert any("log" in one for one in plan.stays)
    act(aws, plan, sleep=lambda _: None)
    assert (lambdas.functions, lambdas.roles, lambdas.targets) == ({}, {}, {})
    assert "/aws/lambda/dogs" in lambdas.groups
    act(aws, plan, sleep=lambda _: None)  # a second click finds nothing left to do


def test_what_kennel_did_not_make_it_does_not_change(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.add("theirs", tags={})
    details = read(aws, "theirs")
    for plan in (
        lambda: plan_delete(aws, details),
        lambda: plan_update(details, WANTED, CODE, account=aws.account),
        lambda: plan_point(details, "1", account=aws.account),
    ):
        with pytest.raises(Refused, match="did not make it"):
            plan()


def test_the_code_that_is_shown_is_a_program_without_the_zip_in_it(aws: ShapedAws) -> None:
    shown = plan_deploy(WANTED, CODE, account=aws.account, token="form").code(aws.account)
    ast.parse(shown)
    assert 'open("function.zip", "rb").read()' in shown and 'published["Version"]' in shown
    assert len(shown) < 5000
