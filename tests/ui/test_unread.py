"""What could not be read, in one line."""

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied, ServiceFault, Throttled, Unreachable
from dashboard.ui import unread


def test_parts_stand_together_by_why_they_could_not_be_read() -> None:
    absent = ServiceFault("lambda ListFunctions is not available here", "lambda is not part of the embedded AWS.")
    parts = [
        Unread("functions", absent),
        Unread("volumes", AccessDenied("reading volumes is not allowed", action="ec2:DescribeVolumes")),
        Unread("notebooks", absent),
        Unread("addresses", Throttled("AWS is throttling")),
        Unread("instances", Unreachable("nothing answers")),
        Unread("S3 storage", ServiceFault("CloudWatch has no size yet", "it tells it once a day")),
    ]
    assert unread.sentence(parts) == (
        "functions, notebooks: not part of the embedded AWS · volumes: not allowed · addresses: AWS asked to slow down"
        " · instances: AWS did not answer · S3 storage: CloudWatch has no size yet"
    )
