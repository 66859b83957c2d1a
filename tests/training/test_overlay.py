"""Where the model looked, drawn."""

import base64
import io

import numpy as np
from PIL import Image

from training.overlay import data_url, overlay, relative

GREY = Image.new("RGB", (224, 224), (128, 128, 128))


def changed(heat: np.ndarray) -> np.ndarray:
    """How far each pixel of a grey crop moved."""
    drawn = np.asarray(overlay(GREY, heat.astype(np.float32)), int)
    return np.abs(drawn - 128).max(axis=-1)


def test_the_hottest_place_is_coloured_and_the_others_stay_as_they_were() -> None:
    heat = np.full((7, 7), -3.0)
    heat[1, 5] = 40.0
    moved = changed(heat)
    y, x = np.unravel_index(moved.argmax(), moved.shape)
    assert 32 <= y < 64
    assert 160 <= x < 192
    assert moved.max() > 60
    assert moved[120:, :100].max() == 0


def test_scale_and_offset_of_the_scores_make_no_difference() -> None:
    heat = np.random.default_rng(1).normal(size=(9, 9))
    assert np.abs(changed(heat) - changed(heat * 50 + 7)).max() <= 1


def test_a_flat_map_changes_nothing() -> None:
    for value in (0.0, 12.5, -3e6):
        assert changed(np.full((7, 7), value)).max() == 0


def test_maps_that_are_no_numbers_draw_nothing() -> None:
    heat = np.zeros((7, 7), np.float32)
    heat[3, 3] = np.nan
    assert relative(heat).max() == 0
    assert overlay(GREY, heat).size == (224, 224)


def test_the_answer_is_a_small_jpeg_of_the_crops_size() -> None:
    crop = Image.effect_noise((260, 260), 40).convert("RGB")
    text = data_url(overlay(crop, np.random.default_rng(2).normal(size=(9, 9)).astype(np.float32)))
    head, _, body = text.partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(body, validate=True))) as image:
        assert (image.format, image.size) == ("JPEG", (260, 260))
    assert len(text) < 60_000
