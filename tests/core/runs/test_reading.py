"""A published time that can be read in two ways says so, and what it would be in the other."""

from decimal import Decimal

from dashboard.core.runs.reading import reading, share_if_summed
from tests.core.runs.made import run

MARKS = {"kennel:sample": "true", "kennel:replay": "2026-01-01T00:00:00Z 1353 577", "kennel:replay-may-be-sum": "true"}


def two(**more):
    return run(**({"instance_count": 2, "training_seconds": 1353, "billable_seconds": 577, "tags": MARKS} | more))


def test_the_reference_projects_two_instances_may_be_half_as_dear():
    assert share_if_summed(two()) == 0.5
    assert reading(two(), Decimal("0.1308")) == (
        "22 min 33 s is read as wall time; if it is the two added up, it is 11 min 16 s and $0.0654"
    )
    assert reading(two()).endswith("it is 11 min 16 s")


def test_what_can_be_read_in_one_way_only_says_nothing():
    for one in (two(instance_count=1), two(tags={}), two(tags=MARKS | {"kennel:sample": "false"})):
        assert share_if_summed(one) == 1
        assert reading(one, Decimal("0.1308")) == ""
