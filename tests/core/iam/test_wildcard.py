"""Patterns of policies: what fits them, what lies within another one, and which two can never fit the same."""

import random
import time

import pytest

from dashboard.core.iam.wildcard import (
    ANY,
    Reach,
    any_of,
    contains,
    fits_arn,
    fits_resource,
    matches,
    overlap,
    prepared,
)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("*", "", True),
        ("**", "a", True),
        ("?*", "", False),
        ("a*b*c", "abcabc", True),
        ("a*b*c", "acb", False),
        ("*ab", "aab", True),
        ("ab*ba", "aba", False),
        ("*.*", "a", False),
        ("[ab]", "a", False),
        ("a\nb*", "a\nbc", True),
        ("💥?", "💥💥", True),
    ],
)
def test_what_fits(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits
    assert any_of([prepared("no"), prepared(pattern), prepared("x?")], Reach.TEXT)(text) is fits


def test_a_wildcard_reaches_as_far_as_its_place_lets_it() -> None:
    arn = "arn:aws:sns:eu-west-1:1:topic:one"
    assert fits_resource(prepared("arn:aws:sns:*:one"), arn)  # the last character of its part
    assert not fits_arn(prepared("arn:aws:sns:*:one"), arn)
    assert fits_arn(prepared("arn:aws:sns:*:1:topic:*"), arn)
    assert fits_resource(prepared("arn:aws:sns:*-1:1:*:one"), arn)
    assert not fits_resource(prepared("arn:aws:s*t-1:1:*"), arn)
    assert not fits_arn(prepared("*"), "no ARN")


def test_the_characters_that_stand_for_wildcards_are_none() -> None:
    assert not matches(ANY, "anything")
    assert not contains(prepared(ANY), prepared("*"), Reach.TEXT)


def test_what_lies_within() -> None:
    def within(outer: str, inner: str, reach: Reach = Reach.RESOURCE) -> bool:
        return contains(prepared(outer), prepared(inner), reach)

    assert within("arn:aws:s3:::b/*", "arn:aws:s3:::b/?/*")
    assert within("*", "arn:aws:s3:::b/*")
    assert within("arn:aws:s*3:::b/*", "arn:aws:s*3:::b/*")
    assert within("b??*", "b*??", Reach.TEXT) is within("b?", "b*", Reach.TEXT) is False
    assert not within("arn:aws:s3:::b/?", "arn:aws:s3:::b/*")
    assert not within("arn:aws:s3:::b/x", "arn:aws:s3:::b/*")


def test_comparisons_agree_with_what_fits() -> None:
    chosen = random.Random(7)
    within = apart = 0
    for _ in range(6000):
        outer, inner = ("".join(chosen.choices("a:b*?", k=chosen.randrange(6))) for _ in range(2))
        texts = {
            "".join(
                chosen.choice(["", "a", "ab", ":b"]) if one == "*" else chosen.choice("a:b") if one == "?" else one
                for one in inner
            )
            for _ in range(5)
        }
        assert all(matches(inner, text) for text in texts)
        if contains(prepared(outer), prepared(inner), Reach.TEXT):
            within += 1
            assert all(matches(outer, text) for text in texts), (outer, inner)
        if not overlap(prepared(outer), prepared(inner)):
            apart += 1
            assert not any(matches(outer, text) for text in texts), (outer, inner)
    assert within > 300
    assert apart > 300


def test_wicked_patterns_are_compared_in_time() -> None:
    one, other = prepared("*a?" * 600 + "b"), prepared("a?*" * 600 + "c")
    began = time.perf_counter()
    assert overlap(one, other)  # too long to be told apart: taken to overlap
    assert not contains(one, other, Reach.TEXT)
    assert not overlap(prepared("*a" * 60 + "b"), prepared("a" * 120))
    assert time.perf_counter() - began < 10
