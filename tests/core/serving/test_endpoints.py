from decimal import Decimal

import pytest

from dashboard.core.errors import NotFound
from dashboard.core.serving.delete import delete_endpoint, plan_delete
from dashboard.core.serving.endpoints import EndpointStatus, get_endpoint, list_endpoints
from tests.core.conftest import refusal
from tests.core.serving.account import ARN


def test_an_endpoint_is_described_with_what_it_costs_an_hour(aws, serving, prices):
    serving.add("starter", count=2)
    serving.tags[f"{ARN}:endpoint/starter"] = [{"Key": "kennel:sample", "Value": "true"}]
    (endpoint,) = list_endpoints(aws, prices)
    assert endpoint.name == "starter"
    assert endpoint.status is EndpointStatus.IN_SERVICE
    assert (endpoint.instance_type, endpoint.count, endpoint.model_name) == ("ml.m5.large", 2, "starter-model")
    assert endpoint.hourly.amount == Decimal("0.230")
    assert endpoint.is_sample
    assert endpoint.is_kennels


def test_a_failed_endpoint_says_why(aws, serving, prices):
    serving.add("dogs", status="Failed")
    serving.endpoints["dogs"]["FailureReason"] = "The container did not answer /ping."
    endpoint = get_endpoint(aws, prices, "dogs")
    assert endpoint.status.is_bad
    assert endpoint.failure == "The container did not answer /ping."


def test_no_endpoints_is_an_empty_list(aws, serving, prices):
    assert list_endpoints(aws, prices) == ()


def test_an_endpoint_whose_configuration_is_gone_is_still_shown(aws, serving, prices):
    serving.add("dogs")
    serving.configs.clear()
    endpoint = get_endpoint(aws, prices, "dogs")
    assert endpoint.instance_type == ""
    assert endpoint.hourly.amount is None
    assert endpoint.hourly.why_unknown


def test_an_endpoint_deleted_while_we_look_is_left_out(aws, serving, prices, fake):
    serving.add("dogs")
    serving.add("cats")
    describe = serving._describe(serving.endpoints, "EndpointName")
    fake.on(
        "DescribeEndpoint",
        lambda p: refusal("ValidationException", "Could not find it") if p["EndpointName"] == "cats" else describe(p),
    )
    assert [endpoint.name for endpoint in list_endpoints(aws, prices)] == ["dogs"]


def test_one_that_is_not_there_is_not_found(aws, serving, prices):
    with pytest.raises(NotFound):
        get_endpoint(aws, prices, "dogs")


def test_deleting_takes_what_only_this_endpoint_uses(aws, serving, prices):
    serving.add("dogs")
    serving.add("cats")
    plan = plan_delete(aws, prices, "dogs")
    assert plan.deletes == ("endpoint dogs", "endpoint configuration dogs-config", "model dogs-model")
    assert plan.kept == ()
    assert plan.saves.amount == Decimal("0.115")
    delete_endpoint(aws, plan)
    assert set(serving.endpoints) == {"cats"}
    assert set(serving.configs) == {"cats-config"}
    assert set(serving.models) == {"cats-model"}


def test_a_model_that_another_configuration_uses_stays_and_is_named(aws, serving, prices):
    serving.add("dogs", model="shared")
    serving.add("cats", model="shared")
    plan = plan_delete(aws, prices, "dogs")
    assert plan.models == ()
    assert plan.kept == ("model shared stays: endpoint configuration cats-config uses it",)
    delete_endpoint(aws, plan)
    assert set(serving.models) == {"shared"}


def test_a_configuration_that_another_endpoint_uses_stays_with_its_model(aws, serving, prices):
    serving.add("dogs", config="shared")
    serving.add("cats", config="shared")
    plan = plan_delete(aws, prices, "dogs")
    assert plan.deletes == ("endpoint dogs",)
    assert "endpoint cats" in plan.kept[0]


def test_what_kennel_did_not_make_is_not_deleted_along(aws, serving, prices):
    serving.add("dogs", made=False)
    plan = plan_delete(aws, prices, "dogs")
    assert plan.deletes == ("endpoint dogs",)
    assert "Kennel did not make" in plan.kept[0]


def test_deleting_twice_is_fine(aws, serving, prices):
    serving.add("dogs")
    plan = plan_delete(aws, prices, "dogs")
    delete_endpoint(aws, plan)
    delete_endpoint(aws, plan)
    assert not serving.endpoints


def test_an_endpoint_that_is_being_deleted_already_is_fine(aws, serving, prices, fake):
    serving.add("dogs", status="Deleting")
    plan = plan_delete(aws, prices, "dogs")
    fake.on("DeleteEndpoint", refusal("ValidationException", "Cannot update in-progress endpoint: it is Deleting."))
    delete_endpoint(aws, plan)
    assert not serving.models


def test_planning_to_delete_what_is_not_there(aws, serving, prices):
    with pytest.raises(NotFound):
        plan_delete(aws, prices, "dogs")


def test_deleting_takes_the_schedule_that_would_delete_it_later(aws, serving, prices, fake):
    serving.add("dogs")
    fake.on("GetSchedule", lambda asked: {"Name": asked["Name"], "State": "ENABLED"})
    fake.on("DeleteSchedule", lambda _: {})
    plan = plan_delete(aws, prices, "dogs")
    assert plan.schedule == "kennel-delete-dogs"
    assert any("schedule kennel-delete-dogs" in one for one in plan.deletes)
    delete_endpoint(aws, plan)
    assert ("DeleteSchedule", {"Name": "kennel-delete-dogs"}) in fake.calls
    fake.on("DeleteSchedule", lambda _: refusal("ResourceNotFoundException", "it does not exist", 404))
    delete_endpoint(aws, plan)  # it fired meanwhile: that is fine


def test_an_endpoint_is_deleted_without_the_right_to_see_schedules(aws, serving, prices, fake):
    serving.add("dogs")
    fake.on("GetSchedule", lambda _: refusal("AccessDeniedException", "no", 403))
    plan = plan_delete(aws, prices, "dogs")
    assert any("scheduler:GetSchedule is not allowed" in one for one in plan.kept)
    delete_endpoint(aws, plan)
    assert serving.endpoints == {}
    fake.on("GetSchedule", lambda _: refusal("NotImplemented", "no scheduler here", 501))
    serving.add("cats")
    assert plan_delete(aws, prices, "cats").kept == (), "where no schedules are there is none to speak of"
