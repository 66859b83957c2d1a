"""Events for tests, with everything that a test does not care about filled in."""

import uuid
from datetime import datetime
from typing import Any

from local_aws.services.cloudtrail_event import Event


def made(at: datetime, name: str = "CreateEndpoint", *, read_only: bool = False, **request: Any) -> Event:
    """One event of the root user about the endpoint "dogs"."""
    document = {"eventID": str(uuid.uuid4()), "eventName": name, "requestParameters": request}
    document |= {"readOnly": read_only}
    resources = (("AWS::SageMaker::Endpoint", "dogs"),)
    return Event(at, "us-east-1", name, "sagemaker.amazonaws.com", "root", "AKIA", resources, document)
