import botocore.session
import pytest

from dashboard.core.serving.model import EndpointStatus

MODEL = botocore.session.Session().get_service_model("sagemaker")


@pytest.mark.parametrize("text", MODEL.shape_for("EndpointStatus").enum)
def test_every_status_of_sagemaker_has_a_meaning(text):
    status = EndpointStatus.of(text)
    assert status is not EndpointStatus.UNKNOWN
    assert status.word
    assert status.tone in {"running", "done", "failed", "stopped"}


def test_a_status_that_is_new_is_unknown():
    assert EndpointStatus.of("Dreaming") is EndpointStatus.UNKNOWN


@pytest.mark.parametrize("text", ["SystemUpdating", "Updating", "RollingBack"])
def test_an_update_that_leaves_no_instance_answers_nobody(text):
    status = EndpointStatus.of(text, 0)
    assert status is EndpointStatus.RESTARTING
    assert not status.is_serving
    assert not status.is_billed
    assert status.is_changing
    assert EndpointStatus.of(text, 1).is_serving


def test_a_settled_status_does_not_depend_on_instances():
    assert EndpointStatus.of("InService", 0) is EndpointStatus.IN_SERVICE
    assert EndpointStatus.of("Failed", 0) is EndpointStatus.FAILED


def test_an_endpoint_answers_while_it_is_updated_and_costs_money_then():
    for status in (EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK):
        assert status.is_serving
        assert status.is_billed
    for status in (EndpointStatus.CREATING, EndpointStatus.DELETING, EndpointStatus.FAILED):
        assert not status.is_serving
        assert not status.is_billed


def test_what_changes_by_itself_is_worth_another_look():
    assert EndpointStatus.CREATING.is_changing
    assert not EndpointStatus.IN_SERVICE.is_changing
    assert not EndpointStatus.FAILED.is_changing
