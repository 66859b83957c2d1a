"""Take README's pictures from the running product: `make pictures`.

Starts a Kennel of its own in an empty folder, lets a first start fill the sample account, launches trainings of other
kinds, and photographs the pages. Only drawn dogs are shown.
"""

import secrets
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from dashboard.core.aws import Aws, connect  # noqa: E402
from dashboard.core.costs.prices import PriceBook  # noqa: E402
from dashboard.core.runs.launch import launch  # noqa: E402
from dashboard.core.runs.look import look  # noqa: E402
from dashboard.core.runs.model import Capacity, Platform  # noqa: E402
from dashboard.core.runs.plan import plan  # noqa: E402
from dashboard.core.runs.spec import TrainingSpec  # noqa: E402
from dashboard.core.runs.tuning_spec import Range, RangeKind, Tuning  # noqa: E402
from dashboard.core.runs.watch import get_run  # noqa: E402
from dashboard.core.trail.book import FILE, Book  # noqa: E402
from dashboard.core.trail.read import deeds  # noqa: E402
from tests.e2e.conftest import CHROMIUM_FLAGS, Kennel, find_chromium, settle, start_kennel, stop_kennel  # noqa: E402
from tests.e2e.conftest import wait_for_sample_account as wait_for_samples  # noqa: E402
from training.sample_data import draw_dog  # noqa: E402

DOCS = ROOT / "docs"
RUN = "sample-drawn-dogs"
STILL = 1200  # ms: charts fade in
PATIENCE = 120_000  # ms: this machine trains meanwhile


def shoot(page: Page, name: str) -> None:
    settle(page)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(STILL)
    page.screenshot(path=str(DOCS / f"{name}.png"))
    print(f"docs/{name}.png")


def open_page(page: Page, kennel: Kennel, path: str) -> None:
    page.goto(f"{kennel.url}/{path}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)


def tab(browser: Browser, width: int, height: int, scheme: str) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    return page


def classify(page: Page, kennel: Kennel, pictures: list[Path]) -> None:
    open_page(page, kennel, "classify?endpoint=starter")
    page.locator("input[type=file]").first.set_input_files([str(picture) for picture in pictures])
    for number in range(len(pictures)):
        page.locator(".kn-answer").nth(number).wait_for()


def kinds(data: str) -> list[TrainingSpec]:
    """One training of each kind that the sample account lacks."""
    rates = Range("learning_rate", RangeKind.CONTINUOUS, 0.001, 0.1, "Logarithmic")
    return [
        TrainingSpec(data, name="two-instances", instance_count=2, batch_size=16),
        TrainingSpec(
            data,
            name="spot-interrupted",
            capacity=Capacity.SPOT,
            epochs=60,
            advanced=(("hidden", "1024"), ("views", "4")),
            interrupt_after="4",
        ),
        TrainingSpec(data, name="rates", epochs=10, tuning=Tuning((rates,), seed=7)),
        TrainingSpec(data, name="on-ec2", platform=Platform.EC2, instance_type="m5.large", epochs=10),
    ]


def train(aws: Aws) -> list[str]:
    """Launch them, one after another so that each has this machine to itself; their keys, once all have ended."""
    keys = []
    for spec in kinds(f"s3://{aws.account.bucket}/datasets/drawn-dogs/"):
        planned = plan(
            spec,
            account=aws.account,
            prices=PriceBook.load(),
            past_runs=(),
            now=datetime.now(UTC),
            token=secrets.token_hex(8),
            surroundings=look(aws, spec),
        )
        keys.append(launch(aws, planned))
        while get_run(aws, keys[-1]).status.is_active:
            time.sleep(0.5)
        print(f"trained {spec.name}")
    return keys


def ask(kennel: Kennel, picture: Path) -> None:
    """Some minutes' worth of requests to the starter, so that its page has something to show."""
    runtime, photo = kennel.aws("sagemaker-runtime"), picture.read_bytes()

    def one(_: int) -> None:
        runtime.invoke_endpoint(EndpointName="starter", ContentType="image/jpeg", Body=photo)["Body"].read()

    with ThreadPoolExecutor(3) as at_once:
        list(at_once.map(one, range(900)))


def agree(page: Page, kennel: Kennel, path: str, button: str) -> None:
    """Press a page's button, and that of the dialog that it opens."""
    open_page(page, kennel, path)
    page.locator(f".st-key-{button} button").first.click()
    page.get_by_role("dialog").locator(".st-key-confirm-do button").click()
    page.get_by_role("dialog").wait_for(state="detached")
    settle(page)


def look_through(page: Page, kennel: Kennel, path: str) -> None:
    """Have the report on a data set made, and wait for it."""
    agree(page, kennel, path, "make-report")
    page.get_by_text("Across splits").wait_for()
    settle(page)


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kennel-pictures-") as folder, sync_playwright() as playwright:
        picture = Path(folder) / "dalmatian.jpg"
        draw_dog("057.Dalmatian", seed=7).save(picture, "JPEG")
        kennel = start_kennel(Path(folder) / "home", time_scale=1)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            wait_for_samples(kennel)
            ask(kennel, picture)  # before the trainings: CloudWatch has whole minutes of it afterwards
            keys = [RUN, *train(connect({"KENNEL_HOME": str(kennel.home)}))]
            wide = tab(browser, 1280, 800, "light")
            open_page(wide, kennel, "train")
            shoot(wide, "train")
            classify(wide, kennel, [picture])
            shoot(wide, "classify")
            dark = tab(browser, 1280, 800, "dark")
            open_page(dark, kennel, "run?run=spot-interrupted")
            shoot(dark, "run")
            dark.close()
            tall = tab(browser, 1280, 1180, "light")
            open_page(tall, kennel, f"compare?compare={','.join(keys)}")
            shoot(tall, "compare")
            open_page(tall, kennel, "costs?of=sample&period=6m")
            shoot(tall, "spend")
            open_page(tall, kennel, "receipt?receipt=run:project-c-two-on-spot")
            shoot(tall, "receipt")
            open_page(tall, kennel, "choices")
            shoot(tall, "choices")
            ask(kennel, picture)
            open_page(wide, kennel, "endpoint?endpoint=starter")
            shoot(wide, "endpoint")
            taller = tab(browser, 1440, 1640, "light")
            open_page(taller, kennel, "scaling?endpoint=starter")
            taller.locator(".st-key-scaling-reference-10 button").first.click()
            taller.mouse.move(0, 0)  # or its hint stays over the form
            taller.get_by_label("Maximum (instances)").wait_for()
            settle(taller)
            shoot(taller, "scaling")
            taller.close()
            look_through(tall, kennel, "data?dataset=drawn-dogs")
            shoot(tall, "data")
            agree(tall, kennel, "data?part=Buckets", "new-bucket")
            agree(tall, kennel, "functions", "deploy-function")
            open_page(tall, kennel, "function?function=starter-photos&part=what-if")
            shoot(tall, "function")
            open_page(tall, kennel, "security")
            shoot(tall, "security")
            open_page(tall, kennel, "role?role=DogTraining&part=Proposal")
            shoot(tall, "role")
            open_page(tall, kennel, "settings?part=Set+up")
            shoot(tall, "set-up")
            (deed, *_) = deeds(Book(kennel.home / FILE))
            open_page(tall, kennel, f"activity?deed={deed.id}")
            shoot(tall, "activity")
            open_page(wide, kennel, "")
            shoot(wide, "overview")
            phone = tab(browser, 390, 844, "dark")
            classify(phone, kennel, [picture])
            phone.get_by_text("Where the model looked").click()
            phone.get_by_text("Warm where it speaks for").wait_for()
            shoot(phone, "classify-phone")
        finally:
            browser.close()
            stop_kennel(kennel)


if __name__ == "__main__":
    main()
