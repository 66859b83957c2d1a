"""Kennel's own function on the embedded AWS, in front of a model that really serves."""

import base64
import io
import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Embedded
from tests.local_aws.lambda_world import ask, make_kennels, remove
from tests.local_aws.sagemaker_world import BUCKET, bucket, client, create_endpoint, delete_endpoint, unique, wait_for
from training.archive import pack
from training.model import build_starter, model_files
from training.sample_data import draw_dog

REFERENCE = {"statusCode", "headers", "type-result", "COntent-Type-In", "body"}


@pytest.fixture(scope="module")
def endpoint(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The starter model in service."""
    name, folder = unique("lambda"), tmp_path_factory.mktemp("starter")
    bucket(embedded)
    build_starter(folder / "model")
    pack(folder / "model", folder / "model.tar.gz", model_files(folder / "model"))
    client(embedded, "s3").upload_file(str(folder / "model.tar.gz"), BUCKET, f"{name}/model.tar.gz")
    sagemaker = client(embedded, "sagemaker")
    create_endpoint(sagemaker, name, {}, ModelDataUrl=f"s3://{BUCKET}/{name}/model.tar.gz")
    wait_for(sagemaker, name, "InService", 60)
    yield name
    delete_endpoint(sagemaker, name)


@pytest.fixture(scope="module")
def function(embedded: Embedded, endpoint: str) -> Iterator[str]:
    made = make_kennels(embedded, endpoint)
    yield made
    remove(embedded, made)


@pytest.fixture(scope="module")
def photo() -> bytes:
    out = io.BytesIO()
    draw_dog("057.Dalmatian", 2).save(out, "JPEG")
    return out.getvalue()


def test_a_photo_comes_back_with_its_breed_in_the_reference_s_form(
    embedded: Embedded, endpoint: str, function: str, photo: bytes
) -> None:
    told = ask(embedded, function, {"image": base64.b64encode(photo).decode()})["Payload"]
    assert set(told) >= REFERENCE | {"predictions", "is_dog"}, told
    assert told["statusCode"] == 200
    assert told["COntent-Type-In"].startswith("LambdaContext([aws_request_id=")
    straight = client(embedded, "sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="image/jpeg", Accept="application/json; profile=breeds", Body=photo
    )
    answer = json.loads(straight["Body"].read())
    assert json.loads(told["body"]) == answer["scores"]
    assert told["predictions"] == answer["predictions"]


def test_a_photo_in_s3_is_read_as_the_function_s_role(embedded: Embedded, function: str, photo: bytes) -> None:
    client(embedded, "s3").put_object(Bucket=BUCKET, Key="photos/dog.jpg", Body=photo)
    assert ask(embedded, function, {"s3": f"s3://{BUCKET}/photos/dog.jpg"})["Payload"]["statusCode"] == 200
    missing = ask(embedded, function, {"bucket": BUCKET, "key": "photos/none.jpg"})["Payload"]
    assert (missing["statusCode"], missing["body"]) == (400, f"There is no s3://{BUCKET}/photos/none.jpg.")


def test_an_address_that_leads_into_the_machine_is_the_endpoint_s_to_refuse(embedded: Embedded, function: str) -> None:
    told = ask(embedded, function, {"url": "http://169.254.169.254/latest/meta-data/"})["Payload"]
    assert told["statusCode"] == 400
    assert "Traceback" not in json.dumps(told)


def test_what_is_no_photo_gets_the_model_s_own_sentence(embedded: Embedded, function: str) -> None:
    told = ask(embedded, function, {"image": base64.b64encode(b"\xff\xd8\xff no photo").decode()})["Payload"]
    assert (told["statusCode"], "FunctionError" in told) == (400, False)
    assert told["body"].endswith(".")


def test_a_function_url_takes_the_bytes_of_a_photo(embedded: Embedded, function: str, photo: bytes) -> None:
    calls = client(embedded, "lambda")
    address = calls.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    everybody = {"FunctionName": function, "Principal": "*"}
    calls.add_permission(**everybody, StatementId="u", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    calls.add_permission(**everybody, StatementId="i", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    request = Request(address, data=photo, headers={"Content-Type": "image/jpeg"})
    with urlopen(request, timeout=30) as answer:
        told = json.loads(answer.read())
    assert told["predictions"][0][0]["breed"]


def test_an_endpoint_that_is_not_there_is_a_503_with_a_sentence(embedded: Embedded) -> None:
    function = make_kennels(embedded, unique("gone"))
    told = ask(embedded, function, {"url": "https://example.com/dog.jpg"})["Payload"]
    assert told["statusCode"] == 503
    assert "no endpoint gone-" in told["body"]
    assert set(told) == REFERENCE | {"error"}
    remove(embedded, function)
