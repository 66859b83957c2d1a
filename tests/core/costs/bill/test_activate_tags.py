"""Activating cost allocation tags: one call, the same when done twice; a key that AWS does not know is explained."""

import pytest

from dashboard.core.aws import Aws
from dashboard.core.costs.bill.activate_tags import ActivationPlan, activate, carried
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import AccessDenied, Refused
from tests.core.conftest import FakeAws, refusal
from tests.core.costs.receipts import NOW, ledger, run


def test_project_and_owner_are_activated_in_one_call(fake: FakeAws, aws: Aws) -> None:
    fake.on("UpdateCostAllocationTagsStatus", {"Errors": []})
    said = activate(aws, ActivationPlan(("project", "owner")))
    assert "project and owner are activated" in said
    ((_, asked),) = fake.calls
    assert asked == {
        "CostAllocationTagsStatus": [
            {"TagKey": "project", "Status": "Active"},
            {"TagKey": "owner", "Status": "Active"},
        ]
    }


def test_a_key_that_aws_does_not_know_yet(fake: FakeAws, aws: Aws) -> None:
    fake.on("UpdateCostAllocationTagsStatus", refusal("ValidationException", "Tag keys not found: owner"))
    with pytest.raises(Refused, match=r"Tag keys not found: owner .* up to a day"):
        activate(aws, ActivationPlan(("project", "owner")))


def test_a_key_that_failed_among_others(fake: FakeAws, aws: Aws) -> None:
    failed = {"TagKey": "owner", "Code": "InternalError", "Message": "try later"}
    fake.on("UpdateCostAllocationTagsStatus", {"Errors": [failed]})
    with pytest.raises(Refused, match="owner: try later"):
        activate(aws, ActivationPlan(("project", "owner")))


def test_an_account_of_an_organisation_may_not(fake: FakeAws, aws: Aws) -> None:
    message = "Failed to update Cost Allocation Tag: Linked account doesn't have access to cost allocation tags."
    fake.on("UpdateCostAllocationTagsStatus", refusal("AccessDeniedException", message))
    with pytest.raises(AccessDenied, match="ce:UpdateCostAllocationTagsStatus"):
        activate(aws, ActivationPlan(("project", "owner")))


def test_only_what_something_carries_is_worth_activating() -> None:
    mine = run("a", NOW, nature=Nature.LISTED, project="dogs")
    sample = run("b", NOW, nature=Nature.SAMPLE, owner="ada")
    assert carried(ledger(mine, sample), Nature.LISTED) == ("project",)
    assert carried(ledger(mine, sample), Nature.SAMPLE) == ("owner",)
    assert carried(ledger(), Nature.LISTED) == ()
