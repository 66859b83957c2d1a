"""A model folder at work: which network runs, what its scores mean, and what is wrong with a broken one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from training.classifier import BadModel, Model, Outputs, load_model
from training.preprocessing import Array, Preprocessing
from training.sample_data import draw_dog

PIXELS = np.zeros((1, 3, 224, 224), np.float32)


@pytest.mark.parametrize(("dog_logit", "expected"), [(8.0, True), (-8.0, False)])
def test_the_threshold_decides_what_is_a_dog(dog_logit: float, expected: bool) -> None:
    imagenet = np.zeros((1, 1000), np.float32)
    imagenet[0, 200] = dog_logit

    def run(pixels: Array) -> Outputs:
        return Outputs(np.array([[1.0, 3.0, 2.0]], np.float32), imagenet)

    model = Model(["a", "b", "c"], Preprocessing(), {"is_dog": {"threshold": 0.5}}, run)
    (found,) = model.predict(PIXELS, top=2)
    assert found.is_dog is expected
    assert [breed for breed, _ in found.breeds] == ["b", "c"]
    (unsure,) = Model(["a", "b", "c"], Preprocessing(), {"is_dog": {"threshold": None}}, run).predict(PIXELS)
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
        ("model.int8.onnx", None, "holds no model.int8.onnx for int8"),
        ("model.int8.onnx", "not onnx", "model.int8.onnx cannot be loaded"),
        ("preprocessing.json", '{"crop": 200}', "takes 224 pixels but preprocessing.json cuts out 200"),
        *(
            ("card.json", f'{{"calibration": {{"temperature": {number}}}}}', "temperature")
            for number in ("0", "-1", "NaN", "Infinity", "1e-300", "1e300", "9" * 400, "true")
        ),
        ("card.json", '{"calibration": {"temperature": "warm"}}', "temperature"),
        ("card.json", '{"calibration": []}', "calibration"),
        ("card.json", '{"int8": {"default": "yes"}}', "true or false"),
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
    for content, words in ((None, r"holds no model\.onnx"), ("not onnx", r"model\.onnx cannot be loaded")):
        with pytest.raises(BadModel, match=words):
            load_model(broken("model.onnx", content), precision="fp32")


def with_card(folder: Path, to: Path, **changes: object) -> Path:
    """A copy of a model folder whose card says something else."""
    shutil.copytree(folder, to)
    card = json.loads((to / "card.json").read_text()) | changes
    (to / "card.json").write_text(json.dumps(card))
    return to


def test_the_card_decides_which_precision_is_served_and_the_environment_may_differ(
    starter_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KENNEL_PRECISION", raising=False)
    assert load_model(starter_folder).precision == "int8"
    for name, int8 in (("no", {"default": False, "reason": "too far from fp32"}), ("older", {}), ("null", None)):
        assert load_model(with_card(starter_folder, tmp_path / name, int8=int8)).precision == "fp32"
    assert load_model(starter_folder, precision="fp32").precision == "fp32"
    monkeypatch.setenv("KENNEL_PRECISION", "fp32")
    assert load_model(starter_folder).precision == "fp32"
    monkeypatch.setenv("KENNEL_PRECISION", "int4")
    with pytest.raises(BadModel, match="fp32 or int8"):
        load_model(starter_folder)


def test_both_precisions_answer_much_alike(starter_folder: Path) -> None:
    precise, quick = (load_model(starter_folder, precision=precision) for precision in ("fp32", "int8"))
    pixels = np.stack([precise.preprocessing.pixels(draw_dog("057.Dalmatian", seed)) for seed in range(4)])
    ours, theirs = precise.run(pixels), quick.run(pixels)
    assert ours.scores.shape == theirs.scores.shape
    assert ours.maps is not None
    assert theirs.maps is not None
    # INT8 moves scores by some tenths, never by nothing: were it the same file, the difference would be 0.
    assert 0 < np.abs(ours.scores - theirs.scores).max() < 2.5


def test_probabilities_are_calibrated_and_scores_stay_raw() -> None:
    scores = np.array([[4.0, 2.0, 0.0]], np.float32)

    def predicted(card: dict[str, object]) -> tuple[float, Array]:
        (found,) = Model(["a", "b", "c"], Preprocessing(), card, lambda pixels: Outputs(scores)).predict(PIXELS)
        return found.breeds[0][1], found.scores

    plain, _ = predicted({})
    assert plain == pytest.approx(np.exp(4) / (np.exp(4) + np.exp(2) + 1), rel=1e-5)
    for temperature, share in (
        (2.0, np.exp(2) / (np.exp(2) + np.exp(1) + 1)),
        (0.5, np.exp(8) / (np.exp(8) + np.exp(4) + 1)),
    ):
        calibrated, raw = predicted({"calibration": {"temperature": temperature}})
        assert calibrated == pytest.approx(share, rel=1e-5)
        assert (raw == scores[0]).all()
    assert predicted({"calibration": {"temperature": None}})[0] == plain


def test_a_model_that_has_no_imagenet_head_makes_no_claim_about_dogs() -> None:
    card = {"is_dog": {"threshold": 0.5}}
    (found,) = Model(["a"], Preprocessing(), card, lambda pixels: Outputs(np.ones((1, 1), np.float32))).predict(PIXELS)
    assert (found.is_dog, found.dog_probability, found.heat) == (None, None, None)


def test_the_heat_is_that_of_the_first_breed() -> None:
    maps = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 2, 2)
    outputs = Outputs(np.array([[0, 5, 1], [9, 5, 1]], np.float32), None, maps)
    first, second = Model(["a", "b", "c"], Preprocessing(), {}, lambda pixels: outputs).predict(np.zeros((2, 3, 1, 1)))
    assert first.heat is not None
    assert second.heat is not None
    assert (first.heat == maps[0, 1]).all()
    assert (second.heat == maps[1, 0]).all()
    assert not np.shares_memory(first.heat, maps)
