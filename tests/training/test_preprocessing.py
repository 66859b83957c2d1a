"""How a photo becomes a model's input."""

import numpy as np
import pytest
from PIL import Image

from training.preprocessing import Preprocessing
from training.sample_data import draw_dog

DOG = draw_dog("124.Poodle", 2, size=400)


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


def test_a_crop_may_lie_anywhere() -> None:
    photo = Image.new("RGB", (512, 256))
    for x in range(512):
        photo.paste((x // 2, 0, 0), (x, 0, x + 1, 256))
    means = [float(np.asarray(Preprocessing().cropped(photo, left, 0.5))[..., 0].mean()) for left in (0, 0.5, 1)]
    # 224 of 512 pixels: the middles of the crops lie at 112, 256 and 400.
    assert means == pytest.approx([56, 128, 200], abs=2)
    centred = np.asarray(Preprocessing().cropped(DOG))
    assert (centred == np.asarray(Preprocessing().cropped(DOG, 0.5, 0.5))).all()
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert Preprocessing(crop=224).cropped(DOG.resize((333, 1001)), *corner).size == (224, 224)


def test_squashing_shows_the_whole_photo() -> None:
    whole = Preprocessing(short_side=224, crop=224, resize="squash", resample="bilinear")
    photo = DOG.resize((640, 300))
    expected = photo.resize((224, 224), Image.Resampling.BILINEAR)
    assert (np.asarray(whole.cropped(photo)) == np.asarray(expected)).all()


def test_only_what_is_squashed_is_decoded_in_full() -> None:
    assert Preprocessing(short_side=256).decoded_side == 240
    assert Preprocessing(short_side=224, crop=224, resize="squash").decoded_side is None


def test_each_colour_may_have_its_own_mean_and_scale() -> None:
    mean, scale = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    found = Preprocessing(mean=mean, scale=scale).values(DOG)
    expected = (np.asarray(DOG, np.float64) - mean) / scale
    assert np.allclose(found, expected.transpose(2, 0, 1), atol=1e-5)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


def test_a_mirrored_crop_is_the_crop_mirrored() -> None:
    straight, mirrored = Preprocessing().values(DOG), Preprocessing().values(DOG, mirrored=True)
    assert (mirrored == straight[:, :, ::-1]).all()
    assert mirrored.flags.c_contiguous


def test_what_json_holds_is_read_and_checked() -> None:
    found = Preprocessing.of({"short_side": 280, "crop": 260, "mean": [1, 2, 3], "scale": [4.0, 5.0, 6.0]})
    assert found == Preprocessing(280, 260, (1, 2, 3), (4.0, 5.0, 6.0))
    assert Preprocessing.of({"short_side": 256, "crop": 224, "mean": 127.0, "scale": 128.0}) == Preprocessing()
    assert hash(found)


@pytest.mark.parametrize(
    "facts",
    [
        {"size": 3}, {"crop": 0}, {"crop": 300}, {"crop": "224"}, {"crop": True, "short_side": True}, {"scale": 0},
        {"scale": [1, 0, 1]}, {"mean": [1, 2]}, {"mean": "grey"}, {"mean": None}, {"mean": float("nan")},
        {"short_side": 1_000_000}, {"resize": "stretch"}, {"resample": "nearest"}, {"mean": [1, 2, "3"]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Preprocessing.of(facts)
