"""Asking a real HTTP server from many clients: every answer counted once, nothing tried again."""

from pathlib import Path
from threading import Event

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.errors import KennelError
from dashboard.core.serving.measure.load import Budget, asking, drawn_photos, hold
from tests.core.conftest import FakeAws, Reply, refusal, write_client


@pytest.fixture
def aws(fake: FakeAws, tmp_path: Path) -> Aws:
    write_client(tmp_path, fake.address)
    return connect({"KENNEL_HOME": str(tmp_path)})


def test_a_variant_is_asked_about_one_photo_after_the_other(aws: Aws, fake: FakeAws) -> None:
    fake.on("InvokeEndpoint", Reply(b"{}"))
    ask = asking(aws, "dogs", "main", (b"one", b"two"))
    for number in range(3):
        ask(number)
    assert [asked["Body"] for _, asked in fake.calls] == [b"one", b"two", b"one"]


def test_what_is_refused_is_counted_once_and_not_tried_again(aws: Aws, fake: FakeAws) -> None:
    fake.on("InvokeEndpoint", refusal("ThrottlingException", "slow down", 429))
    found = hold(asking(aws, "dogs", "main", (b"photo",)), 2, 30, Budget(6), Event())
    assert (found.requests, found.answered) == (6, 0)
    assert found.errors == {"throttled": 6}
    assert fake.counts["InvokeEndpoint"] == 6


def test_every_client_asks_again_as_soon_as_it_is_answered(aws: Aws, fake: FakeAws) -> None:
    fake.on("InvokeEndpoint", Reply(b"{}"))
    found = hold(asking(aws, "dogs", "main", (b"photo",)), 4, 30, Budget(40), Event())
    assert (found.clients, found.requests, found.failed) == (4, 40, 0)
    assert found.p50 is not None and found.p99 is not None and 0 < found.p50 <= found.p99


def test_the_usual_connection_does_try_again(aws: Aws, fake: FakeAws) -> None:
    fake.on("InvokeEndpoint", refusal("ThrottlingException", "slow down", 429))
    with pytest.raises(KennelError):
        aws.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="dogs", Body=b"photo")
    assert fake.counts["InvokeEndpoint"] == 2


def test_the_photos_are_pictures_and_all_different() -> None:
    photos = drawn_photos(2, size=64)
    assert len(set(photos)) == 2
    assert all(photo.startswith(b"\xff\xd8") for photo in photos)
