"""A trained model in service, in the browser: deployed, scaled by its policy, called through Lambda, asked a photo."""

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Kennel, no_exception, settle, wait_for
from training.sample_data import draw_dog

pytestmark = pytest.mark.e2e

RUN, ENDPOINT, FUNCTION, VARIANT = "sample-drawn-dogs", "served", "served-photos", "main"
BREED = "Pembroke Welsh Corgi"


@dataclass
class Visitors:
    """People who ask an endpoint, `rate` photos a second from now on, whatever they are answered."""

    ask: Callable[[], object]
    rate: float
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    def come(self) -> None:
        with ThreadPoolExecutor(8) as at_once:
            following = time.monotonic()
            while not self.gone.is_set():
                at_once.submit(self._one)
                self.asked += 1
                following = max(following + 1 / self.rate, time.monotonic() - 1)
                self.gone.wait(max(0.0, following - time.monotonic()))

    def _one(self) -> None:
        try:
            self.ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a photo without an answer
            self.failed.append(repr(error))


@contextmanager
def visitors(kennel: Kennel, rate: float) -> Iterator[Visitors]:
    runtime, photo = kennel.aws("sagemaker-runtime"), corgi()
    come = Visitors(
        lambda: runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="image/jpeg", Body=photo)["Body"].read(),
        rate,
    )
    thread = threading.Thread(target=come.come)
    thread.start()
    try:
        yield come
    finally:
        come.gone.set()
        thread.join()


def corgi() -> bytes:
    file = io.BytesIO()
    draw_dog("118.Pembroke_welsh_corgi", seed=99).save(file, "JPEG")
    return file.getvalue()


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def confirm(page: Page, *words: str) -> None:
    """The open dialog says these words; its button is pressed, and it closes."""
    dialog = page.get_by_role("dialog")
    for word in words:
        expect(dialog).to_contain_text(word)
    dialog.locator(".st-key-confirm-do button").click()
    expect(dialog).to_have_count(0)
    no_exception(page)


def choose(within: Page | Locator, key: str, page: Page, option: str) -> None:
    within.locator(f".st-key-{key} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def test_a_trained_model_is_deployed_scaled_called_through_lambda_and_asked(
    page: Page, kennel: Kennel, tmp_path: Path
) -> None:
    sagemaker, scaling, functions = (kennel.aws(s) for s in ("sagemaker", "application-autoscaling", "lambda"))

    def instances() -> int:
        return int(sagemaker.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"][0]["CurrentInstanceCount"])

    def serving() -> bool:  # its name is known to AWS only once the press has arrived there
        found = sagemaker.list_endpoints(NameContains=ENDPOINT, StatusEquals="InService")["Endpoints"]
        return ENDPOINT in [one["EndpointName"] for one in found]

    page.goto(f"{kennel.url}/run?run={RUN}")
    press(page, "deploy-model")
    page.get_by_role("dialog").get_by_label("Endpoint name").fill(ENDPOINT)
    settle(page)
    confirm(page, "/h")
    wait_for("the endpoint", serving, 120)

    page.goto(f"{kennel.url}/scaling?endpoint={ENDPOINT}")
    press(page, "scaling-reference-10")
    settle(page)
    press(page, "scaling-review")
    confirm(page)
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{ENDPOINT}/variant/{VARIANT}"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracking["TargetValue"], tracking["ScaleInCooldown"], tracking["ScaleOutCooldown"]) == (10, 30, 30)

    with visitors(kennel, rate=20) as come:  # a minute is two seconds here: 40 photos in it, four times the target
        wait_for("three instances", lambda: instances() == 3, 60)
        expect(page.locator(".kn-title")).to_contain_text("3 instances")
        come.rate = 2  # on three instances hardly more than one photo in such a minute

        page.goto(f"{kennel.url}/functions")
        press(page, "deploy-function")
        dialog = page.get_by_role("dialog")
        choose(dialog, "function-endpoint", page, ENDPOINT)
        name = dialog.get_by_label("Function name")
        name.fill(FUNCTION)
        name.press("Enter")
        settle(page)
        confirm(page)
        page.goto(f"{kennel.url}/function?function={FUNCTION}&part=Concurrency")
        page.locator(".st-key-concurrency-has-live label").first.click()
        settle(page)
        fill(page, "concurrency-reserved-live", "5")
        fill(page, "concurrency-provisioned-live", "2")
        press(page, "concurrency-review")
        confirm(page)
        assert functions.get_function_concurrency(FunctionName=FUNCTION)["ReservedConcurrentExecutions"] == 5

        def kept() -> dict[str, object]:
            told: dict[str, object] = functions.get_provisioned_concurrency_config(
                FunctionName=FUNCTION, Qualifier="live"
            )
            return told

        wait_for("two environments", lambda: kept()["Status"] == "READY", 60)
        assert kept()["AllocatedProvisionedConcurrentExecutions"] == 2
        url = "https://127.0.0.1/dog.jpg"
        refused = json.loads(
            functions.invoke(FunctionName=f"{FUNCTION}:live", Payload=json.dumps({"url": url}))["Payload"].read()
        )
        assert refused["statusCode"] == 400
        assert set(refused) >= {"statusCode", "headers", "type-result", "COntent-Type-In", "body"}

        page.goto(f"{kennel.url}/scaling?endpoint={ENDPOINT}")
        wait_for("one instance", lambda: instances() == 1, 120)
        expect(page.get_by_text(re.compile(r"\b1 instance\b")).first).to_be_visible()
        no_exception(page)
    assert come.asked > 100
    assert not come.failed, f"{len(come.failed)} of {come.asked} photos got no answer: {come.failed[0]}"

    picture = tmp_path / "corgi.jpg"
    picture.write_bytes(corgi())
    for way in ("Endpoint", "Lambda"):
        page.goto(f"{kennel.url}/classify?endpoint={ENDPOINT}")
        settle(page)
        page.locator(".st-key-through").get_by_text(way, exact=False).first.click()
        settle(page)
        page.locator("input[type=file]").first.set_input_files(str(picture))
        answer = page.locator(".kn-answer").first
        expect(answer).to_contain_text(BREED)
        expect(answer).to_contain_text(ENDPOINT if way == "Endpoint" else FUNCTION)
        no_exception(page)


def fill(page: Page, key: str, value: str) -> None:
    field = page.locator(f".st-key-{key} input").first
    field.fill(value)
    field.press("Enter")
    settle(page)
