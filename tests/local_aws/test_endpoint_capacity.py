"""UpdateEndpointWeightsAndCapacities: instances come and go while the endpoint serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import bucket, client, create_endpoint, endpoint, refused, tiny_package, wait_for


@pytest.fixture(scope="module")
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


@pytest.fixture(scope="module")
def name(embedded: Embedded, sagemaker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with endpoint(embedded, tmp_path_factory.mktemp("package")) as made:
        yield made


def resize(sagemaker: Any, name: str, count: int | None = None, weight: float | None = None) -> str:
    change: dict[str, Any] = {"VariantName": "AllTraffic"}
    change |= {} if count is None else {"DesiredInstanceCount": count}
    change |= {} if weight is None else {"DesiredWeight": weight}
    answer = sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[change])
    return str(answer["EndpointArn"])


def counts(told: dict[str, Any]) -> tuple[int, int]:
    (variant,) = told["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


def ports(embedded: Embedded, name: str, requests: int = 6) -> set[int]:
    """The processes that answered."""
    runtime = client(embedded, "sagemaker-runtime")
    told = [json.loads(runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read()) for _ in range(requests)]
    return {one["pid"] for one in told}


def test_instances_are_added_and_taken_away(embedded: Embedded, sagemaker: Any, name: str) -> None:
    before = sagemaker.describe_endpoint(EndpointName=name)
    assert resize(sagemaker, name, 3) == before["EndpointArn"]
    during = sagemaker.describe_endpoint(EndpointName=name)
    assert during["EndpointStatus"] == "Updating"
    assert counts(during)[1] == 3
    assert ports(embedded, name, 1), "it answers meanwhile"
    after = wait_for(sagemaker, name, "InService")
    assert counts(after) == (3, 3)
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    assert len(ports(embedded, name)) == 3, "each of them takes requests"
    resize(sagemaker, name, 1)
    assert counts(wait_for(sagemaker, name, "InService")) == (1, 1)
    assert len(ports(embedded, name)) == 1


def test_what_is_not_named_stays(sagemaker: Any, name: str) -> None:
    resize(sagemaker, name, weight=0.5)
    (variant,) = wait_for(sagemaker, name, "InService")["ProductionVariants"]
    assert (variant["DesiredWeight"], variant["DesiredInstanceCount"]) == (0.5, 1)
    resize(sagemaker, name, weight=1.0)
    wait_for(sagemaker, name, "InService")


def test_what_cannot_be_done_is_refused(sagemaker: Any, name: str) -> None:
    update = sagemaker.update_endpoint_weights_and_capacities

    def why(*changes: dict[str, Any], endpoint: str = name) -> tuple[str, str]:
        return refused(update, EndpointName=endpoint, DesiredWeightsAndCapacities=list(changes))

    code, said = why({"VariantName": "other", "DesiredInstanceCount": 1})
    assert code == "ValidationException"
    assert "other" in said
    assert "at least 1" in why({"VariantName": "AllTraffic", "DesiredInstanceCount": 0})[1]
    assert "Could not find endpoint" in why({"VariantName": "AllTraffic"}, endpoint="never-made")[1]
    assert "is not serverless" in why({"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 2}})[1]
    assert "DesiredWeight above 0" in why({"VariantName": "AllTraffic", "DesiredWeight": 0})[1]
    assert "once" in why({"VariantName": "AllTraffic"}, {"VariantName": "AllTraffic"})[1]
    code, said = why({"VariantName": "AllTraffic", "DesiredInstanceCount": 99})
    assert code == "ResourceLimitExceeded"
    assert counts(sagemaker.describe_endpoint(EndpointName=name)) == (1, 1), "nothing of it was begun"


def test_an_endpoint_that_is_changing_is_not_changed_again(sagemaker: Any, name: str) -> None:
    resize(sagemaker, name, 2)
    change = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
    code, said = refused(
        sagemaker.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=change
    )
    assert (code, said.split('"')[0]) == ("ValidationException", "Cannot update in-progress endpoint ")
    wait_for(sagemaker, name, "InService")
    resize(sagemaker, name, 1)
    wait_for(sagemaker, name, "InService")


def test_instances_that_cannot_run_are_taken_back_and_the_endpoint_says_why(
    embedded: Embedded, sagemaker: Any, tmp_path: Path
) -> None:
    with endpoint(embedded, tmp_path) as made:
        serve = tmp_path / "training/serve.py"
        source = serve.read_text()
        serve.write_text("raise SystemExit('there is no room for another one')")
        resize(sagemaker, made, 3, weight=0.5)
        after = wait_for(sagemaker, made, "InService")
        assert counts(after) == (1, 1)
        assert after["ProductionVariants"][0]["DesiredWeight"] == 1.0
        assert "there is no room for another one" in after["FailureReason"]
        assert "VariantStatus" not in after["ProductionVariants"][0]
        assert len(ports(embedded, made, 2)) == 1, "it serves as before"
        serve.write_text(source)
        resize(sagemaker, made, 2)
        after = wait_for(sagemaker, made, "InService")
        assert (counts(after), "FailureReason" in after) == ((2, 2), False)


def test_the_new_size_outlives_the_server(tmp_path: Path) -> None:
    first = start_embedded(tmp_path / "aws")
    try:
        bucket(first)
        create_endpoint(first.client("sagemaker"), "dogs", tiny_package(tmp_path / "package"))
        wait_for(first.client("sagemaker"), "dogs", "InService")
        resize(first.client("sagemaker"), "dogs", 2)
        first.process.kill()
        first.process.wait()
    finally:
        stop_embedded(first)
    second = start_embedded(tmp_path / "aws")
    try:
        wait_for(second.client("sagemaker"), "dogs", "InService")
        assert counts(wait_for(second.client("sagemaker"), "dogs", "InService"))[1] == 2
    finally:
        stop_embedded(second)
