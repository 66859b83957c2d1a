from datetime import timedelta
from decimal import Decimal

from dashboard.core.costs.quote import hourly
from dashboard.core.overview import Severity, assemble
from dashboard.core.runs.model import Capacity, Platform, RunKind, RunStatus
from dashboard.core.serving.model import Endpoint, EndpointStatus
from tests.core.runs.made import NOW, run


def endpoint(prices, name="dogs", status=EndpointStatus.IN_SERVICE, hours=1, instance_type="ml.m5.large", **more):
    return Endpoint(
        name=name,
        status=status,
        instance_type=instance_type,
        count=1,
        model_name="dogs",
        created=NOW - timedelta(hours=hours),
        hourly=hourly(prices, "endpoint", instance_type, "us-east-1"),
        **more,
    )


def look(prices, runs=(), endpoints=()):
    return assemble(runs, endpoints, prices=prices, region="us-east-1", now=NOW)


def test_nothing_at_all(prices):
    now = look(prices)
    assert now.is_empty
    assert now.attention == ()
    assert now.per_hour == 0


def test_what_runs_and_what_it_costs_an_hour(prices):
    runs = [run("a", RunStatus.TRAINING), run("b", RunStatus.STARTING, started=None), run("c")]
    endpoints = [endpoint(prices), endpoint(prices, "new", EndpointStatus.CREATING)]
    now = look(prices, runs, endpoints)
    assert [r.name for r in now.running] == ["a", "b"]
    assert now.per_hour == Decimal("0.408") + Decimal("0.115")  # one instance trains, one serves
    assert now.unpriced == 0
    assert [e.name for e in now.serving] == ["dogs"]


def test_the_samples_money_is_summed_apart(prices):
    tags = {"kennel:sample": "true"}
    now = look(prices, [run("a", RunStatus.TRAINING)], [endpoint(prices, tags=tags)])
    assert (now.per_hour, now.sample_per_hour) == (Decimal("0.408"), Decimal("0.115"))


def test_a_tuning_job_stands_for_its_trials_and_they_are_billed(prices):
    search = run("search", RunStatus.TRAINING, kind=RunKind.TUNING)
    trials = [run(f"search-{n}", RunStatus.TRAINING, parent="search") for n in (1, 2)]
    now = look(prices, [search, *trials, run("search-3", RunStatus.FAILED, parent="search", failure="too slow")])
    assert [r.name for r in now.running] == ["search"]
    assert now.per_hour == 2 * Decimal("0.408")
    assert now.attention == ()


def test_an_ec2_run_costs_its_own_price_and_is_named_by_its_key(prices):
    on_ec2 = {"platform": Platform.EC2, "instance_type": "m5.large"}
    now = look(prices, [run("a", RunStatus.TRAINING, **on_ec2)])
    assert now.per_hour == prices.price("ec2", "m5.large", "us-east-1").amount
    spot = look(prices, [run("a", RunStatus.TRAINING, spot_price=Decimal("0.04"), capacity=Capacity.SPOT, **on_ec2)])
    assert spot.per_hour == Decimal("0.04")
    (item,) = look(prices, [run("bad", RunStatus.RECLAIMED, **on_ec2)]).attention
    assert item.name == "ec2:bad"


def test_what_has_no_price_is_counted_not_forgotten(prices):
    now = look(prices, endpoints=[endpoint(prices), endpoint(prices, "odd", instance_type="ml.inf1.xlarge")])
    assert now.per_hour == Decimal("0.115")
    assert now.unpriced == 1


def test_a_failure_of_today_wants_attention_with_its_reason(prices):
    failed = run("bad", RunStatus.FAILED, failure="AlgorithmError: only one class.\nTraceback…")
    old = run("old", RunStatus.FAILED, created=NOW - timedelta(days=3))
    now = look(prices, [failed, old, run("stopped", RunStatus.STOPPED)])
    (item,) = now.attention
    assert (item.page, item.name, item.severity) == ("runs", "bad", Severity.WARNING)
    assert item.why == "AlgorithmError: only one class."
    assert now.failed_recently == 1


def test_the_worst_comes_first_then_the_dearest(prices):
    endpoints = [
        endpoint(prices, "cheap", hours=30),
        endpoint(prices, "dear", hours=30, instance_type="ml.p3.2xlarge"),
        endpoint(prices, "broken", EndpointStatus.FAILED, failure="no /ping"),
        endpoint(prices, "young", hours=2),
        endpoint(prices, "sample", hours=30, tags={"kennel:sample": "true"}),
    ]
    items = look(prices, [run("bad", RunStatus.OUT_OF_TIME)], endpoints).attention
    assert [item.name for item in items] == ["broken", "bad", "dear", "cheap"]
    assert [item.severity for item in items] == [Severity.CRITICAL, Severity.WARNING, Severity.HINT, Severity.HINT]
    assert items[2].why == "$91.80 a day"  # 24 × $3.825


def test_a_run_near_its_time_limit_is_pointed_out(prices):
    near = run("near", RunStatus.TRAINING, started=NOW - timedelta(seconds=3400), max_seconds=3600)
    far = run("far", RunStatus.TRAINING, started=NOW - timedelta(seconds=600), max_seconds=3600)
    (item,) = look(prices, [near, far]).attention
    assert item.name == "near"
    assert "94 %" in item.why
    assert item.per_hour == Decimal("0.408")


def test_a_simulated_take_back_is_no_failure_and_says_how_to_go_on(prices):
    spot = {
        "platform": Platform.EC2,
        "instance_type": "m5.large",
        "capacity": Capacity.SPOT,
        "checkpoint_uri": "s3://b/ec2-runs/a/checkpoints/",
        "failure": "EC2 took the spot instance back.",
    }
    asked = run("a", RunStatus.RECLAIMED, tags={"kennel:interrupt-after": "5"}, has_checkpoint=True, **spot)
    now = look(prices, [asked])
    assert (now.failed_recently, now.taken_back_recently) == (0, 1)
    (item,) = now.attention
    assert (item.what, item.severity) == ("a was taken back", Severity.WARNING)
    assert item.why == "taken back by EC2 (simulated: asked for with the launch)"
    assert item.next_step == "resume it: it goes on from its last checkpoint"
    bare = run("b", RunStatus.RECLAIMED, tags={"kennel:interrupt-after": "5"}, has_checkpoint=False, **spot)
    (item,) = look(prices, [bare]).attention
    assert item.next_step == "it was taken back before its first checkpoint: start it again"
    (item,) = look(prices, [run("c", RunStatus.RECLAIMED, **spot)]).attention
    assert "simulated" not in item.why
