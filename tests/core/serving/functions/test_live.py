"""Functions on a real embedded AWS: deployed, called, kept ready, billed, found as waste, updated and deleted."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.costs.ledger.functions import functions as receipts
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste import sweep_functions
from dashboard.core.costs.waste.actions import act as waste_act
from dashboard.core.costs.waste.plan import plan as waste_plan
from dashboard.core.costs.waste.waste import Act
from dashboard.core.errors import NotFound, Throttled
from dashboard.core.serving.endpoints import get_endpoint
from dashboard.core.serving.functions import role
from dashboard.core.serving.functions.act import act
from dashboard.core.serving.functions.concurrency import Concurrency
from dashboard.core.serving.functions.concurrency_plan import plan as plan_concurrency
from dashboard.core.serving.functions.delete import plan_delete
from dashboard.core.serving.functions.deploy import plan_deploy, plan_update
from dashboard.core.serving.functions.functions import list_functions, read
from dashboard.core.serving.functions.invoke import event, invoke
from dashboard.core.serving.functions.invokers import Caller, Invitation
from dashboard.core.serving.functions.invokers_plan import plan_invite, plan_no_url, plan_remove
from dashboard.core.serving.functions.network import networks, reach
from dashboard.core.serving.functions.package import package
from dashboard.core.serving.functions.scaled import Scaling
from dashboard.core.serving.functions.usage import read_usage
from dashboard.core.serving.functions.versions import plan_point
from dashboard.core.serving.functions.wanted import Wanted, like
from dashboard.core.serving.span import Span
from tests.conftest import Embedded
from tests.core.conftest import write_client
from tests.local_aws.sagemaker_world import bucket, create_endpoint, tiny_package, unique, wait_for
from tests.local_aws.sagemaker_world import role as make_role

BOOK = PriceBook.load()
PHOTO = b"\xff\xd8\xff\xe0 a photo as far as the function looks"
API = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/POST/classify"


@pytest.fixture(scope="module")
def aws(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Aws:
    home = tmp_path_factory.mktemp("home")
    keys = {"access_key_id": embedded.access_key_id, "secret_access_key": embedded.secret_access_key}
    write_client(home, embedded.endpoint_url, **keys)
    return connect({"KENNEL_HOME": str(home)})


@pytest.fixture(scope="module")
def endpoint(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    bucket(embedded)
    make_role(embedded)
    sagemaker, name = embedded.client("sagemaker"), unique("asked")
    create_endpoint(sagemaker, name, tiny_package(tmp_path_factory.mktemp("tiny")))
    wait_for(sagemaker, name, "InService")
    yield name
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.fixture(scope="module")
def function(aws: Aws, endpoint: str) -> str:
    wanted = Wanted(unique("photos"), endpoint, get_endpoint(aws, BOOK, endpoint).arn)
    plan = plan_deploy(wanted, package(), account=aws.account, token="form")
    act(aws, plan)
    act(aws, plan)  # an impatient second click
    return wanted.name


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_a_deployed_function_answers_cold_and_then_warm(aws: Aws, function: str, endpoint: str) -> None:
    first = invoke(aws, function, event(jpeg=PHOTO), "live")
    again = invoke(aws, function, event(jpeg=PHOTO), "live")
    assert (first.status, again.status, first.version) == (200, 200, "1"), first.raw
    assert first.report and first.report.is_cold and again.report and not again.report.is_cold
    assert first.report.billed_ms > first.report.duration_ms  # its INIT is billed
    assert set(first.payload) >= {"statusCode", "headers", "type-result", "COntent-Type-In", "body"}
    assert any("REPORT" in line for line in first.log)
    bad = invoke(aws, function, {"image": "%%%"}, "live")
    assert bad.status == 400 and not bad.failure
    one = next(one for one in list_functions(aws) if one.name == function)
    assert (one.endpoint, one.is_kennels, one.code_sha) == (endpoint, True, package().sha)


def test_what_it_did_is_read_from_cloudwatch(aws: Aws, function: str) -> None:
    def did() -> float:
        return read_usage(aws, function, Span.QUARTER, datetime.now(UTC)).invocations

    until(lambda: did() >= 3)
    usage = read_usage(aws, function, Span.QUARTER, datetime.now(UTC))
    assert usage.whole["p50"] > 0 and usage.whole["at-once"] >= 1
    assert sum(usage.minutes(datetime.now(UTC))) == pytest.approx(usage.invocations)


def test_reserved_5_and_provisioned_2_are_set_kept_ready_and_warm(aws: Aws, function: str) -> None:
    act(aws, plan_concurrency(read(aws, function), Concurrency("live", 5, 2), account=aws.account, prices=BOOK))
    until(lambda: read(aws, function).provisioned[0].ready == 2)
    details = read(aws, function)
    assert (details.function.reserved, details.kept_ready, details.is_changing) == (5, 2, False)
    kept = invoke(aws, function, event(jpeg=PHOTO), "live")
    assert kept.status == 200 and kept.report and not kept.report.is_cold

    def used() -> float:
        return read_usage(aws, function, Span.QUARTER, datetime.now(UTC)).whole.get("utilization", 0.0)

    until(lambda: used() == 0.5)  # one of the two


def test_what_it_cost_has_a_receipt_and_what_nobody_uses_is_found(aws: Aws, function: str) -> None:
    now = datetime.now(UTC)
    receipt = next(one for one in receipts(aws, BOOK, now, ()) if one.name == function)
    what = " ".join(line.what for line in receipt.lines)
    assert "Lambda request" in what and "kept ready" in what
    assert all(line.amount is not None for line in receipt.lines)
    later = now + timedelta(hours=2)
    looked = sweep_functions.look(aws, BOOK, later, timedelta(hours=1))  # in whose last hour nobody called
    (finding,) = [one for one in looked.findings if one.name == f"{function}:live"]
    assert finding.is_kennels and finding.per_day and finding.per_day > 0
    waste_act(aws, waste_plan(aws, finding, Act.DELETE, later))
    assert read(aws, function).kept_ready == 0


def test_a_ceiling_of_0_refuses_every_call(aws: Aws, function: str) -> None:
    off = Concurrency("live", 0, 0)
    act(aws, plan_concurrency(read(aws, function), off, account=aws.account, prices=BOOK))
    with pytest.raises(Throttled):
        invoke(aws, function, event(jpeg=PHOTO), "live")
    on = Concurrency("live", None, 0, Scaling(1, 3, 0.7))
    act(aws, plan_concurrency(read(aws, function), on, account=aws.account, prices=BOOK))
    scaled = read(aws, function).scaled_of("live")
    assert scaled and scaled.settings == Scaling(1, 3, 0.7) and not scaled.is_by_average
    until(lambda: read(aws, function).kept_ready == 1)  # the scaler itself asks for its minimum


def test_an_update_publishes_and_the_alias_goes_forth_and_back(aws: Aws, function: str) -> None:
    details = read(aws, function)
    arn = get_endpoint(aws, BOOK, details.function.endpoint).arn
    granted = role.granted(aws, function)
    assert plan_update(details, like(details.function, arn), package(), account=aws.account, granted=granted).is_empty
    larger = Wanted(function, details.function.endpoint, arn, memory_mb=512)
    act(aws, plan_update(details, larger, package(), account=aws.account, granted=granted))
    live = read(aws, function).live
    assert live and live.version == "2"
    assert invoke(aws, function, event(jpeg=PHOTO), "live").version == "2"
    act(aws, plan_point(read(aws, function), "1", account=aws.account))
    assert invoke(aws, function, event(jpeg=PHOTO), "live").version == "1"


def test_callers_are_let_in_and_out(aws: Aws, function: str) -> None:
    for wanted in (Invitation(Caller.API_GATEWAY, API), Invitation(Caller.URL_OPEN)):
        plan = plan_invite(read(aws, function), wanted, account=aws.account)
        act(aws, plan)
        act(aws, plan)
        assert plan_invite(read(aws, function), wanted, account=aws.account).is_empty
    details = read(aws, function)
    assert details.url and details.url.is_open
    assert [row.is_open for row in details.policy].count(True) == 2
    act(aws, plan_no_url(details, account=aws.account))
    (left,) = read(aws, function).policy
    assert left.source_arn == API and not left.is_open
    act(aws, plan_remove(read(aws, function), left, account=aws.account))
    assert read(aws, function).policy == ()


def test_the_default_network_has_subnets_and_no_way_out_for_a_function(aws: Aws) -> None:
    told = networks(aws)
    assert told.subnets and told.groups
    assert reach(told, [], []).ok is True
    found = reach(told, [told.subnets[0].id], [told.groups[0].id])
    assert found.ok is not True and found.what_to_do


def test_deleted_it_is_gone_with_its_role_and_scaling(aws: Aws, function: str) -> None:
    plan = plan_delete(aws, read(aws, function))
    act(aws, plan)
    with pytest.raises(NotFound):
        read(aws, function)
    with pytest.raises(NotFound):
        aws.call("iam", "GetRole", RoleName=role.name_of(function))
    act(aws, plan)
