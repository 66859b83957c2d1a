"""What needs attention though it costs nothing yet: roles at risk, alarms, endpoints that fail requests."""

from datetime import timedelta

from dashboard.core.alarms import Alarm
from dashboard.core.attention_risks import MOST, of_alarms, of_findings, of_health, of_missing, of_quotas
from dashboard.core.costs.receipt import Nature
from dashboard.core.iam import finding
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind
from dashboard.core.iam.judge.audited import Audited
from dashboard.core.overview import Severity, in_order
from dashboard.core.serving.health import Answering, Health
from dashboard.core.setup import missing as setup
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.quotas import Zero
from tests.core.runs.made import NOW


def risk(role, severity=finding.Severity.CRITICAL, reason="it may do everything"):
    arn = f"arn:aws:iam::123456789012:role/{role}"
    return Finding(
        role, Kind.FULL_ACCESS, severity, reason, "whoever works as it owns the account", "attach less", arn=arn
    )


def audited(*names, sample=()):
    tags = {"kennel:sample": "true"}
    roles = tuple(Role(name, f"arn:aws:iam::1:role/{name}", tags=tags if name in sample else {}) for name in names)
    return Audited(NOW, roles, (), ())


def test_each_role_with_a_critical_finding_is_named_once_and_leads_to_it():
    found = [risk("a"), risk("a", reason="and more"), risk("b", finding.Severity.HIGH)]
    (item,) = of_findings(found, audited("a", "b"))
    assert (item.severity, item.what, item.page) == (Severity.CRITICAL, "role a is at risk", "security")
    assert item.why == "whoever works as it owns the account (1 more critical finding)"
    assert item.query == {"finding": found[0].key}
    assert item.nature is None


def test_a_role_of_the_sample_account_is_told_as_such():
    (item,) = of_findings([risk("a")], audited("a", sample=("a",)))
    assert item.nature is Nature.SAMPLE


def test_many_roles_at_risk_are_told_together():
    names = [f"r{number}" for number in range(MOST + 4)]
    items = of_findings([risk(name) for name in names], audited(*names))
    assert len(items) == MOST + 1
    assert items[-1].what == "4 more things with critical findings"
    assert items[-1].query == {}


def test_an_alarm_leads_to_what_it_watches():
    since = NOW - timedelta(minutes=5)
    endpoint, function, other = of_alarms(
        [
            Alarm("slow", "Threshold Crossed", since, "ModelLatency", {"EndpointName": "dogs", "VariantName": "main"}),
            Alarm("errors", "Threshold Crossed", None, "Errors", {"FunctionName": "dog-infer"}),
            Alarm("spend", "Threshold Crossed", None, "EstimatedCharges", {"Currency": "USD"}),
        ],
        NOW,
    )
    assert (endpoint.page, endpoint.query, endpoint.why) == (
        "endpoint",
        {"endpoint": "dogs"},
        "since 5 min ago: Threshold Crossed",
    )
    assert (function.page, function.query) == ("function", {"function": "dog-infer"})
    assert (other.page, other.query, other.what) == ("", {}, "alarm spend has gone off")


def test_an_endpoint_that_fails_many_requests_is_worse_than_one_that_fails_few():
    few, many = of_health(
        {
            "few": Answering(Health.FAILING, 1000, 20, 0.02),
            "many": Answering(Health.FAILING, 100, 40, 0.02),
            "well": Answering(Health.WELL, 100, 0, 0.02),
            "down": Answering(Health.DOWN),
        }
    )
    assert (few.severity, few.what) == (Severity.WARNING, "endpoint few fails 2.0 % of its requests")
    assert (many.severity, many.why) == (Severity.CRITICAL, "40 of 100 requests in the last 15 minutes were 5xx")
    assert [item.name for item in in_order([few, many])] == ["many", "few"]


def test_what_an_account_lacks_is_one_item_and_what_makes_itself_is_none():
    def lacks(*pieces):
        return of_missing([setup.Found(piece, f"name-of-{piece.value}", setup.Standing.MISSING) for piece in pieces])

    (item,) = lacks(Piece.BUCKET, Piece.TRAINING_ROLE, Piece.TRAINING_LOG)
    assert (item.severity, item.what) == (Severity.WARNING, "3 pieces that Kennel needs are missing")
    assert item.why == "nothing can be trained or registered: bucket, role, log group"
    assert lacks(Piece.SCHEDULER_ROLE, Piece.INSTANCE_LOG) == []
    assert of_missing([setup.Found(Piece.BUCKET, "b", setup.Standing.UNKNOWN)]) == []


def test_quotas_of_zero_are_one_hint_that_says_what_they_stop():
    stops = [
        "training on ml.p3.2xlarge",
        "spot training on ml.p3.2xlarge",
        "EC2 trainings",
        "endpoints on ml.g5.xlarge",
    ]
    (item,) = of_quotas([Zero("sagemaker", f"quota {number}", "L-1", each, 1) for number, each in enumerate(stops)])
    assert (item.severity, item.what) == (Severity.HINT, "4 quotas of this account are zero")
    assert item.why.endswith("training on ml.p3.2xlarge, spot training on ml.p3.2xlarge, EC2 trainings and 1 more")
    assert of_quotas([]) == []
