"""Replay and Measure on the Scaling page."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.core.errors import AccessDenied, Throttled
from dashboard.core.serving.measure import kept
from dashboard.core.serving.scaling.policy import Tracked, reference
from tests.views.conftest import text
from tests.views.test_scaling import Dogs, press, put

Open = Callable[..., AppTest]


class Answering(Dogs):
    """The endpoint answers, or refuses every second request."""

    refuses = False
    asked = 0

    def trying_once(self) -> "Answering":
        return self

    def translated(self, *_: Any) -> Any:
        return self.rest.translated("", "")

    def call(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:
        if operation != "InvokeEndpoint":
            return super().call(service, operation, **asked)
        assert asked["TargetVariant"] == "AllTraffic"
        self.asked += 1
        time.sleep(0.002)
        if self.refuses and self.asked % 2:
            raise Throttled("slow down")
        return {"Body": io.BytesIO(b"{}")}


@pytest.fixture
def dogs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answering:
    monkeypatch.setattr(kept, "place", lambda account: tmp_path / "measure")
    return Answering()


def table(page: AppTest, column: str) -> list[dict[str, Any]]:
    """The rows of the table that has such a column."""
    [found] = [one.value for one in page.dataframe if column in one.value.columns]
    return list(found.to_dict("records"))


def measured(page: AppTest, dogs: Answering, **fields: int) -> AppTest:
    """Measured with one and two clients, two seconds each, or until some requests were sent."""
    page.selectbox(key="measure-clients").set_value(2)
    page.number_input(key="measure-hold").set_value(2)
    page.number_input(key="measure-requests").set_value(fields.get("requests", 40)).run()
    page.button(key="measure").click().run()
    page.button(key="confirm-do").click().run()
    until = time.monotonic() + 60
    while time.monotonic() < until and page.run() and [one for one in page.button if one.key == "measure-stop"]:
        time.sleep(0.05)
    return page


def test_a_replay_shows_what_the_form_would_do_beside_what_is_set(visit: Open, dogs: Answering) -> None:
    page = visit(dogs, "scaling", endpoint="dogs")
    assert "these settings change nothing" in text(page)
    press(page, "Reference, target 10")
    now, after = table(page, "wait p99 ms")
    assert (now["policy"], now["most"]) == ("now, always 1", 1)
    assert (after["policy"], after["most"]) == ("after", 3)
    assert "No request late or failed, before or after, for $" in text(page)


def test_other_traffic_is_another_replay(visit: Open, dogs: Answering) -> None:
    put(dogs, reference(10))
    page = visit(dogs, "scaling", endpoint="dogs", min="1", max="1")
    page.button_group(key="replay-traffic").set_value("tripling").run()
    assert not page.exception
    now, after = table(page, "wait p99 ms")
    assert (now["policy"], now["most"], after["most"]) == ("now", 3, 1)
    assert after["failed %"] > now["failed %"] == 0


def test_nothing_recorded_says_so_and_offers_another_way(visit: Open, dogs: Answering) -> None:
    page = visit(dogs, "scaling", endpoint="dogs")
    page.button_group(key="replay-traffic").set_value("3 hours").run()
    assert "No request in the requests of the last 3 hours" in text(page)
    assert "made-up traffic" in text(page)


def test_recorded_traffic_that_may_not_be_read_leaves_the_rest(visit: Open, dogs: Answering) -> None:
    page = visit(dogs, "scaling", endpoint="dogs")
    dogs.errors["GetMetricData"] = AccessDenied("reading metrics is not allowed")
    page.button_group(key="replay-traffic").set_value("7 days").run()
    assert "eading metrics is not allowed" in text(page)
    assert page.button(key="measure")


def test_a_measurement_says_its_bounds_first_then_its_knee_and_fills_the_form(visit: Open, dogs: Answering) -> None:
    page = visit(dogs, "scaling", endpoint="dogs")
    assert "Not measured yet" in text(page)
    page.button(key="measure").click().run()
    assert "at most 25 s and 5,000 photos" in text(page) and "nothing more" in text(page)
    assert dogs.asked == 0, "nothing is asked before it is confirmed"
    page.button(key="confirm-cancel").click().run()
    measured(page, dogs)
    assert dogs.asked == 40
    assert "The knee is at" in text(page)
    assert "all planned requests were sent" in text(page)
    target = page.button(key="use-target-invocations")
    target.click().run()
    assert next(one for one in page.button_group if one.key.startswith("scaling-metrics-")).value == [
        Tracked.INVOCATIONS
    ]
    assert "requests per instance and minute" in text(page)
    assert "measured" in text(page)


def test_a_measurement_that_is_refused_ends_early_and_recommends_nothing(visit: Open, dogs: Answering) -> None:
    dogs.refuses = True
    page = measured(visit(dogs, "scaling", endpoint="dogs"), dogs, requests=60)
    assert "No level was borne" in text(page)
    assert "throttled" in str(table(page, "answers a second"))
    assert not [one for one in page.button if (one.key or "").startswith("use-target")]


def test_a_serverless_variant_is_measured_without_a_target_for_each_instance(visit: Open, dogs: Answering) -> None:
    serverless = {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    dogs.config = {"VariantName": "AllTraffic", "ModelName": "dogs", "ServerlessConfig": serverless}
    dogs.endpoint["ProductionVariants"] = [{"VariantName": "AllTraffic", "CurrentServerlessConfig": serverless}]
    page = visit(dogs, "scaling", endpoint="dogs")
    measured(page, dogs, requests=40)
    assert "on serverless, 3072 MB with 40 photos" in text(page)
    assert not [one for one in page.button if (one.key or "").startswith("use-target")]
