"""What the pages of money ask AWS: few calls, next to none at the second look, and nothing that is on the bill."""

import time
from collections import Counter

import pytest

from tests.views.conftest import Open
from tests.views.scripted import ScriptedAws

ON_THE_BILL = {"GetCostAndUsage", "GetDimensionValues", "GetTags", "GetCostForecast", "ListCostAllocationTags",
               "UpdateCostAllocationTagsStatus"}  # fmt: skip
"""Operations of Cost Explorer: each costs $0.01, so that a person confirms it first."""
OF_EACH_ENDPOINT = {"DescribeEndpoint", "DescribeEndpointConfig", "ListTags"}


@pytest.mark.parametrize("page", ["costs", "receipt", "choices", "waste", "prices", "overview"])
def test_a_page_asks_a_bounded_number_of_calls_and_next_to_none_when_it_is_seen_again(
    aws: ScriptedAws, visit: Open, page: str
) -> None:
    test = visit(aws, *([page] if page != "overview" else []))
    assert not test.exception
    first = Counter(name for name, _ in aws.calls)
    assert not set(first) & ON_THE_BILL
    assert sum(number for name, number in first.items() if name not in OF_EACH_ENDPOINT) <= 80
    assert max(first[name] for name in OF_EACH_ENDPOINT) <= 3 * 3  # three endpoints, of which three parts tell
    assert first["LookupEvents"] <= 13  # once a name; here it is refused at the first
    seen = -1
    while seen != (seen := len(aws.calls)):  # what Overview looks at in the background comes to its end
        time.sleep(0.3)
    for _ in range(3):
        test.run()
    again = Counter(name for name, _ in aws.calls[seen:])
    assert not set(again) & ON_THE_BILL
    assert sum(again.values()) <= 12, again
