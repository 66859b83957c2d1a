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
