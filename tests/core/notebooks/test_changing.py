"""A stopped notebook is changed: what AWS is asked, what it may do afterwards, and what is refused before."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.notebooks import lifecycle, role
from dashboard.core.notebooks.act import act
from dashboard.core.notebooks.changing import as_is, plan_change
from dashboard.core.notebooks.model import Notebook, NotebookStatus
from dashboard.core.notebooks.plan import Plan
from dashboard.core.notebooks.wanted import Wanted
from dashboard.core.tags import KENNEL, MADE_BY

WORK = Account("work", "us-east-1", "123456789012", False, True)
BOOK = PriceBook.load()
MADE = datetime(2026, 11, 1, tzinfo=UTC)
NOTES = Notebook(
    "kennel-notes", "arn:…", NotebookStatus.STOPPED, "ml.t3.medium", WORK.role_arn("kennel-notebook-kennel-notes"),
    MADE, 5, quote.hourly(BOOK, Kind.NOTEBOOK, "ml.t3.medium", "us-east-1"),
    lifecycle=lifecycle.name_of(60), tags={MADE_BY: KENNEL},
)  # fmt: skip
RIGHTS = role.policy(WORK, Wanted("kennel-notes", "photos"))


def planned(one: Notebook = NOTES, rights: dict[str, Any] | None = RIGHTS, **changed: Any) -> Plan:
    return plan_change(one, replace(as_is(one), **changed), rights, BOOK, account=WORK)


def asked(plan: Plan) -> dict[str, Any]:
    return dict(plan.calls[-1].parameters) | {"NotebookInstanceName": ""}


def test_only_what_is_changed_is_asked_for() -> None:
    larger = planned(instance_type="ml.m5.xlarge")
    assert asked(larger) == {"NotebookInstanceName": "", "InstanceType": "ml.m5.xlarge"}
    assert larger.hourly is not None and str(larger.hourly.unit_price) == "0.230"
    assert asked(planned(volume_gb=20)) == {"NotebookInstanceName": "", "VolumeSizeInGB": 20}
    later = planned(idle_minutes=240)
    assert [call.operation for call in later.calls] == [
        "CreateNotebookInstanceLifecycleConfig",
        "UpdateNotebookInstance",
    ]
    assert asked(later)["LifecycleConfigName"] == lifecycle.name_of(240)
    never = planned(idle_minutes=0)
    assert asked(never) == {"NotebookInstanceName": "", "DisassociateLifecycleConfig": True}
    assert any("nothing stops it" in one for one in never.warnings)


def test_one_that_nothing_stopped_is_given_the_right_to_stop_itself_and_keeps_its_others() -> None:
    bare = replace(NOTES, lifecycle="")
    rights = role.policy(WORK, Wanted("kennel-notes", "photos", idle_minutes=0))
    (grant,) = [call for call in planned(bare, rights, idle_minutes=60).calls if call.operation == "PutRolePolicy"]
    written = json.loads(grant.parameters["PolicyDocument"])["Statement"]
    assert sorted(one["Sid"] for one in written) == sorted(one["Sid"] for one in RIGHTS["Statement"])
    assert [one for one in written if one["Sid"] == role.STOPS] == [
        one for one in RIGHTS["Statement"] if one["Sid"] == role.STOPS
    ]
    foreign = planned(bare, None, idle_minutes=60)
    assert not any(call.service == "iam" for call in foreign.calls)
    assert any("sagemaker:StopNotebookInstance" in one for one in foreign.warnings)


def test_a_script_that_is_not_kennels_stays_unless_another_is_chosen() -> None:
    own = replace(NOTES, lifecycle="theirs")
    assert as_is(own).idle_minutes is None
    assert "LifecycleConfigName" not in asked(planned(own, volume_gb=6))
    assert any("its script theirs" in one for one in planned(own, idle_minutes=30).goes)


@pytest.mark.parametrize("changed", [{}, {"volume_gb": 4}, {"volume_gb": 20_000}])
def test_what_is_no_change_or_cannot_be_is_refused_before_aws_is_asked(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        planned(**changed)


def test_only_a_stopped_one_of_kennels_is_changed() -> None:
    with pytest.raises(Refused, match="stop it first"):
        planned(replace(NOTES, status=NotebookStatus.IN_SERVICE), volume_gb=6)
    with pytest.raises(Refused, match="did not make it"):
        planned(replace(NOTES, tags={}), volume_gb=6)


class Asked:
    """An account with that notebook, which keeps what it is told."""

    account = WORK

    def __init__(self) -> None:
        self.told: dict[str, Any] = {
            "NotebookInstanceStatus": "Stopped", "CreationTime": MADE, "InstanceType": "ml.t3.medium",
            "VolumeSizeInGB": 5, "NotebookInstanceLifecycleConfigName": NOTES.lifecycle,
        }  # fmt: skip
        self.sent: list[str] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "DescribeNotebookInstance":
            return self.told
        self.sent.append(operation)
        if operation == "UpdateNotebookInstance":
            self.told = self.told | {"NotebookInstanceStatus": "Updating", "InstanceType": parameters["InstanceType"]}
        return {}


def test_confirmed_twice_it_is_changed_once_and_not_where_somebody_else_did() -> None:
    aws, plan = Asked(), planned(instance_type="ml.t3.large")
    assert act(aws, plan) == act(aws, plan) == "kennel-notes is being changed"  # type: ignore[arg-type]
    assert aws.sent == ["UpdateNotebookInstance"]
    with pytest.raises(Refused, match="it is changing now"):
        act(aws, planned(instance_type="ml.t3.xlarge"))  # type: ignore[arg-type]
