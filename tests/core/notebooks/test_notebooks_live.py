"""Notebook instances on a real embedded AWS: made once, opened, stopped, started and deleted with their role."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core import tags
from dashboard.core.aws import Aws, connect
from dashboard.core.costs.ledger.notebooks import notebooks as receipts
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste import sweep_notebooks
from dashboard.core.costs.waste.waste import Act, Kind
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, QuotaExceeded, Refused
from dashboard.core.iam.seen import account, served
from dashboard.core.iam.usage import Duty
from dashboard.core.notebooks import lifecycle, listing, role
from dashboard.core.notebooks.act import act
from dashboard.core.notebooks.model import Notebook, NotebookStatus
from dashboard.core.notebooks.open import link
from dashboard.core.notebooks.plan import plan_create, plan_delete, plan_start, plan_stop
from dashboard.core.notebooks.wanted import Wanted
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.core.conftest import write_client
from tests.local_aws.sagemaker_world import role as other_role

BOOK = PriceBook.load()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("embedded-aws"), "--time-scale", "50")
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def aws(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Aws:
    home = tmp_path_factory.mktemp("home")
    keys = {"access_key_id": server.access_key_id, "secret_access_key": server.secret_access_key}
    write_client(home, server.endpoint_url, **keys)
    return connect({"KENNEL_HOME": str(home)})


def wanted(aws: Aws, name: str, **changes: Any) -> Wanted:
    return replace(Wanted(name, aws.account.bucket), **changes)


def made(aws: Aws, name: str, **changes: Any) -> Notebook:
    """A notebook instance of Kennel's that is in service."""
    act(aws, plan_create(wanted(aws, name, **changes), BOOK, account=aws.account, token=name))
    return reached(aws, name, NotebookStatus.IN_SERVICE)


def reached(aws: Aws, name: str, status: NotebookStatus, seconds: float = 60) -> Notebook:
    end = time.monotonic() + seconds
    while (one := listing.notebook(aws, BOOK, name)).status is not status:
        assert time.monotonic() < end, f"{name} is {one.status}, not {status}"
        time.sleep(0.02)
    return one


def test_it_is_made_once_with_its_role_and_script_however_often_it_is_confirmed(aws: Aws) -> None:
    plan = plan_create(wanted(aws, "kennel-once"), BOOK, account=aws.account, token="form")
    assert act(aws, plan) == act(aws, plan) == "kennel-once is starting"
    one = reached(aws, "kennel-once", NotebookStatus.IN_SERVICE)
    assert (one.has_root, one.volume_gb, one.instance_type) == (False, 5, "ml.t3.medium")
    assert lifecycle.stops(one.lifecycle) == 60
    assert one.is_kennels and tags.is_own_role(aws, one.role_name)
    assert [each.name for each in listing.notebooks(aws, BOOK)].count("kennel-once") == 1
    script = aws.call(
        "sagemaker", "DescribeNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName=one.lifecycle
    )
    assert script["OnStart"] == lifecycle.create_call(60).parameters["OnStart"]


def test_a_name_that_is_taken_is_said_and_the_other_ones_role_keeps_its_rights(aws: Aws) -> None:
    one = made(aws, "kennel-taken")
    before = rights(aws, one.role_name)
    with pytest.raises(AlreadyExists, match="already a notebook instance named kennel-taken"):
        other = replace(wanted(aws, "kennel-taken"), bucket="another-bucket")
        act(aws, plan_create(other, BOOK, account=aws.account, token="another form"))
    elsewhere = aws.known_as(replace(aws.account, region="eu-central-1"))
    with pytest.raises(AlreadyExists, match="already a role named kennel-notebook-kennel-taken"):
        act(elsewhere, plan_create(wanted(elsewhere, "kennel-taken"), BOOK, account=elsewhere.account, token="form"))
    assert rights(aws, one.role_name) == before


def rights(aws: Aws, name: str) -> Any:
    return aws.call("iam", "GetRolePolicy", RoleName=name, PolicyName=role.POLICY)["PolicyDocument"]


def test_a_role_of_somebody_else_is_not_taken(server: Embedded, aws: Aws) -> None:
    other_role(server, "kennel-notebook-kennel-theirs")
    with pytest.raises(AlreadyExists, match="already a role named kennel-notebook-kennel-theirs"):
        act(aws, plan_create(wanted(aws, "kennel-theirs"), BOOK, account=aws.account, token="form"))
    with pytest.raises(NotFound):
        listing.notebook(aws, BOOK, "kennel-theirs")


def test_it_is_stopped_started_and_deleted_with_its_role(aws: Aws) -> None:
    one = made(aws, "kennel-life")
    with pytest.raises(Refused, match="cannot be deleted now"):
        plan_delete(aws, one)
    stop = plan_stop(one)
    assert act(aws, stop) == act(aws, stop) == "kennel-life is stopping"
    one = reached(aws, "kennel-life", NotebookStatus.STOPPED)
    act(aws, plan_start(one))
    one = reached(aws, "kennel-life", NotebookStatus.IN_SERVICE)
    act(aws, plan_stop(one))
    delete = plan_delete(aws, reached(aws, "kennel-life", NotebookStatus.STOPPED))
    assert any("every notebook and file" in each for each in delete.goes)
    assert act(aws, delete, sleep=lambda seconds: time.sleep(0.05)) == "kennel-life is deleted"
    for gone in (lambda: listing.notebook(aws, BOOK, "kennel-life"),
                 lambda: aws.call("iam", "GetRole", RoleName=role.name_of("kennel-life"))):  # fmt: skip
        with pytest.raises(NotFound):
            gone()
    assert act(aws, delete) == "kennel-life is deleted", "pressed again it has nothing left to do"
    told = next(each for each in receipts(aws, BOOK, datetime.now(UTC), ()) if each.name == "kennel-once")
    assert told.lines


def test_what_was_planned_for_another_one_or_another_status_is_not_done(aws: Aws) -> None:
    one = made(aws, "kennel-changed")
    start = replace(plan_start(replace(one, status=NotebookStatus.STOPPED)), created=one.created - timedelta(days=1))
    with pytest.raises(Refused, match="another one has its name"):
        act(aws, start)
    delete = plan_delete(aws, replace(one, status=NotebookStatus.STOPPED))
    with pytest.raises(Refused, match="it is in service now"):
        act(aws, delete)
    assert listing.notebook(aws, BOOK, "kennel-changed").status is NotebookStatus.IN_SERVICE


def test_what_kennel_did_not_make_is_shown_and_not_touched(server: Embedded, aws: Aws) -> None:
    server.client("sagemaker").create_notebook_instance(
        NotebookInstanceName="theirs", InstanceType="ml.t2.medium", RoleArn=other_role(server, "Theirs")
    )
    one = reached(aws, "theirs", NotebookStatus.IN_SERVICE)
    assert one.has_root and not one.is_kennels
    for does in (plan_stop, plan_start, lambda each: plan_delete(aws, each)):
        with pytest.raises(Refused, match="did not make it"):
            does(one)


def test_a_link_opens_what_is_in_service(aws: Aws) -> None:
    one, now = made(aws, "kennel-open"), datetime.now(UTC)
    found = link(aws, one.name, now)
    assert "/notebook/kennel-open?authToken=" in found.address
    assert found.until == now + timedelta(minutes=5)
    assert found.address not in repr(found)
    act(aws, plan_stop(one))
    with pytest.raises(InvalidInput, match="CreatePresignedNotebookInstanceUrl"):
        link(aws, one.name, now)


def test_the_quota_is_told(aws: Aws) -> None:
    with pytest.raises(QuotaExceeded, match=r"ml\.p3\.2xlarge for notebook instance usage"):
        act(
            aws,
            plan_create(
                wanted(aws, "kennel-large", instance_type="ml.p3.2xlarge"), BOOK, account=aws.account, token="f"
            ),
        )


def test_one_that_nobody_works_in_is_found_as_waste_and_its_role_knows_it_stops_itself(aws: Aws) -> None:
    one = made(aws, "kennel-idle")
    seen = sweep_notebooks.look(aws, BOOK, datetime.now(UTC) + timedelta(minutes=1), timedelta(seconds=1))
    (found,) = [each for each in seen.findings if each.name == "kennel-idle"]
    assert (found.kind, found.acts, found.per_day) == (Kind.IDLE_NOTEBOOK, (Act.STOP,), Decimal("1.2"))
    uses = account.read(aws).usage.of(one.role_arn)
    assert [(each.duty, each.name) for each in uses] == [(Duty.NOTEBOOK, "kennel-idle")]
    works_on = served.read(aws, one.role_arn, uses).of(Duty.NOTEBOOK)
    assert works_on.notebooks == (one.arn,)
