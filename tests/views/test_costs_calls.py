"""What the pages of money ask AWS: few calls, next to none at the second look, and nothing that is on the bill."""

import threading
from collections import Counter

import pytest

from tests.views.conftest import Open
from tests.views.scripted import ScriptedAws

ON_THE_BILL = {"GetCostAndUsage", "GetDimensionValues", "GetTags", "GetCostForecast", "ListCostAllocationTags",
               "UpdateCostAllocationTagsStatus"}  # fmt: skip
"""Operations of Cost Explorer: each costs $0.01, so that a person confirms it first."""
OF_EACH_ENDPOINT = {"DescribeEndpoint", "DescribeEndpointConfig", "ListTags"}
OF_EACH_RUN = {"DescribeLogStreams", "GetLogEvents"}
BEHIND_OVERVIEW = {
    "DescribeAlarms", "GetAccountAuthorizationDetails",  # what rings; how the roles stand
    "ListBuckets", "GetBucketAcl", "GetBucketEncryption", "GetBucketLocation", "GetBucketPolicy",
    "GetBucketPolicyStatus", "GetBucketVersioning", "GetPublicAccessBlock",  # what lies open
    "DescribeLogGroups", "DescribeStacks", "GetInstanceProfile", "GetServiceQuota", "ListServiceQuotas",  # set-up
    "GetObjectTagging", "ListModels",  # the first steps
}  # fmt: skip
"""What is looked at in the background while Overview is shown, once in minutes."""
BEHIND = ("glance", "runs", "curves", "costs")
"""The threads that read in the background: each ends once it has read."""


@pytest.mark.parametrize("page", ["costs", "receipt", "choices", "waste", "prices", "overview"])
def test_a_page_asks_a_bounded_number_of_calls_and_next_to_none_when_it_is_seen_again(
    aws: ScriptedAws, visit: Open, page: str
) -> None:
    test = visit(aws, *([page] if page != "overview" else []))
    assert not test.exception
    while behind := [one for one in threading.enumerate() if one.name.startswith(BEHIND)]:
        behind[0].join()
    seen = len(aws.calls)
    first = Counter(name for name, _ in aws.calls)
    assert not set(first) & ON_THE_BILL
    apart = OF_EACH_ENDPOINT | OF_EACH_RUN | BEHIND_OVERVIEW
    assert sum(number for name, number in first.items() if name not in apart) <= 40, first
    assert max(first[name] for name in OF_EACH_ENDPOINT) <= 3 * 3  # three endpoints, of which three parts tell
    assert max(first[name] for name in OF_EACH_RUN) <= 2, "two runs go on"
    assert sum(first[name] for name in BEHIND_OVERVIEW) <= (30 if page == "overview" else 0), first
    assert first["LookupEvents"] <= 13  # once a name; here it is refused at the first
    for _ in range(3):
        test.run()
    again = Counter(name for name, _ in aws.calls[seen:])
    assert not set(again) & ON_THE_BILL
    assert sum(again.values()) <= 12, again
