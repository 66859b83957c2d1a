"""On a real embedded AWS: what ran has receipts, the bill is asked for, and both columns agree to the cent."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.costs.bill import requests as bill_requests
from dashboard.core.costs.bill.activate_tags import ActivationPlan, activate
from dashboard.core.costs.bill.billed import Question, read_billed
from dashboard.core.costs.bill.reconcile import Row, reconcile
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.errors import Refused
from dashboard.core.runs.listing import RunBook
from dashboard.core.runs.window import Window
from tests.conftest import start_embedded, stop_embedded
from tests.core.conftest import write_client
from tests.local_aws.sagemaker_world import bucket, client, finished, training_request

TAGS = [{"Key": "project", "Value": "dogs"}, {"Key": "owner", "Value": "ada"}]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An account in which one training ran that is somebody's, one with no marks, and one sample."""
    running = start_embedded(tmp_path_factory.mktemp("state"))
    try:
        bucket(running)
        sagemaker = client(running, "sagemaker")
        sample = [{"Key": "kennel:sample", "Value": "true"}]
        made = [{"Key": "kennel:made-by", "Value": "kennel"}]
        for name, tags in (("marked", [*made, *TAGS]), ("plain", made), ("example", [*made, *sample])):
            two = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}
            request = training_request(
                name, "sleep 1", Tags=tags, **({"ResourceConfig": two} if name == "plain" else {})
            )
            sagemaker.create_training_job(**request)
        for name in ("marked", "plain", "example"):
            finished(sagemaker, name)
        home = tmp_path_factory.mktemp("home")
        keys = {"access_key_id": running.access_key_id, "secret_access_key": running.secret_access_key}
        write_client(home, running.endpoint_url, **keys)
        yield connect({"KENNEL_HOME": str(home)})
    finally:
        stop_embedded(running)


def held(aws: Aws) -> Ledger:
    """The receipts of the account's trainings, and of what was asked of Cost Explorer."""
    now = datetime.now(UTC)
    runs = RunBook(lambda: now).look(aws, Window.WEEK, patience=30).runs
    made = tuple(run_receipt(run, PriceBook.load(), aws.account.region, now, is_embedded=True) for run in runs)
    return Ledger((*made, *bill_requests.requests(aws.account)), now)


def ask(aws: Aws, by: By) -> dict[str, Row]:
    """Ask, note what it cost, and hold the receipts against the answer."""
    now = datetime.now(UTC)
    shown = Selection(Nature.SIMULATED, Period.parse("30d", now), by)
    receipts = held(aws)  # as they were when it was asked
    billed = read_billed(aws, Question.of(shown), now)
    bill_requests.note(bill_requests.place(aws.account), bill_requests.Asked("GetCostAndUsage", billed.pages, now))
    return {row.name: row for row in reconcile(receipts, shown, billed, receipts.at, is_embedded=True).rows}


def test_receipts_and_bill_agree_and_samples_are_in_neither(aws: Aws) -> None:
    ask(aws, By.SERVICE)
    rows = ask(aws, By.SERVICE)
    assert set(rows) == {"SageMaker", "Cost Explorer"}
    for row in rows.values():
        assert row.difference == 0
        assert row.listed
    assert rows["SageMaker"].receipts == 2


def test_a_project_is_on_the_bill_from_its_activation_on(aws: Aws) -> None:
    assert set(ask(aws, By.PROJECT)) == {"dogs", ""}
    assert ask(aws, By.PROJECT)["dogs"].billed is None
    assert "activated" in activate(aws, ActivationPlan(("project", "owner")))
    assert "activated" in activate(aws, ActivationPlan(("project", "owner")))
    assert ask(aws, By.PROJECT)["dogs"].billed is None  # what ran before stays without


def test_a_tag_that_nothing_carried_cannot_be_activated(aws: Aws) -> None:
    with pytest.raises(Refused, match="Tag keys not found: nobody"):
        activate(aws, ActivationPlan(("nobody",)))
