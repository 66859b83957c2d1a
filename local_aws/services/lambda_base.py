"""What all of Lambda's operations share."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request
from starlette.responses import Response

from local_aws.account_facts import AccountFacts
from local_aws.protocol import Service
from local_aws.quotas import Quotas
from local_aws.services import sagemaker_constraints
from local_aws.services.lambda_code import CodeStore
from local_aws.services.lambda_code_link import CodeLinks
from local_aws.services.lambda_record import Functions

Params = dict[str, Any]

LARGEST_REQUEST = 70_167_211
"""Bytes of a request; a package of 50 MB in base64 (what Lambda answers RequestEntityTooLargeException above)."""


class LambdaBase(Service):
    """now: epoch seconds."""

    name = "lambda"
    max_body = LARGEST_REQUEST

    def __init__(
        self,
        functions: Functions,
        code: CodeStore,
        facts: AccountFacts,
        quotas: Quotas,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.functions = functions
        self.code = code
        self._facts = facts
        self._quotas = quotas
        self._now = now
        self.links = CodeLinks("", code, now=now)

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> Params:
        params = super().parse(request, operation, body)
        sagemaker_constraints.check(operation.input_shape, params)
        return params

    def respond(self, request: Request, operation: OperationModel, result: Mapping[str, Any]) -> Response:
        response = super().respond(request, operation, result)
        if response.status_code != 204:
            return response
        kept = {name: value for name, value in response.headers.items() if name.startswith("x-amz")}
        return Response(None, 204, kept)  # the serializer writes an empty object, which a 204 cannot hold

    def _stamp(self) -> str:
        """The time as Lambda writes it: 2026-11-21T22:00:00.000+0000."""
        at = datetime.fromtimestamp(self._now(), UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def revision() -> str:
    return str(uuid.uuid4())
