"""AWS with answers written down, each checked against botocore's own model: what it could not answer fails the test."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import KennelError, ServiceFault

_SESSION = botocore.session.Session()  # one for all: it keeps the models that it has read, and some are large

Answer = Mapping[str, Any] | KennelError | Callable[[dict[str, Any]], Any]


class ShapedAws(Aws):
    """Answers "service Operation" as told; all else is not there, as with the embedded AWS."""

    def __init__(self, answers: Mapping[str, Answer], *, is_embedded: bool = False) -> None:
        account = Account("real", "us-east-1", "123456789012", is_embedded=is_embedded, writable=True)
        super().__init__(account, _SESSION)
        self.answers = dict(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        model = self._session.get_service_model(service).operation_model(operation)
        asked = {name: value for name, value in parameters.items() if name != "PaginationConfig"}
        _check(asked, model.input_shape)
        self.calls.append((operation, asked))
        answer = self.answers.get(f"{service} {operation}")
        if callable(answer):
            answer = answer(asked)
        if answer is None:
            raise ServiceFault(f"{service} {operation} is not available here")
        if isinstance(answer, KennelError):
            raise answer
        _check(answer, model.output_shape)
        return dict(answer)

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.call(service, operation, **parameters)


def _check(told: Mapping[str, Any], shape: Any) -> None:
    if shape is None:
        assert not told, f"there is no answer to it: {told}"
        return
    report = ParamValidator().validate(dict(told), shape)
    assert not report.has_errors(), report.generate_report()
