"""What all of Application Auto Scaling's operations share: what is kept, pages of it, and how it is told."""

import base64
import threading
import time
from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints
from local_aws.services.application_autoscaling_request import check_namespace
from local_aws.services.application_autoscaling_scaler import Scaler
from local_aws.services.application_autoscaling_store import Document, Kept, ScalingStore
from local_aws.services.cloudwatch_alarms_states import Transitions

PAGE = 50
_TIMES = ("CreationTime", "StartTime", "EndTime")
OF_ALL = ("ServiceNamespace", "ResourceId", "ScalableDimension", "CreationTime")

Params = dict[str, Any]


class ScalingBase(Service):
    """The class that completes it sets these."""

    name = "application-autoscaling"
    _store: ScalingStore
    _scaler: Scaler
    _states: Transitions
    _news: threading.Event
    _now: Callable[[], float] = staticmethod(time.time)

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> Params:
        params = super().parse(request, operation, body)
        sagemaker_constraints.check(operation.input_shape, params)
        return params

    def _page(
        self, of: Kept, params: Params, caller: Caller, name: str, wanted: Container[str] | None
    ) -> tuple[list[Document], Params]:
        """One page of a namespace's documents in this region, by resource and name.

        name: the member that tells those of one resource apart; wanted: only these values of it, None for all.
        """
        check_namespace(params["ServiceNamespace"])
        after = read_token(params.get("NextToken"))
        found = [
            (f"{one['ScalableDimension']} {one['ResourceId']} {one[name]}", one)
            for one in of.all()
            if one["Region"] == caller.region
            and one["ServiceNamespace"] == params["ServiceNamespace"]
            and params.get("ResourceId") in (None, one["ResourceId"])
            and params.get("ScalableDimension") in (None, one["ScalableDimension"])
            and (not wanted or one[name] in wanted)
        ]
        behind = sorted((one for one in found if one[0] > after), key=lambda one: one[0])
        page = behind[: params.get("MaxResults") or PAGE]
        more = {"NextToken": token(page[-1][0])} if len(behind) > len(page) else {}
        return [one for _, one in page], more


def told(one: Mapping[str, Any], members: tuple[str, ...]) -> Params:
    """The members of a document that an answer has."""
    return {
        name: datetime.fromtimestamp(one[name], UTC) if name in _TIMES else one[name]
        for name in members
        if one.get(name) is not None
    }


def token(last: str) -> str:
    """A NextToken: what the page ended with."""
    return base64.urlsafe_b64encode(last.encode()).decode()


def read_token(given: str | None) -> str:
    """What the page before ended with, "" for the first. Raises ServiceError InvalidNextTokenException."""
    if not given:
        return ""
    try:
        return base64.b64decode(given.encode(), b"-_", validate=True).decode()
    except ValueError as wrong:
        raise ServiceError("InvalidNextTokenException", "The next token is invalid.") from wrong
