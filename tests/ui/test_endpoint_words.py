from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.span import Span
from dashboard.core.serving.variant import Pending
from dashboard.ui.endpoint_words import (
    by_use,
    hourly,
    kept,
    latencies,
    list_sentence,
    milliseconds,
    per_minute,
    sentence,
    strip,
)
from tests.core.serving.made import BOOK, CREATED, asked, endpoint, variants
from tests.core.serving.scripted import EMBEDDED

NOW = CREATED + timedelta(hours=3)
BUSY = Traffic(
    60,
    {"cpu": ((NOW, 150.0),)},
    {
        "requests": 900.0,
        "4xx": 3.0,
        "5xx": 6.0,
        "model-p50": 0.02,
        "model-p90": 0.05,
        "model-p99": 0.4,
        "model-mean": 0.03,
    },
)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "unknown"), (0.0076, "7.6 ms"), (0.0382, "38 ms"), (0.99, "990 ms"), (1.23, "1.2 s")]
)
def test_a_latency_as_people_say_it(seconds, text):
    assert milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0/min"), (0.01, "under 0.1/min"), (0.4, "0.4/min"), (42.3, "42/min"), (1204, "1,204/min")]
)
def test_a_rate_is_never_a_false_zero(rate, text):
    assert per_minute(rate) == text


def test_the_list_in_one_sentence():
    those = [endpoint(), endpoint(status=EndpointStatus.CREATING), endpoint(status=EndpointStatus.FAILED)]
    assert list_sentence(those) == "3 endpoints, 1 serving, 1 on the way, 1 failed"
    assert list_sentence([]) == "nothing serves yet"


def test_an_endpoint_in_one_sentence():
    assert sentence(endpoint(asked(count=2)), NOW) == "serving on 2 × ml.m5.large, made 3 h ago"
    starting = endpoint(status=EndpointStatus.CREATING)
    assert sentence(starting, CREATED + timedelta(seconds=20)) == "starting on ml.m5.large, for 20 s now"
    again = endpoint(status=EndpointStatus.RESTARTING, modified=NOW - timedelta(seconds=9))
    assert sentence(again, NOW) == "restarting on ml.m5.large, for 9 s now"
    updating = endpoint(status=EndpointStatus.UPDATING, modified=NOW - timedelta(minutes=2))
    assert sentence(updating, NOW) == "updating on ml.m5.large, for 2 min now"


def test_how_long_it_is_kept():
    one = endpoint(tags={"kennel:expires": "2026-11-21T18:00:00Z"})
    assert kept(one, NOW) == "3 h"
    assert kept(one, NOW + timedelta(hours=4)) == "past its time"
    assert kept(endpoint(), NOW) == ""


def test_the_strip_has_five_figures_and_says_what_each_is_of():
    shown = {figure.key: figure for figure in strip(endpoint(), {"main": BUSY}, Span.HOUR, EMBEDDED, NOW)}
    assert list(shown) == ["instances", "requests", "latency", "errors", "cost"]
    assert shown["instances"].note == "ml.m5.large · 75 % busy"  # 150 of two processors' 200
    assert (shown["requests"].value, shown["requests"].note) == ("15/min", "900 in the last hour")
    assert (shown["latency"].value, shown["latency"].note) == ("50 ms", "p50 20 ms · p99 400 ms")
    assert (shown["errors"].value, shown["errors"].note) == ("1.0 %", "9 of 900, 6 of them 5xx")
    assert shown["errors"].tone == "failed"
    assert (shown["cost"].value, shown["cost"].note) == ("$0.115/h", "$0.1278 a thousand photos at this rate")
    assert "simulated" in shown["cost"].mark


def test_what_a_young_endpoint_was_asked_is_of_the_time_since_it_was_made():
    young = {
        one.key: one
        for one in strip(endpoint(created=NOW - timedelta(minutes=4)), {"main": BUSY}, Span.HOUR, EMBEDDED, NOW)
    }
    assert (young["requests"].value, young["requests"].note) == ("225/min", "900 since it was made")


def test_the_strip_without_cloudwatch_without_requests_and_without_instances():
    unread = {figure.key: figure for figure in strip(endpoint(), None, Span.HOUR, EMBEDDED, NOW)}
    assert unread["requests"].value == unread["latency"].value == unread["errors"].value == "not read"
    quiet = {figure.key: figure for figure in strip(endpoint(), {"main": Traffic(60)}, Span.HOUR, EMBEDDED, NOW)}
    assert (quiet["latency"].value, quiet["errors"].note) == ("–", "nobody asked")
    one, price = endpoint(asked(kind="")), Decimal("0.00006")
    serverless = {figure.key: figure for figure in strip(one, {"main": BUSY}, Span.HOUR, EMBEDDED, NOW, price)}
    assert (serverless["instances"].value, serverless["cost"].value) == ("up to 5", "paid by use")
    assert serverless["cost"].note == "$0.0018 a thousand photos"
    coming = {
        figure.key: figure
        for figure in strip(replace(one, status=EndpointStatus.CREATING), {}, Span.HOUR, EMBEDDED, NOW)
    }
    assert coming["cost"].value == "not billed"


def test_while_it_is_updated_both_fleets_cost():
    going = endpoint(status=EndpointStatus.UPDATING, pending=Pending("dogs-2", NOW, variants(asked(count=2))))
    cost = strip(going, {"main": BUSY}, Span.HOUR, EMBEDDED, NOW)[-1]
    assert (cost.value, cost.note) == ("$0.115/h", "and $0.23/h for the new instances meanwhile")


def test_of_several_variants_the_slowest_is_told():
    slow = Traffic(60, {}, {"requests": 1.0, "model-p50": 0.3, "model-p99": 0.9})
    assert latencies([BUSY, slow]) == "p50 300 ms · p99 900 ms"
    assert latencies([Traffic(60)]) == "nobody asked"
    assert hourly(endpoint(asked("a"), asked("b", kind="ml.inf1.xlarge")).hourly) == "at least $0.115/h"


def test_what_is_paid_by_use_has_a_price_where_the_book_has_one_and_is_not_what_has_none():
    serverless = endpoint(asked(kind=""))
    assert by_use(serverless, BOOK, "us-east-1") == "paid by use, $0.06 per 1,000 s of answering"
    small = asked(kind="") | {
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 2}
    }
    assert by_use(endpoint(small), BOOK, "us-east-1") == "paid by use, and for the 2 kept ready"
    assert hourly(serverless.hourly) == "paid by use"
    assert hourly(endpoint(asked(kind="ml.inf1.xlarge")).hourly) == "price unknown"
