"""The trail that is proposed as code: it works as it stands, and AWS's own rules let it write its files."""

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core.aws import Account
from dashboard.core.calls import code
from dashboard.core.iam.documents import Policy
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.seen import trail_code
from tests.conftest import Embedded

REAL = Account("work", "eu-west-1", "111122223333", is_embedded=False, writable=True)


def test_run_as_it_stands_it_makes_a_trail_that_delivers(embedded: Embedded, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text(
        json.dumps(
            {
                "endpoint_url": embedded.endpoint_url,
                "region": embedded.region,
                "access_key_id": embedded.access_key_id,
                "secret_access_key": embedded.secret_access_key,
            }
        )
    )
    account = Account("embedded", embedded.region, "123456789012", True, True, embedded.endpoint_url, str(file))
    names: dict[str, object] = {}
    exec(code(trail_code.calls(account), account), names)  # noqa: S102 - what the page shows, run
    try:
        trails = embedded.client("cloudtrail")
        assert trails.get_trail_status(Name=trail_code.NAME)["IsLogging"]
        told = trails.get_event_selectors(TrailName=trail_code.NAME)["AdvancedEventSelectors"]
        assert [one["Name"] for one in told] == ["Management", *trail_code.DATA]
    finally:
        embedded.client("cloudtrail").delete_trail(Name=trail_code.NAME)
        for one in ("s3", "cloudtrail"):
            names[one].close()  # type: ignore[attr-defined]


def test_on_a_real_account_each_request_fits_its_operation() -> None:
    session = botocore.session.Session()
    asked = trail_code.calls(REAL)
    for one in asked:
        shape = session.get_service_model(one.service).operation_model(one.operation).input_shape
        report = ParamValidator().validate(dict(one.parameters), shape)
        assert not report.has_errors(), report.generate_report()
    assert [one.operation for one in asked] == [
        "CreateBucket",
        "PutBucketPolicy",
        "CreateTrail",
        "PutEventSelectors",
        "StartLogging",
    ]
    compile(code(asked, REAL), "trail", "exec")


@pytest.mark.parametrize(
    ("action", "resource", "let_in"),
    [
        ("s3:GetBucketAcl", "arn:aws:s3:::kennel-trail-111122223333-eu-west-1", True),
        ("s3:PutObject", "arn:aws:s3:::kennel-trail-111122223333-eu-west-1/AWSLogs/111122223333/CloudTrail/x", True),
        ("s3:PutObject", "arn:aws:s3:::kennel-trail-111122223333-eu-west-1/AWSLogs/444455556666/CloudTrail/x", False),
        ("s3:GetObject", "arn:aws:s3:::kennel-trail-111122223333-eu-west-1/AWSLogs/111122223333/CloudTrail/x", False),
    ],
)
def test_the_buckets_policy_lets_the_trail_write_and_nothing_else(action: str, resource: str, let_in: bool) -> None:
    (opening,) = (one for one in trail_code.calls(REAL) if one.operation == "PutBucketPolicy")
    document = json.loads(opening.parameters["Policy"])
    assert all(one["Principal"] == {"Service": "cloudtrail.amazonaws.com"} for one in document["Statement"])
    context = {
        "aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:111122223333:trail/{trail_code.NAME}",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    assert evaluate([Policy.parse(document)], action, resource, context).allowed is let_in
    others = {**context, "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:444455556666:trail/other"}
    assert not evaluate([Policy.parse(document)], action, resource, others).allowed
