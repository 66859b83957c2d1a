"""What an endpoint was over time, from CloudTrail and from what is there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.ledger.endpoint_receipt import endpoint_receipt
from dashboard.core.costs.ledger.endpoint_seen import came_into_service, seen
from dashboard.core.costs.ledger.lifetimes import (
    DRIFTED,
    FROM_CREATION,
    GONE,
    NEVER_SERVED,
    NO_BEGINNING,
    NO_HISTORY,
    Fleet,
    Lifetime,
    Present,
    endpoint_lifetimes,
)
from dashboard.core.costs.ledger.trail import Happening, in_order
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature, Receipt

T = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = T + 100 * HOUR
PRICES = PriceBook.load()
LARGE = Decimal("0.115")  # ml.m5.large in us-east-1, an hour


def config(at: float, name: str = "c1", instance: str = "ml.m5.large", count: int = 1) -> Happening:
    variant = {"variantName": "all", "instanceType": instance, "initialInstanceCount": count}
    return Happening(f"{name}{at}", T + at * HOUR, "CreateEndpointConfig", {"endpointConfigName": name}, (variant,))


def event(at: float, name: str, endpoint: str = "dogs", **more: Any) -> Happening:
    asked = {"endpointName": endpoint} | more
    return Happening(f"{name}{endpoint}{at}", T + at * HOUR, name, asked)


def created(at: float, of: str = "c1", endpoint: str = "dogs") -> Happening:
    return event(at, "CreateEndpoint", endpoint, endpointConfigName=of)


def resized(at: float, count: int) -> Happening:
    wanted = ({"variantName": "all", "desiredInstanceCount": count},)
    name = "UpdateEndpointWeightsAndCapacities"
    return Happening(f"w{at}", T + at * HOUR, name, {"endpointName": "dogs"}, wanted)


def there(at: float = 1, count: int = 1, **more: Any) -> Present:
    usual: dict[str, Any] = {
        "name": "dogs",
        "created": T + at * HOUR,
        "modified": T + at * HOUR,
        "status": "serving",
        "is_billed": True,
        "is_coming": False,
        "has_failed": False,
        "fleets": (Fleet("all", "ml.m5.large", count),),
    }
    return Present(**(usual | more))


def receipt(life: Lifetime) -> Receipt:
    return endpoint_receipt(life, PRICES, "us-east-1", NOW, is_embedded=True)


def test_made_scaled_and_deleted() -> None:
    told = [config(0), created(1), resized(3, 3), resized(5, 2), event(8, "DeleteEndpoint")]
    (life,) = endpoint_lifetimes(told, [])
    assert [(span.started, span.ended, span.fleets[0].count) for span in life.spans] == [
        (T + 1 * HOUR, T + 3 * HOUR, 1),
        (T + 3 * HOUR, T + 5 * HOUR, 3),
        (T + 5 * HOUR, T + 8 * HOUR, 2),
    ]
    cost = receipt(life)
    assert cost.amount == LARGE * (2 * 1 + 2 * 3 + 3 * 2)
    assert (cost.ended, cost.status, cost.nature) == (T + 8 * HOUR, "deleted", Nature.SIMULATED)
    assert cost.key == f"endpoint:dogs@{int((T + HOUR).timestamp())}"


def test_an_update_takes_the_instances_of_its_configuration_or_keeps_their_number() -> None:
    told = [config(0), created(1), resized(2, 4), config(3, "c2", "ml.m5.xlarge", 2)]
    plain = event(4, "UpdateEndpoint", endpointConfigName="c2")
    kept = event(4, "UpdateEndpoint", endpointConfigName="c2", retainAllVariantProperties=True)
    (life,) = endpoint_lifetimes([*told, plain], [there(count=2, fleets=(Fleet("all", "ml.m5.xlarge", 2),))])
    assert life.spans[-1].fleets == (Fleet("all", "ml.m5.xlarge", 2),)
    assert life.ended is None
    (life,) = endpoint_lifetimes([*told, kept], [there(fleets=(Fleet("all", "ml.m5.xlarge", 4),))])
    assert life.spans[-1].fleets == (Fleet("all", "ml.m5.xlarge", 4),)
    assert DRIFTED not in life.notes


def test_a_name_that_is_used_again_is_another_endpoint() -> None:
    told = [config(0), created(1), event(2, "DeleteEndpoint"), created(5)]
    first, second = endpoint_lifetimes(told, [there(5)])
    assert (first.ended, second.ended) == (T + 2 * HOUR, None)
    assert first.key != second.key
    assert receipt(first).amount == LARGE
    assert receipt(second).amount == LARGE * 95


def test_it_costs_from_when_it_came_into_service_also_after_it_was_deleted() -> None:
    now = there(1, modified=T + 1.25 * HOUR)
    told = [config(0), created(1)]
    told += came_into_service([now], told)
    cost = receipt(endpoint_lifetimes(told, [now])[0])
    assert cost.amount == LARGE * Decimal("98.75")
    assert cost.facts[0].member == "LastModifiedTime, in service", "no event of CloudTrail was at that moment"
    (gone,) = endpoint_lifetimes(in_order([*told, event(3, "DeleteEndpoint")]), [])
    assert receipt(gone).amount == LARGE * Decimal("1.75")
    assert FROM_CREATION not in gone.notes
    assert came_into_service([now], told) == []  # seen once


def test_what_changed_it_is_not_taken_for_its_coming_into_service() -> None:
    late = there(1, modified=T + 2 * HOUR)
    assert came_into_service([late, there(1), there(1, is_changing=True, modified=T + 1.1 * HOUR)], []) == []
    scaled = there(1, count=2, modified=T + 1.25 * HOUR)
    told = [config(0), created(1), *came_into_service([scaled], []), resized(1.125, 2)]
    (life,) = endpoint_lifetimes(in_order(told), [scaled])
    assert FROM_CREATION in life.notes
    assert receipt(life).amount == LARGE * (Decimal("0.125") + 2 * Decimal("98.875"))


def test_without_history_what_is_there_counts_from_its_creation() -> None:
    (life,) = endpoint_lifetimes([], [there(10, count=2)])
    assert NO_HISTORY in life.notes
    assert receipt(life).amount == LARGE * 2 * 90


def test_what_is_older_than_the_history_counts_from_its_creation_and_says_what_is_missing() -> None:
    (life,) = endpoint_lifetimes([resized(50, 3)], [there(0, count=3)])
    assert NO_BEGINNING in life.notes
    cost = receipt(life)
    assert (life.created, cost.started) == (T, T)
    assert cost.amount == LARGE * 3 * 50  # what it was before is not told
    assert [line.what for line in cost.missing] == ["serving before"]
    gone = endpoint_lifetimes([event(50, "DeleteEndpoint")], [])
    assert gone == []  # nothing of it is known but its end


def test_instances_that_changed_without_an_event_count_from_the_last_change() -> None:
    (life,) = endpoint_lifetimes([config(0), created(1)], [there(1, count=4, modified=T + 51 * HOUR)])
    assert DRIFTED in life.notes
    assert receipt(life).amount == LARGE * (50 * 1 + 49 * 4)


def test_a_configuration_that_is_not_told_is_taken_from_what_is_there() -> None:
    (life,) = endpoint_lifetimes([created(1, "older")], [there(1)])
    assert receipt(life).amount == LARGE * 99
    (life,) = endpoint_lifetimes([created(1, "older"), event(3, "DeleteEndpoint")], [])
    assert receipt(life).amount is None
    assert "does not tell what it ran on" in receipt(life).missing[0].why_unknown


def test_one_that_never_served_costs_nothing_also_after_it_was_deleted() -> None:
    failed = there(1, is_billed=False, has_failed=True, status="failed")
    (life,) = endpoint_lifetimes([config(0), created(1)], [failed])
    assert (receipt(life).amount, NEVER_SERVED in life.notes) == (0, True)
    told = [config(0), created(1), event(9, "DeleteEndpoint")]
    (later,) = endpoint_lifetimes(told, [], [life.key])
    assert receipt(later).amount == 0
    assert endpoint_lifetimes(told, [])[0].spans  # without having seen it fail, nobody can know


def test_one_on_its_way_has_cost_nothing_and_one_on_its_way_out_what_it_did() -> None:
    coming = there(1, is_billed=False, is_coming=True, status="starting")
    (life,) = endpoint_lifetimes([config(0), created(1)], [coming])
    assert receipt(life).amount == 0
    going = there(1, is_billed=False, modified=T + 11 * HOUR, status="being deleted")
    for told in ([config(0), created(1)], []):
        (life,) = endpoint_lifetimes(told, [going])
        assert receipt(life).amount == LARGE * 10


def test_one_that_is_gone_without_a_word_is_unknown() -> None:
    (life,) = endpoint_lifetimes([config(0), created(1)], [])
    assert receipt(life).amount is None
    (life,) = endpoint_lifetimes([config(0), created(1), resized(3, 2)], [])
    cost = receipt(life)
    assert cost.amount == LARGE * 2  # until it was scaled; what came after is missing
    assert [line.why_unknown for line in cost.missing] == [GONE]


def test_a_serverless_variant_is_named_as_missing() -> None:
    variant = {"variantName": "all", "serverless": True}
    told = [Happening("c", T, "CreateEndpointConfig", {"endpointConfigName": "c1"}, (variant,)), created(1)]
    (life,) = endpoint_lifetimes(told, [there(1, fleets=(Fleet("all", "", 0, True),))])
    assert receipt(life).amount is None


@pytest.mark.parametrize("late", [-1.5, 0.0, 1.5])
@pytest.mark.parametrize("is_there", [True, False])
def test_one_that_was_seen_before_cloudtrail_told_of_it_is_one_endpoint(late: float, is_there: bool) -> None:
    present = replace(there(1, 2), created=T + HOUR + timedelta(seconds=late))
    told = [config(0.5, count=2), created(1), resized(2, 3)]
    if not is_there:
        told.append(event(5, "DeleteEndpoint"))
    lives = endpoint_lifetimes(
        in_order([*seen([present], [], NOW), *told]), [replace(present, fleets=there(1, 3).fleets)] * is_there
    )
    (life,) = lives
    assert NO_HISTORY not in life.notes
    assert GONE not in life.notes
    last = 99 - 1 if is_there else 5 - 2
    assert receipt(life).amount == LARGE * (2 + 3 * last)


def test_a_young_endpoint_is_left_to_cloudtrail_which_may_be_late() -> None:
    assert seen([there(1)], [], T + HOUR + timedelta(minutes=19)) == []
    assert len(seen([there(1)], [], T + HOUR + timedelta(minutes=21))) == 2


def test_what_was_seen_tells_the_instances_where_cloudtrail_does_not() -> None:
    present = there(1, 2)
    (life,) = endpoint_lifetimes(in_order([*seen([present], [], NOW), created(1), event(5, "DeleteEndpoint")]), [])
    assert receipt(life).amount == LARGE * 2 * 4


def test_tags_say_whose_it_is() -> None:
    made = Happening("e", T, "CreateEndpoint", {"endpointName": "dogs", "endpointConfigName": "c1"},
                     tags={"project": "p", "owner": "o", "kennel:sample": "true"})  # fmt: skip
    (life,) = endpoint_lifetimes([config(0), made, event(2, "DeleteEndpoint")], [])
    cost = receipt(life)
    assert (cost.project, cost.owner, cost.nature) == ("p", "o", Nature.SAMPLE)


def test_until_when_it_is_wanted_is_told_while_it_is_there() -> None:
    (life,) = endpoint_lifetimes([config(0)], [there(1, tags={"kennel:expires": "2026-11-09T00:00:00Z"})])
    assert receipt(life).wanted == datetime(2026, 11, 9, tzinfo=UTC)
    assert receipt(replace(life, ended=T + 2 * HOUR)).wanted is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "resize", "update", "delete"]),
        st.integers(min_value=0, max_value=99),
        st.integers(min_value=1, max_value=5),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_spans_never_overlap_and_what_they_cost_by_day_adds_up(
    steps: list[tuple[str, int, int]], is_there: bool
) -> None:
    told = [config(0)]
    for kind, at, count in steps:
        match kind:
            case "create":
                told.append(created(at))
            case "resize":
                told.append(resized(at, count))
            case "update":
                told.append(event(at, "UpdateEndpoint", endpointConfigName="c1"))
            case "delete":
                told.append(event(at, "DeleteEndpoint"))
    lives = endpoint_lifetimes(in_order(told), [there(50)] if is_there else [])
    assert len({life.key for life in lives}) == len(lives)
    for life in lives:
        for before, after in zip(life.spans, life.spans[1:], strict=False):
            assert before.ended is not None
            assert before.started <= before.ended <= after.started
        cost = receipt(life)
        assert cost.amount is None or cost.amount >= 0
        assert cost.amount is None or sum(cost.by_day().values()) == cost.amount
