"""What holds for all policies, whatever they say: rights only come with an Allow, and only go with a Deny."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.core.iam.documents import Policy
from dashboard.core.iam.evaluate import evaluate

OBJECT = "arn:aws:s3:::photos/dogs/rex.jpg"


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, "p")


NAMES = some.text("ab*?:", max_size=5)
CONDITIONS = some.dictionaries(
    some.sampled_from(["StringEquals", "StringNotLike", "ForAllValues:StringLike", "StringEqualsIfExists", "Null"]),
    some.dictionaries(some.sampled_from(["k:a", "k:b"]), some.lists(some.sampled_from(["true", "a*"]), min_size=1)),
    max_size=2,
)


def statements(effect: str) -> some.SearchStrategy[dict[str, Any]]:
    return some.builds(
        lambda act, action, on, resource, condition: {
            "Effect": effect,
            act: f"s3:{action}",
            on: resource,
            "Condition": condition,
        },
        some.sampled_from(["Action", "NotAction"]),
        NAMES,
        some.sampled_from(["Resource", "NotResource"]),
        some.sampled_from(["*", OBJECT, "arn:aws:s3:::photos/${k:a}*"]) | NAMES,
        CONDITIONS,
    )


ANYTHING = statements("Allow") | statements("Deny")
REQUESTS = some.tuples(
    some.builds("s3:{}".format, some.text("ab", max_size=3)),
    some.sampled_from(["*", OBJECT]),
    some.dictionaries(some.sampled_from(["k:a", "k:b"]), some.sampled_from(["dogs", "true", "ab"])),
)


@settings(max_examples=200, deadline=None)
@given(some.lists(ANYTHING, max_size=4), statements("Allow"), some.none() | ANYTHING, REQUESTS)
def test_another_allow_never_takes_a_right(
    present: list[dict[str, Any]], more: dict[str, Any], limit: dict[str, Any] | None, request: Any
) -> None:
    boundary = None if limit is None else policy(limit)
    if evaluate([policy(*present)], *request, boundary=boundary).allowed:
        assert evaluate([policy(*present, more)], *request, boundary=boundary).allowed
        assert evaluate([policy(more), policy(*present)], *request, boundary=boundary).allowed


@settings(max_examples=200, deadline=None)
@given(some.lists(ANYTHING, max_size=4), statements("Deny"), some.none() | ANYTHING, REQUESTS)
def test_another_deny_never_gives_a_right(
    present: list[dict[str, Any]], more: dict[str, Any], limit: dict[str, Any] | None, request: Any
) -> None:
    boundary = None if limit is None else policy(limit)
    if evaluate([policy(*present), policy(more)], *request, boundary=boundary).allowed:
        assert evaluate([policy(*present)], *request, boundary=boundary).allowed


@settings(max_examples=200, deadline=None)
@given(some.lists(ANYTHING, max_size=4), ANYTHING, REQUESTS)
def test_a_boundary_never_gives_a_right(present: list[dict[str, Any]], limit: dict[str, Any], request: Any) -> None:
    if evaluate([policy(*present)], *request, boundary=policy(limit)).allowed:
        assert evaluate([policy(*present)], *request).allowed
