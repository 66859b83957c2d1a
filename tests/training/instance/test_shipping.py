"""Lines on their way to CloudWatch Logs."""

import uuid
from typing import Any

import pytest

from tests.conftest import Embedded
from training.instance import shipping
from training.instance.shipping import LogShipper

GROUP = "/kennel/shipping"


def shipped(embedded: Embedded, stream: str) -> list[str]:
    logs = embedded.client("logs")
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page: dict[str, Any] = logs.get_log_events(
            logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token
        )
        if not page["events"]:
            return found
        found += [event["message"] for event in page["events"]]
        token = {"nextToken": page["nextForwardToken"]}


def test_every_line_arrives_in_order_also_empty_ones_and_binary(embedded: Embedded) -> None:
    stream = uuid.uuid4().hex
    shipper = LogShipper(embedded.client("logs"), GROUP, stream)
    for number in range(2_500):
        shipper.add(f"line {number}")
    shipper.add("")
    shipper.add("\x00\udcff binary")
    shipper.add("x" * 100_000)
    shipper.close()
    found = shipped(embedded, stream)
    assert found[:2_500] == [f"line {number}" for number in range(2_500)]
    assert (found[2_500].strip(), len(found[2_502])) == ("", 16 * 1024)


def test_a_training_that_prints_faster_than_can_be_sent_loses_the_oldest_lines_and_says_so(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MOST_WAITING", 100)
    stream = uuid.uuid4().hex
    shipper = LogShipper(embedded.client("logs"), GROUP, stream)
    with shipper._changed:  # the sender is held up while the lines come
        for number in range(1_000):
            shipper.add(f"line {number}")
    shipper.close()
    found = shipped(embedded, stream)
    assert "[900 lines are not shown here]" in found
    assert found[-101:] == ["[900 lines are not shown here]", *(f"line {number}" for number in range(900, 1_000))]


def test_logs_that_are_refused_do_not_end_the_run(capsys: pytest.CaptureFixture[str], embedded: Embedded) -> None:
    shipper = LogShipper(embedded.client("logs"), "a group: with a bad name", "stream")
    shipper.add("one")
    shipper.close()
    assert capsys.readouterr().err.count("cannot be sent to CloudWatch") == 1
