"""Through a real function of the embedded AWS: its times are in the answer, a cold start only in the first."""

import base64
import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image

from dashboard.core.aws import Aws, connect
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.serving.classify import Photo, prepare_photo
from dashboard.core.serving.through import Front, classify_through, list_fronts
from tests.conftest import Embedded
from tests.core.conftest import write_client
from tests.local_aws import lambda_world
from tests.local_aws.sagemaker_world import client, unique
from tests.views.scripted import dog_answer

CODE = f"""
import base64, json

ANSWER = json.loads({json.dumps(json.dumps(dog_answer()))})


def handler(event, context):
    photo = base64.b64decode(event["image"])
    if len(photo) < 100:
        return {{"statusCode": 400, "body": "it is too small"}}
    if event.get("overlay"):
        raise ValueError("no overlay here")
    return {{"statusCode": 200, "body": "[[0.0]]", **ANSWER}}
"""


@pytest.fixture(scope="module")
def live(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Aws:
    home = tmp_path_factory.mktemp("home")
    keys = {"access_key_id": embedded.access_key_id, "secret_access_key": embedded.secret_access_key}
    write_client(home, embedded.endpoint_url, **keys)
    return connect({"KENNEL_HOME": str(home)})


@pytest.fixture(scope="module")
def front(embedded: Embedded) -> Iterator[Front]:
    endpoint = unique("behind")
    name = lambda_world.make(
        embedded,
        code=lambda_world.package(app=CODE),
        Environment={"Variables": {"ENDPOINT_NAME": endpoint}},
        Tags={"kennel:made-by": "kennel"},
    )
    client(embedded, "lambda").publish_version(FunctionName=name)
    client(embedded, "lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    yield Front(name, endpoint, "live")
    lambda_world.remove(embedded, name)


@pytest.fixture(scope="module")
def photo() -> Photo:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(file, "JPEG")
    return prepare_photo(file.getvalue(), "noise.jpg")


def test_the_first_answer_tells_its_cold_start_and_the_second_has_none(live: Aws, front: Front, photo: Photo) -> None:
    assert front in list_fronts(live)
    first, second = (classify_through(live, front, photo) for _ in range(2))
    assert first.predictions[0].breed == "Beagle"
    assert first.cold_seconds is not None
    assert second.cold_seconds is None
    for said in (first, second):
        assert said.lambda_seconds is not None
        assert said.lambda_seconds <= said.seconds


def test_a_refused_photo_and_a_function_that_fails_are_sentences(live: Aws, front: Front, photo: Photo) -> None:
    small = Photo("small.jpg", base64.b64decode("/9j/"), 1, 1, "")
    with pytest.raises(InvalidInput, match="it is too small"):
        classify_through(live, front, small)
    with pytest.raises(ServiceFault, match="no overlay here"):
        classify_through(live, front, photo, looked=True)
