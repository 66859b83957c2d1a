"""The scaling editor's form is its address: what one says the other does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.plan import same
from dashboard.core.serving.scaling.policy import (
    CustomMetric,
    Scheduled,
    Settings,
    Step,
    StepPolicy,
    TargetTracking,
    Tracked,
    reference,
)
from dashboard.ui.scaling_address import of_query, to_query

WORDS = some.text(some.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)
SECONDS = some.integers(0, 3600)
TARGETS = some.floats(0.001, 1e6, allow_nan=False).map(lambda value: float(f"{value:.6g}"))
CUSTOMS = some.builds(
    CustomMetric,
    WORDS,
    WORDS,
    some.just("Average"),
    some.lists(some.tuples(WORDS, WORDS), max_size=2).map(tuple),
    WORDS,
)
TRACKING = some.one_of(
    some.builds(
        TargetTracking,
        WORDS,
        some.sampled_from([one for one in Tracked if one is not Tracked.CUSTOM]),
        TARGETS,
        SECONDS,
        SECONDS,
        some.booleans(),
    ),
    some.builds(TargetTracking, WORDS, some.just(Tracked.CUSTOM), TARGETS, SECONDS, SECONDS, some.booleans(), CUSTOMS),
)
ENDS = some.none() | some.integers(0, 50)
SCHEDULED = some.builds(Scheduled, WORDS, WORDS, ENDS, ENDS, some.sampled_from(["UTC", "Europe/Berlin"]))
DRAFTS = some.builds(
    Settings,
    some.integers(0, 99),
    some.integers(0, 99),
    some.lists(
        TRACKING,
        max_size=3,
        unique_by=(lambda one: one.name, lambda one: one.name if one.tracked is Tracked.CUSTOM else one.tracked),
    ).map(tuple),
    some.just(()),
    some.lists(SCHEDULED, max_size=2, unique_by=lambda one: one.name).map(tuple),
)


def listed(query):
    return {name: value if isinstance(value, list) else [value] for name, value in query.items()}


@given(DRAFTS)
@settings(max_examples=60, deadline=None)
def test_a_form_comes_back_from_its_address_as_it_was(draft):
    assert of_query(listed(to_query(draft, None)), None) == draft


def test_a_form_that_says_what_is_set_needs_no_address():
    assert to_query(reference(10), reference(10)) == {}
    assert of_query({"endpoint": ["dogs"]}, reference(10)) is None


def test_a_link_with_the_two_ends_alone_keeps_the_policies_that_are_set():
    current = replace(reference(10), steps=(StepPolicy("step", "ChangeInCapacity", 60, (Step(1, 0, None),)),))
    asked = of_query({"min": ["2"], "max": ["6"]}, current)
    assert same(asked, replace(current, minimum=2, maximum=6))


def test_an_address_may_take_all_policies_away_but_those_that_kennel_cannot_write():
    math = TargetTracking("math", Tracked.CUSTOM, 1)
    current = replace(reference(10), tracking=(*reference(10).tracking, math))
    without = replace(current, tracking=(math,))
    assert of_query(listed(to_query(without, current)), current) == without


@pytest.mark.parametrize(
    "query",
    [
        {"min": ["many"]},
        {"max": ["-1"]},
        {"max": ["9" * 30]},
        {"max": ["9" * 5000]},
        {"p": ["invocations|1e-300|1|1|in|name"]},
        {"p": ["invocations|1|1|1|in|one", "invocations|2|1|1|in|other"]},
        {"p": ["custom|1|1|1|in|same|space|metric|Sum||", "custom|1|1|1|in|same|space|other|Sum||"]},
        {"s": ["morning|rate(1 hour)|1||UTC", "morning|rate(2 hours)|1||UTC"]},
        {"s": [f"morning|rate(1 hour)|{'9' * 30}||UTC"]},
        {"s": [f"morning|rate(1 hour)|{'9' * 5000}||UTC"]},
        {"p": ["invocations"]},
        {"p": ["invocations|nan|1|1|in|name"]},
        {"p": ["invocations|1|-1|1|in|name"]},
        {"p": ["custom|1|1|1|in|name"]},
        {"p": ["custom|1|1|1|in|name|space|metric|p99||"]},
        {"p": ["unheard|1|1|1|in|name"]},
        {"s": ["morning|rate(1 hour)|two||UTC"]},
        {"s": ["morning"]},
    ],
)
def test_an_address_that_is_no_form_is_said_to_be_none(query):
    with pytest.raises(InvalidInput):
        of_query(query, reference(10))
