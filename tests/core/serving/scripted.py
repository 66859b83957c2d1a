"""An account whose answers a test scripts: what is asked is remembered, and botocore checks every parameter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from dashboard.core.aws import Account
from dashboard.core.errors import ServiceFault

EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "/x/client.json")
REAL = Account("work", "eu-west-1", "210987654321", False, True)
_SESSION = botocore.session.Session()


class Scripted:
    """Answers by operation; what has none is not there, as the embedded AWS says it of what it lacks."""

    def __init__(self, account: Account = EMBEDDED, **answers: Any) -> None:
        self.account = account
        self.answers: dict[str, Any] = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        check(service, operation, parameters)
        self.calls.append((operation, parameters))
        answer = self.answers.get(operation)
        if answer is None:
            raise ServiceFault(f"{service} {operation} is not here", "it is not part of the embedded AWS")
        if isinstance(answer, Exception):
            raise answer
        told = answer(**parameters) if isinstance(answer, Callable) else answer
        if isinstance(told, Exception):
            raise told
        return told

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.call(service, operation, **{k: v for k, v in parameters.items() if k != "PaginationConfig"})

    @contextmanager
    def translated(self, *_: Any) -> Iterator[None]:
        yield

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]


def check(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Fails for parameters that botocore would not send."""
    shape = _SESSION.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"
