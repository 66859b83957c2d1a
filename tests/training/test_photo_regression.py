"""The regression check over the 47 real photos. It is no accuracy figure: 47 photos are far too few for one."""

from pathlib import Path

from training.breeds import same_breed
from training.inference import Model, load_model
from training.predict import predict_files

Photos = list[tuple[Path, str, bool]]


def test_the_starter_knows_the_dogs_and_refuses_the_others(starter: Model, photos: Photos) -> None:
    assert len(photos) == 47
    results = list(predict_files(starter, [str(path) for path, _, _ in photos]))
    right, wrong = 0, []
    for result, (path, label, is_dog) in zip(results, photos, strict=True):
        assert result.prediction is not None, f"{path}: {result.error}"
        assert result.prediction.is_dog is is_dog, f"{path.name}: dog probability {result.prediction.dog_probability}"
        if is_dog:
            first = result.prediction.breeds[0][0]
            right += same_breed(first, label)
            wrong += [] if same_breed(first, label) else [f"{path.name}: {first}"]
    assert right >= 34, wrong


def test_the_gap_that_the_threshold_lies_in_is_wide(starter: Model, photos: Photos) -> None:
    found = [starter.predict(starter.preprocessing.load(path)[None])[0].dog_probability for path, _, _ in photos]
    dogs = [share for share, (_, _, is_dog) in zip(found, photos, strict=True) if is_dog]
    others = [share for share, (_, _, is_dog) in zip(found, photos, strict=True) if not is_dog]
    assert min(dogs) > 0.7
    assert max(others) < 0.25


def test_int8_agrees_with_fp32(starter_folder: Path, photos: Photos) -> None:
    """What the starter's card says (model.STARTER_INT8), measured again: INT8 is only served because of it."""
    precise, quick = (load_model(starter_folder, precision=precision) for precision in ("fp32", "int8"))
    same = decisions = dogs = 0
    for path, _, is_dog in photos:
        pixels = precise.preprocessing.load(path)[None]
        (one,), (other,) = precise.predict(pixels), quick.predict(pixels)
        decisions += one.is_dog == other.is_dog
        dogs += is_dog
        same += is_dog and one.breeds[0][0] == other.breeds[0][0]
    assert dogs == 37
    assert same >= 36
    assert decisions == len(photos)
