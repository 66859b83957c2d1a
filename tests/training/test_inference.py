"""A model folder at work: preprocessing, answers, and the copy that travels in an archive."""

import io
import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import inference
from training.images import BadPhoto
from training.inference import BREEDS_PROFILE, BadModel, Model, Outputs, Preprocessing, UnsupportedContent, load_model
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    target = io.BytesIO()
    draw_dog("057.Dalmatian", 1).save(target, "JPEG", quality=92)
    return target.getvalue()


@pytest.mark.parametrize("size", [(640, 480), (300, 900), (256, 256), (224, 224), (50, 40), (1201, 803)])
def test_resampling_only_the_crop_gives_what_resizing_and_cropping_gives(size: tuple[int, int]) -> None:
    photo = draw_dog("124.Poodle", 2, size=max(size)).resize(size)
    factor = 256 / min(size)
    whole = photo.resize((round(size[0] * factor), round(size[1] * factor)), Image.Resampling.BICUBIC)
    left, top = (whole.width - 224) // 2, (whole.height - 224) // 2
    expected = np.asarray(whole.crop((left, top, left + 224, top + 224)), np.float32).transpose(2, 0, 1)
    found = Preprocessing().pixels(photo)
    assert found.shape == (3, 224, 224)
    assert found.dtype == np.float32
    difference = np.abs(found - (expected - 127) / 128)
    assert difference.max() <= 2 / 128
    assert difference.mean() < 0.1 / 128


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000)])
def test_any_shape_of_photo_becomes_pixels(size: tuple[int, int]) -> None:
    assert Preprocessing().pixels(Image.new("RGB", size, "red")).shape == (3, 224, 224)


def test_the_default_answer_is_raw_scores(starter: Model, jpeg: bytes) -> None:
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), starter)
    for accept in (None, "", "*/*", "application/json", "application/json; charset=utf-8"):
        scores = json.loads(inference.output_fn(answer, accept))
        assert np.array(scores).shape == (1, 116)
        assert np.allclose(scores[0], answer.predictions[0].scores, atol=1e-5)


@pytest.mark.parametrize(
    "accept", [BREEDS_PROFILE, "application/json;profile=breeds", 'Application/JSON; profile="breeds"']
)
def test_the_breeds_profile_names_the_five_most_likely(starter: Model, jpeg: bytes, accept: str) -> None:
    answer = json.loads(
        inference.output_fn(inference.predict_fn(inference.input_fn(jpeg, "image/png"), starter), accept)
    )
    assert set(answer) == {"model", "predictions", "is_dog", "dog_probability", "scores", "milliseconds"}
    assert answer["model"] == "starter"
    (top,) = answer["predictions"]
    assert [set(prediction) for prediction in top] == [{"breed", "probability"}] * 5
    shares = [prediction["probability"] for prediction in top]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.00001
    assert top[0]["breed"] == starter.labels[int(np.argmax(answer["scores"][0]))]
    assert answer["is_dog"] == [answer["dog_probability"][0] >= 0.5]
    assert answer["milliseconds"] > 0


@pytest.mark.parametrize(
    "accept", ["text/html, application/json;q=0.9, */*", f"text/html, {BREEDS_PROFILE}", "text/html, */*"]
)
def test_one_of_several_accepted_types_is_enough(starter: Model, jpeg: bytes, accept: str) -> None:
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), starter)
    assert isinstance(json.loads(inference.output_fn(answer, accept)), dict if "breeds" in accept else list)


def test_other_content_is_refused_in_a_sentence(starter: Model, jpeg: bytes) -> None:
    for kind in ("text/csv", "", None):
        with pytest.raises(UnsupportedContent, match="image/jpeg"):
            inference.input_fn(jpeg, kind)
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/webp"), starter)
    with pytest.raises(UnsupportedContent, match="application/json"):
        inference.output_fn(answer, "text/csv")
    with pytest.raises(BadPhoto):
        inference.predict_fn(inference.input_fn(b"no photo", "image/jpeg"), starter)


@pytest.mark.parametrize(("dog_logit", "expected"), [(8.0, True), (-8.0, False)])
def test_the_threshold_decides_what_is_a_dog(dog_logit: float, expected: bool) -> None:
    imagenet = np.zeros((1, 1000), np.float32)
    imagenet[0, 200] = dog_logit

    def run(pixels: inference.Array) -> Outputs:
        return Outputs(np.array([[1.0, 3.0, 2.0]], np.float32), imagenet)

    pixels = np.zeros((1, 3, 224, 224), np.float32)
    model = Model(["a", "b", "c"], Preprocessing(), {"is_dog": {"threshold": 0.5}}, run)
    (found,) = model.predict(pixels, top=2)
    assert found.is_dog is expected
    assert [breed for breed, _ in found.breeds] == ["b", "c"]
    (unsure,) = Model(["a", "b", "c"], Preprocessing(), {"is_dog": {"threshold": None}}, run).predict(pixels)
    assert unsure.is_dog is None
    assert len(unsure.breeds) == 3


def test_an_incomplete_or_wrong_model_says_what_is_wrong(starter_folder: Path, tmp_path: Path) -> None:
    def broken(name: str, content: str | None) -> Path:
        folder = tmp_path / f"{name}-{hash(content)}"
        shutil.copytree(starter_folder, folder)
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(content)
        return folder

    for name, content, words in [
        ("model.onnx", None, "model.onnx cannot be loaded"),
        ("model.onnx", "not onnx", "model.onnx cannot be loaded"),
        ("labels.json", None, "no complete model"),
        ("labels.json", '{"labels": ["one", "two"]}', "116 scores but labels.json names 2"),
        ("labels.json", "[]", "not a JSON object"),
        ("labels.json", '{"labels": "Poodle"}', "no list of labels"),
        ("card.json", "{", "not JSON"),
        ("preprocessing.json", '{"size": 3}', "not understood"),
        ("preprocessing.json", '{"crop": 0, "short_side": 0}', "not understood"),
        ("preprocessing.json", '{"crop": "224"}', "not understood"),
        ("preprocessing.json", '{"scale": 0}', "not understood"),
        ("preprocessing.json", '{"short_side": 1000000}', "not understood"),
        ("card.json", '{"is_dog": 3}', "is_dog"),
        ("card.json", '{"is_dog": {"threshold": "many"}}', "dog threshold"),
    ]:
        with pytest.raises(BadModel, match=words):
            load_model(broken(name, content))


def test_the_archives_code_works_alone(starter_folder: Path, jpeg: bytes, tmp_path: Path) -> None:
    """As AWS's image runs it: code/ on the path, nothing of Kennel installed, no torch."""
    shutil.copytree(starter_folder, tmp_path / "model")
    (tmp_path / "dog.jpg").write_bytes(jpeg)
    script = """
        import sys
        from pathlib import Path
        sys.path.insert(0, "model/code")
        sys.modules["training"] = sys.modules["torch"] = None
        import inference
        model = inference.model_fn("model")
        request = inference.input_fn(Path("dog.jpg").read_bytes(), "image/jpeg")
        print(inference.output_fn(inference.predict_fn(request, model), "application/json"))
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    here = inference.output_fn(
        inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), load_model(tmp_path / "model")), None
    )
    assert np.allclose(json.loads(done.stdout), json.loads(here), atol=1e-3)


def test_the_archives_requirements_name_what_its_code_imports(starter_folder: Path) -> None:
    names = {line.split(">")[0].lower() for line in (starter_folder / "code" / "requirements.txt").read_text().split()}
    assert {"onnxruntime", "numpy", "pillow", "pillow-heif"} == names
