"""A role that was just made: SageMaker does not know it everywhere at once, and is asked again."""

from typing import Any

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput, KennelError, NotFound, Refused
from dashboard.core.notebooks.act import ROLE_SECONDS, act
from dashboard.core.notebooks.plan import plan_create
from dashboard.core.notebooks.wanted import Wanted

WORK = Account("work", "us-east-1", "123456789012", False, True)
PLAN = plan_create(Wanted("kennel-notes", WORK.bucket), PriceBook.load(), account=WORK, token="form")
UNKNOWN = Refused("sagemaker.amazonaws.com cannot act as the role kennel-notebook-kennel-notes", "it does not exist")
ALSO = InvalidInput("AWS refused sagemaker CreateNotebookInstance", "Please ensure that the role exists and allows …")


class Slow:
    """An account in which a new role is known after some tries."""

    account = WORK

    def __init__(self, *refusals: KennelError) -> None:
        self.refusals = list(refusals)
        self.asked: list[str] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append(operation)
        if operation == "DescribeNotebookInstance":
            raise NotFound("there is no notebook instance kennel-notes")
        if operation == "CreateNotebookInstance" and self.refusals:
            raise self.refusals.pop(0)
        return {}


@pytest.mark.parametrize("refusal", [UNKNOWN, ALSO])
def test_it_is_asked_again_until_the_role_is_known(refusal: KennelError) -> None:
    aws, waited = Slow(refusal, refusal), list[float]()
    assert act(aws, PLAN, sleep=waited.append) == "kennel-notes is starting"  # type: ignore[arg-type]
    assert aws.asked.count("CreateNotebookInstance") == 3
    assert aws.asked.count("CreateRole") == 1
    assert len(waited) == 2


def test_but_not_for_ever_and_not_for_anything_else() -> None:
    waited: list[float] = []
    with pytest.raises(Refused):
        act(Slow(*[UNKNOWN] * 100), PLAN, sleep=waited.append)  # type: ignore[arg-type]
    assert sum(waited) == ROLE_SECONDS
    with pytest.raises(InvalidInput):
        act(Slow(InvalidInput("AWS refused it", "VolumeSizeInGB")), PLAN, sleep=waited.append)  # type: ignore[arg-type]
    assert sum(waited) == ROLE_SECONDS
