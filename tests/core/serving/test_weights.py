from decimal import Decimal

import pytest

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.weights import Share, plan_weights, set_weights
from tests.core.serving.made import BOOK, asked, endpoint
from tests.core.serving.scripted import EMBEDDED, Scripted

BOTH = (asked("main"), asked("other", "cats"))


def plan(one, **wanted):
    return plan_weights(one, wanted, account=EMBEDDED, prices=BOOK)


def as_it_is(instances: int, weight: float) -> dict[str, object]:
    main = {"VariantName": "main", "DesiredWeight": weight, "DesiredInstanceCount": instances}
    return {"EndpointStatus": "Updating", "ProductionVariants": [main, {"VariantName": "other", "DesiredWeight": 1.0}]}


def test_what_goes_on_already_is_not_asked_again():
    aws = Scripted(DescribeEndpoint=as_it_is(2, 0.10000000149011612))
    set_weights(aws, plan(endpoint(*BOTH), main=Share(0.1, 2)))
    assert not aws.asked("UpdateEndpointWeightsAndCapacities")


def test_weights_and_instances_are_one_request():
    made = plan(endpoint(*BOTH), main=Share(3, 2))
    aws = Scripted(DescribeEndpoint=as_it_is(1, 1.0), UpdateEndpointWeightsAndCapacities={})
    set_weights(aws, made)
    (sent,) = aws.asked("UpdateEndpointWeightsAndCapacities")
    assert sent["DesiredWeightsAndCapacities"] == [
        {"VariantName": "main", "DesiredWeight": 3, "DesiredInstanceCount": 2},
        {"VariantName": "other", "DesiredWeight": 1.0},
    ]
    assert made.changes == ("main: 1 → 2 instances", "main: weight 1 → 3, 50 % → 75 % of the requests")
    assert (made.before.amount, made.after.amount) == (Decimal("0.230"), Decimal("0.345"))
    compile(made.code, "weights.py", "exec")


def test_a_serverless_variant_has_a_weight_and_no_instances():
    made = plan(endpoint(asked("a", kind=""), asked("b", kind="")), a=Share(0.5, 0))
    assert all("DesiredInstanceCount" not in one for one in made.call.parameters["DesiredWeightsAndCapacities"])
    assert made.after.amount is None


@pytest.mark.parametrize(
    ("field", "share"),
    [("weight", Share(-1, 1)), ("count", Share(1, 0)), ("count", Share(1, 11)), ("weight", Share(0, 1))],
)
def test_a_bad_field_is_refused_by_name(field, share):
    with pytest.raises(InvalidInput) as caught:
        plan(endpoint(), main=share)
    assert caught.value.field == field


def test_nothing_to_change_and_no_time_to_change_it():
    with pytest.raises(Refused, match="nothing would change"):
        plan(endpoint(), main=Share(1, 1))
    with pytest.raises(Refused, match="cannot be changed now"):
        plan(endpoint(status=EndpointStatus.UPDATING), main=Share(2, 1))
