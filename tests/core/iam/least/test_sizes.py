"""IAM's limits, and what is split so that nothing is said that was not said before."""

import json
from typing import Any

import pytest

from dashboard.core.errors import Refused
from dashboard.core.iam.least import sizes


def statement(**more: Any) -> dict[str, Any]:
    return {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::dogs/*", **more}


def test_white_space_does_not_count() -> None:
    document = {"Version": "2012-10-17", "Statement": [statement(Sid="A B")]}
    assert sizes.size(document) == len("".join(json.dumps(document).split()))


def test_what_fits_stays_as_it_is() -> None:
    assert sizes.packed([statement()]) == ({"Version": "2012-10-17", "Statement": [statement()]},)


def test_statements_go_on_in_a_second_document() -> None:
    several = [statement(Sid=f"S{number}", Resource=f"arn:aws:s3:::{'x' * 1000}{number}/*") for number in range(9)]
    found = sizes.packed(several)
    assert [one for document in found for one in document["Statement"]] == several
    assert all(sizes.size(document) <= sizes.MANAGED for document in found)
    assert len(found) == 2


def test_a_long_statement_is_cut_by_the_values_of_its_condition() -> None:
    prefixes = [f"{'p' * 90}{number}/*" for number in range(200)]
    long = statement(Action="s3:ListBucket", Condition={"StringLike": {"s3:prefix": prefixes}})
    found = [one for document in sizes.packed([long]) for one in document["Statement"]]
    cut = [one["Condition"]["StringLike"]["s3:prefix"] for one in found]
    assert [value for values in cut for value in values] == prefixes
    assert all(one["Action"] == "s3:ListBucket" for one in found)


@pytest.mark.parametrize(
    "long",
    [
        statement(Effect="Deny", Condition={"StringLike": {"s3:prefix": ["p" * 90] * 200}}),
        statement(Condition={"StringNotLike": {"s3:prefix": ["p" * 90] * 200}}),
        {"Effect": "Allow", "NotAction": ["s3:" + "x" * 90] * 200, "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::" + "x" * 90] * 200},
    ],
)
def test_what_would_say_something_else_in_halves_is_refused(long: dict[str, Any]) -> None:
    """A condition that all of its values have to meet, NotAction and NotResource mean something else in two parts."""
    with pytest.raises(Refused, match="cannot be made short enough"):
        sizes.packed([long])
