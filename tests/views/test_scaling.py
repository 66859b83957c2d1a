"""The Scaling page: what is set, the form that is its address, what AWS would refuse, and the plan that is applied."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import AccessDenied, ServiceFault
from dashboard.core.serving.scaling.plan import plan, same
from dashboard.core.serving.scaling.policy import CustomMetric, Scheduled, TargetTracking, Tracked, reference
from dashboard.core.serving.scaling.read import read
from tests.core.serving.scaling.scaling_aws import ScalingAws
from tests.views.conftest import text
from tests.views.scripted import REAL, ScriptedAws

Open = Callable[..., AppTest]


class Dogs(ScalingAws):
    """The endpoint in an account that has nothing else."""

    def __init__(self, **made: str) -> None:
        super().__init__(**made)
        self.rest = ScriptedAws()
        self.account = self.rest.account

    def client(self, service: str) -> None:
        """Nothing to connect to."""

    def in_region(self, region: str) -> "Dogs":
        return self

    def call(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:
        known = hasattr(self, f"_{operation}")
        return super().call(service, operation, **asked) if known else self.rest.call(service, operation, **asked)

    def pages(self, service: str, operation: str, limit: int = 100, **asked: Any) -> Iterator[dict[str, Any]]:
        known = hasattr(self, f"_{operation}")
        told = super().pages if known else self.rest.pages
        yield from told(service, operation, limit, **asked)


@pytest.fixture
def dogs() -> Dogs:
    return Dogs()


def put(aws, settings):
    for call in plan(read(aws, "dogs"), settings, aws.account, PriceBook.load()).calls:
        aws.call(call.service, call.operation, **call.parameters)
    aws.calls.clear()


def field(those, name):
    """The field of the form; its key ends with how often the form was filled."""
    [found] = [one for one in those if (one.key or "").startswith(f"scaling-{name}-")]
    return found


def press(page, label):
    [button] = [one for one in page.button if one.label == label]
    return button.click().run()


def test_without_auto_scaling_nothing_is_asked_for_and_the_reference_settings_are_one_click(visit: Open, dogs):
    page = visit(dogs, "scaling", endpoint="dogs")
    assert not page.exception
    assert "no auto scaling is set" in text(page)
    assert "choose a metric to keep steady" in text(page)
    assert page.button(key="scaling-review").disabled
    press(page, "Reference, target 10")
    assert field(page.number_input, "max").value == 3
    assert "one every 6 s" in text(page)
    assert page.query_params["p"] == "invocations|10|30|30|in|kennel-requests-per-instance", "the link keeps the form"
    field(page.number_input, "min").set_value(5).run()
    assert "is below the minimum of 5" in text(page)
    assert page.button(key="scaling-review").disabled
    field(page.number_input, "max").set_value(8).run()
    assert "AWS would refuse" not in text(page)


def test_the_plan_is_shown_with_its_cost_and_carried_out_once(visit: Open, dogs):
    page = visit(dogs, "scaling", endpoint="dogs")
    press(page, "Reference, target 20")
    page.button(key="scaling-review").click().run()
    assert "RegisterScalableTarget" in text(page)
    do = page.button(key="confirm-do")
    assert do.label == r"Apply for \$0.115 to \$0.345 an hour · simulated"
    assert dogs.changed == [], "nothing is sent before it is confirmed"
    do.click().run()
    assert dogs.changed == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert same(read(dogs, "dogs").settings, reference(20))
    assert "keeps 20 requests per instance and minute" in text(page)
    assert "the form says what is set" in text(page)


def test_a_link_opens_the_form_as_it_was(visit: Open, dogs):
    put(dogs, reference(10))
    asked = "concurrent|4|60|300|stay|kennel-requests-at-once"
    page = visit(dogs, "scaling", endpoint="dogs", min="2", max="6", p=asked)
    assert field(page.number_input, "min").value == 2
    assert "4 requests at the same time on each instance" in text(page)
    assert "never scales in" in text(page)
    assert "1 to 3" in text(page)
    assert "2 to 6" in text(page)


def test_an_address_that_is_no_form_shows_what_is_set(visit: Open, dogs):
    put(dogs, reference(10))
    page = visit(dogs, "scaling", endpoint="dogs", max="very many")
    assert not page.exception
    assert field(page.number_input, "max").value == 3
    assert "the form shows what is set" in text(page)


def test_bursts_and_a_missing_role_are_explained_before_anything_is_sent(visit: Open):
    dogs = Dogs(instance="ml.t2.medium")
    dogs.may = False
    page = visit(dogs, "scaling", endpoint="dogs")
    press(page, "Reference, target 10")
    assert "AWS would refuse this" in text(page)
    assert "nstances of ml.t2.medium cannot scale" in text(page)
    assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint is missing" in text(page)
    assert page.button(key="scaling-review").disabled


def test_a_second_metric_makes_a_second_policy(visit: Open, dogs):
    put(dogs, reference(10))
    page = visit(dogs, "scaling", endpoint="dogs")
    pills = field(page.button_group, "metrics")
    pills.set_value([*pills.value, Tracked.CONCURRENT]).run()
    assert "several target tracking policies" in text(page).lower()
    page.button(key="scaling-review").click().run()
    page.button(key="confirm-do").click().run()
    assert dogs.changed == ["PutScalingPolicy"]


def test_what_somebody_else_sets_is_followed_unless_something_was_typed(visit: Open, dogs):
    put(dogs, reference(10))
    page = visit(dogs, "scaling", endpoint="dogs")
    put(dogs, replace(reference(10), maximum=5))
    state.forget()
    page.run()
    assert field(page.number_input, "max").value == 5
    assert "the form says what is set" in text(page)
    field(page.number_input, "max").set_value(7).run()
    put(dogs, replace(reference(10), maximum=4))
    state.forget()
    page.run()
    assert field(page.number_input, "max").value == 7, "what was typed stays"
    assert "1 to 4" in text(page)


def test_a_second_metric_of_ones_own_is_kept_beside_the_one_with_fields(visit: Open, dogs):
    cpu = CustomMetric("/aws/sagemaker/Endpoints", "CPUUtilization", "Average")
    customs = tuple(
        TargetTracking(name, Tracked.CUSTOM, 60, custom=replace(cpu, name=name)) for name in ("cpu", "memory")
    )
    put(dogs, replace(reference(10), tracking=customs))
    page = visit(dogs, "scaling", endpoint="dogs")
    assert "the form says what is set" in text(page)
    page.button(key="scaling-drop-memory").click().run()
    page.button(key="scaling-review").click().run()
    page.button(key="confirm-do").click().run()
    assert dogs.changed == ["DeleteScalingPolicy"]


def test_a_scheduled_action_is_added_to_the_form_and_taken_out_again(visit: Open, dogs):
    put(dogs, reference(10))
    page = visit(dogs, "scaling", endpoint="dogs")
    page.text_input(key="scaling-action-name").set_value("morning").run()
    page.number_input(key="scaling-action-min").set_value(2).run()
    page.button(key="scaling-action-add").click().run()
    assert "scheduled action morning" in text(page)
    assert "minimum 2 at cron(0 8 * * ? *) Europe/Berlin" in text(page)
    page.button(key="scaling-unschedule-morning").click().run()
    assert "the form says what is set" in text(page)


def test_pausing_keeps_the_settings_and_removing_says_what_stays(visit: Open, dogs):
    morning = Scheduled("morning", "cron(0 8 * * ? *)", 2, 3)
    put(dogs, replace(reference(10), scheduled=(morning,)))
    page = visit(dogs, "scaling", endpoint="dogs")
    press(page, "Pause")
    page.button(key="confirm-do").click().run()
    assert "switched off: scaling in, scaling out, scheduled actions" in text(page)
    assert page.button(key="scaling-pause").label == "Switch on again"
    page.button(key="scaling-remove").click().run()
    assert "stays at 1 instance" in text(page)
    page.button(key="confirm-do").click().run()
    assert dogs.changed == ["RegisterScalableTarget", "DeregisterScalableTarget"]
    assert "no auto scaling is set" in text(page)


def test_what_is_not_there_is_said_and_the_rest_stands(visit: Open, dogs):
    for operation in ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"):
        dogs.errors[operation] = ServiceFault(f"application-autoscaling {operation} is not available here")
    page = visit(dogs, "scaling", endpoint="dogs")
    assert not page.exception
    assert "Not checked" in text(page)
    assert "its auto scaling could not be read" in text(page)
    assert page.button(key="scaling-review").disabled


def test_a_reader_of_a_real_account_sees_what_may_be_read_and_that_changes_are_refused(visit: Open, dogs):
    dogs.account = dogs.rest.account = REAL
    put(dogs, reference(10))
    for operation in ("GetMetricData", "GetRole", "ListServiceQuotas"):
        dogs.errors[operation] = AccessDenied(f"not allowed to {operation}", action=f"some:{operation}")
    page = visit(dogs, "scaling", endpoint="dogs")
    assert not page.exception
    assert "Not allowed to GetMetricData" in text(page)
    assert "was not checked" in text(page)
    press(page, "Reference, target 20")
    page.button(key="scaling-review").click().run()
    assert "connected read-only" in text(page)
