"""Resources survive, and listings page without showing anything twice or leaving anything out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.services.sagemaker_resources import Document, Resources
from local_aws.store import Store

REGION = "us-east-1"


def document(name: str, created: float) -> dict[str, Any]:
    return {"ModelName": name, "ModelArn": arn(name), "CreationTime": created}


def arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:123456789012:model/{name}"


@pytest.fixture
def models(tmp_path: Path) -> Resources:
    made = Resources(Store(tmp_path), "model")
    for number in range(25):
        made.add(arn(f"m{number:02}"), document(f"m{number:02}", 1000 + number // 5))  # five of each moment
    return made


def names(found: list[Document]) -> list[str]:
    return [one["ModelName"] for one in found]


def test_what_was_added_changed_and_removed_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    models = Resources(store, "model")
    assert models.add(arn("a"), document("a", 1))
    assert not models.add(arn("a"), document("a", 2)), "the first one stays"
    models.add(arn("b"), document("b", 2))
    models.change(arn("a"), lambda one: {**one, "Colour": "blue"})
    models.change(arn("a"), lambda one: {**one, "Passing": True}, keep=False)
    models.remove(arn("b"))
    assert models.change(arn("b"), lambda one: one) is None
    again = Resources(store, "model")
    assert again.all() == [document("a", 1) | {"Colour": "blue"}]
    assert models.get(arn("a")) == document("a", 1) | {"Colour": "blue", "Passing": True}
    assert Resources(store, "endpoint").all() == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("sort", ["Name", "CreationTime"])
def test_pages_hold_everything_once_although_things_come_and_go(models: Resources, sort: str, order: str) -> None:
    params: dict[str, Any] = {"SortBy": sort, "SortOrder": order, "MaxResults": 7}
    seen: list[str] = []
    for turn in range(10):
        found, more = models.page(REGION, params, newest_first=True)
        seen += names(found)
        models.remove(arn(seen[-1]))  # the one the token points at
        models.add(arn(f"late{turn}"), document(f"late{turn}", 999 if order == "Ascending" else 2000))
        if not more:
            break
        params["NextToken"] = more["NextToken"]
    old = [name for name in seen if name.startswith("m")]
    assert old == sorted(old, reverse=order == "Descending")
    assert len(old) == 25


def test_the_default_order_and_page(models: Resources) -> None:
    found, more = models.page(REGION, {}, newest_first=True)
    assert names(found)[:2] == ["m24", "m23"]
    assert len(found) == 10
    assert more
    assert names(models.page(REGION, {"MaxResults": 100}, newest_first=False)[0])[0] == "m00"
    assert models.page("eu-west-1", {}, newest_first=True) == ([], {})


def test_filters(models: Resources) -> None:
    def page(**params: Any) -> list[str]:
        return names(models.page(REGION, {"MaxResults": 100, **params}, newest_first=False)[0])

    assert page(NameContains="m1") == [f"m1{n}" for n in range(10)]
    assert page(NameContains="M1") == []
    naive = datetime(1970, 1, 1, 0, 16, 43)
    assert page(CreationTimeAfter=naive) == [f"m{n}" for n in range(20, 25)], "after, not at"
    assert page(CreationTimeBefore=datetime.fromtimestamp(1001, UTC)) == [f"m0{n}" for n in range(5)]


@pytest.mark.parametrize("token", ["x", "bnVsbA==", "e30=", "W10=", "WyJhIiwgMSwgImIiXQ=="])
def test_a_token_of_something_else_is_refused(models: Resources, token: str) -> None:
    with pytest.raises(ServiceError, match="NextToken"):
        models.page(REGION, {"NextToken": token}, newest_first=True)
